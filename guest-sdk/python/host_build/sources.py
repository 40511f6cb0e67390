"""The source files of a module, and the mistakes in them."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field
from pathlib import Path

ENTRY = "main"
"""The module that has the stages."""

INSTEAD = {
    "subprocess": "run commands in a container: `container.with_exec([...])`",
    "multiprocessing": "a stage has one thread; steps run side by side by `sync_all`",
    "socket": "a stage has no network: fetch with `from host_sdk import sources`, or in a command",
    "ssl": "a stage has no network: fetch with `from host_sdk import sources`, or in a command",
    "requests": "a stage has no network: fetch with `from host_sdk import sources`, or in a command",
    "httpx": "a stage has no network: fetch with `from host_sdk import sources`, or in a command",
    "urllib3": "a stage has no network: fetch with `from host_sdk import sources`, or in a command",
    "docker": "containers are objects here: `from host_sdk import Container`",
    "dagger": "the objects are in `host_sdk`: `from host_sdk import Container, Directory`",
}
"""What to do in place of modules that a component cannot use."""


class Mistake(Exception):
    """A mistake at a place in the sources."""

    def __init__(self, path: str, line: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.path, self.line, self.message, self.hint = path, line, message, hint

    def as_json(self) -> dict:
        return {"path": self.path, "line": self.line, "message": self.message, "hint": self.hint}


@dataclass
class Class:
    """A class in a source file."""

    module: str
    name: str
    node: ast.ClassDef
    path: str

    def mistake(self, node: ast.AST, message: str, hint: str | None = None) -> Mistake:
        return Mistake(self.path, getattr(node, "lineno", self.node.lineno), message, hint)


@dataclass
class Source:
    """A parsed source file."""

    module: str
    path: str
    tree: ast.Module
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The names that are imported: of which module, and which name there."""


class Sources:
    """All source files of a module that the one with the stages reaches."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.mistakes: list[Mistake] = []
        self.files: set[Path] = set()
        self.powers: set[str] = set()
        self.parsed: dict[str, Source] = {}

    def entry(self) -> Source:
        """Returns the file with the stages."""
        if self.file(ENTRY) is None:
            raise Mistake(f"{ENTRY}.py", 0, "the module has no such file", "the class with the stages is in it")
        return self.parse(ENTRY)

    def parse(self, module: str) -> Source:
        if module in self.parsed:
            return self.parsed[module]
        file = self.file(module)
        assert file is not None, "only modules that have a file are parsed"
        path = str(file.relative_to(self.root))
        self.files.add(file)
        try:
            tree = ast.parse(file.read_bytes(), path)
        except (SyntaxError, ValueError) as error:
            raise Mistake(path, getattr(error, "lineno", None) or 1, f"{getattr(error, 'msg', error)}") from None
        source = self.parsed[module] = Source(module, path, tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self.imported(source, node, alias.name, None, alias.asname)
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    package = module.split(".")[: -node.level]
                    base = ".".join([*package, *filter(None, [base])])
                for alias in node.names:
                    self.imported(source, node, base, alias.name, alias.asname)
        return source

    def imported(self, source: Source, node: ast.AST, module: str, name: str | None, alias: str | None) -> None:
        if name is not None:
            source.imports[alias or name] = (module, name)
        top = module.split(".")[0]
        if top == "host_sdk":
            self.power(module, name)
        elif name is not None and self.file(f"{module}.{name}".lstrip(".")):
            self.parse(f"{module}.{name}".lstrip("."))
        elif self.file(module):
            self.parse(module)
        elif (hint := INSTEAD.get(top)) or top not in sys.stdlib_module_names:
            reason = "a component has the standard library and the files of the module; put pure Python beside them"
            self.mistakes.append(
                Mistake(source.path, node.lineno, f"a stage cannot import `{top}`", hint or reason)  # type: ignore[attr-defined]
            )

    def power(self, module: str, name: str | None) -> None:
        for word in [*module.split(".")[1:], name or ""]:
            if word in ("machine", "sources", "effects", "secret_access"):
                self.powers.add(word.replace("_", "-"))

    def file(self, module: str) -> Path | None:
        """Returns the file of a module that is in the directory."""
        base = self.root.joinpath(*module.split("."))
        for file in (base.with_name(base.name + ".py"), base / "__init__.py"):
            if module and file.is_file():
                return file
        return None

    def find_class(self, source: Source, name: str) -> Class | None:
        """Finds a class by the name that it has in a source file."""
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return Class(source.module, name, node, source.path)
        module, original = source.imports.get(name, ("", ""))
        return self.find_class(self.parse(module), original) if module and self.file(module) else None
