//! Tests of the store as a whole: hostile ground, several processes, collection.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use graph::{CacheKey, ContentDigest, DefinitionDigest, Diagnostic, SecretDigest, TreePath};

use crate::tree::tests::{stamps, store, tree};
use crate::{Item, LayerId, Miss, NewResult, Record, Store, empty_tree, plan_gc};

fn key(n: u8) -> CacheKey {
    CacheKey::from_bytes([n; 32])
}

fn put(store: &Store, n: u8, trees: &[ContentDigest]) {
    store.put_result(&NewResult { key: key(n), value: &[n], trees, blobs: &[] }).unwrap();
}

#[test]
fn a_result_is_found_until_the_power_is_cut() {
    let (_dir, s) = store();
    assert_eq!(s.result(key(1)).unwrap(), None);
    put(&s, 1, &[]);
    put(&s, 2, &[]);
    assert_eq!(s.result(key(1)).unwrap(), Some(vec![1]));
    let backdate = "UPDATE results SET created_at = 0, boot_id = CASE WHEN key = ?1 THEN x'00' ELSE boot_id END";
    s.db().with("test", |db| db.execute(backdate, [key(1).as_bytes()])).unwrap();
    assert_eq!(s.result(key(1)).unwrap(), None);
    s.sync_older_rows().unwrap();
    s.db()
        .with("test", |db| {
            assert_eq!(db.query_row("SELECT count(*) FROM results", [], |row| row.get::<_, i64>(0))?, 1);
            assert!(db.query_row("SELECT boot_id IS NULL FROM results", [], |row| row.get::<_, bool>(0))?);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_miss_has_a_reason() {
    let (_dir, s) = store();
    let definition = DefinitionDigest::from_bytes([9; 32]);
    let input = |n: u8| ContentDigest::from_bytes([n; 32]);
    assert_eq!(s.explain_miss(definition, key(1), &[input(1)], &[]).unwrap(), Miss::NeverRan);
    s.note_history(definition, key(1), &[input(1), input(2)], &[]).unwrap();
    assert_eq!(s.explain_miss(definition, key(1), &[input(1), input(2)], &[]).unwrap(), Miss::Evicted);
    assert_eq!(s.explain_miss(definition, key(2), &[input(1), input(2)], &[]).unwrap(), Miss::KeyChanged);
    let changed = Miss::InputChanged { index: 1, from: Some(input(2)), to: Some(input(3)) };
    assert_eq!(s.explain_miss(definition, key(2), &[input(1), input(3)], &[]).unwrap(), changed);
    let secret = |value: &[u8]| SecretDigest::of(&[7; 32], value);
    s.note_history(definition, key(1), &[input(1)], &[secret(b"a"), secret(b"b")]).unwrap();
    let miss =
        |of: ContentDigest, secrets: &[SecretDigest]| s.explain_miss(definition, key(2), &[of], secrets).unwrap();
    assert_eq!(miss(input(1), &[secret(b"a"), secret(b"c")]), Miss::SecretChanged { index: 1 });
    assert_eq!(miss(input(1), &[secret(b"c")]), Miss::KeyChanged);
    let changed = Miss::InputChanged { index: 0, from: Some(input(1)), to: Some(input(2)) };
    assert_eq!(miss(input(2), &[secret(b"a"), secret(b"c")]), changed);
}

#[test]
fn what_needs_damaged_contents_is_forgotten_and_nothing_else() {
    let (_dir, s) = store();
    let (hit, other) = (tree(&s, "a/b/f=hello"), tree(&s, "a/b/f=other"));
    put(&s, 1, &[hit]);
    put(&s, 2, &[other]);
    put(&s, 3, &[other, hit]);
    let digest = ContentDigest::of(b"hello");
    fs::write(s.blob_path(&digest), "hellO").unwrap();
    s.read_blob(&digest).unwrap_err();
    let kept = [1, 2, 3].map(|n| s.result(key(n)).unwrap().is_some());
    assert_eq!(kept, [false, true, false]);
}

#[test]
fn a_layer_that_shares_a_damaged_file_is_forgotten() {
    let (_dir, s) = store();
    let digest = s.put_blob(b"hello").unwrap();
    let root = tree(&s, "f=hello");
    let (id, dir) = s.new_layer_dir().unwrap();
    fs::hard_link(s.blob_path(&digest), dir.join("f")).unwrap();
    s.add_layer(&id, &dir, 5, stamps(&s, &dir)).unwrap();
    s.note_materialised(root, std::slice::from_ref(&id)).unwrap();
    assert_eq!(s.materialised(root).unwrap(), Some(vec![id.clone()]));
    fs::write(s.blob_path(&digest), "hellO").unwrap();
    s.read_blob(&digest).unwrap_err();
    assert_eq!(s.materialised(root).unwrap(), None);
    assert!(s.layer_path(&id).is_dir(), "somebody may have it mounted");
}

#[test]
fn a_damaged_blob_is_named_removed_and_healed() {
    let (_dir, s) = store();
    let digest = s.put_blob(b"hello").unwrap();
    fs::write(s.blob_path(&digest), "hellO").unwrap();
    let error = s.read_blob(&digest).unwrap_err();
    assert!(error.to_string().starts_with(&format!("contents {digest} were damaged")), "{error}");
    assert!(!s.has_blob(&digest));
    s.put_blob(b"hello").unwrap();
    assert_eq!(s.read_blob(&digest).unwrap(), b"hello");
    assert!(s.put_blob_as(b"x", digest).is_err());
}

#[test]
fn opening_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let open = |path: &Path| Store::open(path).map(|_| ()).unwrap_err();
    fs::write(dir.path().join("file"), "").unwrap();
    let error = open(&dir.path().join("file"));
    assert!(error.to_string().ends_with("file` is not a directory"), "{error}");
    let newer = dir.path().join("newer");
    drop(Store::open(&newer).unwrap());
    fs::write(newer.join("store-version"), "2\n").unwrap();
    let error = open(&newer);
    assert!(
        error.to_string().contains("of version `2`, newer") && error.hint().unwrap().contains("HOST_STORE"),
        "{error}"
    );
    let database = dir.path().join("database");
    let s = Store::open(&database).unwrap();
    s.db().with("test", |db| db.pragma_update(None, "user_version", 99)).unwrap();
    let error = Store::open(&database).unwrap().result(key(1)).unwrap_err();
    assert!(error.to_string().contains("of version 99, newer"), "{error}");
}

/// A file system of its own; unmounted when it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// None where the test may not mount.
    fn new(path: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(path).status();
        done.is_ok_and(|status| status.success()).then(|| Self(path.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_named_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mounted) = Mounted::new(&dir.path().join("small"), "size=1m") else { return };
    let s = Store::open(&mounted.0.join("store")).unwrap();
    put(&s, 1, &[]);
    let expected = format!("no space left for store at `{}`", s.root().display());
    let blob = s.put_blob(&vec![7; 2 << 20]).unwrap_err();
    assert_eq!(blob.to_string(), expected);
    assert!(blob.hint().unwrap().contains("host cache clear"));
    let error = (0..2000).find_map(|i: i32| {
        let result = NewResult { key: key(2), value: &[i as u8; 4096], trees: &[], blobs: &[] };
        s.put_result(&result).err().or_else(|| s.put_node(tree_node(i)).err().and(None))
    });
    let error = error
        .map(|error| error.to_string())
        .or_else(|| (0..2000).find_map(|i| s.put_node(tree_node(i)).err()).map(|error| error.to_string()));
    assert_eq!(error, Some(expected));
}

fn tree_node(i: i32) -> crate::Node {
    let name = format!("{i:0>200}");
    let link = crate::Kind::Symlink { target: vec![b'x'; 2000].into() };
    crate::Node::of(vec![crate::Entry::new(name.as_bytes(), link, crate::Owned::SYMLINK)])
}

#[test]
fn a_read_only_disk_is_named_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mounted) = Mounted::new(&dir.path().join("fixed"), "size=4m") else { return };
    drop(Store::open(&mounted.0.join("store")).unwrap());
    let done = Command::new("mount").args(["-o", "remount,ro"]).arg(&mounted.0).status().unwrap();
    assert!(done.success());
    for path in ["store", "other"] {
        let error = Store::open(&mounted.0.join(path)).unwrap_err();
        assert!(error.to_string().ends_with(&format!("{path}` cannot be written")), "{error}");
        assert!(error.hint().unwrap().contains("HOST_STORE"));
    }
}

/// Not a test by itself: what another process does in the test below.
#[test]
fn work_as_another_process() {
    let Some(dir) = std::env::var_os("STORE_TEST_DIR") else { return };
    let s = Store::open(Path::new(&dir)).unwrap();
    for i in 0..50_u8 {
        let made = tree(&s, &format!("d/f{i}=x{i} e/g"));
        put(&s, i, &[made]);
        let lock = s.lock_key(key(7)).unwrap();
        let counter = s.root().join("counter");
        let n: u64 = fs::read_to_string(&counter).map_or(0, |text| text.parse().unwrap());
        fs::write(&counter, (n + 1).to_string()).unwrap();
        drop(lock);
    }
}

#[test]
fn processes_share_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "store::tests::work_as_another_process"]);
            command.env("STORE_TEST_DIR", dir.path().join("store")).stdout(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    assert!(children.into_iter().all(|mut child| child.wait().unwrap().success()));
    let s = Store::open(&dir.path().join("store")).unwrap();
    assert_eq!(fs::read_to_string(s.root().join("counter")).unwrap(), "200");
    assert!((0..50).all(|i| s.result(key(i)).unwrap().is_some()));
    assert_eq!(s.read_file(tree(&s, "d/f3=x3 e/g"), &TreePath::parse("d/f3").unwrap(), 0, None).unwrap(), b"x3");
    // What they left is swept.
    s.sweep().unwrap();
    assert_eq!(fs::read_dir(s.root().join("locks-v1")).unwrap().count(), 0);
    let own = s.temporary_dir().unwrap();
    let left: Vec<_> = fs::read_dir(s.root().join("tmp-v1")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [own]);
}

