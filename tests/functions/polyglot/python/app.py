"""Stages in Python."""

from typing import Optional

from componentize_py_types import Err
from wit_world.imports.directory import Directory, NewOptions
from wit_world.imports.errors import Error


class Stages:
    def greet(self, name: Optional[str]) -> str:
        return f"Hello, {name or 'world'}!"

    def build(self, src: Directory) -> Directory:
        return src.with_new_file("built.txt", "by Python\n")

    def names(self, src: Directory) -> str:
        return " ".join(src.entries(None))

    def missing(self, src: Directory) -> str:
        try:
            return src.file("../outside").contents()
        except Err as error:
            return error.value.code

    def written(self, src: Directory) -> bytes:
        return src.with_new_file_options("a", bytes([1, 255]), NewOptions()).file("a").read(0, 5)

    def reversed(self, bytes: bytes) -> bytes:
        return bytes[::-1]

    def refuse(self) -> str:
        raise Err(Error("custom", "not today", None, [("day", "monday")]))

    def fail(self, message: str) -> None:
        raise ValueError(message)
