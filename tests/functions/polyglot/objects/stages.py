"""The objects of the interface `stages`: componentize-py looks for them in a module of its name."""

from typing import List, Optional

from componentize_py_types import Err
from wit_world.imports.directory import Directory
from wit_world.imports.errors import Error


class Linter:
    def __init__(self, level: Optional[int]) -> None:
        self._level = 1 if level is None else level

    def with_level(self, level: int) -> "Linter":
        return Linter(level)

    def level(self) -> int:
        return self._level

    def check(self) -> str:
        if self._level == 0:
            raise Err(Error("custom", "a linter of level 0 checks nothing", None, []))
        return f"checked at level {self._level}"

    def long_lines(self, src: Directory, path: str) -> List[str]:
        most = max(80 - 10 * self._level, 0)
        return [line for line in src.file(path).contents().splitlines() if len(line) > most]

    def stricter(self, other: "Linter") -> "Linter":
        return Linter(max(self._level, other._level))

    @classmethod
    def strictest(cls) -> "Linter":
        return cls(9)
