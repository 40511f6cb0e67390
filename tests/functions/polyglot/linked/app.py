"""The module `linked` in Python. The module `objects` that it imports can be in any language."""

from typing import List, Optional

from componentize_py_types import Err
from wit_world.imports import stages as objects
from wit_world.imports.directory import Directory
from wit_world.imports.errors import Error


class Stages:
    def style(self, level: Optional[int]) -> str:
        linter = objects.Linter(level)
        return f"{objects.describe(linter)}: {linter.check()}"

    def every_way(self) -> int:
        linter = objects.Linter(1).with_level(2)
        each = objects.each([3, 4])
        strict = objects.strict(5)
        try:
            objects.strict(10)
        except Err as refused:
            if not isinstance(refused.value, Error):
                raise
        else:
            raise Err(Error("custom", "a level that does not exist was taken", None, []))
        stricter = linter.stricter(strict)
        return objects.sum(each, stricter, [linter, objects.Linter.strictest()])

    def lent(self) -> int:
        stricter = objects.Linter(1).with_level(2).stricter(objects.strict(5))
        return objects.sum(objects.each([3, 4]), stricter, [])

    def findings(self, src: Directory) -> List[str]:
        # A parameter of the type `directory`, and not `borrow<directory>`, consumes this handle.
        report = objects.check(src.subdirectory("."))
        found = objects.find(src, objects.Linter(None))
        return [report.summary, *(f"{finding.path}: {finding.n_lines} long lines" for finding in found)]

    def sources(self) -> Directory:
        return objects.sources()

    def refused(self) -> List[str]:
        return objects.Linter.strictest().long_lines(Directory(), "nothing.txt")
