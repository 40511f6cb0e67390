//! Tests of directories that are deep: on the disk, in trees and in layers.

use std::path::{Path, PathBuf};

use graph::{ContentDigest, FileOp, TreePath};
use rustix::fs::{Mode, OFlags};

use crate::tree::tests::{copy, file, store};
use crate::{IdMap, IngestLimits, LayerContents, Limits, Origin, Store, empty_tree, ingest_layer, write_layer};

/// Makes directories in each other, and a file in the last one.
fn make(path: &Path, n: usize) {
    std::fs::create_dir(path).unwrap();
    let mut at = rustix::fs::open(path, OFlags::RDONLY, Mode::empty()).unwrap();
    for _ in 0..n {
        rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
        at = rustix::fs::openat(&at, "d", OFlags::RDONLY, Mode::empty()).unwrap();
    }
    let file = rustix::fs::openat(&at, "f", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR | Mode::WUSR).unwrap();
    rustix::io::write(&file, b"x").unwrap();
}

/// The directory of a test. The standard library, which removes the one of the store, does so by recursion.
struct Place {
    store: Store,
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let (dir, store) = store();
        Self { store, dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn ingest(&self, path: &Path) -> Result<LayerContents, crate::IngestError> {
        ingest_layer(path, &self.store.blobs_dir(), &IdMap::default(), &IngestLimits::default())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        crate::fs::remove_all_by_force(self.dir.path()).unwrap();
        std::fs::create_dir(self.dir.path()).unwrap();
    }
}

fn with_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap().join().unwrap();
}

#[test]
fn directories_on_disk_are_read_to_the_limit_and_refused_beyond_it() {
    let place = Place::new();
    let (fine, worse) = (place.path("fine"), place.path("worse"));
    make(&fine, 4096);
    make(&worse, 20_000);
    let contents = place.ingest(&fine).unwrap();
    assert_eq!(contents.changes.len(), 4097);
    assert_eq!(place.store.scan(&fine, &[], &[]).unwrap().n_files, 1);
    let error = place.ingest(&worse).unwrap_err().to_string();
    assert_eq!(error, "the command made directories that are more than 4096 deep, below `/d/d/d`");
    let error = place.store.scan(&worse, &[], &[]).unwrap_err().to_string();
    assert_eq!(error, format!("`{}` has directories that are more than 4096 deep", worse.display()));
    // With another limit, more is read.
    let store = place.store.with_limits(Limits { max_depth: 30_000, ..Limits::default() });
    assert_eq!(store.scan(&worse, &[], &[]).unwrap().n_files, 1);
}

#[test]
fn a_layer_of_any_depth_is_removed_with_the_store_and_the_store_works_after_it() {
    let place = Place::new();
    let (id, dir) = place.store.new_layer_dir().unwrap();
    std::fs::remove_dir(&dir).unwrap();
    make(&dir, 20_000);
    place.ingest(&dir).unwrap_err();
    let nothing = crate::LayerPlan { root: crate::Owned::DIRECTORY, entries: Vec::new() };
    let stamps = crate::Stamps::of_plan(&dir, &nothing).unwrap();
    place.store.add_layer(&id, &dir, 1, stamps).unwrap();
    // A process that ended left another one in the trash.
    make(&place.store.root().join("trash-v1/left"), 20_000);
    let root = place.store.root().to_owned();
    let reopened = Store::open(&root).unwrap();
    with_small_stack(move || reopened.sweep().unwrap());
    assert!(!root.join("trash-v1/left").exists());
    place.store.remove(&[crate::Item::Layer(id.clone())]).unwrap();
    place.store.clear().unwrap();
    make(&place.path("next"), 3);
    assert_eq!(place.store.scan(&place.path("next"), &[], &[]).unwrap().n_files, 1);
}

/// Copies a tree to a directory of an empty tree.
fn copied(store: &Store, tree: ContentDigest, op: graph::CopyOp) -> ContentDigest {
    let from = Origin { tree, path: &TreePath::root() };
    store.apply(&FileOp::Copy(op), empty_tree(), Some(from)).unwrap()
}

#[test]
fn directories_that_are_4000_deep_go_every_way_with_a_small_stack() {
    with_small_stack(|| {
        let place = Place::new();
        let (store, source) = (&place.store, place.path("source"));
        make(&source, 4000);
        let tree = store.scan(&source, &[], &[]).unwrap().tree;
        let owned = copied(store, tree, graph::CopyOp { owner: Some("1:2".to_owned()), ..copy("") });
        assert_eq!(store.merge(&[tree, owned]).unwrap(), owned);
        assert_eq!(store.diff(tree, owned).unwrap(), store.diff(empty_tree(), owned).unwrap());
        let patterns = graph::CopyOp { exclude: vec!["d/d/x".to_owned()], keep_owner: true, ..copy("") };
        assert_eq!(copied(store, tree, patterns), tree);
        assert_eq!(store.glob(tree, &TreePath::root(), "**/f").unwrap(), ["d/".repeat(4000) + "f"]);

        let plan = store.plan_layer(None, tree).unwrap();
        let layer = place.path("layer");
        write_layer(&plan, &layer, &store.blobs_dir(), &IdMap::default()).unwrap();
        let contents = place.ingest(&layer).unwrap();
        assert_eq!(store.apply_changes(empty_tree(), &contents).unwrap(), tree);
        assert_eq!(store.plan_layer(Some(tree), owned).unwrap().entries.len(), 4001);

        let out = place.path("out");
        store.export(tree, &TreePath::root(), &out, false).unwrap();
        make(&out.join("d/d/other"), 4000);
        assert_eq!(store.export(tree, &TreePath::root(), &out, true).unwrap().n_removed, 1);
        assert_eq!(store.scan(&out, &[], &[]).unwrap().tree, tree);
        let small = store.apply(&file("d/d/g", "y"), empty_tree(), None).unwrap();
        assert_eq!(store.export(small, &TreePath::root(), &out, true).unwrap().n_removed, 1);
        assert_eq!(store.scan(&out, &[], &[]).unwrap().tree, small);
    });
}
