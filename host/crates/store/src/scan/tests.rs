//! Tests of scans.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use expect_test::expect;
use graph::TreePath;

use crate::tree::tests::{show, store};
use crate::{Mtime, Store};

fn scan(store: &Store, path: &Path) -> String {
    match store.scan(path, &[], &[]) {
        Ok(scanned) => show(store, scanned.tree),
        Err(error) => format!("error: {error}\n").replace(&path.display().to_string(), "$DIR"),
    }
}

/// So that what was written before is not racy for what is scanned after.
fn settle() {
    thread::sleep(Duration::from_millis(30));
}

#[test]
fn a_directory_is_taken_as_it_is_but_belongs_to_root() {
    let (dir, store) = store();
    let root = dir.path().join("src");
    fs::create_dir_all(root.join("d/e")).unwrap();
    fs::write(root.join("d/f"), "F").unwrap();
    fs::set_permissions(root.join("d/f"), fs::Permissions::from_mode(0o4755)).unwrap();
    fs::set_permissions(root.join("d"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o700)).unwrap();
    std::os::unix::fs::chown(root.join("d/f"), Some(1000), Some(50)).unwrap();
    fs::set_permissions(root.join("d/f"), fs::Permissions::from_mode(0o4755)).unwrap();
    symlink("/etc/passwd", root.join("out")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    expect![[r#"
        d/ 700 0:0
        d/e/
        d/f = F 4755 0:0
        out -> /etc/passwd
    "#]]
    .assert_eq(&scan(&store, &root));
    assert_eq!(store.scan(&root, &[], &[]).unwrap().skipped, [Path::new("socket")]);
}

#[test]
fn what_did_not_change_is_not_read_again() {
    let (dir, store) = store();
    let root = dir.path().join("src");
    for i in 0..40 {
        fs::create_dir_all(root.join(format!("d{}/e", i % 4))).unwrap();
        fs::write(root.join(format!("d{}/e/f{i}", i % 4)), format!("{i}")).unwrap();
    }
    settle();
    let first = store.scan(&root, &[], &[]).unwrap();
    assert_eq!((first.n_files, first.n_hashed), (40, 40));
    let again = store.scan(&root, &[], &[]).unwrap();
    assert_eq!((again.tree, again.n_hashed), (first.tree, 0));
    fs::write(root.join("d1/e/f1"), "other").unwrap();
    fs::remove_file(root.join("d2/e/f2")).unwrap();
    fs::create_dir(root.join("d0/new")).unwrap();
    fs::set_permissions(root.join("d3"), fs::Permissions::from_mode(0o711)).unwrap();
    settle();
    let changed = store.scan(&root, &[], &[]).unwrap();
    assert_eq!(changed.n_hashed, 1);
    // Another store has no cache and finds the same.
    let other = Store::open(&dir.path().join("other")).unwrap();
    assert_eq!(other.scan(&root, &[], &[]).unwrap().tree, changed.tree);
    assert_eq!(show(&store, changed.tree), show(&other, changed.tree));
    let again = store.scan(&root, &[], &[]).unwrap();
    assert_eq!((again.tree, again.n_hashed), (changed.tree, 0));
}

#[test]
fn a_file_changed_within_one_tick_is_noticed() {
    let (dir, store) = store();
    let root = dir.path().join("src");
    fs::create_dir(&root).unwrap();
    for i in 0..50 {
        fs::write(root.join("f"), format!("{i:02}")).unwrap();
        let tree = store.scan(&root, &[], &[]).unwrap().tree;
        let path = TreePath::parse("f").unwrap();
        assert_eq!(store.read_file(tree, &path, 0, None).unwrap(), format!("{i:02}").as_bytes());
    }
}

#[test]
fn patterns_decide_what_is_walked() {
    let (dir, store) = store();
    let root = dir.path().join("src");
    for name in ["a.txt", "node_modules/x/y", "sub/a.txt", "sub/b.md", "empty/e/f.md"] {
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::write(root.join(name), name).unwrap();
    }
    fs::set_permissions(root.join("node_modules"), fs::Permissions::from_mode(0o000)).unwrap();
    let patterns = |list: &[&str]| list.iter().map(|&p| p.to_owned()).collect::<Vec<_>>();
    for _ in 0..2 {
        let scanned = store.scan(&root, &patterns(&["**/*.txt"]), &patterns(&["node_modules"])).unwrap();
        assert_eq!(store.glob(scanned.tree, &TreePath::root(), "**").unwrap(), ["a.txt", "sub/", "sub/a.txt"]);
        settle();
    }
    let scanned = store.scan(&root, &[], &patterns(&["*", "!sub"])).unwrap();
    assert_eq!(store.glob(scanned.tree, &TreePath::root(), "**").unwrap(), ["sub/", "sub/a.txt", "sub/b.md"]);
}

#[test]
fn nothing_and_a_pipe_and_a_file() {
    let (dir, store) = store();
    assert_eq!(scan(&store, &dir.path().join("nope")), "error: nothing is at `$DIR`\n");
    assert_eq!(scan(&store, Path::new("/dev/null")), "error: `$DIR` is neither a file nor a directory\n");
    fs::write(dir.path().join("f"), "F").unwrap();
    assert_eq!(scan(&store, &dir.path().join("f")), "f = F\n");
}

#[test]
fn a_file_that_changes_after_the_scan_is_an_error_that_names_it() {
    let (dir, store) = store();
    let root = dir.path().join("src");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("f"), "before").unwrap();
    let tree = store.scan(&root, &[], &[]).unwrap().tree;
    fs::write(root.join("f"), "after!").unwrap();
    let error = store.read_file(tree, &TreePath::parse("f").unwrap(), 0, None).unwrap_err();
    assert!(error.to_string().ends_with("src/f` changed while it was read"), "{error}");
}

#[test]
fn a_tree_that_changes_under_the_scan_gives_a_tree_or_a_clear_error() {
    let (dir, store) = store();
    let root = dir.path().join("src");
    fs::create_dir_all(root.join("d")).unwrap();
    (0..200).for_each(|i| fs::write(root.join(format!("d/f{i}")), "x".repeat(5000)).unwrap());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let _ = fs::write(root.join(format!("d/f{}", i % 200)), format!("{i}"));
                let _ = fs::rename(root.join("d"), root.join("e"));
                let _ = fs::rename(root.join("e"), root.join("d"));
            }
        });
        for _ in 0..40 {
            match store.scan(&root, &[], &[]) {
                Ok(scanned) => drop(store.entries(scanned.tree, &TreePath::root()).unwrap()),
                Err(error) => assert!(error.to_string().contains("changed while it was read"), "{error}"),
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn deep_and_odd_names_are_scanned_with_few_descriptors() {
    let (dir, store) = store();
    let root = dir.path().join("src");
    fs::create_dir(&root).unwrap();
    fs::write(root.join(std::ffi::OsStr::from_bytes(b"\xff\n")), "odd").unwrap();
    // Longer than a path may be: made by going down.
    let mut fd = rustix::fs::open(&root, rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
    for _ in 0..2000 {
        rustix::fs::mkdirat(&fd, "dir", rustix::fs::Mode::from_raw_mode(0o755)).unwrap();
        fd = rustix::fs::openat(&fd, "dir", rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
    }
    let flags = rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY;
    rustix::fs::openat(&fd, "f", flags, rustix::fs::Mode::from_raw_mode(0o644)).unwrap();
    let scanned = store.scan(&root, &[], &[]).unwrap();
    assert_eq!(scanned.n_files, 2);
    settle();
    assert_eq!(store.scan(&root, &[], &[]).unwrap().tree, scanned.tree);
    let found = store.glob(scanned.tree, &TreePath::root(), "**/f").unwrap();
    assert_eq!(found, ["dir/".repeat(2000) + "f"]);
    let entry = &store.node(scanned.tree).unwrap().entries[1];
    assert_eq!((&*entry.name, matches!(entry.mtime, Mtime::Seen(_))), (&b"\xff\n"[..], true));
}

#[test]
fn an_image_of_the_cache_that_is_damaged_is_ignored() {
    let (dir, store) = store();
    let root = dir.path().join("src");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("f"), "F").unwrap();
    let tree = store.scan(&root, &[], &[]).unwrap().tree;
    for name in fs::read_dir(store.root().join("stat-cache-v1")).unwrap() {
        let path = name.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(store.scan(&root, &[], &[]).unwrap().tree, tree);
}
