"""The module `objects` in Python."""

from typing import List, Optional

from componentize_py_types import Err
from stages import Linter
from wit_world.exports.stages import Finding
from wit_world.imports.directory import Directory
from wit_world.imports.errors import Error
from wit_world.imports.report import Report, TestCase, Verdict


class Stages:
    def describe(self, linter: Linter) -> str:
        return f"a linter of level {linter.level()}"

    def each(self, levels: List[int]) -> List[Linter]:
        return [Linter(level) for level in levels]

    def sum(self, lent: List[Linter], more: Optional[Linter], owned: List[Linter]) -> int:
        return sum(linter.level() for linter in [*lent, *([more] if more else []), *owned])

    def strict(self, level: int) -> Linter:
        if level > 9:
            raise Err(Error("custom", f"there is no level {level}: 9 is the highest", None, []))
        return Linter(level)

    def find(self, src: Directory, linter: Linter) -> List[Finding]:
        return [Finding(path, len(linter.long_lines(src, path))) for path in src.glob("**/*.txt")]

    def sources(self) -> Directory:
        return Directory().with_new_file("good.txt", "short\n").with_new_file("bad.txt", "long " * 20)

    def check(self, src: Directory) -> Report:
        return Report("text files", [self._case(src, path) for path in src.glob("**/*.txt")])

    def _case(self, src: Directory, path: str) -> TestCase:
        n_bytes = src.file(path).size()
        if n_bytes == 0:
            return TestCase(path, Verdict.SKIPPED, "it is empty", 0)
        if n_bytes < 100:
            return TestCase(path, Verdict.PASSED, "", 0)
        return TestCase(path, Verdict.FAILED, f"{n_bytes} bytes", 0)
