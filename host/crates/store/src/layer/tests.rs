//! Tests of layers: what is written is what was planned, and reads back as the tree.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use expect_test::expect;
use graph::{ContentDigest, FileOp, TreePath};
use proptest::prelude::*;

use super::{LayerContents, LayerPlan, PlanKind};
use crate::tree::resolve::escape;
use crate::tree::tests::{file, show, store, tree};
use crate::{IdMap, IngestLimits, Store, empty_tree, ingest_layer, write_layer};

fn show_plan(plan: &LayerPlan) -> String {
    let line = |entry: &super::PlanEntry| {
        let what = match &entry.what {
            PlanKind::Directory { is_opaque: false } => "/".to_owned(),
            PlanKind::Directory { is_opaque: true } => "/ opaque".to_owned(),
            PlanKind::File { size, external, .. } => {
                format!(" {size}{}", if external.is_some() { " external" } else { "" })
            }
            PlanKind::Symlink { target } => format!(" -> {}", escape(target)),
            PlanKind::Fifo => " fifo".to_owned(),
            PlanKind::Whiteout => " gone".to_owned(),
        };
        format!("{}{what}\n", escape(&entry.path))
    };
    plan.entries.iter().map(line).collect()
}

fn written(store: &Store, base: Option<ContentDigest>, target: ContentDigest, dir: &Path) -> LayerContents {
    let plan = store.plan_layer(base, target).unwrap();
    // As it travels to the process that writes it.
    let plan: LayerPlan = postcard::from_bytes(&postcard::to_allocvec(&plan).unwrap()).unwrap();
    write_layer(&plan, dir, &store.blobs_dir(), &IdMap::default()).unwrap();
    let contents = ingest_layer(dir, &store.blobs_dir(), &IdMap::default(), &IngestLimits::default()).unwrap();
    postcard::from_bytes(&postcard::to_allocvec(&contents).unwrap()).unwrap()
}