#[test]
fn a_lock_is_held_by_one() {
    let (_dir, s) = store();
    let other = Store::open(s.root()).unwrap();
    let lock = s.try_lock_key(key(1)).unwrap();
    assert!(
        lock.is_some() && other.try_lock_key(key(1)).unwrap().is_none() && s.try_lock_key(key(1)).unwrap().is_none()
    );
    assert!(other.try_lock_key(key(2)).unwrap().is_some());
    drop(lock);
    assert!(other.try_lock_key(key(1)).unwrap().is_some());
    let volume = s.volume("npm").unwrap();
    assert!(volume.is_new && !s.volume("npm").unwrap().is_new);
    let held = volume.lock().unwrap();
    assert!(other.volume("npm").unwrap().try_lock().unwrap().is_none());
    drop(held);
    assert!(other.volume("npm").unwrap().try_lock().unwrap().is_some());
}

#[test]
fn the_least_recently_used_goes_first_and_what_is_leased_stays() {
    let record = |n: u8, size_bytes, seconds, is_leased| Record {
        item: Item::Result(key(n)),
        name: String::new(),
        size_bytes,
        last_used_at: UNIX_EPOCH + Duration::from_secs(seconds),
        is_leased,
    };
    let records = [record(1, 10, 5, false), record(2, 10, 1, true), record(3, 10, 2, false), record(4, 10, 2, false)];
    let check = |budget, expect: &[u8]| {
        let expect: Vec<Item> = expect.iter().map(|n| Item::Result(key(*n))).collect();
        assert_eq!(plan_gc(&records, budget), expect, "{budget}");
    };
    check(40, &[]);
    check(39, &[3]);
    check(20, &[3, 4]);
    check(0, &[3, 4, 1]);
}

