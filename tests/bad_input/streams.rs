//! Standard streams that are closed, full or not read.

use std::fs::File;
use std::process::{Command, Stdio};

use support::{Answer, Place, binary, guest};

use crate::case::{ENVIRONMENT, call, works};

/// Runs a line of shell in which `$host` and `$values` are.
fn shell(place: &Place, line: &str) -> Answer {
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(place.path("work")).stdin(Stdio::null());
    command.env("HOST_STORE", place.path("store")).env("host", binary()).env("values", guest("values"));
    command.output().map(Answer::from).expect("there is a shell")
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    for line in [
        "$host functions -m $values | head -n 0",
        "$host functions -m $values | true",
        "$host --help | head -n 1 >/dev/null",
        "{ $host functions -m $values; echo code $? >&2; } | head -n 1 >/dev/null",
    ] {
        let answer = shell(&place, line);
        assert!(!answer.stderr.contains("panicked") && !answer.stderr.contains("error"), "{line}: {}", answer.stderr);
        assert_eq!(answer.code, Some(0), "{line}");
    }
    works(&place);
}

#[test]
fn streams_that_are_closed_are_no_error() {
    let place = Place::new();
    for line in [
        "$host functions -m $values <&-",
        "$host functions -m $values >&-",
        "$host call -m $values string --value x 2>&-",
        "$host call -m $values string --value x <&- >&- 2>&-",
    ] {
        let answer = shell(&place, line);
        assert_eq!((answer.code, &*answer.stderr), (Some(0), ""), "{line}");
    }
    assert_eq!(shell(&place, "$host nope <&- >&- 2>&-").code, Some(2));
    works(&place);
}

#[test]
fn data_that_cannot_be_written_is_no_success() {
    let place = Place::new();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let mut command = place.command(call("values", "string --value x"));
    let answer = Answer::from(command.stdout(full()).stderr(Stdio::piped()).output().unwrap());
    assert_eq!(answer.code, Some(ENVIRONMENT), "{}", answer.stderr);
    assert!(answer.stderr.contains("cannot write to standard output\n  caused by: No space left"), "{}", answer.stderr);
    // Nobody can be told, and the code still says it.
    let status = place.command(["nope"]).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(2));
    works(&place);
}

#[test]
fn an_argument_that_is_not_utf_8_is_said_to_be_none() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new();
    let answer = place.host([OsStr::new("call"), OsStr::from_bytes(b"x\xff")]);
    crate::case::refused(&answer, 2, &["the argument `x\u{fffd}` is not UTF-8"]);
    works(&place);
}

#[test]
fn a_working_directory_that_is_gone_is_no_panic() {
    let place = Place::new();
    let answer = shell(&place, "mkdir gone && cd gone && rmdir ../gone && $host functions");
    crate::case::refused(&answer, 3, &["there is no `host.toml`"]);
    let answer = shell(&place, "mkdir gone && cd gone && rmdir ../gone && $host call -m $values string --value x");
    assert_eq!((answer.code, &*answer.stdout), (Some(0), "x\n"), "{}", answer.stderr);
    works(&place);
}
