"""Reads docstrings."""

from __future__ import annotations

import ast
import inspect
import re

SECTIONS = {"Args:", "Arguments:", "Parameters:"}
SPHINX = re.compile(r":param (?:\w+ )?(\w+):\s*(.*)")
ITEM = re.compile(r"(\*{0,2}\w+)(?:\s*\([^)]*\))?:\s*(.*)")


def docstring(node: ast.AST) -> str:
    """Returns the docstring of a class or a function without its indentation; empty if there is none."""
    return inspect.cleandoc(ast.get_docstring(node, clean=False) or "")  # type: ignore[arg-type]


def split(text: str) -> tuple[list[str], dict[str, str]]:
    """Splits a docstring into the lines of its text and the documentation of parameters, which is one line each.

    Parameters are in a section `Args:`, as Google's style has it, or in lines `:param name:`.
    """
    lines: list[str] = []
    params: dict[str, str] = {}
    last = None
    is_inside = False
    for line in text.splitlines():
        words = line.strip()
        if words in SECTIONS and line == words:
            is_inside, last = True, None
        elif is_inside and line and not line[0].isspace():
            is_inside, last = False, None
            lines.append(line)
        elif is_inside:
            item = ITEM.fullmatch(words)
            # What is indented more than an item goes on with it.
            if item and indent(line) <= 4:
                last = item[1].lstrip("*")
                params[last] = item[2]
            elif last and words:
                params[last] = f"{params[last]} {words}".strip()
        elif found := SPHINX.fullmatch(words):
            params[found[1]] = found[2]
        else:
            lines.append(line)
    while lines and not lines[-1].strip():
        lines.pop()
    return [line.rstrip() for line in lines], params


def indent(line: str) -> int:
    return len(line) - len(line.lstrip())
