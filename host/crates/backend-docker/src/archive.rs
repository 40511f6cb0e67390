//! From a tree to an image that Docker loads: one layer that is the tree, and a configuration that says nothing.
//!
//! Source: Docker's image specification 1.2, "Combined Image JSON + Filesystem Changeset Format".

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use backend::{Failure, FailureCode};
use graph::{ContentDigest, Platform};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::{Entry, Kind, Mtime, Owned, Store};
use tar::{Builder, EntryType, Header};
use trees::failure::failure;

use crate::context::hex;

/// The name of an image for a tree; `.invalid` is no registry's (RFC 2606).
pub(crate) fn name_of(tree: ContentDigest) -> String {
    format!("{REPOSITORY}:{}", tree.to_hex())
}

/// The repository of all images for trees.
pub(crate) const REPOSITORY: &str = "host.invalid/tree";

/// Writes a tree as an image of its name; blocks. `created` is in the form of RFC 3339.
pub(crate) fn write(store: &Store, tree: ContentDigest, platform: &Platform, created: &str) -> Result<File, Failure> {
    let dir = store.temporary_dir().map_err(|error| failure(&error))?;
    let unwritable = |error: io::Error| Failure::environment(format!("`{}` cannot be written: {error}", dir.display()), None);
    let mut layer = tempfile::tempfile_in(&dir).map_err(unwritable)?;
    let digest = write_layer(store, tree, &mut layer)?;
    let config = json!({
        "architecture": platform.architecture,
        "os": platform.os,
        "created": created,
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
    });
    let config = config.to_string();
    let config_name = format!("{}.json", hex(&Sha256::digest(&config)));
    let manifest = json!([{ "Config": config_name, "RepoTags": [name_of(tree)], "Layers": ["layer.tar"] }]).to_string();
    let mut write = || -> io::Result<File> {
        let mut out = Builder::new(tempfile::tempfile_in(&dir)?);
        for (name, text) in [("manifest.json", &manifest), (config_name.as_str(), &config)] {
            let mut header = plain_header(text.len() as u64);
            out.append_data(&mut header, name, text.as_bytes())?;
        }
        let size = io::Seek::stream_position(&mut layer)?;
        io::Seek::rewind(&mut layer)?;
        let mut header = plain_header(size);
        out.append_data(&mut header, "layer.tar", &mut layer)?;
        let mut file = out.into_inner()?;
        io::Seek::rewind(&mut file)?;
        Ok(file)
    };
    write().map_err(unwritable)
}

fn plain_header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(size);
    header
}

/// Writes the files and returns the digest of what was written, in hex digits.
fn write_layer(store: &Store, tree: ContentDigest, to: &mut File) -> Result<String, Failure> {
    let mut layer = Layer { store, out: Builder::new(Hashing { inner: io::BufWriter::new(to), hasher: Sha256::new() }) };
    let root = store.node(tree).map_err(|error| failure(&error))?;
    let root_entry = Entry::new(b".", Kind::Directory { digest: tree }, root.owned());
    let mut pending = vec![(Vec::new(), root_entry)];
    while let Some((parent, entry)) = pending.pop() {
        let path = if parent.is_empty() { entry.name.to_vec() } else { [parent.as_slice(), b"/", entry.name.as_ref()].concat() };
        layer.entry(&path, &entry)?;
        if let Kind::Directory { digest } = entry.kind {
            let node = store.node(digest).map_err(|error| failure(&error))?;
            pending.extend(node.entries.iter().rev().map(|below| (path.clone(), below.clone())));
        }
    }
    let end = || -> io::Result<String> {
        let mut hashing = layer.out.into_inner()?;
        hashing.inner.flush()?;
        Ok(hex(&hashing.hasher.finalize()))
    };
    end().map_err(|error| Failure::environment(format!("a layer cannot be written: {error}"), None))
}

struct Layer<'a, W: Write> {
    store: &'a Store,
    out: Builder<W>,
}

impl<W: Write> Layer<'_, W> {
    fn entry(&mut self, path: &[u8], entry: &Entry) -> Result<(), Failure> {
        let name = Path::new(OsStr::from_bytes(path));
        let mut header = header_of(entry.owned, entry.mtime);
        let unwritable = |error: io::Error| {
            Failure::environment(format!("`{}` cannot be sent to Docker: {error}", name.display()), None)
        };
        match &entry.kind {
            Kind::Directory { .. } => {
                header.set_entry_type(EntryType::Directory);
                self.out.append_data(&mut header, name, io::empty()).map_err(unwritable)
            }
            Kind::Fifo => {
                header.set_entry_type(EntryType::Fifo);
                self.out.append_data(&mut header, name, io::empty()).map_err(unwritable)
            }
            Kind::Symlink { target } => {
                header.set_entry_type(EntryType::Symlink);
                let target = Path::new(OsStr::from_bytes(target));
                self.out.append_link(&mut header, name, target).map_err(unwritable)
            }
            Kind::File { digest, size } => {
                header.set_size(*size);
                let (file, _, _) = self.store.open_blob(digest).map_err(|error| failure(&error))?;
                let exact = io::Read::take(file, *size);
                self.out.append_data(&mut header, name, exact).map_err(unwritable)
            }
            Kind::Machine { .. } => Err(Failure::invalid(
                FailureCode::Unavailable,
                "the directories of this machine cannot be used with Docker",
            )),
        }
    }
}

fn header_of(owned: Owned, mtime: Mtime) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(owned.mode);
    header.set_uid(owned.uid.into());
    header.set_gid(owned.gid.into());
    // What has no time gets one that never changes.
    let seconds = mtime.nanoseconds().unwrap_or(0).div_euclid(1_000_000_000);
    header.set_mtime(u64::try_from(seconds).unwrap_or(0));
    header.set_size(0);
    header
}

/// Hashes what passes through.
struct Hashing<W> {
    inner: W,
    hasher: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use graph::{FileOp, TreePath};
    use store::empty_tree;

    use super::*;

    #[test]
    fn what_is_written_reads_back_as_the_same_tree() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let path = |text: &str| TreePath::parse(text).unwrap();
        let mut tree = empty_tree();
        for op in [
            FileOp::MakeFile { path: path(&"d/".repeat(60)).join(&"n".repeat(200)).unwrap(), contents: b"x"[..].into(), mode: 0o4711, owner: Some("7:3000000".into()) },
            FileOp::Symlink { target: "t".repeat(200), path: path("link") },
            FileOp::Chown { path: path("/d"), owner: "1:2".into() },
        ] {
            tree = store.apply(&op, tree, None).unwrap();
        }
        let platform = Platform::of_this_machine();
        let mut archive = tar::Archive::new(write(&store, tree, &platform, "2020-01-01T00:00:00Z").unwrap());
        let (mut read, mut names) = (None, Vec::new());
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            names.push(entry.path().unwrap().display().to_string());
            if names.last().is_some_and(|name| name == "layer.tar") {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).unwrap();
                read = Some(crate::ingest::read(bytes.as_slice(), &store).unwrap().put(&store).unwrap());
            }
        }
        assert_eq!(read, Some(tree));
        assert_eq!((names[0].as_str(), names.len()), ("manifest.json", 3));
    }
}