#[test]
fn what_no_result_needs_is_swept() {
    let (_dir, s) = store();
    let (kept, lost) = (tree(&s, "d/kept"), tree(&s, "d/lost"));
    put(&s, 1, &[kept]);
    let other = Store::open(s.root()).unwrap();
    assert!(s.gc(u64::MAX).unwrap().is_deferred);
    drop(other);
    assert!(!s.gc(u64::MAX).unwrap().is_deferred);
    assert!(s.has_node(kept).unwrap() && !s.has_node(lost).unwrap());
    assert!(s.has_blob(&ContentDigest::of(b"d/kept")) && !s.has_blob(&ContentDigest::of(b"d/lost")));
    s.clear().unwrap();
    assert!(!s.has_node(kept).unwrap() && s.result(key(1)).unwrap().is_none());
    let usage = s.usage().unwrap();
    assert_eq!((usage.records.len(), usage.n_blobs), (0, 0));
    assert!(s.has_node(empty_tree()).unwrap());
}

#[test]
fn layers_are_found_by_their_tree_until_one_is_gone() {
    let (_dir, s) = store();
    let made = tree(&s, "f");
    let ids = [0, 1].map(|_| {
        let (id, path) = s.new_layer_dir().unwrap();
        s.add_layer(&id, &path, 100, stamps(&s, &path)).unwrap();
        id
    });
    s.note_materialised(made, &ids).unwrap();
    assert_eq!(s.materialised(made).unwrap().as_deref(), Some(&ids[..]));
    s.clear().unwrap();
    assert!(ids.iter().all(|id| s.layer_path(id).exists()), "what a run made is leased by it");
    let root = s.root().to_owned();
    drop(s);
    let s = Store::open(&root).unwrap();
    assert!(s.lease_layers(&ids[..1]).unwrap());
    let cleared = s.clear().unwrap();
    assert_eq!((cleared.kept, cleared.kept_bytes), (vec![Item::Layer(ids[0].clone())], 100));
    assert!(s.layer_path(&ids[0]).exists() && !s.layer_path(&ids[1]).exists());
    assert_eq!(s.materialised(made).unwrap(), None);
    assert!(!s.lease_layers(&ids).unwrap());
    assert_eq!(LayerId::parse("../x"), None);
    assert!(s.usage().unwrap().records[0].last_used_at <= SystemTime::now());
}

