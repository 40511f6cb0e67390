//! Stores that cannot be used.

use std::fs;

use testkit::{Answer, Scratch, require};

use crate::case::{ENVIRONMENT, call, good, refused, works};
use crate::inside::{Inside, allow, give_to_user, host_as_user};

/// Runs the good call with a store at another path.
fn with_store(scratch: &Scratch, store: &str) -> Answer {
    scratch.command(good()).env("HOST_STORE", scratch.path(store)).output().map(Answer::from).unwrap()
}

fn is_good(answer: &Answer) {
    assert_eq!((answer.code, &*answer.stdout), (Some(0), "good\n"), "{}", answer.stderr);
}

#[test]
fn a_store_that_is_no_directory_is_named() {
    let scratch = Scratch::new();
    fs::write(scratch.path("file"), "kept").unwrap();
    let hint = "hint: name a directory that you may write to with HOST_STORE";
    refused(&with_store(&scratch, "file"), ENVIRONMENT, &["file` is not a directory", hint]);
    refused(&with_store(&scratch, "file/below"), ENVIRONMENT, &["file/below` is not a directory", hint]);
    assert_eq!(fs::read_to_string(scratch.path("file")).unwrap(), "kept");
    works(&scratch);
}

/// The hint for a store of a newer version.
const NEWER: &str = "hint: update this program, name another directory with HOST_STORE for this version, or empty the \
    store with `host cache clear`";

/// Empties the store of a test.
fn clear(scratch: &Scratch) {
    let cleared = scratch.host(["cache", "clear"]);
    assert_eq!(cleared.code, Some(0), "{}", cleared.stderr);
}

#[test]
fn a_store_of_a_newer_version_is_left_alone_until_it_is_emptied() {
    let scratch = Scratch::new();
    works(&scratch);
    let marker = scratch.path("store/store-version");
    fs::write(&marker, "2").unwrap();
    fs::create_dir(scratch.path("store/blobs-v2")).unwrap();
    fs::write(scratch.path("store/mine"), "kept").unwrap();
    let says = format!("error: store `{}` is of version `2`, newer than", scratch.path("store").display());
    for words in [good(), vec!["cache".into()]] {
        refused(&scratch.host(words), ENVIRONMENT, &[&says, NEWER]);
    }
    assert_eq!(fs::read_to_string(&marker).unwrap(), "2", "it was changed");
    clear(&scratch);
    assert!(!scratch.path("store/blobs-v2").exists() && scratch.path("store/mine").exists());
    works(&scratch);
}

#[test]
fn a_version_that_is_none_is_written_again() {
    let scratch = Scratch::new();
    works(&scratch);
    let marker = scratch.path("store/store-version");
    for version in [&b""[..], b"junk", b"\xff\x00", b"-1"] {
        fs::write(&marker, version).unwrap();
        works(&scratch);
        assert_eq!(fs::read_to_string(&marker).unwrap(), "1\n");
    }
}

#[test]
fn a_database_of_a_newer_version_is_left_alone_until_the_store_is_emptied() {
    let scratch = Scratch::new();
    works(&scratch);
    // A run that ended has written its log into the database.
    let database = scratch.path("store/db-v1.sqlite");
    let whole = fs::read(&database).unwrap();
    let mut newer = whole.clone();
    // Source: sqlite.org/fileformat.html, "The Database Header": the user version is at 60.
    newer[60..64].copy_from_slice(&9u32.to_be_bytes());
    fs::write(&database, &newer).unwrap();
    refused(&scratch.host(good()), ENVIRONMENT, &["is of version 9, newer than this program", NEWER]);
    fs::write(&database, &whole).unwrap();
    works(&scratch);
    fs::write(&database, &newer).unwrap();
    clear(&scratch);
    works(&scratch);
}

#[test]
fn a_damaged_database_is_made_anew() {
    let scratch = Scratch::new();
    works(&scratch);
    let database = scratch.path("store/db-v1.sqlite");
    let whole = fs::read(&database).unwrap();
    let mut of_no_version = whole.clone();
    of_no_version[60..64].copy_from_slice(&(9u32 << 20).to_be_bytes());
    let damage: [(&str, Vec<u8>); 5] = [
        ("garbage", whole.iter().map(|byte| byte ^ 0x5a).collect()),
        ("garbage behind its header", whole.iter().enumerate().map(|(n, byte)| byte ^ u8::from(n > 100)).collect()),
        ("cut off", whole[..8192].to_vec()),
        ("text", b"hello".to_vec()),
        ("a version that is none", of_no_version),
    ];
    let store = scratch.path("store").display().to_string();
    let named = format!("error: database of the store at `{store}` is damaged");
    let hint = "hint: run again, for it is made anew; `host cache clear` empties the store in any case";
    for (what, bytes) in damage {
        fs::write(&database, &bytes).unwrap();
        let answer = scratch.host(good());
        if answer.code != Some(0) {
            refused(&answer, ENVIRONMENT, &[&named, hint]);
            assert!(!answer.stderr.contains("Error code"), "{what} is told twice: {}", answer.stderr);
        }
        works(&scratch);
        fs::write(&database, &bytes).unwrap();
        clear(&scratch);
        works(&scratch);
    }
}

