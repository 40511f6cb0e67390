//! From a tree to an image that Docker loads: one layer that is the tree, and a configuration that says nothing.
//!
//! Source: Docker's image specification 1.2, "Combined Image JSON + Filesystem Changeset Format".

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Seek as _, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use engine::{Failure, FailureCode};
use graph::{ContentDigest, Platform};
use oci::compression::Decoder;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::{Entry, Kind, Mtime, Owned, Store};
use tar::{Builder, EntryType, Header};

use crate::connection::context::hex;

/// The name of an image for a tree; `.invalid` is no registry's (RFC 2606).
pub(crate) fn name_of(tree: ContentDigest) -> String {
    format!("{REPOSITORY}:{}", tree.to_hex())
}

/// The repository of all images for trees.
pub(crate) const REPOSITORY: &str = "host.invalid/tree";

/// The repository of all images that were imported.
const IMPORTED: &str = "host.invalid/image";

/// The name of an image that is imported, by the digest of its manifest.
pub(crate) fn name_of_image(digest: &str) -> String {
    format!("{IMPORTED}:{}", digest.rsplit(':').next().unwrap_or(digest))
}

/// A layer, as a tar file.
pub(crate) struct LayerFile {
    file: File,
    digest: String,
}

impl LayerFile {
    /// Returns the tar file alone, from its start.
    pub(crate) fn into_file(mut self) -> Result<File, Failure> {
        let rewound = self.file.rewind();
        rewound.map_err(|error| Failure::environment(format!("an archive cannot be read: {error}"), None))?;
        Ok(self.file)
    }
}

/// What an image says besides its layers.
pub(crate) struct Label<'a> {
    pub(crate) name: &'a str,
    pub(crate) platform: &'a Platform,
    /// In the form of RFC 3339.
    pub(crate) created: &'a str,
}

/// Makes the layer of a tree; blocks.
pub(crate) fn layer_of_tree(store: &Store, tree: ContentDigest) -> Result<LayerFile, Failure> {
    let mut file = new_file(store)?;
    let digest = write_layer(store, tree, &mut file)?;
    Ok(LayerFile { file, digest })
}

/// Makes a layer of a tar file that may be compressed; blocks.
pub(crate) fn layer_of_archive(store: &Store, path: &Path) -> Result<LayerFile, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::invalid(FailureCode::InvalidArgument, format!("a layer of the image is not valid: {error}"))
    };
    let from = File::open(path).map_err(|error| unreadable(&error))?;
    let mut decoder = Decoder::new(io::BufReader::new(from)).map_err(|error| unreadable(&error))?;
    let mut hashing = Hashing { inner: io::BufWriter::new(new_file(store)?), hasher: Sha256::new() };
    io::copy(&mut decoder, &mut hashing).map_err(|error| unreadable(&error))?;
    let digest = hex(&hashing.hasher.finalize());
    let file = hashing.inner.into_inner().map_err(|error| unreadable(&error))?;
    Ok(LayerFile { file, digest })
}

fn new_file(store: &Store) -> Result<File, Failure> {
    let dir = store.temporary_dir().map_err(Failure::of)?;
    tempfile::tempfile_in(&dir).map_err(|error| unwritable(&dir, &error))
}

fn unwritable(dir: &Path, error: &io::Error) -> Failure {
    Failure::environment(format!("`{}` cannot be written: {error}", dir.display()), None)
}

/// Writes an image that Docker loads; blocks.
pub(crate) fn write(store: &Store, label: &Label<'_>, layers: Vec<LayerFile>) -> Result<File, Failure> {
    let diff_ids: Vec<String> = layers.iter().map(|layer| format!("sha256:{}", layer.digest)).collect();
    let config = json!({
        "architecture": label.platform.architecture,
        "os": label.platform.os,
        "created": label.created,
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = config.to_string();
    let config_name = format!("{}.json", hex(&Sha256::digest(&config)));
    let paths: Vec<String> = (0..layers.len()).map(|n| format!("{n}.tar")).collect();
    let manifest = json!([{ "Config": config_name, "RepoTags": [label.name], "Layers": paths }]).to_string();
    let mut out = Builder::new(new_file(store)?);
    let write = || -> io::Result<File> {
        for (name, text) in [("manifest.json", &manifest), (config_name.as_str(), &config)] {
            out.append_data(&mut plain_header(text.len() as u64), name, text.as_bytes())?;
        }
        for (mut layer, path) in layers.into_iter().zip(&paths) {
            let size = layer.file.seek(io::SeekFrom::End(0))?;
            layer.file.rewind()?;
            out.append_data(&mut plain_header(size), path, &mut layer.file)?;
        }
        let mut file = out.into_inner()?;
        file.rewind()?;
        Ok(file)
    };
    write().map_err(|error| unwritable(store.root(), &error))
}

fn plain_header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(size);
    header
}

/// Writes the files and returns the digest of what was written, in hex digits.
fn write_layer(store: &Store, tree: ContentDigest, to: &mut File) -> Result<String, Failure> {
    let mut layer =
        Layer { store, out: Builder::new(Hashing { inner: io::BufWriter::new(to), hasher: Sha256::new() }) };
    let root = store.node(tree).map_err(Failure::of)?;
    let root_entry = Entry::new(b".", Kind::Directory { digest: tree }, root.owned());
    let mut pending = vec![(Vec::new(), root_entry)];
    while let Some((parent, entry)) = pending.pop() {
        let path = if parent.is_empty() {
            entry.name.to_vec()
        } else {
            [parent.as_slice(), b"/", entry.name.as_ref()].concat()
        };
        layer.entry(&path, &entry)?;
        if let Kind::Directory { digest } = entry.kind {
            let node = store.node(digest).map_err(Failure::of)?;
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
                let (file, _, _) = self.store.open_blob(digest).map_err(Failure::of)?;
                let exact = io::Read::take(file, *size);
                self.out.append_data(&mut header, name, exact).map_err(unwritable)
            }
            Kind::Machine { .. } => Err(Failure::invalid(
                FailureCode::Incapable,
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
            FileOp::MakeFile {
                path: path(&"d/".repeat(60)).join(&"n".repeat(200)).unwrap(),
                contents: b"x"[..].into(),
                mode: 0o4711,
                owner: Some("7:3000000".into()),
            },
            FileOp::Symlink { target: "t".repeat(200), path: path("link") },
            FileOp::Chown { path: path("/d"), owner: "1:2".into() },
        ] {
            tree = store.apply(&op, tree, None).unwrap();
        }
        let platform = Platform::of_this_machine();
        let label = Label { name: "a:b", platform: &platform, created: "2020-01-01T00:00:00Z" };
        let layers = vec![layer_of_tree(&store, tree).unwrap()];
        let mut archive = tar::Archive::new(write(&store, &label, layers).unwrap());
        let (mut read, mut names) = (None, Vec::new());
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            names.push(entry.path().unwrap().display().to_string());
            if names.last().is_some_and(|name| name == "0.tar") {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).unwrap();
                read = Some(crate::images::read_archive(bytes.as_slice(), &store).unwrap().put().unwrap());
            }
        }
        assert_eq!(read, Some(tree));
        assert_eq!((names[0].as_str(), names.len()), ("manifest.json", 3));
    }
}
