//! Manifests that are refused, with their messages and positions.

use expect_test::{Expect, expect};
use graph::Diagnostic as _;

use super::*;

/// Stages with keys or values that are not allowed.
pub(super) const SAYS: &[&str] = &[
    "stages = 1",
    "[[stages]]",
    "[stages]\nBuild = {}",
    "[stages]\nbuild = 'x'",
    "[stages.build]\nretrys = 1\narg = 1",
    "[stages.build]\nretry = -1",
    "[stages.build]\nretry = 4294967296",
    "[stages.build]\nretry = '2'",
    "[stages.build]\ntimeout = 'soon'",
    "[stages.build]\ntimeout = 0",
    "[stages.build]\ntimeout = 1.5",
    "[stages.build]\nallow-failure = 'yes'",
    "[stages.build]\nargs = ['a']",
    "[stages.build]\nargs = { 'a b' = 1 }",
    "[stages.build]\nargs = { a-b = 1, a_b = 2 }",
    "[stages.build]\nargs = { a-b = 1 }\ndefaults = { c = 1, a_b = 2 }",
    "[stages.build]\nargs = { a = 1979-05-27 }",
    "[stages.build]\nargs = { a = [1.0, nan] }",
    "[stages.build]\nargs = { a = { b = -inf } }",
    "[stages.build]\nargs = { a = 18446744073709551616 }",
    "[stages.build]\nargs = { a = { from = 1 } }",
    "[stages.build]\nignore = 'target'",
    "[stages.build]\nignore = { src = 'target' }",
    "[stages.build]\nignore = { a-b = [], a_b = [] }",
    "[stages.build]\nenv = { CI = 1 }",
    "[stages.build]\nenv = { 'A=B' = '1' }",
];

/// Stages whose work is not allowed.
pub(super) const DOES: &[&str] = &[
    "[stages.a]\ncall = ''",
    "[stages.a]\ncall = 'lint.check()'",
    "[stages.a]\ncall = 'a.b.c'",
    "[stages.a]\ncall = 'stages.a.b'",
    "[stages.a]\ncall = 'a.stages.B'",
    "[stages.a]\ncall = 'lint.check'",
    "[dependencies]\nlint = '../lint'\n[stages.a]\ncall = 'lnt.check'",
    "[stages.a]\ncall = 'build'\nfrom = 'build'",
    "[stages.a]\nfrom = 'build'\nargs = {}",
    "[stages.a]\ndefaults = {}\nfrom = 'build'",
    "[stages.a]\nenv = {}\nfrom = 'build'",
    "[stages.a]\nfrom = ''",
    "[stages.a]\nfrom = 'build.file(.)'",
    "[stages.a]\nfrom = \"build.file(\\\"\\u0061pp\\\", ?)\"",
    "[stages.a]\nargs = { b = { from = 'build.' } }",
    "[stages.a]\nfrom = '''\nbuild\n  .file(1 2)'''",
];

/// Entries that are not dependencies.
pub(super) const DEPENDENCIES: &[&str] = &[
    "dependencies = ['a']",
    "[dependencies]\nLint = '../lint'",
    "[dependencies]\npipeline-api = 'a'",
    "[dependencies]\nlint = 1",
    "[dependencies]\nlint = ''",
    "[dependencies]\nlint = { pth = '../lint' }",
    "[dependencies]\nlint = { allow = [] }",
    "[dependencies]\nlint = { path = 'a', component = 'a.wasm' }",
    "[dependencies]\nlint = { component = 'a.wat' }",
    "[dependencies]\nlint = { path = 'a', allow = ['machin'] }",
    "[dependencies]\nlint = { path = 'a', allow = 'machine' }",
];

/// Checks mistakes in the manifest of a module with code.
fn refuse(cases: &[&str], expect: &Expect) {
    let refusal = |text: &&str| {
        let error = ModuleManifest::parse(Path::new("host.toml"), &format!("{GOOD}{text}")).unwrap_err();
        format!("{text}\n  {error}\n  hint: {}\n", error.hint().unwrap_or_default())
    };
    expect.assert_eq(&cases.iter().map(refusal).collect::<String>());
}

