"""A module in Python with everything that can cross."""

from dataclasses import dataclass
from enum import Enum

from host_sdk import (
    Directory,
    Error,
    ExecError,
    File,
    Report,
    TestCase,
    Verdict,
    check,
    log,
    machine,
    stages,
    sync_all,
    value_object,
)
from host_sdk.api import Level
from text import shout


class Mode(Enum):
    """How it is compiled."""

    DEBUG = "debug"
    RELEASE = "release"


@dataclass
class Finding:
    """A file that was found."""

    path: str
    sizes: list[int]
    mode: Mode | None


@value_object
class Linter:
    """Looks at sources."""

    def __init__(self, level: int = 1) -> None:
        self._level = level

    def level(self) -> int:
        """Returns the level."""
        return self._level

    def stricter(self, other: "Linter") -> "Linter":
        """Returns a linter that is stricter than both."""
        return Linter(max(self._level, other._level) + 1)


@stages
class Shop:
    """Builds and tests the shop."""

    def greet(self, name: str = "world", times: int = 1, loud: bool = False) -> str:
        """Returns a greeting.

        Args:
            name: The person to greet.
            times: How often.
        """
        log.emit(Level.DEBUG, "greeting")
        text = ", ".join([f"Hello {name}"] * times)
        return shout(text) if loud else text

    def build(self, src: Directory, mode: Mode = Mode.DEBUG) -> Directory:
        """Adds two files."""
        return src.with_new_file("a.txt", mode.value).with_new_file("b", b"\xff\x00", mode=0o755)

    def mode_of(self, build: Directory, path: str) -> str:
        """Returns the permission bits of a file that `build` made."""
        return oct(build.stat(path).mode)

    def findings(self, src: Directory) -> list[Finding]:
        return [Finding(path, [src.file(path).size()], Mode.RELEASE) for path in src.glob("**")]

    def lint(self, linters: list[Linter]) -> int:
        return sum(linter.level() for linter in linters)

    def strictest(self) -> Linter:
        return Linter(9).stricter(Linter(3))

    def pair(self, both: tuple[str, int] | None = None) -> tuple[str, int]:
        return both or ("none", 0)

    def printed(self) -> str:
        """Runs two commands at the same time."""
        left, right = (machine.rootfs().with_exec(["echo", word]) for word in ("left", "right"))
        sync_all(left, right)
        return left.stdout() + right.with_exec(["cat"], stdin="right").stdout()

    def caught(self) -> str:
        try:
            machine.rootfs().with_exec(["sh", "-c", "echo out; echo err >&2; exit 7"]).sync()
        except ExecError as error:
            return f"{error.exit_code} {error.stdout.strip()} {error.stderr.strip()}"
        return "it did not fail"

    def missing(self, src: Directory) -> str:
        try:
            return src.file("../outside").contents()
        except Error as error:
            return error.code

    def failing(self) -> None:
        machine.rootfs().with_exec(["sh", "-c", "echo no >&2; exit 3"]).sync()

    def refused(self) -> None:
        raise Error("not today", attributes=[("day", "monday")])

    def broken(self) -> None:
        self._break({})

    def _break(self, things: dict) -> None:
        things["missing"]

    def wrong(self) -> File:
        return "a text"

    def not_a_list(self) -> None:
        machine.rootfs().with_exec("make")

    @check
    def tests(self) -> Report:
        """Runs the tests."""
        return Report("two cases", [TestCase("a", Verdict.PASSED, "", 1), TestCase("b", Verdict.SKIPPED, "later", 0)])
