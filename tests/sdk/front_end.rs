//! The front ends of Python, and of JavaScript and TypeScript: sources in, the interface as WIT or the mistakes out.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use expect_test::{Expect, expect};
use guest_sdk_interface::Interface;
use serde_json::Value as Json;
use testkit::Language;

/// Reads a module with these files and shows its interface, or its mistakes. None if the language is not on this machine.
fn read(files: &[(&str, &str)]) -> Option<String> {
    let is_python = files.iter().all(|(name, _)| name.ends_with(".py"));
    let language = if is_python { Language::Python } else { Language::JavaScript };
    if !language.is_there() {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (root, out) = (dir.path(), dir.path().join("out"));
    let mut command = if is_python { python() } else { node(root) };
    let run = command.args([root, &*out]).output().expect("the language is installed");
    assert!(run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
    let answer: Json = serde_json::from_slice(&run.stdout).unwrap();
    if let Some(mistakes) = answer.get("mistakes") {
        return Some(mistakes.as_array().unwrap().iter().map(mistake).collect());
    }
    assert!(out.join(if is_python { "app.py" } else { "app.js" }).is_file());
    let interface: Interface = serde_json::from_value(answer["interface"].clone()).unwrap();
    Some(interface.package("shop", "0.1.0"))
}

/// Checks what is read in a module with these files.
fn check(files: &[(&str, &str)], expect: &Expect) {
    if let Some(text) = read(files) {
        expect.assert_eq(&text);
    }
}

fn python() -> Command {
    let mut command = Command::new("python3");
    command.arg("-B").arg(testkit::root().join("guest-sdk/python/host_build/describe.py"));
    command
}

fn node(module: &Path) -> Command {
    symlink(Language::JavaScript.tool_dir().parent().unwrap(), module.join("node_modules")).unwrap();
    let mut command = Command::new("node");
    command.arg(testkit::root().join("guest-sdk/javascript/host-build/describe.mjs"));
    command
}

fn mistake(mistake: &Json) -> String {
    let text = |key: &str| mistake[key].as_str().unwrap_or_default().to_owned();
    let hint = if mistake["hint"].is_null() { String::new() } else { format!("  hint: {}\n", text("hint")) };
    format!("{}:{}: {}\n{hint}", text("path"), mistake["line"], text("message"))
}

/// Checks the WIT of the interface of a class with these lines, without what all have.
fn interface(source: &str, expect: &Expect) {
    check_interface("main.py", source, expect);
}

fn check_interface(name: &str, source: &str, expect: &Expect) {
    let Some(text) = read(&[(name, source)]) else { return };
    let (text, _) = text.split_once("export stages;").unwrap_or((&text, ""));
    let (_, text) = text.split_once("interface stages {\n").unwrap_or(("", text));
    expect.assert_eq(&format!("{}\n", text.trim_end()));
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

/// Checks the interface or the mistakes of stages in TypeScript, after an import of what they need.
fn typescript(source: &str, expect: &Expect) {
    let import = "import { stages, type Directory, type File } from \"host-sdk\";";
    check_interface("main.ts", &format!("{import}\n{source}"), expect);
}

#[test]
fn types_comments_and_defaults_of_typescript_are_read() {
    typescript(
        r#"
/** How it is compiled. */
type Mode = "debug" | "full-speed";

/** A line that was found. */
interface Finding {
  /** The file of it. */
  path: string;
  lines?: number[];
}

/** Looks at sources. */
export class HTTPLinter {
  constructor(level: number, name?: string) {}
  stricter(other: HTTPLinter): HTTPLinter { return other; }
  private hidden(): void {}
  #own(): void {}
}

/** Builds the shop. */
export default stages({
  /**
   * Compiles the program.
   *
   * It takes a while.
   *
   * @param src The source
   *   tree.
   * @param jobs - How many.
   */
  build(src: Directory, mode: Mode = "full-speed", jobs = 2, name = 'a "b"', big: bigint): File { throw 0; },

  /**
   * Reads all of it.
   *
   * @check
   */
  lint: (src: Directory, only?: string[], deep: boolean = false, raw: Uint8Array | undefined): Finding[] => [],

  both(pair: [string, number], level: "low" | "high"): void {},
  linter(): HTTPLinter { throw 0; },
  use(linters: HTTPLinter[]): void {},
});
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
                    lines: option<list<f64>>,
                }

                enum level {
                    low,
                    high,
                }

                /// Looks at sources.
                resource http-linter {
                    constructor(level: f64, name: option<string>);

                    stricter: func(other: borrow<http-linter>) -> result<http-linter, error>;
                }

                /// Compiles the program.
                ///
                /// It takes a while.
                ///
                /// Parameters:
                /// - `src`: The source tree.
                /// - `jobs`: How many.
                /// @default mode full-speed
                /// @default jobs 2
                /// @default name "a \"b\""
                build: func(src: directory, mode: option<mode>, jobs: option<f64>, name: option<string>, big: s64) -> result<file, error>;

                /// Reads all of it.
                /// @default deep false
                /// @check
                lint: func(src: directory, only: option<list<string>>, deep: option<bool>, raw: option<list<u8>>) -> result<list<finding>, error>;

                both: func(pair: tuple<string, f64>, level: level) -> result<_, error>;

                linter: func() -> result<http-linter, error>;

                %use: func(linters: list<borrow<http-linter>>) -> result<_, error>;
            }

            world module {
                include pipeline:api/imports@0.1.0;
    "#]],
    );
}

#[test]
fn comments_of_javascript_have_types() {
    check_interface(
        "main.js",
        r#"
import { machine, stages } from "host-sdk";

/** Builds the shop. */
export default stages({
  /**
   * Compiles the program.
   *
   * @param {Directory} src The tree.
   * @param {string} [name] The name.
   * @param {number} jobs
   * @returns {File}
   */
  build(src, name, jobs = 2) { return machine.rootfs().file(name); },
});
"#,
        &expect![[r#"
                use pipeline:api/directory@0.1.0.{directory};
                use pipeline:api/errors@0.1.0.{error};
                use pipeline:api/file@0.1.0.{file};

                /// Compiles the program.
                ///
                /// Parameters:
                /// - `src`: The tree.
                /// - `name`: The name.
                /// @default jobs 2
                build: func(src: directory, name: option<string>, jobs: option<f64>) -> result<file, error>;
            }

            world module {
                include pipeline:api/imports@0.1.0;
                import pipeline:api/machine@0.1.0;
    "#]],
    );
}

#[test]
fn what_cannot_cross_in_typescript_is_refused_with_what_to_use() {
    typescript(
        r#"
class Own {}
export default stages({
  a(x: Map<string, string>): void {},
  b(x: string | number): void {},
  c(x: any): void {},
  async d(): Promise<void> {},
  e(...rest: string[]): void {},
  f({ x }: { x: string }): void {},
  g(x) { },
  h(x: string) { },
  i(x: Container): void {},
  j(x: Own): void {},
  k(x: "fullSpeed" | "no"): void {},
  l(x: number = "1"): void {},
  m(x = new Date()): void {},
  n<T>(x: T): void {},
  o: 5,
});
"#,
        &expect![[r#"
            main.ts:5: the type `Map` cannot cross
              hint: use an interface, or `[string, string][]`
            main.ts:6: the type `string | number` cannot cross
              hint: a stage takes and returns `string`, `boolean`, `number`, `bigint`, `Uint8Array`, `T[]`, `[A, B]`, `T | undefined`, the types of `host-sdk`, and own types: unions of texts, interfaces, and exported classes
            main.ts:7: the type `any` cannot cross
              hint: name the type
            main.ts:8: `d` cannot be `async`
              hint: methods of objects wait by themselves, and `syncAll` evaluates several at once
            main.ts:9: `e` cannot take `...rest`
              hint: callers see names and types: use a list
            main.ts:10: a parameter of `f` has no name
              hint: callers see names: take the parts in the body
            main.ts:11: the parameter `x` of `g` has no type
              hint: write it as `x: string`, or with the type that it has
            main.ts:12: `h` does not say what it returns
              hint: write `: void` if it returns nothing
            main.ts:13: the type `Container` is not imported
              hint: `import type { Container } from "host-sdk"`
            main.ts:3: the class `Own` is not exported by the file with the stages
              hint: write `export` before it there
            main.ts:15: the text `fullSpeed` cannot be a case
              hint: write it in kebab case, as in `full-speed`
            main.ts:16: the default of `x` is not of its type
            main.ts:17: the parameter `x` of `m` has no type
              hint: write it as `x: string`, or with the type that it has
            main.ts:18: `n` cannot have type parameters
              hint: callers cannot choose types: name them
            main.ts:19: a stage is a function
              hint: write it here: `name(src: Directory): File { ... }`
        "#]],
    );
}

#[test]
fn a_module_in_typescript_has_one_object_of_stages() {
    let check = |source: &str, expect: Expect| check(&[("main.ts", source)], &expect);
    check(
        "",
        expect![[r#"
        main.ts:1: the module has no default export
          hint: write `export default stages({ ... })`, with `stages` of `host-sdk`
    "#]],
    );
    check(
        "export default 5;",
        expect![[r#"
        main.ts:1: the default export is not `stages({ ... })`
          hint: write `export default stages({ ... })`, with `stages` of `host-sdk`
    "#]],
    );
    check(
        "import { stages } from 'host-sdk';\nexport default stages({});",
        expect![[r#"
        main.ts:2: the module has no stage
          hint: each function in `stages({ ... })` is one
    "#]],
    );
    check(
        "import * as host from 'host-sdk';\nexport default host.stages({});",
        expect![[r#"
        main.ts:1: `host-sdk` cannot be imported as a whole
          hint: name what is used: `import { machine, stages } from "host-sdk"`
        main.ts:2: the default export is not `stages({ ... })`
          hint: write `export default stages({ ... })`, with `stages` of `host-sdk`
    "#]],
    );
    check(
        "export default {",
        expect![[r#"
            main.ts:1: '}' expected.
        "#]],
    );
}

#[test]
fn imports_that_a_component_of_javascript_cannot_have_are_refused() {
    typescript(
        r#"
import fs from "node:fs";
import axios from "axios";
import gone from "./gone.js";
export default stages({ a(): void { fs.x(axios, gone); } });
"#,
        &expect![[r#"
            main.ts:3: a stage cannot import `node:fs`
              hint: a stage has no file system: take a `Directory` or a `File`
            main.ts:4: a stage cannot import `axios`
              hint: a component has no modules of Node.js; packages of npm that need none can be installed
            main.ts:5: Could not resolve "./gone.js"
        "#]],
    );
}