#[test]
fn a_store_is_emptied_whatever_is_damaged_in_it() {
    let scratch = Scratch::new();
    works(&scratch);
    for name in ["blobs-v1", "layers-v1", "stat-cache-v1", "tmp-v1", "trash-v1", "db-v1.sqlite", "store-version"] {
        let path = scratch.path("store").join(name);
        let (is_directory, store) = (path.is_dir(), scratch.path("store"));
        fs::rename(&path, store.join("aside")).unwrap();
        if is_directory {
            fs::write(&path, "a file").unwrap();
            let says = format!("`{}` is damaged: `{name}` is not a directory", store.display());
            refused(&scratch.host(good()), ENVIRONMENT, &[&says, "hint: empty it with `host cache clear`"]);
        } else {
            fs::create_dir_all(path.join("a directory")).unwrap();
        }
        clear(&scratch);
        works(&scratch);
        let _ = fs::remove_dir_all(store.join("aside"));
        let _ = fs::remove_file(store.join("aside"));
    }
}

#[test]
fn a_failure_of_the_store_in_a_stage_is_not_a_failure_of_the_stage() {
    let scratch = Scratch::new();
    works(&scratch);
    let database = scratch.path("store/db-v1.sqlite");
    fs::remove_file(&database).unwrap();
    fs::create_dir_all(database.join("below")).unwrap();
    let answer = scratch.host(call("trees", "new-files"));
    refused(&answer, ENVIRONMENT, &["stage `new-files` failed", "cannot be written"]);
}

#[test]
fn a_store_that_cannot_be_written_is_named() {
    if !require("root") {
        return;
    }
    let scratch = Scratch::new();
    give_to_user(&scratch);
    is_good(&host_as_user(&scratch, good()));
    let hint = "hint: name a directory that you may write to with HOST_STORE";
    let says = format!("error: store `{}` cannot be written", scratch.path("store").display());
    allow(&scratch.path("store"), 0o500);
    refused(&host_as_user(&scratch, good()), ENVIRONMENT, &[&says, hint]);
    allow(&scratch.path("store"), 0o000);
    refused(&host_as_user(&scratch, good()), ENVIRONMENT, &[&says, hint]);
    allow(&scratch.path("store"), 0o700);
    let inside = Inside::mounts(&scratch, "mount --bind store store && mount -o remount,ro,bind store");
    for words in [good(), vec!["cache".into()], vec!["cache".into(), "clear".into()]] {
        refused(&inside.host(&scratch, words, true), ENVIRONMENT, &[&says, "Read-only file system", hint]);
    }
    drop(inside);
    let empty = Inside::mounts(&scratch, "mount -t tmpfs -o ro none store");
    refused(&empty.host(&scratch, good(), true), ENVIRONMENT, &[&says, "read-only", hint]);
    drop(empty);
    is_good(&host_as_user(&scratch, good()));
}

#[test]
fn a_full_disk_is_named_and_the_store_works_when_there_is_space() {
    if !require("root") {
        return;
    }
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("store")).unwrap();
    fs::write(scratch.path("work/big"), vec![b'x'; 3 << 20]).unwrap();
    let inside = Inside::mounts(&scratch, "mount -t tmpfs -o size=6m none store");
    let run = |words: &str| inside.host(&scratch, call("values", words), true);
    let fill = |path: &str| inside.run(&scratch, &format!("head -c 9000000 /dev/zero > {path} 2>/dev/null; true"));
    let says = format!("no space left for store at `{}`", scratch.path("store").display());
    let hint = "hint: free some with `host cache clear`, or put the store on another disk with HOST_STORE";

    fill("store/fill");
    refused(&inside.host(&scratch, good(), true), ENVIRONMENT, &[&says, hint]);
    inside.run(&scratch, "rm store/fill");
    is_good(&inside.host(&scratch, good(), true));

    fill("store/fill");
    let made = "base with-new-file --path n --contents";
    refused(&run(&format!("{made} other file --path n contents")), ENVIRONMENT, &[&says, hint]);
    refused(&run("base with-file --path f --source big directory --path / digest"), ENVIRONMENT, &[&says, hint]);
    // The contents are still there. Compiled components are removed first, which makes room.
    let cleared = inside.host(&scratch, vec!["cache".into(), "clear".into()], true);
    assert_eq!(cleared.code, Some(0), "{}", cleared.stderr);
    inside.run(&scratch, "rm store/fill");
    is_good(&inside.host(&scratch, good(), true));
    drop(inside);
    works(&scratch);
}
