//! Modules in Python and TypeScript whose interface is in their sources alone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use testkit::{Answer, Language, Scratch, root, target_dir};

use super::host;

/// A module whose sources are in `tests/functions`.
#[derive(Debug, Clone, Copy)]
enum Sample {
    Python,
    TypeScript,
}

use Sample::{Python, TypeScript};

impl Sample {
    fn name(self) -> &'static str {
        match self {
            Python => "python",
            TypeScript => "typescript",
        }
    }

    fn language(self) -> Language {
        match self {
            Python => Language::Python,
            TypeScript => Language::JavaScript,
        }
    }

    /// Returns the directory of the SDK in `guest-sdk`.
    fn sdk(self) -> PathBuf {
        let name = match self {
            Python => "python",
            TypeScript => "javascript",
        };
        root().join("guest-sdk").join(name)
    }

    /// Runs `host` with the tools of the language on the `PATH`.
    fn run(self, scratch: &Scratch, words: &[&str]) -> Answer {
        let mut command = scratch.command(words);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(self.language().tool_dir()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(path).unwrap());
        command.output().map(Answer::from).unwrap()
    }

    /// Makes a module by `host init` with these stages.
    fn init(self, scratch: &Scratch, source: &str) {
        assert_eq!(self.run(scratch, &["init", "--lang", self.name(), "shop"]).code, Some(0));
        scratch.write(if matches!(self, Python) { "shop/main.py" } else { "shop/main.ts" }, source);
        self.link_packages(&scratch.path("work/shop"));
    }

    /// Puts the packages of npm where `npm install` would.
    fn link_packages(self, module: &Path) {
        let packages = module.join("node_modules");
        if matches!(self, TypeScript) && !packages.exists() {
            symlink(Language::JavaScript.tool_dir().parent().unwrap(), packages).unwrap();
        }
    }

    /// Builds the module unless it is built, and returns its directory. None if the language is not on this machine.
    fn module(self) -> Option<PathBuf> {
        if !self.language().is_there() {
            return None;
        }
        let copy = target_dir().join("polyglot").join(format!("shop-{}", self.name()));
        fs::create_dir_all(&copy).unwrap();
        let lock = fs::File::create(copy.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        for entry in fs::read_dir(root().join("tests/functions").join(self.name())).unwrap() {
            let from = entry.unwrap().path();
            let to = copy.join(from.file_name().unwrap());
            // A file that is written anew is one that changed.
            if fs::read(&from).ok() != fs::read(&to).ok() {
                fs::copy(&from, &to).unwrap();
            }
        }
        self.link_packages(&copy);
        if !self.is_fresh(&copy) {
            let answer = self.run(&Scratch::new(), &["build", "-q", copy.to_str().unwrap()]);
            assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        }
        Some(copy)
    }

    /// Returns whether the component is newer than the sources and the SDK.
    fn is_fresh(self, module: &Path) -> bool {
        let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        let Some(built) = time(&module.join("target/host/shop.wasm")) else { return false };
        let mut directories: Vec<PathBuf> =
            fs::read_dir(self.sdk()).unwrap().map(|entry| entry.unwrap().path()).collect();
        directories.push(module.to_owned());
        let files = directories.iter().flat_map(|directory| fs::read_dir(directory).unwrap());
        let mut files = files.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        files.all(|path| time(&path).is_some_and(|time| time < built))
    }

    /// Checks what a call prints, in a directory with a tree of one file.
    fn check(self, words: &[&str], expect: &Expect) {
        let Some(module) = self.module() else { return };
        let scratch = Scratch::new();
        scratch.write("tree/x.txt", "12345");
        let answer = host(&scratch, &[&["call", "-q", "-m", module.to_str().unwrap()], words].concat());
        let code = if answer.code == Some(0) { String::new() } else { format!("exit {}\n", answer.code.unwrap_or(-1)) };
        expect.assert_eq(&format!("{}{}{code}", answer.stdout, answer.stderr));
    }
}

