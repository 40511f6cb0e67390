//! Sources in Python.

use expect_test::{Expect, expect};

use super::{check, check_interface, read};

/// Checks the WIT of the interface of a class with these lines, without what all have.
fn interface(source: &str, expect: &Expect) {
    check_interface("main.py", source, expect);
}

/// Checks the mistakes of a class of stages with these lines.
fn mistakes(lines: &str, expect: &Expect) {
    let head = "from host_sdk import *\n@stages\nclass Shop:\n";
    let body: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    check(&[("main.py", &format!("{head}{body}"))], expect);
}

#[test]
fn documentation_defaults_and_types_are_read() {
    interface(
        r#"
from enum import Enum
from dataclasses import dataclass
from typing import Optional
from host_sdk import Directory, File, check, machine, stages

class Mode(Enum):
    """How it is compiled."""
    DEBUG = 1
    FULL_SPEED = 2

@dataclass
class Finding:
    """A line that was found.

    Args:
        path: The file of it.
    """
    path: str
    lines: list[int]

@stages
class Shop:
    """Builds the shop."""

    def build(self, src: Directory, mode: Mode = Mode.FULL_SPEED, jobs: int = 2, name: str = 'a "b"') -> File:
        """Compiles the program.

        It takes a while.

        Args:
            src: The source
                tree.
            jobs (int): How many.

        Returns:
            The program.
        """

    @check
    def lint(self, src: "Directory", only: Optional[list[str]] = None, *, deep: bool = False) -> list[Finding]:
        """Reads all of it.

        :param deep: All of it.
        """

    def _private(self): pass
"#,
        &expect![[r#"
                use pipeline:api/directory@0.1.0.{directory};
                use pipeline:api/errors@0.1.0.{error};
                use pipeline:api/file@0.1.0.{file};

                /// How it is compiled.
                enum mode {
                    debug,
                    full-speed,
                }

                /// A line that was found.
                record finding {
                    /// The file of it.
                    path: string,
                    lines: list<s64>,
                }

                /// Compiles the program.
                ///
                /// It takes a while.
                ///
                /// Returns:
                ///     The program.
                ///
                /// Parameters:
                /// - `src`: The source tree.
                /// - `jobs`: How many.
                /// @default mode full-speed
                /// @default jobs 2
                /// @default name "a \"b\""
                build: func(src: directory, mode: option<mode>, jobs: option<s64>, name: option<string>) -> result<file, error>;

                /// Reads all of it.
                ///
                /// Parameters:
                /// - `deep`: All of it.
                /// @default deep false
                /// @check
                lint: func(src: directory, only: option<list<string>>, deep: option<bool>) -> result<list<finding>, error>;
            }

            world module {
                include pipeline:api/imports@0.1.0;
                import pipeline:api/machine@0.1.0;
    "#]],
    );
}

#[test]
fn objects_are_resources_that_are_lent() {
    interface(
        r#"
from host_sdk import stages, value_object

@value_object
class HTTPLinter:
    """Looks at sources."""
    def __init__(self, level: int, name: str | None = None) -> None: ...
    def stricter(self, other: "HTTPLinter") -> "HTTPLinter": ...

@stages
class Shop:
    def linter(self) -> HTTPLinter: ...
    def lint(self, linters: list[HTTPLinter]) -> None: ...
"#,
        &expect![[r#"
                use pipeline:api/errors@0.1.0.{error};

                /// Looks at sources.
                resource http-linter {
                    constructor(level: s64, name: option<string>);

                    stricter: func(other: borrow<http-linter>) -> result<http-linter, error>;
                }

                linter: func() -> result<http-linter, error>;

                lint: func(linters: list<borrow<http-linter>>) -> result<_, error>;
            }

            world module {
                include pipeline:api/imports@0.1.0;
    "#]],
    );
}

#[test]
fn classes_of_other_files_are_found() {
    let shapes = "from enum import Enum\nclass Mode(Enum):\n    A = 1\n";
    let main = "from host_sdk import stages\nfrom lib.shapes import Mode as M\n@stages\nclass S:\n    def f(self, m: M) -> None: ...\n";
    let files = [("main.py", main), ("lib/__init__.py", ""), ("lib/shapes.py", shapes)];
    let Some(text) = read(&files) else { return };
    assert!(text.contains("enum mode {") && text.contains("f: func(m: mode)"), "{text}");
}

#[test]
fn what_cannot_cross_is_refused_with_what_to_use() {
    mistakes(
        "def a(self, x: dict[str, str]) -> None: ...\n\
         def b(self, x: str | int) -> None: ...\n\
         def c(self, x: list) -> None: ...\n\
         def d(self, x: 'Path') -> None: ...\n\
         def e(self, x: 'not a type') -> None: ...\n\
         def f(self, x: Unknown) -> None: ...\n\
         def g(self) -> set[str]: ...",
        &expect![[r#"
            main.py:4: `dict[str, str]` cannot cross
              hint: use a dataclass, or `list[tuple[str, str]]`
            main.py:5: `str | int` cannot cross
              hint: only `T | None` can: a stage takes and returns `str`, `bool`, `int`, `float`, `bytes`, `list`, `tuple`, `Optional`, the classes of `host_sdk`, and own classes: of `enum.Enum`, with `@dataclass`, or with `@value_object`
            main.py:6: say what is in the `list`: `list[str]`
            main.py:7: the type `Path` cannot cross
              hint: a stage has no file system: use `File`, `Directory` or `str`
            main.py:8: the annotation `not a type` is not a type
            main.py:9: the type `Unknown` cannot cross
              hint: a stage takes and returns `str`, `bool`, `int`, `float`, `bytes`, `list`, `tuple`, `Optional`, the classes of `host_sdk`, and own classes: of `enum.Enum`, with `@dataclass`, or with `@value_object`
            main.py:10: `set[str]` cannot cross
              hint: use `list`
        "#]],
    );
}

#[test]
fn signatures_that_callers_could_not_use_are_refused() {
    mistakes(
        "async def a(self) -> None: ...\n\
         def b(self, *rest: str) -> None: ...\n\
         def c(self, **rest: str) -> None: ...\n\
         def d(self, x) -> None: ...\n\
         def e(self): ...\n\
         def f() -> None: ...\n\
         @staticmethod\n\
         def g() -> None: ...\n\
         def h(self, x: str, /) -> None: ...\n\
         def __init__(self, x: int): ...",
        &expect![[r#"
            main.py:4: `a` cannot be `async`
              hint: methods of objects wait by themselves, and `sync_all` evaluates several at the same time
            main.py:5: `b` cannot take `*rest`
              hint: callers see names and types: use a list
            main.py:6: `c` cannot take `*rest`
              hint: callers see names and types: use a list
            main.py:7: the parameter `x` of `d` has no type
              hint: write it as `x: str`, or with the type that it has
            main.py:8: `e` does not say what it returns
              hint: write `-> None` if it returns nothing
            main.py:9: `f` has to be a method: its first parameter is `self`
            main.py:11: `g` has to be a method: its first parameter is `self`
            main.py:12: `h` cannot have parameters without a name
              hint: remove the `/`
            main.py:13: the class of stages cannot take arguments
        "#]],
    );
}

#[test]
fn defaults_are_constants_of_their_type() {
    mistakes(
        "def a(self, x: int = '1') -> None: ...\n\
         def b(self, x: str = len('a')) -> None: ...\n\
         def c(self, x: bool = 1) -> None: ...\n\
         def d(self, x: Directory = 1) -> None: ...",
        &expect![[r#"
            main.py:4: the default of `x` is not of its type
            main.py:5: the default of `x` is not a constant
              hint: a default is written out, as callers see it; for others take `None` and set it in the body
            main.py:6: the default of `x` is not of its type
            main.py:7: the default of `x` is not of its type
        "#]],
    );
}

#[test]
fn a_module_has_one_class_of_stages() {
    let check = |files: &[(&str, &str)], expect: Expect| check(files, &expect);
    check(
        &[("other.py", "")],
        expect![[r#"
        main.py:0: the module has no such file
          hint: the class with the stages is in it
    "#]],
    );
    check(
        &[("main.py", "class A: pass")],
        expect![[r#"
        main.py:1: no class in `main.py` has `@stages`
          hint: write `@stages` before the class whose methods are the stages: `from host_sdk import stages`
    "#]],
    );
    check(
        &[("main.py", "@stages\nclass A: pass\n@stages\nclass B: pass")],
        expect![[r#"
        main.py:4: a module has one class with `@stages`, and this is the second
    "#]],
    );
    check(
        &[("main.py", "@stages\nclass A: pass")],
        expect![[r#"
        main.py:2: the class `A` has no public method
          hint: each is a stage
    "#]],
    );
    check(
        &[("main.py", "def f(:\n")],
        expect![[r#"
        main.py:1: invalid syntax
    "#]],
    );
    check(
        &[("main.py", "@stages\nclass A:\n    def get_it(self) -> None: ...\n    def getIt(self) -> None: ...")],
        expect![[r#"
            main.py:2: two things of the module are called `get-it`
        "#]],
    );
}

#[test]
fn imports_that_a_component_cannot_have_are_refused() {
    let main = "import os, json, subprocess\nimport requests\nfrom numpy import array\nfrom host_sdk import stages\n\
                @stages\nclass A:\n    def a(self) -> None: ...\n";
    check(
        &[("main.py", main)],
        &expect![[r#"
        main.py:1: a stage cannot import `subprocess`
          hint: run commands in a container: `container.with_exec([...])`
        main.py:2: a stage cannot import `requests`
          hint: a stage has no network: fetch with `from host_sdk import sources`, or in a command
        main.py:3: a stage cannot import `numpy`
          hint: a component has the standard library and the files of the module; put pure Python beside them
    "#]],
    );
}
