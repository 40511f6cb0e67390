//! A module in Python whose interface is in its sources alone.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use testkit::{Answer, Language, Scratch, root, target_dir};

use super::host;

/// Runs `host` with the tools of Python on the `PATH`.
fn build(scratch: &Scratch, words: &[&str]) -> Answer {
    let mut command = scratch.command(words);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(Language::Python.tool_dir()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(path).unwrap());
    command.output().map(Answer::from).unwrap()
}

/// Builds the module in `tests/functions/python` unless it is built, and returns its directory.
fn module() -> Option<PathBuf> {
    if !Language::Python.is_there() {
        return None;
    }
    let scratch = Scratch::new();
    let copy = target_dir().join("polyglot/shop");
    fs::create_dir_all(&copy).unwrap();
    let lock = fs::File::create(target_dir().join("polyglot/shop.lock")).unwrap();
    lock.lock().unwrap();
    for entry in fs::read_dir(root().join("tests/functions/python")).unwrap() {
        let from = entry.unwrap().path();
        let to = copy.join(from.file_name().unwrap());
        // A file that is written anew is one that changed.
        if fs::read(&from).ok() != fs::read(&to).ok() {
            fs::copy(&from, &to).unwrap();
        }
    }
    if !is_fresh(&copy) {
        let answer = build(&scratch, &["build", "-q", copy.to_str().unwrap()]);
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    }
    Some(copy)
}

/// Returns whether the component is newer than the sources and the SDK.
fn is_fresh(module: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let Some(built) = time(&module.join("target/host/shop.wasm")) else { return false };
    let own = fs::read_dir(module).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let sdk = ["host_sdk", "host_build"].map(|name| root().join("guest-sdk/python").join(name));
    let sdk = sdk.iter().flat_map(|directory| fs::read_dir(directory).unwrap()).map(|entry| entry.unwrap().path());
    own.chain(sdk).all(|path| time(&path).is_some_and(|time| time < built))
}

/// Checks what a call prints, in a directory with a tree of one file.
fn check(words: &[&str], expect: &Expect) {
    let Some(module) = module() else { return };
    let scratch = Scratch::new();
    scratch.write("tree/x.txt", "12345");
    let answer = host(&scratch, &[&["call", "-q", "-m", module.to_str().unwrap()], words].concat());
    let code = if answer.code == Some(0) { String::new() } else { format!("exit {}\n", answer.code.unwrap_or(-1)) };
    expect.assert_eq(&format!("{}{}{code}", answer.stdout, answer.stderr));
}