/// Checks what a call prints in each language.
fn check(words: &[&str], expect: &Expect) {
    for sample in [Python, TypeScript] {
        sample.check(words, expect);
    }
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
    Python.check(
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
    TypeScript.check(
        &["greet", "--help"],
        &expect![[r#"
        Returns a greeting.

        Usage: host call greet [--name TEXT] [--times NUMBER] [--loud] [METHOD]...

        Optional flags:
              --name <TEXT>          The person to greet. [default: "world"]
              --times <NUMBER>       How often. [type: f64] [default: 1]
              --loud[=<true|false>]  [default: false]

        It returns string.

        `host call --help` shows the options of every call.
    "#]],
    );
    Python.check(
        &["pair"],
        &expect![[r#"
            ["none",0]
        "#]],
    );
    TypeScript.check(
        &["pair"],
        &expect![[r#"
            ["none",0.0]
        "#]],
    );
    Python.check(
        &["pair", "--both", "(\"a\", 5)"],
        &expect![[r#"
            ["a",5]
        "#]],
    );
    TypeScript.check(
        &["pair", "--both", "(\"a\", 5)"],
        &expect![[r#"
            ["a",5.0]
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
    Python.check(
        &["findings", "--src", "tree"],
        &expect![[r#"
            {"path":"x.txt","sizes":[5],"mode":"release"}
        "#]],
    );
    TypeScript.check(
        &["findings", "--src", "tree"],
        &expect![[r#"
            {"path":"x.txt","sizes":[5.0],"mode":"release"}
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
    Python.check(
        &["broken"],
        &expect![[r#"
        error: stage `broken` failed
          caused by: KeyError: 'missing'
              at main.py:121, in `_break`
              at main.py:118, in `broken`
        exit 1
    "#]],
    );
    TypeScript.check(
        &["broken"],
        &expect![[r#"
        error: stage `broken` failed
          caused by: TypeError: cannot read property 'name' of undefined
              at main.ts:125, in `fall`
              at main.ts:106, in `broken`
        exit 1
    "#]],
    );
    Python.check(
        &["wrong"],
        &expect![[r#"
        error: stage `wrong` failed
          caused by: `wrong` returned a value of the class `str`, and its annotation says File
        exit 1
    "#]],
    );
    Python.check(
        &["not-a-list"],
        &expect![[r#"
        error: stage `not-a-list` failed
          caused by: TypeError: a list is needed here, and not one text: write ['make']
              at main.py:127, in `not_a_list`
        exit 1
    "#]],
    );
    TypeScript.check(
        &["not-a-list"],
        &expect![[r#"
        error: stage `not-a-list` failed
          caused by: TypeError: `withExec` takes a list, and not one text: write ["make"]
              at main.ts:110, in `notAList`
        exit 1
    "#]],
    );
}

#[test]
fn a_stage_that_its_author_marks_is_a_check() {
    for sample in [Python, TypeScript] {
        let Some(module) = sample.module() else { continue };
        let answer = host(&Scratch::new(), &["check", "-m", module.to_str().unwrap(), "tests"]);
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        assert!(answer.stderr.ends_with("checks: 1 passed\n"), "{}", answer.stderr);
    }
}

/// Builds a module with these stages, and checks what is said.
fn refused(sample: Sample, source: &str, expect: &Expect) {
    if sample.language().is_there() {
        let scratch = Scratch::new();
        sample.init(&scratch, source);
        let answer = sample.run(&scratch, &["build", "shop"]);
        expect.assert_eq(&format!("{}exit {}\n", answer.stderr, answer.code.unwrap_or(-1)));
    }
}

#[test]
fn mistakes_in_the_sources_are_told_before_anything_is_built() {
    let python = "from host_sdk import stages\n\n@stages\nclass Shop:\n    def build(self, src): ...\n";
    refused(
        Python,
        python,
        &expect![[r#"
        error: main.py:5: the parameter `src` of `build` has no type
          hint: write it as `src: str`, or with the type that it has
        error: the sources of module `shop` have a mistake
        exit 1
    "#]],
    );
    let typescript = "import { stages } from \"host-sdk\";\n\nexport default stages({\n  build(src): void {},\n});\n";
    refused(
        TypeScript,
        typescript,
        &expect![[r#"
            error: main.ts:4: the parameter `src` of `build` has no type
              hint: write it as `src: string`, or with the type that it has
            error: the sources of module `shop` have a mistake
            exit 1
        "#]],
    );
    let node = "import fs from \"node:fs\";\nimport { stages } from \"host-sdk\";\n\n\
                export default stages({\n  a(): void {\n    fs.readFileSync(\"x\");\n  },\n});\n";
    refused(
        TypeScript,
        node,
        &expect![[r#"
            error: main.ts:1: a stage cannot import `node:fs`
              hint: a stage has no file system: take a `Directory` or a `File`
            error: the sources of module `shop` have a mistake
            exit 1
        "#]],
    );
}

#[test]
fn an_error_at_the_top_of_a_source_is_told_with_its_line() {
    if !Language::Python.is_there() {
        return;
    }
    let scratch = Scratch::new();
    let source = "from host_sdk import stages\n\n1 / 0\n\n@stages\nclass Shop:\n    def a(self) -> None: ...\n";
    Python.init(&scratch, source);
    let answer = Python.run(&scratch, &["build", "shop"]);
    assert!(answer.stderr.contains("main.py\", line 3"), "{}", answer.stderr);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
}

#[test]
fn a_missing_tool_is_told_with_the_command_that_installs_it() {
    let check = |language: &str, expect: &Expect| {
        let scratch = Scratch::new();
        let init = scratch.command(["init", "--lang", language, "shop"]).output().map(Answer::from).unwrap();
        assert_eq!(init.code, Some(0), "{}", init.stderr);
        fs::create_dir_all(scratch.path("bin")).unwrap();
        symlink("/bin/sh", scratch.path("bin/sh")).unwrap();
        let mut command = scratch.command(["build", "shop"]);
        let answer = command.env("PATH", scratch.path("bin")).output().map(Answer::from).unwrap();
        expect.assert_eq(&format!("{}exit {}\n", answer.stderr, answer.code.unwrap_or(-1)));
    };
    check(
        "python",
        &expect![[r#"
        error: `componentize-py`, which builds modules in python, was not found
        hint: install it with `pip install componentize-py==0.25.1`
        exit 4
    "#]],
    );
    check(
        "typescript",
        &expect![[r#"
        error: `node`, which builds modules in typescript, was not found
        hint: install it with `sudo apt-get install -y nodejs npm`
        exit 4
    "#]],
    );
}
