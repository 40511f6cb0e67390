//! Layers become the same trees, whether they are unpacked into directories first or read into the store.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use engine::Failure;
use graph::{Blame, ContentDigest, Diagnostic as _, TreePath};
use oci::layer::{LayerError, UnpackOptions, unpack};
use store::{IdMap, IngestLimits, Store, empty_tree, ingest_layer};
use trees::{UnpackError, read_archive, read_layer};

/// What is in a layer: the name of an entry, and what it is.
#[derive(Debug, Clone)]
enum Part {
    File(&'static str),
    Directory(u32),
    Symlink(String),
    HardLink(String),
    Fifo,
}

fn layer(parts: &[(String, Part)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, part) in parts {
        let mut header = tar::Header::new_ustar();
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(7);
        header.set_size(0);
        header.set_mode(0o644);
        match part {
            Part::File(text) => {
                header.set_size(text.len() as u64);
                builder.append_data(&mut header, name, text.as_bytes()).unwrap();
            }
            Part::Directory(mode) => {
                header.set_entry_type(tar::EntryType::Directory);
                header.set_mode(*mode);
                builder.append_data(&mut header, name, std::io::empty()).unwrap();
            }
            Part::Symlink(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_mode(0o777);
                builder.append_link(&mut header, name, target).unwrap();
            }
            Part::HardLink(target) => {
                header.set_entry_type(tar::EntryType::Link);
                builder.append_link(&mut header, name, target).unwrap();
            }
            Part::Fifo => {
                header.set_entry_type(tar::EntryType::Fifo);
                builder.append_data(&mut header, name, std::io::empty()).unwrap();
            }
        }
    }
    builder.into_inner().unwrap()
}

fn diff_id(layer: &[u8]) -> oci::Digest {
    oci::Digest::of(layer)
}

/// Finds what a layer that is a directory has at a path, without following any link.
fn find(lower: &Path, path: &Path) -> Option<PathBuf> {
    let mut at = lower.to_owned();
    let mut names = path.components().peekable();
    while let Some(name) = names.next() {
        at.push(name);
        let metadata = at.symlink_metadata().ok()?;
        if metadata.file_type().is_char_device() || (names.peek().is_some() && !metadata.is_dir()) {
            return None;
        }
    }
    Some(at)
}

/// Unpacks a layer into a directory over another, and reads that.
fn by_directory(
    store: &Store,
    below: (ContentDigest, Option<&Path>),
    bytes: &[u8],
    dir: &Path,
) -> Result<ContentDigest, LayerError> {
    fs::create_dir(dir).unwrap();
    let lower = |path: &Path| find(below.1?, path);
    let options = UnpackOptions { lower: Some(&lower), ..UnpackOptions::default() };
    let unpacked = unpack(bytes, dir, &options)?;
    let contents = ingest_layer(dir, &store.blobs_dir(), &IdMap::default(), &IngestLimits::default()).unwrap();
    let below = if unpacked.is_opaque { empty_tree() } else { below.0 };
    Ok(store.apply_changes(below, &contents).unwrap())
}

fn in_store(store: &Store, below: ContentDigest, bytes: &[u8]) -> Result<ContentDigest, UnpackError> {
    read_layer(store, below, bytes, diff_id(bytes)).map(|(tree, _)| tree)
}

fn message(error: &UnpackError) -> String {
    match error {
        UnpackError::Layer(error) => engine::chain(error),
        UnpackError::Store(failure) => failure.to_string(),
    }
}

/// Numbers that look random and are always the same. Source: George Marsaglia, "Xorshift RNGs".
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }

    fn path(&mut self) -> String {
        let n_names = 1 + self.below(3);
        let names: Vec<&str> = (0..n_names).map(|_| ["a", "b", "a-b"][self.below(3)]).collect();
        names.join("/")
    }

    fn part(&mut self) -> (String, Part) {
        let path = self.path();
        match self.below(16) {
            0..5 => (path, Part::File(["", "x", "yy"][self.below(3)])),
            5..8 => (path + "/", Part::Directory([0o755, 0o700, 0o1777][self.below(3)])),
            8 | 9 => {
                let target =
                    [self.path(), format!("/{}", self.path()), format!("../{}", self.path())][self.below(3)].clone();
                (path, Part::Symlink(target))
            }
            10 | 11 => (path, Part::HardLink(self.path())),
            12 => (path, Part::Fifo),
            13 | 14 => {
                let (above, name) = path.rsplit_once('/').map_or(("", path.as_str()), |(above, name)| (above, name));
                let slash = if above.is_empty() { "" } else { "/" };
                (format!("{above}{slash}.wh.{name}"), Part::File(""))
            }
            _ => ([".wh..wh..opq".to_owned(), format!("{path}/.wh..wh..opq")][self.below(2)].clone(), Part::File("")),
        }
    }

    fn layer(&mut self) -> Vec<(String, Part)> {
        let n_parts = 1 + self.below(9);
        (0..n_parts).map(|_| self.part()).collect()
    }
}

