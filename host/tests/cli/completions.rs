//! What shells offer: asked in this process for all of it, and by real shells for the way there.

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::{Expect, expect};

use crate::world::World;

/// Shows what fish would offer in place of the last word. It needs nothing of the environment, so all can be asked here.
fn offered(world: &mut World, words: &[&str]) -> String {
    world.config.complete = Some("fish".to_owned());
    let words: Vec<&str> = ["--", "host"].into_iter().chain(words.iter().copied()).collect();
    let shown = world.run(&words);
    shown.strip_prefix("exit 0\n").unwrap().replace("-- stdout\n", "")
}

/// Compares the first column of what is offered.
fn check(words: &[&str], expect: &Expect) {
    let shown = offered(&mut World::new(), words);
    let values: Vec<&str> = shown.lines().map(|line| line.split('\t').next().unwrap()).collect();
    expect.assert_eq(&values.join(" "));
}

#[test]
fn commands_and_options_are_offered() {
    check(
        &[""],
        &expect![
            "call run check plan graph watch functions init build wit inspect engine cache doctor completions help --help --version"
        ],
    );
    check(&["pl"], &expect!["plan"]);
    check(&["build", "--"], &expect!["--module --json --quiet --help"]);
    check(&["call", "--engine", ""], &expect!["embedded docker docker-classic"]);
    check(&["completions", ""], &expect!["bash zsh fish --help"]);
}

#[test]
fn stages_of_the_module_here_are_offered() {
    check(&["call", "re"], &expect!["render refuse"]);
    check(&["run", "-k", "com"], &expect!["command-fails"]);
    check(&["graph", "hello", "sw"], &expect!["switch"]);
}

#[test]
fn flags_of_stages_and_their_values_are_offered() {
    check(&["call", "build", "--s"], &expect!["--src --src-include --src-exclude"]);
    check(&["call", "-q", "render", "--quality", ""], &expect!["draft print-ready"]);
    check(&["call", "render", "--quality", "draft", "--ta"], &expect!["--tags"]);
    check(&["call", "build", "--src", "s"], &expect!["src/"]);
    check(&["call", "build", "--src", "src", "--pro"], &expect!["--progress"]);
}

#[test]
fn methods_of_results_are_offered_with_their_flags() {
    check(&["call", "build", "--src", "src", "fil"], &expect!["file filter"]);
    check(&["call", "build", "--src", "file", "file", "--p"], &expect!["--path --progress"]);
    check(&["call", "build", "--src", "src", "file", "--path", "app", "con"], &expect!["contents"]);
}

#[test]
fn without_a_module_commands_are_offered_and_nothing_is_said() {
    let mut world = World::new();
    std::fs::write(world.root().join("host.toml"), "this is no manifest").unwrap();
    expect![[""]].assert_eq(&offered(&mut world, &["call", "bu"]));
    assert!(offered(&mut world, &["call", "--js"]).starts_with("--json"));
}

#[test]
fn a_shell_that_nobody_knows_is_told() {
    let world = World::new();
    world.check(
        &["completions"],
        &expect![[r#"
        exit 2
        -- stderr
        error: `host completions` needs a shell
        hint: it knows bash, zsh, fish
        usage: host completions SHELL
    "#]],
    );
    world.check(
        &["completions", "tcsh"],
        &expect![[r#"
            exit 2
            -- stderr
            error: there are no completions for the shell `tcsh`
            hint: it knows: bash, zsh, fish
            usage: host completions SHELL
        "#]],
    );
}

/// Runs a shell that asks the real program in a directory with a module, and returns what it prints.
fn asked(shell: &str, script: &str) -> Option<String> {
    let world = World::new();
    let program = PathBuf::from(env!("CARGO_BIN_EXE_host"));
    let path = std::env::var("PATH").unwrap();
    let output = Command::new(shell)
        .args(if shell == "fish" { vec!["--no-config", "-c", script] } else { vec!["-c", script] })
        .current_dir(world.root())
        .env("PATH", format!("{}:{path}", program.parent().unwrap().display()))
        .env("HOST_STORE", world.root().join("store"))
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            let required = std::env::var("REQUIRE").unwrap_or_default();
            assert!(!required.split(',').any(|tool| tool == shell), "{shell}: {error}");
            return None;
        }
    };
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell}");
    assert!(!Path::new("store").exists());
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn bash_completes_stages_flags_and_values() {
    let script = r#"
        source <(host completions bash)
        offer() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _clap_complete_host host "${!#}" "" 2> /dev/null
            echo "${COMPREPLY[*]}"
        }
        complete -p host | grep -o _clap_complete_host
        offer host fun
        offer host call l
        offer host call build --s
        offer host call build --quality ""
    "#;
    let shown = asked("bash", script).unwrap();
    expect![[r#"
        _clap_complete_host
        functions
        limit
        --src --src-include --src-exclude
        draft print-ready
    "#]]
    .assert_eq(&shown);
}

#[test]
fn fish_completes_stages_flags_and_values() {
    let script = r#"
        host completions fish | source
        complete -C 'host fun'
        complete -C 'host call l'
        complete -C 'host call build --quality '
    "#;
    if let Some(shown) = asked("fish", script) {
        expect![[r#"
            functions	Lists the stages of a module
            limit
            draft
            print-ready
        "#]]
        .assert_eq(&shown);
    }
}

#[test]
fn zsh_completes_stages_flags_and_values() {
    let script = r#"
        compdef() { echo "compdef $@" }
        _describe() { print -rl -- "${(@P)3}" }
        source <(host completions zsh)
        offer() { words=("$@"); CURRENT=$#words; _clap_dynamic_completer_host }
        offer host fun
        offer host call l
        offer host call build --quality ""
    "#;
    if let Some(shown) = asked("zsh", script) {
        expect![[r#"
            compdef _clap_dynamic_completer_host host
            functions:Lists the stages of a module
            limit
            draft
            print-ready
        "#]]
        .assert_eq(&shown);
    }
}