#[test]
fn plain_values_cross_and_defaults_are_those_of_the_source() {
    check(
        &["greet"],
        &expect![[r#"
        Hello world
    "#]],
    );
    check(
        &["greet", "--name", "Bob", "--times", "2", "--loud"],
        &expect![[r#"
        HELLO BOB, HELLO BOB!
    "#]],
    );
    check(
        &["greet", "--help"],
        &expect![[r#"
        Returns a greeting.

        Usage: host call greet [--name TEXT] [--times NUMBER] [--loud] [METHOD]...

        Optional flags:
              --name <TEXT>          The person to greet. [default: "world"]
              --times <NUMBER>       How often. [type: s64] [default: 1]
              --loud[=<true|false>]  [default: false]

        It returns string.

        `host call --help` shows the options of every call.
    "#]],
    );
    check(
        &["pair"],
        &expect![[r#"
        ["none",0]
    "#]],
    );
    check(
        &["pair", "--both", "(\"a\", 5)"],
        &expect![[r#"
        ["a",5]
    "#]],
    );
}

#[test]
fn objects_and_records_cross() {
    check(
        &["build", "--src", "tree", "--mode", "release", "file", "--path", "a.txt", "contents"],
        &expect![[r#"
        release
    "#]],
    );
    check(
        &["mode-of", "--arg", "build.src=tree", "--path", "b"],
        &expect![[r#"
        0o755
    "#]],
    );
    check(
        &["mode-of", "--build", "tree", "--path", "x.txt"],
        &expect![[r#"
        0o644
    "#]],
    );
    check(
        &["findings", "--src", "tree"],
        &expect![[r#"
        {"path":"x.txt","sizes":[5],"mode":"release"}
    "#]],
    );
    check(
        &["strictest", "level"],
        &expect![[r#"
        10
    "#]],
    );
    check(
        &["linter", "--level", "4", "level"],
        &expect![[r#"
        4
    "#]],
    );
}

#[test]
fn commands_run_and_their_failures_are_exceptions() {
    check(
        &["printed"],
        &expect![[r#"
        left
        right
    "#]],
    );
    check(
        &["caught"],
        &expect![[r#"
        7 out err
    "#]],
    );
    check(
        &["failing"],
        &expect![[r#"
        error: stage `failing` failed
          caused by: command `sh -c 'echo no >&2; exit 3'` exited with code 3
          stderr:
            no
        exit 1
    "#]],
    );
    check(
        &["missing", "--src", "tree"],
        &expect![[r#"
        invalid-path
    "#]],
    );
}

#[test]
fn errors_of_the_author_name_the_line() {
    check(
        &["refused"],
        &expect![[r#"
        error: stage `refused` failed
          caused by: not today
          day: monday
        exit 1
    "#]],
    );
    check(
        &["broken"],
        &expect![[r#"
        error: stage `broken` failed
          caused by: KeyError: 'missing'
              at main.py:121, in `_break`
              at main.py:118, in `broken`
        exit 1
    "#]],
    );
    check(
        &["wrong"],
        &expect![[r#"
        error: stage `wrong` failed
          caused by: `wrong` returned a value of the class `str`, and its annotation says File
        exit 1
    "#]],
    );
    check(
        &["not-a-list"],
        &expect![[r#"
        error: stage `not-a-list` failed
          caused by: TypeError: a list is needed here, and not one text: write ['make']
              at main.py:127, in `not_a_list`
        exit 1
    "#]],
    );
}

#[test]
fn a_stage_with_the_decorator_is_a_check() {
    let Some(module) = module() else { return };
    let answer = host(&Scratch::new(), &["check", "-m", module.to_str().unwrap(), "tests"]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(answer.stderr.ends_with("checks: 1 passed\n"), "{}", answer.stderr);
}

#[test]
fn a_mistake_in_the_sources_is_told_before_anything_is_built() {
    if !Language::Python.is_there() {
        return;
    }
    let scratch = Scratch::new();
    assert_eq!(build(&scratch, &["init", "--lang", "python", "shop"]).code, Some(0));
    scratch
        .write("shop/main.py", "from host_sdk import stages\n\n@stages\nclass Shop:\n    def build(self, src): ...\n");
    let answer = build(&scratch, &["call", "-m", "shop", "build"]);
    expect![[r#"
        building module `shop`: it was not built before
        error: main.py:5: the parameter `src` of `build` has no type
          hint: write it as `src: str`, or with the type that it has
        error: the sources of module `shop` have a mistake
        Some(1)"#]]
    .assert_eq(&format!("{}{:?}", answer.stderr, answer.code));
    scratch.write(
        "shop/main.py",
        "from host_sdk import stages\n\n1 / 0\n\n@stages\nclass Shop:\n    def a(self) -> None: ...\n",
    );
    let answer = build(&scratch, &["build", "shop"]);
    assert!(answer.stderr.contains("main.py\", line 3"), "{}", answer.stderr);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
}

#[test]
fn a_missing_tool_is_told_with_the_command_that_installs_it() {
    let scratch = Scratch::new();
    assert_eq!(build(&scratch, &["init", "--lang", "python", "shop"]).code, Some(0));
    let mut command = scratch.command(["build", "shop"]);
    fs::create_dir_all(scratch.path("bin")).unwrap();
    std::os::unix::fs::symlink("/bin/sh", scratch.path("bin/sh")).unwrap();
    let answer = Answer::from(command.env("PATH", scratch.path("bin")).output().unwrap());
    expect![[r#"
        error: `componentize-py`, which builds modules in python, was not found
        hint: install it with `pip install componentize-py==0.25.1`
        Some(4)"#]]
    .assert_eq(&format!("{}{:?}", answer.stderr, answer.code));
}