/// Returns a message up to the entry that it names.
fn entry(message: &str) -> String {
    message.split_once("`: ").map_or(message, |(named, _)| named).to_owned()
}

#[test]
fn a_layer_is_the_same_tree_in_the_store_as_in_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    if fs::metadata(dir.path()).unwrap().uid() != 0 {
        eprintln!("skipped: only root can give the files of a directory to root");
        return;
    }
    let store = Store::open(&dir.path().join("store")).unwrap();
    let mut random = Random(42);
    let (mut n_same, mut n_refused) = (0, 0);
    for n in 0..1500 {
        let at = |name: &str| dir.path().join(format!("{name}{n}"));
        let (lower, upper) = (random.layer(), random.layer());
        let Ok(below) = by_directory(&store, (empty_tree(), None), &layer(&lower), &at("lower")) else { continue };
        let expect = by_directory(&store, (below, Some(&at("lower"))), &layer(&upper), &at("upper"));
        let got = in_store(&store, below, &layer(&upper));
        match (&expect, &got) {
            (Ok(expect), Ok(got)) => {
                let list = |tree| store.glob(tree, &TreePath::root(), "**").unwrap();
                assert_eq!(list(*expect), list(*got), "{n}: {lower:?} {upper:?}");
                assert_eq!(expect, got, "{n}: {lower:?} {upper:?}");
                n_same += 1;
            }
            (Err(expect), Err(got)) => {
                // An entry can be wrong in two ways, and the readers look in different orders.
                assert_eq!(entry(&engine::chain(expect)), entry(&message(got)), "{n}: {lower:?} {upper:?}");
                n_refused += 1;
            }
            _ => panic!("{n}: {expect:?} and {got:?}: {lower:?} {upper:?}"),
        }
        for name in ["lower", "upper"] {
            fs::remove_dir_all(at(name)).unwrap();
        }
    }
    assert!(n_same > 200 && n_refused > 200, "{n_same} {n_refused}");
}

fn refused(bytes: &[u8], diff_id: oci::Digest) -> (Blame, String) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    match read_layer(&store, empty_tree(), bytes, diff_id) {
        Ok((tree, _)) => panic!("it became {tree}"),
        Err(UnpackError::Layer(error)) => (error.blame(), engine::chain(&error)),
        Err(UnpackError::Store(failure)) => panic!("{failure:?}"),
    }
}

#[test]
fn a_layer_that_is_not_what_it_should_be_is_refused() {
    let plain = layer(&[("a".to_owned(), Part::File("x"))]);
    let other = diff_id(b"other");
    let (blame, message) = refused(&plain, other);
    assert!(blame == Blame::User && message.starts_with("layer has the digest sha256:"), "{message}");
    let (_, message) = refused(&plain[..515], other);
    assert_eq!(message, "layer is damaged after `a`: the tar file ends too early, at byte 515");
    let mut outside = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..8].copy_from_slice(b"../../et");
    header.set_size(0);
    header.set_cksum();
    outside.append(&header, std::io::empty()).unwrap();
    let (_, message) = refused(&outside.into_inner().unwrap(), other);
    assert_eq!(message, "layer has a bad entry `../../et`: it leads out of the layer");
}

