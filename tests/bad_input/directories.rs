//! Directories and files of the caller that cannot be used as they are.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use testkit::{Answer, Scratch, require};

use crate::case::{ALLOW, ENVIRONMENT, INPUT, Row, VERDICT, call, check_calls, refused, works};
use crate::inside::{allow, give_to_user, host_as_user};

fn pipe(scratch: &Scratch, path: &str) {
    let status = Command::new("mkfifo").arg(scratch.path("work").join(path)).status().unwrap();
    assert!(status.success(), "there is no pipe");
}

#[test]
fn a_path_of_a_flag_has_to_be_what_the_flag_takes() {
    let scratch = Scratch::new();
    scratch.write("tree/file", "");
    pipe(&scratch, "pipe");
    symlink("circle", scratch.path("work/circle")).unwrap();
    let rows: &[Row<'_>] = &[
        (
            "no directory",
            "directory --value no/such",
            INPUT,
            &["`--value` of stage `directory`", "no directory at `no/such`"],
        ),
        ("no file", "contents --value no/such", INPUT, &["there is no file at `no/such`"]),
        ("below a file", "contents --value tree/file/x", INPUT, &["there is no file at `tree/file/x`"]),
        ("a file for a directory", "directory --value tree/file", INPUT, &["`tree/file` is a file, not a directory"]),
        ("a directory for a file", "contents --value tree", INPUT, &["`tree` is a directory, not a file"]),
        ("a pipe for a file", "contents --value pipe", INPUT, &["`pipe` is a pipe, a socket or a device, not a file"]),
        ("a pipe for a directory", "directory --value pipe", INPUT, &["a device, not a directory"]),
        ("a device", "contents --value /dev/zero", INPUT, &["`/dev/zero` is a pipe, a socket or a device"]),
        ("a circle of links", "contents --value circle", INPUT, &["at `circle`: its symbolic links lead in a circle"]),
        ("a file that is not in it", "directory --value tree file --path x contents", VERDICT, &["nothing is at `/x`"]),
        (
            "a directory as a file",
            "directory --value . file --path tree contents",
            VERDICT,
            &["`/tree` is a directory"],
        ),
        (
            "a glob that is none",
            "directory --value tree glob --pattern [",
            VERDICT,
            &["`[` has a `[` that is not closed"],
        ),
        ("a regex that is none", "directory --value tree search --pattern (", VERDICT, &["`(` is not a regular expr"]),
    ];
    check_calls(&scratch, "values", rows);
}

#[test]
fn links_in_a_directory_do_not_leave_it() {
    let scratch = Scratch::new();
    let outside = scratch.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "from outside").unwrap();
    scratch.write("tree/sub/file", "inside");
    let links = [("file", outside.join("secret")), ("dir", outside.clone()), ("up", "../../outside/secret".into())];
    for (name, target) in &links {
        symlink(target, scratch.path("work/tree").join(name)).unwrap();
    }
    symlink("b", scratch.path("work/tree/a")).unwrap();
    symlink("a", scratch.path("work/tree/b")).unwrap();
    symlink("..", scratch.path("work/tree/sub/back")).unwrap();
    let rows: &[Row<'_>] = &[
        ("absolute", "directory --value tree file --path file contents", VERDICT, &["nothing is at `/file`"]),
        ("a directory", "directory --value tree file --path dir/secret contents", VERDICT, &["`/dir/secret`"]),
        ("relative", "directory --value tree file --path up contents", VERDICT, &["nothing is at `/up`"]),
        (
            "back and out",
            "directory --value tree file --path sub/back/../outside contents",
            VERDICT,
            &["nothing is at `/sub/outside`"],
        ),
        (
            "a circle",
            "directory --value tree file --path a contents",
            VERDICT,
            &["`/a` goes through more than 40 symbolic"],
        ),
        ("in a container", "base with-rootfs --source tree file --path /file contents", VERDICT, &["`/file`"]),
    ];
    check_calls(&scratch, "values", rows);
    for words in ["search --pattern outside", "glob --pattern **", "-o out"] {
        let answer = scratch.host(call("values", &format!("directory --value tree {words}")));
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        assert!(!answer.stdout.contains("from outside") && !answer.stdout.contains("dir/secret"), "{}", answer.stdout);
    }
    assert_eq!(fs::read_link(scratch.path("work/out/file")).unwrap(), outside.join("secret"), "a link stays a link");
    works(&scratch);
}

#[test]
fn pipes_and_sockets_are_left_out_with_a_warning() {
    // The path of a socket must be short.
    let scratch = Scratch::within(testkit::short_dir());
    scratch.write("tree/file", "x");
    pipe(&scratch, "tree/pipe");
    let _socket = UnixListener::bind(scratch.path("work/tree/socket")).unwrap();
    let answer = scratch.host(call("values", "directory --value tree entries"));
    assert_eq!((answer.code, &*answer.stdout), (Some(0), "file\n"), "{}", answer.stderr);
    for name in ["pipe", "socket"] {
        let warning = format!("warning: `{name}` was left out: sockets, pipes and devices can be in no tree");
        assert!(answer.stderr.contains(&warning), "{}", answer.stderr);
    }
    works(&scratch);
}