#[test]
fn only_what_differs_is_planned() {
    let (_dir, s) = store();
    let plan = |base: &str, target: &str| show_plan(&s.plan_layer(Some(tree(&s, base)), tree(&s, target)).unwrap());
    expect![[r#"
        gone gone
        a/
        a/x gone
        a/y 1
        new/
        new/f 5
    "#]]
    .assert_eq(&plan("a/x a/y=1 a/z same/q gone", "a/y=2 a/z same/q new/f"));
    expect![[r#"
        a/ opaque
        a/n 3
    "#]]
    .assert_eq(&plan("a/x a/y", "a/n"));
    expect![[r#"
        a/
        a/n 3
    "#]]
    .assert_eq(&plan("a", "a/n"));
    expect![[""]].assert_eq(&plan("a/x", "a/x"));
    let all = s.plan_layer(None, tree(&s, "d/f=abc l->f")).unwrap();
    expect![[r#"
        d/
        d/f 3
        l -> f
    "#]]
    .assert_eq(&show_plan(&all));
}

#[test]
fn a_layer_reads_back_as_the_tree() {
    let (dir, s) = store();
    let base = tree(&s, "a/x a/y=1 a/z same/q gone l->a replaced/f file");
    let target = tree(&s, "a/y=2 a/z same/q l->b replaced file/now");
    let chown = FileOp::Chown { path: TreePath::parse("a").unwrap(), owner: "7:8".to_owned() };
    let target = s.apply(&chown, target, None).unwrap();
    let full = written(&s, None, base, &dir.path().join("full"));
    assert_eq!(s.apply_changes(empty_tree(), &full).unwrap(), base);
    let diff = written(&s, Some(base), target, &dir.path().join("diff"));
    let made = s.apply_changes(base, &diff).unwrap();
    assert_eq!(show(&s, made), show(&s, target));
    assert_eq!(made, target);
}

#[test]
fn a_file_whose_blob_is_just_so_shares_its_inode() {
    let (dir, s) = store();
    let base = s.apply(&file("f", "x"), empty_tree(), None).unwrap();
    let plan = s.plan_layer(None, base).unwrap();
    let out = dir.path().join("out");
    let written = write_layer(&plan, &out, &s.blobs_dir(), &IdMap::default()).unwrap();
    assert_eq!((written.n_linked, written.n_copied), (1, 0));
    let op =
        FileOp::MakeFile { path: TreePath::parse("f").unwrap(), contents: b"x"[..].into(), mode: 0o755, owner: None };
    let executable = s.apply(&op, empty_tree(), None).unwrap();
    let plan = s.plan_layer(None, executable).unwrap();
    let written = write_layer(&plan, &dir.path().join("out2"), &s.blobs_dir(), &IdMap::default()).unwrap();
    assert_eq!((written.n_linked, written.n_copied), (0, 1));
    assert_eq!(fs::metadata(dir.path().join("out2/f")).unwrap().mode() & 0o777, 0o755);
}

#[test]
fn a_layer_shows_nothing_that_its_tree_does_not_have() {
    let (dir, s) = store();
    let base = tree(&s, "etc/passwd run/pid");
    let upper = dir.path().join("upper");
    fs::create_dir_all(upper.join("etc")).unwrap();
    fs::create_dir_all(upper.join("run")).unwrap();
    for path in ["etc/passwd", "run/socket", "run/other"] {
        std::os::unix::net::UnixListener::bind(upper.join(path)).unwrap();
    }
    let contents = ingest_layer(&upper, &s.blobs_dir(), &IdMap::default(), &IngestLimits::default()).unwrap();
    assert_eq!((contents.n_skipped, contents.changes.len()), (3, 5));
    let made = s.apply_changes(base, &contents).unwrap();
    expect![[r#"
        etc/
        run/
        run/pid = run/pid
    "#]]
    .assert_eq(&show(&s, made));
    for path in ["etc/passwd", "run/socket", "run/other"] {
        let left = fs::symlink_metadata(upper.join(path)).unwrap();
        assert!(left.file_type().is_char_device() && left.rdev() == 0, "{path}");
    }
}

#[test]
fn what_a_command_wrote_is_read() {
    let (dir, s) = store();
    let base = tree(&s, "etc/passwd usr/bin/sh opt/a opt/b");
    let upper = dir.path().join("upper");
    fs::create_dir_all(upper.join("etc")).unwrap();
    fs::create_dir_all(upper.join("opt")).unwrap();
    fs::write(upper.join("etc/new"), "N").unwrap();
    fs::hard_link(upper.join("etc/new"), upper.join("etc/same")).unwrap();
    fs::set_permissions(upper.join("etc/new"), fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::chown(upper.join("etc/new"), Some(12), Some(34)).unwrap();
    symlink("x", upper.join("etc/l")).unwrap();
    let whiteout = |path: &str| {
        let kind = rustix::fs::FileType::CharacterDevice;
        rustix::fs::mknodat(rustix::fs::CWD, upper.join(path), kind, rustix::fs::Mode::empty(), 0).unwrap();
    };
    whiteout("etc/passwd");
    whiteout("nothing");
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(upper.join("opt"), "user.overlay.opaque", b"y", flags).unwrap();
    fs::write(upper.join("opt/c"), "C").unwrap();
    let contents = ingest_layer(&upper, &s.blobs_dir(), &IdMap::default(), &IngestLimits::default()).unwrap();
    let made = s.apply_changes(base, &contents).unwrap();
    expect![[r#"
        etc/
        etc/l -> x
        etc/new = N 600 12:34
        etc/same = N 600 12:34
        opt/
        opt/c = C
        usr/
        usr/bin/
        usr/bin/sh = usr/bin/sh
    "#]]
    .assert_eq(&show(&s, made));
}

#[test]
fn a_layer_that_changes_nothing_gives_the_base() {
    let (dir, s) = store();
    let base = tree(&s, "d/e/f=x g");
    let upper = dir.path().join("upper");
    fs::create_dir_all(upper.join("d/e")).unwrap();
    fs::write(upper.join("d/e/f"), "x").unwrap();
    let contents = ingest_layer(&upper, &s.blobs_dir(), &IdMap::default(), &IngestLimits::default()).unwrap();
    assert_eq!(s.apply_changes(base, &contents).unwrap(), base);
}

#[test]
fn many_files_and_deep_directories_are_read() {
    let (dir, s) = store();
    let deep = s.apply(&file(&("d/".repeat(2000) + "f"), "x"), empty_tree(), None).unwrap();
    let words = (0..300).map(|i| format!("many/f{i}={}", i % 7)).collect::<Vec<_>>().join(" ");
    let target = s.merge(&[deep, tree(&s, &words)]).unwrap();
    let contents = written(&s, None, target, &dir.path().join("out"));
    assert_eq!(s.apply_changes(empty_tree(), &contents).unwrap(), target);
}

#[test]
fn a_damaged_blob_is_not_written() {
    let (dir, s) = store();
    let target = s.apply(&file("f", "hello"), empty_tree(), None).unwrap();
    let digest = ContentDigest::of(b"hello");
    fs::remove_file(s.blob_path(&digest)).unwrap();
    fs::write(s.blob_path(&digest), "hellO").unwrap();
    fs::set_permissions(s.blob_path(&digest), fs::Permissions::from_mode(0o600)).unwrap();
    let plan = s.plan_layer(None, target).unwrap();
    let error = write_layer(&plan, &dir.path().join("out"), &s.blobs_dir(), &IdMap::default()).unwrap_err();
    assert!(error.to_string().contains(&digest.to_string()), "{error}");
}

#[test]
fn a_scanned_tree_is_written_and_exported() {
    let (dir, s) = store();
    let root = dir.path().join("src");
    fs::create_dir_all(root.join("d")).unwrap();
    fs::write(root.join("d/f"), "F").unwrap();
    symlink("d", root.join("l")).unwrap();
    let scanned = s.scan(&root, &[], &[]).unwrap().tree;
    let contents = written(&s, None, scanned, &dir.path().join("layer"));
    assert_eq!(s.apply_changes(empty_tree(), &contents).unwrap(), scanned);

    let target = dir.path().join("out");
    fs::create_dir_all(target.join("d")).unwrap();
    fs::write(target.join("d/extra"), "E").unwrap();
    fs::write(target.join("l"), "a file").unwrap();
    s.export(scanned, &TreePath::root(), &target, false).unwrap();
    assert_eq!(fs::read_to_string(target.join("l/f")).unwrap(), "F");
    assert_eq!(fs::read_to_string(target.join("d/extra")).unwrap(), "E");
    let done = s.export(scanned, &TreePath::root(), &target, true).unwrap();
    assert_eq!((done.n_removed, target.join("d/extra").exists()), (1, false));
    let single = dir.path().join("new/file");
    s.export_file(scanned, &TreePath::parse("l/f").unwrap(), &single).unwrap();
    assert_eq!(fs::read_to_string(&single).unwrap(), "F");
}

#[test]
fn an_export_is_never_written_through_a_link() {
    let (dir, s) = store();
    let outside = dir.path().join("outside");
    let target = dir.path().join("out");
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(&target).unwrap();
    symlink(&outside, target.join("d")).unwrap();
    s.export(tree(&s, "d/f=x"), &TreePath::root(), &target, false).unwrap();
    assert!(fs::read_dir(&outside).unwrap().next().is_none());
    assert_eq!(fs::read_to_string(target.join("d/f")).unwrap(), "x");
    let error = s.export(tree(&s, "d=x"), &TreePath::root(), &target, false).unwrap_err();
    assert!(error.to_string().ends_with("out/d` is in the way: it is not a file"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(25))]
    #[test]
    fn a_layer_of_any_difference_gives_the_target(a in prop::collection::vec((0..3, 0..4, 0..3), 0..9), b in prop::collection::vec((0..3, 0..4, 0..3), 0..9)) {
        let (dir, s) = store();
        let make = |list: &[(i32, i32, i32)]| {
            list.iter().fold(empty_tree(), |tree, (d, f, c)| {
                let op = match c { 0 => file(&format!("d{d}/f{f}"), "0"), 1 => file(&format!("d{d}/f{f}/g"), "1"), _ => file(&format!("d{d}"), "2") };
                // What is in the way of one stays as it is.
                s.apply(&op, tree, None).unwrap_or(tree)
            })
        };
        let (a, b) = (make(&a), make(&b));
        let contents = written(&s, Some(a), b, &dir.path().join("layer"));
        prop_assert_eq!(s.apply_changes(a, &contents).unwrap(), b);
    }
}

#[test]
fn a_file_with_capabilities_shares_its_inode_with_no_blob() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give capabilities to a file");
        return;
    }
    let (dir, s) = store();
    let upper = dir.path().join("upper");
    fs::create_dir(&upper).unwrap();
    for name in ["plain", "capable"] {
        fs::write(upper.join(name), name).unwrap();
    }
    // Source: linux/capability.h, `struct vfs_cap_data`, revision 2: CAP_NET_RAW, permitted and effective.
    let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(upper.join("capable"), "security.capability", &capability, flags).unwrap();
    ingest_layer(&upper, &s.blobs_dir(), &IdMap::default(), &IngestLimits::default()).unwrap();
    let is_shared = |name: &str| {
        let blob = s.blob_path(&ContentDigest::of(name.as_bytes()));
        fs::metadata(blob).unwrap().ino() == fs::metadata(upper.join(name)).unwrap().ino()
    };
    assert_eq!((is_shared("plain"), is_shared("capable")), (true, false));
}
