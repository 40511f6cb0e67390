"""The errors of stages."""

from __future__ import annotations


class Error(Exception):
    """Why a value could not be had, or why a stage failed.

    `code` says what kind of error it is, as in `not-found`, and `attributes` has more of it as pairs of texts.
    """

    def __init__(self, message: str, code: str = "custom", attributes: list[tuple[str, str]] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.attributes = attributes or []


class ExecError(Error):
    """A command ended with an exit code that is a failure.

    `stdout` and `stderr` have the last part of what it printed.
    """

    def __init__(
        self,
        message: str,
        args: list[str],
        exit_code: int,
        stdout: str,
        stderr: str,
        attributes: list[tuple[str, str]] | None = None,
    ) -> None:
        super().__init__(message, "exec", attributes)
        self.command = args
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
