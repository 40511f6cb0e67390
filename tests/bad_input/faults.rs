//! Damaged and missing files of a store: the error names them once, and the next run makes them again.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::{Answer, Scratch, require};

use crate::case::{ENVIRONMENT, call, good, refused, works};

/// Returns all files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Returns the files with these contents in a directory of a store.
fn with_contents(scratch: &Scratch, directory: &str, contents: &str) -> Vec<PathBuf> {
    let found = files(&scratch.path("store").join(directory)).into_iter();
    found.filter(|path| fs::read(path).is_ok_and(|bytes| bytes == contents.as_bytes())).collect()
}

/// Runs a call that makes a file and reads it.
fn made(scratch: &Scratch) -> Answer {
    scratch.host(call("values", "base with-new-file --path f --contents fragile file --path f contents"))
}

#[test]
fn damaged_contents_are_named_and_the_next_run_makes_them_again() {
    let scratch = Scratch::new();
    assert_eq!(made(&scratch).stdout, "fragile\n");
    for contents in ["fragilE", "", "longer than it was"] {
        let blobs = with_contents(&scratch, "blobs-v1", "fragile");
        assert_eq!(blobs.len(), 1);
        fs::write(&blobs[0], contents).unwrap();
        let says = ["error: contents blake3:", "were damaged in the store, in `", "and are removed", "hint: run again"];
        refused(&made(&scratch), ENVIRONMENT, &says);
        let again = made(&scratch);
        assert_eq!((again.code, &*again.stdout), (Some(0), "fragile\n"), "{contents:?}: {}", again.stderr);
    }
    works(&scratch);
}

#[test]
fn missing_contents_are_named_and_the_next_run_makes_them_again() {
    let scratch = Scratch::new();
    assert_eq!(made(&scratch).stdout, "fragile\n");
    fs::remove_file(&with_contents(&scratch, "blobs-v1", "fragile")[0]).unwrap();
    refused(&made(&scratch), ENVIRONMENT, &["error: contents blake3:", "are not in the store", "hint: run again"]);
    assert_eq!(made(&scratch).stdout, "fragile\n");
    fs::remove_dir_all(scratch.path("store/blobs-v1")).unwrap();
    refused(&made(&scratch), ENVIRONMENT, &["are not in the store", "hint: run again"]);
    assert_eq!(made(&scratch).stdout, "fragile\n");
    works(&scratch);
}

#[test]
fn a_damaged_layer_of_a_step_is_made_again() {
    if !require("crun") || !require("busybox") {
        return;
    }
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.path("work/root/bin")).unwrap();
    fs::copy("/bin/busybox", scratch.path("work/root/bin/sh")).unwrap();
    let written = |then: &str| {
        let words = "base with-rootfs --source root with-exec --args sh --args -c --args 'echo -n fragile > /f'";
        scratch.host(call("values", &format!("{words} {then}")))
    };
    let read = "file --path /f contents";
    assert_eq!(written(read).stdout, "fragile\n");
    // The blob and the file of the layer may be hard links.
    for path in
        [with_contents(&scratch, "blobs-v1", "fragile"), with_contents(&scratch, "layers-v1", "fragile")].concat()
    {
        fs::write(path, "fragilE").unwrap();
    }
    refused(&written(read), ENVIRONMENT, &["were damaged in the store", "hint: run again"]);
    let again = written(read);
    assert_eq!((again.code, &*again.stdout), (Some(0), "fragile\n"), "{}", again.stderr);
    let next = written("with-exec --args sh --args -c --args 'cat /f' stdout");
    assert_eq!((next.code, &*next.stdout), (Some(0), "fragile\n"), "{}", next.stderr);
    works(&scratch);
}

#[test]
fn a_damaged_compiled_component_is_compiled_again() {
    let scratch = Scratch::new();
    works(&scratch);
    for damage in [&b"garbage"[..], b"", b"\x7fELF"] {
        let compiled = files(&scratch.path("store/compiled-v1"));
        assert!(compiled.iter().any(|path| path.extension().is_some_and(|end| end == "cwasm")), "{compiled:?}");
        for path in &compiled {
            let whole = fs::read(path).unwrap();
            // A new file is written, because another process may have mapped the old one.
            fs::remove_file(path).unwrap();
            fs::write(path, if damage.is_empty() { &whole[..whole.len() / 2] } else { damage }).unwrap();
        }
        let answer = scratch.host(good());
        assert_eq!((answer.code, &*answer.stdout, &*answer.stderr), (Some(0), "good\n", ""));
    }
}

#[test]
fn compiled_components_that_others_may_write_are_not_run() {
    let scratch = Scratch::new();
    works(&scratch);
    let directory = scratch.path("store/compiled-v1");
    crate::inside::allow(&directory, 0o777);
    let says = ["cannot use `", "compiled-v1` for compiled components: others may write it", "`chmod 700"];
    refused(&scratch.host(good()), ENVIRONMENT, &says);
    crate::inside::allow(&directory, 0o700);
    works(&scratch);
}

#[test]
fn a_damaged_record_of_a_directory_is_read_again() {
    let scratch = Scratch::new();
    for n in 0..20 {
        scratch.write(&format!("tree/{n}"), "x");
    }
    let digest = || scratch.host(call("values", "directory --value tree digest")).stdout;
    let first = digest();
    assert!(first.starts_with("blake3:"), "{first}");
    for damage in ["garbage", ""] {
        for path in files(&scratch.path("store/stat-cache-v1")) {
            fs::write(path, damage).unwrap();
        }
        assert_eq!(digest(), first);
    }
    for gone in ["stat-cache-v1", "tmp-v1", "locks-v1", "layers-v1"] {
        fs::remove_dir_all(scratch.path("store").join(gone)).unwrap();
        assert_eq!(digest(), first, "without {gone}");
    }
    works(&scratch);
}
