//! Tests of files with holes.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use graph::{ContentDigest, TreePath};

use super::hash_file;
use crate::tree::tests::store;
use crate::{IdMap, IngestLimits, Limits, empty_tree, ingest_layer, write_layer};

/// Makes a file of zeros with data at some places.
fn make(path: &Path, size: u64, data: &[(u64, &[u8])]) -> File {
    let file = File::options().read(true).write(true).create_new(true).open(path).unwrap();
    file.set_len(size).unwrap();
    data.iter().for_each(|(at, bytes)| file.write_all_at(bytes, *at).unwrap());
    file
}

#[track_caller]
fn check_sparse(path: &Path, size: u64) {
    let metadata = std::fs::metadata(path).unwrap();
    assert_eq!(metadata.len(), size);
    assert!(metadata.blocks() < 2048, "`{}` has {} blocks", path.display(), metadata.blocks());
}

#[test]
fn the_digest_of_a_file_with_holes_is_that_of_its_bytes() {
    const KIB: u64 = 1 << 10;
    let dir = tempfile::tempdir().unwrap();
    let data: [&[(u64, &[u8])]; 5] =
        [&[], &[(0, b"a")], &[(300 * KIB, b"b"), (3000 * KIB, b"c")], &[(4096 * KIB - 1, b"d")], &[(256 * KIB, b"e")]];
    for (n, data) in data.into_iter().enumerate() {
        let path = dir.path().join(n.to_string());
        let mut file = make(&path, 4096 * KIB, data);
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(hash_file(&mut file).unwrap(), (ContentDigest::of(&bytes), 4096 * KIB), "{n}");
    }
}

#[test]
fn a_file_of_1_gib_with_a_hole_stays_sparse_on_every_path() {
    const SIZE: u64 = 1 << 30;
    let (dir, store) = store();
    let at = |name: &str| dir.path().join(name);
    std::fs::create_dir(at("source")).unwrap();
    make(&at("source/file"), SIZE, &[(0, b"begin"), (SIZE / 2, b"middle")]);
    let tree = store.scan(&at("source"), &[], &[]).unwrap().tree;

    // From the machine into a layer, from there into a blob, and from that to the machine and into another layer.
    let plan = store.plan_layer(None, tree).unwrap();
    write_layer(&plan, &at("layer"), &store.blobs_dir(), &IdMap::default()).unwrap();
    check_sparse(&at("layer/file"), SIZE);
    let limits = IngestLimits::default();
    let contents = ingest_layer(&at("layer"), &store.blobs_dir(), &IdMap::default(), &limits).unwrap();
    assert_eq!(store.apply_changes(empty_tree(), &contents).unwrap(), tree);
    let digest = store.contents_digest(tree, &TreePath::parse("file").unwrap()).unwrap();
    check_sparse(&store.blob_path(&digest), SIZE);
    std::fs::remove_file(at("source/file")).unwrap();
    store.export(tree, &TreePath::root(), &at("out"), false).unwrap();
    check_sparse(&at("out/file"), SIZE);
    std::fs::remove_file(store.blob_path(&digest)).unwrap();
    assert_eq!(store.put_file(&at("out/file")).unwrap(), (digest, SIZE));
    check_sparse(&store.blob_path(&digest), SIZE);
}

#[test]
fn holes_that_are_too_large_are_refused_before_they_are_hashed() {
    const SIZE: u64 = 100 << 30;
    let (dir, store) = store();
    std::fs::create_dir(dir.path().join("source")).unwrap();
    let path = dir.path().join("source/file");
    make(&path, SIZE, &[(SIZE - 1, b"x")]);
    let shown = path.canonicalize().unwrap();
    let refused =
        format!("the holes of `{}` and of the files before it have more than 68719476736 bytes", shown.display());
    assert_eq!(store.scan(path.parent().unwrap(), &[], &[]).unwrap_err().to_string(), refused);
    assert_eq!(store.scan(&path, &[], &[]).unwrap_err().to_string(), refused);
    let ingest =
        |limits: &IngestLimits| ingest_layer(path.parent().unwrap(), &store.blobs_dir(), &IdMap::default(), limits);
    let error = ingest(&IngestLimits::default()).unwrap_err();
    let refused = "the command made files with holes of more than 68719476736 bytes together, with `/file`";
    assert_eq!(error.to_string(), refused);
    let hint = graph::Diagnostic::hint(&error).unwrap();
    assert_eq!(hint, "let the command remove them, or raise the limit with `--max-bytes`");
    // Half of a limit each.
    std::fs::remove_file(&path).unwrap();
    make(&path, 6 << 20, &[]);
    make(&path.with_file_name("other"), 6 << 20, &[]);
    let small = store.with_limits(Limits { max_bytes: 10 << 20, ..Limits::default() });
    small.scan(path.parent().unwrap(), &[], &[]).unwrap_err();
    ingest(&small.ingest_limits()).unwrap_err();
    ingest(&IngestLimits { max_hole_bytes: 12 << 20, ..IngestLimits::default() }).unwrap();
}
