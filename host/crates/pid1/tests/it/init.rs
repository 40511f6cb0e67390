//! Process 1 of the zone's containers.

use super::programs::{Ground, text};

/// Runs a command under `init`: the expectation is the exit code, the wait status, and what was printed.
fn check(args: &[&str], expect: &str) {
    let ground = Ground::new(pid1::INIT);
    let output = ground.run(args, &[("PATH", "/bin:/usr/bin")]);
    let status = std::fs::read(ground.path("status")).unwrap();
    let status = status.try_into().map_or("none".to_owned(), |bytes| format!("{:#x}", i32::from_ne_bytes(bytes)));
    let got = format!("{:?} {status} {}{}", output.status.code(), text(&output.stdout), text(&output.stderr));
    assert_eq!(got, expect, "{args:?}");
}

#[test]
fn the_end_of_the_command_is_told_exactly() {
    check(&["true"], "Some(0) 0x0 ");
    check(&["sh", "-c", "echo out; echo err >&2; exit 7"], "Some(7) 0x700 out\nerr\n");
    check(&["sh", "-c", "kill -9 $$"], "Some(137) 0x9 ");
    check(&["sh", "-c", "exit 137"], "Some(137) 0x8900 ");
}

#[test]
fn a_command_that_cannot_be_executed_is_named_with_the_reason() {
    check(&["no-such-command"], "Some(127) 0x7f00 no-such-command: command not found\n");
    check(&["/no/such"], "Some(127) 0x7f00 /no/such: no such file\n");
    check(&["/etc/passwd"], "Some(126) 0x7e00 /etc/passwd: permission denied\n");
    check(&[], "Some(125) none ");
}

#[test]
fn the_command_does_not_get_the_status_descriptor() {
    check(&["sh", "-c", "test -e /proc/self/fd/3 || echo closed"], "Some(0) 0x0 closed\n");
}

#[test]
fn without_a_status_descriptor_the_exit_code_is_the_only_report() {
    let ground = Ground::new(pid1::INIT);
    let output = std::process::Command::new(ground.path("program")).args(["sh", "-c", "exit 5"]).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
}