#[test]
fn the_machine_is_a_tree_without_people() {
    let (_dir, s) = store();
    let machine = s.machine().unwrap();
    assert_eq!(s.machine().unwrap(), machine);
    let read = |at: &str| s.read_file(machine, &TreePath::parse(at).unwrap(), 0, None);
    assert!(read("/etc/passwd").unwrap().starts_with(b"root:x:0:0"));
    assert!(read("/bin/sh").unwrap().len() > 1000);
    for secret in ["etc/shadow", "etc/ssh", "etc/ssl/private", "etc/hostname", "etc/machine-id"] {
        assert!(s.stat(machine, &TreePath::parse(secret).unwrap(), true).unwrap().is_none(), "{secret}");
    }
    assert_eq!(s.stat(machine, &TreePath::parse("tmp").unwrap(), true).unwrap().unwrap().owned.mode, 0o1777);
    let op = crate::tree::tests::file("/bin/new", "x");
    assert_eq!(
        s.apply(&op, machine, None).unwrap_err().to_string(),
        "`/bin/new` is read-only: it is a directory of this machine"
    );
    let again = Store::open(s.root()).unwrap();
    assert_eq!(again.machine().unwrap(), machine);
    assert!(again.entries(machine, &TreePath::parse("usr").unwrap()).unwrap().contains(&"bin/".to_owned()));
}
