//! Sources in TypeScript and JavaScript.

use expect_test::{Expect, expect};

use super::{check, check_interface};

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
