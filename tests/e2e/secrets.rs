//! Secrets, which only commands see.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use graph::ContentDigest;
use testkit::{Scratch, require};

use crate::run::{Chain, Ran};

const VALUE: &str = "correct-horse-battery";
/// The value in base64.
const ENCODED: &str = "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5";

fn with_secret(source: &str) -> Chain {
    let chain = Chain::machine().then(&["with-secret-variable", "--name", "TOKEN", "--value", source]);
    chain.then(&["with-mounted-secret", "--path", "/run/token", "--source", source])
}

fn run(chain: &Chain, scratch: &Scratch) -> Ran {
    chain.run_with(scratch, |command| {
        command.env("OUR_TOKEN", VALUE);
    })
}

#[test]
fn a_command_sees_a_secret_of_every_source() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("token", VALUE);
    // The reversed value is not replaced.
    let script = "echo $TOKEN | rev; rev /run/token; stat -c ' %a:%u' /run/token";
    let reversed: String = VALUE.chars().rev().collect();
    for source in ["env:OUR_TOKEN", "file:token", "cmd:printf correct-horse-%s battery"] {
        let ran = run(&with_secret(source).sh_with(script, &["--without-cache"]).stdout(), &scratch);
        let lines: Vec<&str> = ran.ok().split_whitespace().collect();
        assert_eq!(lines, [&*reversed, &*reversed, "400:0"], "{source}");
    }
}

#[test]
fn a_secret_is_replaced_in_output_errors_and_events_and_is_never_in_the_store() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let script = "echo is $TOKEN; printf %s $TOKEN | base64; cat /run/token >&2; echo kept-by-the-step > /kept";
    let printed = run(&with_secret("env:OUR_TOKEN").sh(script).then(&["combined-output", "-v"]), &scratch);
    // What may go on as a secret is held back, so that the other stream may come before it.
    assert!(printed.ok().starts_with("is ***\n"), "{:?}", printed.answer);
    assert_eq!(printed.ok().matches("***").count(), 3, "{:?}", printed.answer);
    let failing = run(&with_secret("env:OUR_TOKEN").sh(&format!("{script}; exit 9")).then(&["sync", "-v"]), &scratch);
    assert!(failing.fails(1).contains("is ***"), "{:?}", failing.answer);
    let stuck =
        run(&with_secret("env:OUR_TOKEN").sh("echo $TOKEN; sleep 60.75").then(&["sync", "--timeout", "3"]), &scratch);
    assert!(stuck.fails(1).contains("***"), "{:?}", stuck.answer);

    for ran in [&printed, &failing, &stuck] {
        for text in [&ran.answer.stdout, &ran.answer.stderr, &format!("{:?}", ran.vertices)] {
            assert!(!text.contains(VALUE) && !text.contains(ENCODED), "{text}");
        }
    }
    assert_eq!(files_with(&scratch.path(""), &[VALUE, ENCODED]), Vec::<String>::new());
    // A hash without a key would let whoever sees it try out values.
    let hash = ContentDigest::of(VALUE.as_bytes());
    assert_eq!(files_with(&scratch.path(""), &[&hash.as_bytes()[..], hash.to_hex().as_bytes()]), Vec::<String>::new());
    assert_ne!(
        files_with(&scratch.path("store"), &["kept-by-the-step"]),
        Vec::<String>::new(),
        "the search finds what is there"
    );
}

/// Runs a command that tells the reverse of a secret, which is not replaced.
fn tell(source: &str, value: &str, scratch: &Scratch) -> Ran {
    let chain = with_secret(source).sh("echo $TOKEN | rev; rev /run/token").stdout().then(&["--explain"]);
    chain.run_with(scratch, |command| {
        command.env("OUR_TOKEN", value);
    })
}

#[test]
fn another_value_of_a_secret_runs_a_command_again_and_explain_says_so() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let told = |source: &str, value: &str| {
        let ran = tell(source, value, &scratch);
        let vertex = ran.command("rev");
        (ran.ok().lines().next().unwrap_or_default().to_owned(), vertex.outcome.clone(), vertex.reason.clone())
    };
    let expect = |text: &str, outcome: &str, reason: &str| (text.to_owned(), outcome.to_owned(), reason.to_owned());
    assert_eq!(told("env:OUR_TOKEN", "first-value"), expect("eulav-tsrif", "ran", "never-ran"));
    assert_eq!(told("env:OUR_TOKEN", "other-value"), expect("eulav-rehto", "ran", "secret-changed"));
    assert_eq!(told("env:OUR_TOKEN", "first-value"), expect("eulav-tsrif", "cached", "hit"));
    // Another source with the same value is the same secret.
    assert_eq!(told("cmd:printf other-value", ""), expect("eulav-rehto", "cached", "hit"));
    let changed = tell("cmd:printf third-value", "", &scratch);
    assert!(changed.answer.stderr.contains("a secret changed: `value`"), "{}", changed.answer.stderr);
    let key = scratch.path("store/secret-key-v1").metadata().unwrap();
    assert_eq!((key.len(), key.permissions().mode() & 0o7777), (32, 0o600));
}

#[test]
fn another_value_of_a_secret_that_is_known_by_its_name_runs_nothing_again() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let first = tell("by-name:env:OUR_TOKEN", "first-value", &scratch);
    let second = tell("by-name:env:OUR_TOKEN", "other-value", &scratch);
    assert_eq!((first.ok(), second.ok()), (first.ok(), first.ok()));
    assert_eq!(second.command("rev").outcome, "cached");
}

#[test]
fn a_mounted_secret_has_its_mode_and_owner_and_is_not_in_the_container() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let options = ["--source", "env:OUR_TOKEN", "--with-mode", "0o440", "--with-owner", "0:0"];
    let chain = Chain::machine().then(&["with-mounted-secret-options", "--path", "/etc/app/token"]).then(&options);
    let ran = run(&chain.clone().sh("stat -c %a:%u:%g /etc/app/token").stdout(), &scratch);
    assert_eq!(ran.ok(), "440:0:0\n");
    let file = run(&chain.sh("echo x > /x").then(&["file", "--path", "/etc/app/token", "contents"]), &scratch);
    assert!(file.fails(1).contains("/etc/app/token"), "{:?}", file.answer);
}

#[test]
fn a_secret_that_does_not_exist_is_named_and_nothing_runs() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let missing = run(&with_secret("env:NO_SUCH_TOKEN").sh("echo ran").stdout(), &scratch);
    assert!(missing.fails(3).contains("NO_SUCH_TOKEN"), "{:?}", missing.answer);
    let failing = run(&with_secret("cmd:echo to-stderr >&2; exit 4").sh("echo ran").stdout(), &scratch);
    assert_ne!(failing.answer.code, Some(0));
    assert!(failing.commands().all(|vertex| vertex.outcome != "ran"), "{:?}", failing.vertices);
}

/// Returns the files below a directory that have one of the texts in their contents or names.
pub(crate) fn files_with(dir: &Path, texts: &[impl AsRef<[u8]>]) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).into_iter().flatten().filter_map(Result::ok) {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let contents = if kind.is_file() { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
            let name = path.file_name().unwrap().as_bytes();
            let has = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
            if texts.iter().any(|text| has(&contents, text.as_ref()) || has(name, text.as_ref())) {
                found.push(path.display().to_string());
            }
            if kind.is_dir() {
                open.push(path);
            }
        }
    }
    found
}
