//! The ends of commands, and their messages.

use testkit::{Scratch, require};

use crate::run::Chain;

#[test]
fn a_failing_command_ends_the_call_with_code_1_and_the_end_of_its_output() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let script = "for i in $(seq 100); do echo out $i; echo err $i >&2; done; exit 7";
    let ran = Chain::new("fail").then(&["--script", script]).run(&scratch);
    let said = ran.fails(1);
    assert_eq!(ran.answer.stdout, "");
    for part in ["exited with code 7", "seq 100", "out 100", "err 100", "stage `fail` failed"] {
        assert!(said.contains(part), "`{part}` is missing: {said}");
    }
    assert!(!said.contains("out 10\n") && !said.contains("err 10\n"), "only the end: {said}");
    let vertex = ran.command("exit 7");
    assert_eq!((&*vertex.outcome, &vertex.line["error"]), ("failed", &"exited with code 7".into()));
}

#[test]
fn expected_codes_are_no_failure_and_others_are() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let exits = |code: u8, options: &[&str]| {
        Chain::machine().sh_with(&format!("exit {code}"), options).then(&["exit-code"]).run(&scratch)
    };
    assert_eq!(exits(3, &["--with-expected-codes", "0,3"]).ok(), "3\n");
    assert_eq!(exits(254, &["--with-any-code"]).ok(), "254\n");
    assert!(exits(0, &["--with-expected-codes", "3"]).fails(1).contains("exited with code 0"));
    assert!(exits(4, &["--with-expected-codes", "0,3"]).fails(1).contains("exited with code 4"));
}

#[test]
fn a_command_that_is_too_slow_is_killed_by_its_time_limit_or_the_calls() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let own = Chain::machine().sh_with("sleep 60.25", &["--with-timeout-seconds", "1"]).stdout().run(&scratch);
    assert!(own.fails(1).contains("took longer than 1 s"), "{}", own.answer.stderr);
    let call = Chain::machine().sh("sleep 60.25").stdout().then(&["--timeout", "300ms"]).run(&scratch);
    assert!(call.fails(1).contains("took longer than 0.3 s"), "{}", call.answer.stderr);
    let any = Chain::machine().sh_with("sleep 60.25", &["--with-any-code", "--with-timeout-seconds", "1"]);
    assert!(any.stdout().run(&scratch).fails(1).contains("took longer than"), "`any` is about codes only");
}

#[test]
fn a_signal_and_a_command_that_is_not_there_are_named() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let killed = Chain::machine().sh("kill -9 $$").stdout().run(&scratch);
    assert!(killed.fails(1).contains("was killed by signal 9"), "{}", killed.answer.stderr);
    let missing = Chain::machine().then(&["with-exec", "--args", "no-such-command", "stdout"]).run(&scratch);
    assert!(missing.fails(1).contains("`no-such-command` was not found (exit code 127)"), "{}", missing.answer.stderr);
    let any = Chain::machine().then(&["with-exec-options", "--args", "no-such-command", "--with-any-code"]);
    assert_eq!(any.then(&["exit-code"]).run(&scratch).ok(), "127\n");
    let denied = Chain::machine().then(&["with-exec-options", "--args", "/etc", "--with-any-code", "exit-code"]);
    assert_eq!(denied.run(&scratch).ok(), "126\n");
}

#[test]
fn streams_are_redirected_to_files_and_still_read() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let options = ["--with-redirect-stdout", "out.txt", "--with-redirect-stderr", "/work/err.txt"];
    let workdir = Chain::machine().then(&["with-workdir", "--path", "/work"]);
    let redirected = workdir.clone().sh_with("echo out; echo err >&2", &options);
    assert_eq!(redirected.clone().stdout().run(&scratch).ok(), "out\n");
    assert_eq!(redirected.clone().then(&["stderr"]).run(&scratch).ok(), "err\n");
    assert_eq!(redirected.clone().sh("cat out.txt err.txt").stdout().run(&scratch).ok(), "out\nerr\n");
    assert_eq!(redirected.then(&["directory", "--path", ".", "entries"]).run(&scratch).ok(), "err.txt\nout.txt\n");
    let failing = workdir.sh_with("echo out; exit 5", &options).stdout().run(&scratch);
    assert!(failing.fails(1).contains("    out"), "{}", failing.answer.stderr);
}

#[test]
fn standard_input_is_a_text_a_file_or_empty() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let with_file = Chain::machine().then(&["with-new-file", "--path", "/in", "--contents", "from a file"]);
    let cat = |options: &[&str]| with_file.clone().sh_with("cat; echo .", options).stdout().run(&scratch);
    assert_eq!(cat(&["--with-stdin", "a text"]).ok(), "a text.\n");
    assert_eq!(cat(&["--with-redirect-stdin", "/in"]).ok(), "from a file.\n");
    assert_eq!(cat(&[]).ok(), ".\n");
    let long = "x".repeat(100_000);
    assert_eq!(cat(&["--with-stdin", &long]).ok().len(), 100_002);
    assert!(cat(&["--with-stdin", "a", "--with-redirect-stdin", "/in"]).fails(1).contains("cannot both be set"));
    assert!(cat(&["--with-redirect-stdin", "/none"]).fails(1).contains("/none"));
}
