//! Standard streams that are closed, full or not read.

use std::fs::File;
use std::process::{Command, Stdio};

use testkit::{Answer, Scratch, binary, guest};

use crate::case::{ENVIRONMENT, call, works};

/// Runs a line of shell with the variables `$host` and `$values`.
fn shell(scratch: &Scratch, line: &str) -> Answer {
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(scratch.path("work")).stdin(Stdio::null());
    command.env("HOST_STORE", scratch.path("store")).env("host", binary()).env("values", guest("values"));
    command.output().map(Answer::from).expect("there is a shell")
}

#[test]
fn a_reader_that_goes_away_is_not_an_error() {
    let scratch = Scratch::new();
    for line in [
        "$host functions -m $values | head -n 0",
        "$host functions -m $values | true",
        "$host --help | head -n 1 >/dev/null",
        "{ $host functions -m $values; echo code $? >&2; } | head -n 1 >/dev/null",
    ] {
        let answer = shell(&scratch, line);
        assert!(!answer.stderr.contains("panicked") && !answer.stderr.contains("error"), "{line}: {}", answer.stderr);
        assert_eq!(answer.code, Some(0), "{line}");
    }
    works(&scratch);
}

#[test]
fn closed_streams_are_not_an_error() {
    let scratch = Scratch::new();
    for line in [
        "$host functions -m $values <&-",
        "$host functions -m $values >&-",
        "$host call -m $values string --value x 2>&-",
        "$host call -m $values string --value x <&- >&- 2>&-",
    ] {
        let answer = shell(&scratch, line);
        assert_eq!((answer.code, &*answer.stderr), (Some(0), ""), "{line}");
    }
    assert_eq!(shell(&scratch, "$host nope <&- >&- 2>&-").code, Some(2));
    works(&scratch);
}

#[test]
fn data_that_cannot_be_written_is_an_error() {
    let scratch = Scratch::new();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let mut command = scratch.command(call("values", "string --value x"));
    let answer = Answer::from(command.stdout(full()).stderr(Stdio::piped()).output().unwrap());
    assert_eq!(answer.code, Some(ENVIRONMENT), "{}", answer.stderr);
    assert!(answer.stderr.contains("cannot write to standard output\n  caused by: No space left"), "{}", answer.stderr);
    // The message is lost, and the exit code is not.
    let status = scratch.command(["nope"]).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(2));
    works(&scratch);
}

#[test]
fn an_argument_that_is_not_utf_8_is_named() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let scratch = Scratch::new();
    let answer = scratch.host([OsStr::new("call"), OsStr::from_bytes(b"x\xff")]);
    crate::case::refused(&answer, 2, &["the argument `x\u{fffd}` is not UTF-8"]);
    works(&scratch);
}

#[test]
fn a_missing_working_directory_is_an_error_and_not_a_panic() {
    let scratch = Scratch::new();
    let answer = shell(&scratch, "mkdir gone && cd gone && rmdir ../gone && $host functions");
    crate::case::refused(&answer, 3, &["there is no `host.toml`"]);
    let answer = shell(&scratch, "mkdir gone && cd gone && rmdir ../gone && $host call -m $values string --value x");
    assert_eq!((answer.code, &*answer.stdout), (Some(0), "x\n"), "{}", answer.stderr);
    works(&scratch);
}