#[test]
fn a_layer_that_is_a_bomb_is_refused() {
    // A gigabyte of zeros and some more, as one file, which compresses a thousand times.
    let size = (1 << 30) + (1 << 28);
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_path("zeros").unwrap();
    header.set_mode(0o644);
    header.set_cksum();
    let compressed = Vec::new();
    let mut encoder = oci::compression::Encoder::new(compressed, oci::compression::Compression::Zstd).unwrap();
    std::io::Write::write_all(&mut encoder, header.as_bytes()).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..size >> 20 {
        std::io::Write::write_all(&mut encoder, &zeros).unwrap();
    }
    let bytes = encoder.finish().unwrap();
    let (blame, message) = refused(&bytes, diff_id(b""));
    assert!(blame == Blame::User && message.contains("it becomes more than 1000 times larger"), "{message}");
}

#[test]
fn a_store_that_cannot_be_written_is_no_fault_of_the_layer() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    // As if the disk were gone: not even root can make a file in a file.
    fs::remove_dir_all(store.blobs_dir()).unwrap();
    fs::write(store.blobs_dir(), "").unwrap();
    let bytes = layer(&[("a".to_owned(), Part::File("x"))]);
    let Err(UnpackError::Store(failure)) = in_store(&store, empty_tree(), &bytes) else { panic!("it was written") };
    assert!(matches!(failure, Failure::Environment { .. }), "{failure:?}");
}

#[test]
fn a_path_may_be_as_deep_as_it_is_long() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let deep = "d/".repeat(2000) + "f";
    let bytes = layer_with_long_name(&deep);
    let tree = in_store(&store, empty_tree(), &bytes).unwrap();
    assert_eq!(store.read_file(tree, &TreePath::parse(&deep).unwrap(), 0, None).unwrap(), b"x");
}

fn layer_with_long_name(path: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    builder.append_data(&mut header, path, &b"x"[..]).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn names_that_remove_in_a_layer_are_names_in_another_archive() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let bytes = layer(&[("d/.wh.a".to_owned(), Part::File("x")), ("e/".to_owned(), Part::Directory(0o755))]);
    let mut archive = read_archive(&store, bytes.as_slice()).unwrap();
    let taken = archive.take("d").unwrap();
    assert!(archive.take("d").is_none() && archive.file("e").is_none());
    assert_eq!(store.glob(taken.put().unwrap(), &TreePath::root(), "**").unwrap(), [".wh.a"]);
    assert_eq!(store.glob(archive.put().unwrap(), &TreePath::root(), "**").unwrap(), ["e/"]);
}

#[test]
fn a_hole_in_an_archive_is_refused_before_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_path("d/hole").unwrap();
    header.set_size(100 << 30);
    header.set_cksum();
    let Err(UnpackError::Store(failure)) = read_archive(&store, header.as_bytes().as_slice()) else { panic!() };
    let expect = "files that a command left have more than 68719476736 bytes, holes included, at `d/hole`";
    assert_eq!(failure.to_string(), expect);
    let larger = store.with_limits(store::Limits { max_bytes: 200 << 30, ..store::Limits::default() });
    // It is read, and is not all there.
    assert!(matches!(read_archive(&larger, header.as_bytes().as_slice()), Err(UnpackError::Layer(_))));
}

#[test]
fn mountpoints_are_removed_only_while_they_are_empty() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let part = |name: &str, part: Part| (name.to_owned(), part);
    let bytes = layer(&[
        part("a/b/", Part::Directory(0o755)),
        part("a-b/", Part::Directory(0o755)),
        part("etc/hosts", Part::File("")),
        part("etc/own", Part::File("x")),
    ]);
    let mut archive = read_archive(&store, bytes.as_slice()).unwrap();
    ["a/b", "a", "etc/hosts", "etc/own", "etc", "proc"].iter().for_each(|stub| archive.remove_stub(stub));
    assert_eq!(store.glob(archive.put().unwrap(), &TreePath::root(), "**").unwrap(), ["a-b/", "etc/", "etc/own"]);
}