#[test]
fn a_name_that_is_not_utf_8_is_kept_and_named_escaped() {
    let scratch = Scratch::new();
    let name = OsStr::from_bytes(b"bad\xff");
    scratch.write("tree/good", "good");
    fs::write(scratch.path("work/tree").join(name), "x").unwrap();
    let run = |words: &str| scratch.host(call("values", &format!("directory --value tree {words}")));
    for words in ["digest", "sync", "-o out", "file --path good contents", "search --pattern good"] {
        let answer = run(words);
        assert_eq!(answer.code, Some(0), "{words}: {}", answer.stderr);
    }
    assert_eq!(fs::read_to_string(scratch.path("work/out").join(name)).unwrap(), "x");
    // The names in a list are text, so this name cannot be in it.
    refused(&run("entries"), VERDICT, &[r"`/bad\xff` has a name that is not UTF-8"]);
    works(&scratch);
}

#[test]
fn a_file_that_may_not_be_read_is_named() {
    if !require("root") {
        return;
    }
    let scratch = Scratch::new();
    let file = scratch.write("tree/file", "x");
    let dir = scratch.path("work/closed");
    fs::create_dir(&dir).unwrap();
    give_to_user(&scratch);
    for path in [&file, &dir] {
        allow(path, 0o000);
    }
    let run = |words: &str| host_as_user(&scratch, call("values", words));
    let says = ["tree/file`: Permission denied", "hint: leave it out with an exclude pattern, or make it readable"];
    refused(&run("contents --value tree/file"), ENVIRONMENT, &says);
    refused(&run("directory --value tree digest"), ENVIRONMENT, &says);
    refused(
        &run("directory --value closed digest"),
        ENVIRONMENT,
        &["closed`: Permission denied", "hint: leave it out"],
    );
    refused(&run("contents --value closed/x"), ENVIRONMENT, &["cannot look at `closed/x`", "Permission denied"]);
    assert_eq!(run("directory --value tree --value-exclude file digest").code, Some(0));
    fs::create_dir(scratch.path("work/mine")).unwrap();
    refused(&run("string --value x -o mine/x"), ENVIRONMENT, &["cannot write `", "mine/x`", "Permission denied"]);
    refused(&run("base -o mine/x"), ENVIRONMENT, &["mine/x`", "Permission denied"]);
    refused(&run("base --events mine/x"), ENVIRONMENT, &["cannot write the events to `", "Permission denied"]);
    let answer = host_as_user(&scratch, crate::case::good());
    assert_eq!((answer.code, &*answer.stdout), (Some(0), "good\n"), "{}", answer.stderr);
}

/// A call whose secret is read before the directory.
fn listed(scratch: &Scratch, command: &str) -> Answer {
    let words = format!("{ALLOW} list-after-secret --src tree --secret 'cmd:{command}'");
    scratch.host(call("powers", &words))
}

#[test]
fn a_directory_that_vanishes_before_it_is_read_is_named() {
    let scratch = Scratch::new();
    scratch.write("tree/file", "x");
    refused(&listed(&scratch, "rm -r tree"), ENVIRONMENT, &["nothing is at `", "work/tree`"]);
    works(&scratch);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error_or_has_the_old_contents() {
    if !require("crun") || !require("busybox") {
        return;
    }
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.path("work/root/bin")).unwrap();
    fs::copy("/bin/busybox", scratch.path("work/root/bin/sh")).unwrap();
    let mut n = 0;
    for change in ["echo new > tree/file", "rm tree/file", "rm -r tree", "mv tree/file tree/other"] {
        for method in ["with-directory", "with-mounted-directory"] {
            n += 1;
            let _ = fs::remove_dir_all(scratch.path("work/tree"));
            scratch.write("tree/file", format!("old {n}\n"));
            // A secret that no key has is read after the directory was scanned, before or while its files are copied.
            let words = format!(
                "base with-rootfs --source root {method} --path /d --source tree with-env-variable --name N --value {n} \
                 with-mounted-secret --path /s --source 'by-name:cmd:{change}; echo {n}' \
                 with-exec --args sh --args -c --args 'cat /d/file' stdout"
            );
            let answer = scratch.host(call("values", &words));
            match answer.code {
                Some(0) => assert_eq!(answer.stdout, format!("old {n}\n"), "{change}"),
                _ => refused(&answer, ENVIRONMENT, &["tree/file`", "changed while it was read", "hint: run again"]),
            }
        }
    }
    works(&scratch);
}