#[test]
fn what_a_stage_cannot_say_is_refused_at_its_place() {
    refuse(
        SAYS,
        &expect![[r#"
            stages = 1
              `host.toml:4:10`: `stages` takes a table of stages, not an integer
              hint: 
            [[stages]]
              `host.toml:4:1`: `stages` takes a table of stages, not a list
              hint: 
            [stages]
            Build = {}
              `host.toml:5:1`: `Build` cannot be the name of a stage: it takes lowercase letters, digits and single hyphens
              hint: 
            [stages]
            build = 'x'
              `host.toml:5:9`: `build` takes a table, as in `[stages.build]`, not a string
              hint: 
            [stages.build]
            retrys = 1
            arg = 1
              `host.toml:5:1`: there is no key `retrys` in a stage
              hint: did you mean `retry`?
            [stages.build]
            retry = -1
              `host.toml:5:9`: `retry` takes a number from 0 to 4294967295, not `-1`
              hint: 
            [stages.build]
            retry = 4294967296
              `host.toml:5:9`: `retry` takes a number from 0 to 4294967295, not `4294967296`
              hint: 
            [stages.build]
            retry = '2'
              `host.toml:5:9`: `retry` takes a number, not a string
              hint: 
            [stages.build]
            timeout = 'soon'
              `host.toml:5:11`: `timeout` takes a time as in `90`, `500ms`, `10m` or `2h`, not `soon`
              hint: 
            [stages.build]
            timeout = 0
              `host.toml:5:11`: `timeout` takes a time as in `90`, `500ms`, `10m` or `2h`, not `0`
              hint: 
            [stages.build]
            timeout = 1.5
              `host.toml:5:11`: `timeout` takes a time, as in `10m`, not a number with a point
              hint: 
            [stages.build]
            allow-failure = 'yes'
              `host.toml:5:17`: `allow-failure` takes true or false, not a string
              hint: 
            [stages.build]
            args = ['a']
              `host.toml:5:8`: `args` takes a table of parameters, not a list
              hint: 
            [stages.build]
            args = { 'a b' = 1 }
              `host.toml:5:10`: `a b` cannot be the name of a parameter: it takes letters, digits and single hyphens
              hint: 
            [stages.build]
            args = { a-b = 1, a_b = 2 }
              `host.toml:5:19`: the parameter `a-b` is given twice
              hint: keep one of them: `args` are taken before `defaults`, and `a_b` is `a-b`
            [stages.build]
            args = { a-b = 1 }
            defaults = { c = 1, a_b = 2 }
              `host.toml:6:21`: the parameter `a-b` is given twice
              hint: keep one of them: `args` are taken before `defaults`, and `a_b` is `a-b`
            [stages.build]
            args = { a = 1979-05-27 }
              `host.toml:5:14`: a date cannot be an argument
              hint: write it as a string, if the parameter takes one
            [stages.build]
            args = { a = [1.0, nan] }
              `host.toml:5:20`: `nan` cannot be an argument
              hint: write it as a string, if the parameter takes one
            [stages.build]
            args = { a = { b = -inf } }
              `host.toml:5:20`: `-inf` cannot be an argument
              hint: write it as a string, if the parameter takes one
            [stages.build]
            args = { a = 18446744073709551616 }
              `host.toml:5:14`: the number `18446744073709551616` cannot be an argument
              hint: write it as a string, if the parameter takes one
            [stages.build]
            args = { a = { from = 1 } }
              `host.toml:5:23`: `from` takes an expression, as in `build.file("app")`, not an integer
              hint: 
            [stages.build]
            ignore = 'target'
              `host.toml:5:10`: `ignore` takes a list of patterns, or a table with one for each parameter, not a string
              hint: 
            [stages.build]
            ignore = { src = 'target' }
              `host.toml:5:18`: `ignore` takes a list of patterns, or a table with one for each parameter, not a string
              hint: 
            [stages.build]
            ignore = { a-b = [], a_b = [] }
              `host.toml:5:22`: the parameter `a-b` is given twice
              hint: keep one of them: `args` are taken before `defaults`, and `a_b` is `a-b`
            [stages.build]
            env = { CI = 1 }
              `host.toml:5:14`: `CI` takes a string, not an integer
              hint: 
            [stages.build]
            env = { 'A=B' = '1' }
              `host.toml:5:9`: `A=B` cannot be a variable: it takes a name without `=`, and a value without a null character
              hint: 
        "#]],
    );
}

#[test]
fn what_a_stage_cannot_do_is_refused_at_its_place() {
    refuse(
        DOES,
        &expect![[r#"
            [stages.a]
            call = ''
              `host.toml:5:8`: `call` takes a function as in `build`, one of a dependency as in `lint.check`, or its set-up as in `lint.stages.check`, not ``
              hint: 
            [stages.a]
            call = 'lint.check()'
              `host.toml:5:8`: `call` takes a function as in `build`, one of a dependency as in `lint.check`, or its set-up as in `lint.stages.check`, not `lint.check()`
              hint: `from` takes an expression
            [stages.a]
            call = 'a.b.c'
              `host.toml:5:8`: `call` takes a function as in `build`, one of a dependency as in `lint.check`, or its set-up as in `lint.stages.check`, not `a.b.c`
              hint: 
            [stages.a]
            call = 'stages.a.b'
              `host.toml:5:8`: `call` takes a function as in `build`, one of a dependency as in `lint.check`, or its set-up as in `lint.stages.check`, not `stages.a.b`
              hint: 
            [stages.a]
            call = 'a.stages.B'
              `host.toml:5:8`: `call` takes a function as in `build`, one of a dependency as in `lint.check`, or its set-up as in `lint.stages.check`, not `a.stages.B`
              hint: 
            [stages.a]
            call = 'lint.check'
              `host.toml:5:8`: there is no dependency `lint`
              hint: add `lint = "PATH"` to `[dependencies]`
            [dependencies]
            lint = '../lint'
            [stages.a]
            call = 'lnt.check'
              `host.toml:7:8`: there is no dependency `lnt`
              hint: did you mean `lint`?
            [stages.a]
            call = 'build'
            from = 'build'
              `host.toml:5:1`: `call` cannot be given beside `from`
              hint: remove `call`, or `from`: an expression is evaluated, and no function is called for it
            [stages.a]
            from = 'build'
            args = {}
              `host.toml:6:1`: `args` cannot be given beside `from`
              hint: remove `args`, or `from`: an expression is evaluated, and no function is called for it
            [stages.a]
            defaults = {}
            from = 'build'
              `host.toml:5:1`: `defaults` cannot be given beside `from`
              hint: remove `defaults`, or `from`: an expression is evaluated, and no function is called for it
            [stages.a]
            env = {}
            from = 'build'
              `host.toml:5:1`: `env` cannot be given beside `from`
              hint: remove `env`, or `from`: an expression is evaluated, and no function is called for it
            [stages.a]
            from = ''
              `host.toml:5:9`: expected the name of a stage, not the end, in the expression ``
              hint: an expression is a stage and methods, as in `build.file("app")`
            [stages.a]
            from = 'build.file(.)'
              `host.toml:5:20`: expected an argument, not `.`, in the expression `build.file(.)`
              hint: an expression is a stage and methods, as in `build.file("app")`
            [stages.a]
            from = "build.file(\"\u0061pp\", ?)"
              `host.toml:5:34`: expected an argument, not `?`, in the expression `build.file("app", ?)`
              hint: an expression is a stage and methods, as in `build.file("app")`
            [stages.a]
            args = { b = { from = 'build.' } }
              `host.toml:5:30`: expected the name of a method, not the end, in the expression `build.`
              hint: an expression is a stage and methods, as in `build.file("app")`
            [stages.a]
            from = '''
            build
              .file(1 2)'''
              `host.toml:7:11`: expected `,` or `)`, not `2`, in the expression `build
              .file(1 2)`
              hint: an expression is a stage and methods, as in `build.file("app")`
        "#]],
    );
}

#[test]
fn what_is_no_dependency_is_refused_at_its_place() {
    refuse(
        DEPENDENCIES,
        &expect![[r#"
            dependencies = ['a']
              `host.toml:4:16`: `dependencies` takes a table of modules, not a list
              hint: 
            [dependencies]
            Lint = '../lint'
              `host.toml:5:1`: `Lint` cannot be the name of a dependency: it takes lowercase letters, digits and single hyphens
              hint: 
            [dependencies]
            pipeline-api = 'a'
              `host.toml:5:1`: `pipeline-api` cannot be the name of a dependency: it stands for the package `pipeline:api`
              hint: 
            [dependencies]
            lint = 1
              `host.toml:5:8`: `lint` takes a path, or a table with `path` or `component`, not an integer
              hint: 
            [dependencies]
            lint = ''
              `host.toml:5:8`: `path` takes a path, and this is empty
              hint: 
            [dependencies]
            lint = { pth = '../lint' }
              `host.toml:5:10`: there is no key `pth` in a dependency
              hint: did you mean `path`?
            [dependencies]
            lint = { allow = [] }
              `host.toml:5:1`: the key `path` is missing
              hint: add `path = "DIRECTORY"` or `component = "FILE.wasm"`
            [dependencies]
            lint = { path = 'a', component = 'a.wasm' }
              `host.toml:5:22`: `component` cannot be given beside `path`
              hint: keep one of them: each names the module
            [dependencies]
            lint = { component = 'a.wat' }
              `host.toml:5:22`: `component` takes a `.wasm` file, not `a.wat`
              hint: 
            [dependencies]
            lint = { path = 'a', allow = ['machin'] }
              `host.toml:5:31`: `machin` is not a power
              hint: did you mean `machine`?
            [dependencies]
            lint = { path = 'a', allow = 'machine' }
              `host.toml:5:30`: `allow` takes a list of powers, not a string
              hint: 
        "#]],
    );
}
