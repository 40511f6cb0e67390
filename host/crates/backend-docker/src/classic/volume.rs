//! The volume of one command: the shim, what it reads and writes, and what is mounted.

use backend::Failure;
use bollard::models::{Mount, MountType};
use graph::{ContentDigest, ExecOp, Stdin, TreePath};
use store::{Entry, Kind, Node, Owned, Store};
use trees::failure::failure;

use super::files;
use super::mounts::{Gathered, Secret};
use crate::step::{OUTPUT_FILES, SHIM, TOOLS};

/// Returns the name of what is mounted, by its number; they are in order.
pub(crate) fn entry_name(index: usize) -> String {
    format!("{index:06}")
}

impl Gathered {
    /// Returns the mounts of the command, whose own volume is `volume` and at `place` for Docker.
    pub(crate) fn mounts(&self, volume: &str, place: &str) -> Vec<Mount> {
        let bind = |source: String, dest: &str, is_writable: bool| Mount {
            typ: Some(MountType::BIND),
            source: Some(source),
            target: Some(dest.to_owned()),
            read_only: Some(!is_writable),
            ..Mount::default()
        };
        let mut mounts = vec![files::mount(volume, TOOLS)];
        for (n, (dest, is_writable)) in self.binds.iter().enumerate() {
            mounts.push(bind(format!("{place}/mounts/{}", entry_name(n)), dest, *is_writable));
        }
        for (n, secret) in self.secrets.iter().enumerate() {
            mounts.push(bind(format!("{place}/secrets/{n}"), &secret.dest, false));
        }
        mounts.extend(self.caches.iter().map(|(cache, dest)| files::mount(&cache.name, dest)));
        mounts
    }

    /// Returns the tree of the command's own volume, but for what is secret.
    pub(crate) fn volume(&self, store: &Store, op: &ExecOp) -> Result<ContentDigest, Failure> {
        let blob = |bytes: &[u8]| -> Result<Kind, Failure> {
            let digest = store.put_blob(bytes).map_err(|error| failure(&error))?;
            Ok(Kind::File { digest, size: bytes.len() as u64 })
        };
        let directory = |entries: Vec<Entry>| -> Result<Kind, Failure> {
            Ok(Kind::Directory { digest: store.put_node(Node::of(entries)).map_err(|error| failure(&error))? })
        };
        let private = Owned { mode: 0o700, ..Owned::DIRECTORY };
        let mut names = OUTPUT_FILES;
        names.sort_unstable();
        let mut output = Vec::with_capacity(names.len());
        for name in names {
            output.push(Entry::new(name.as_bytes(), blob(b"")?, Owned::FILE));
        }
        let stubs: String = self.image.stubs.iter().map(|path| format!("0 /{path}\n")).collect();
        let stubs = Entry::new(b"stubs", blob(stubs.as_bytes())?, Owned::FILE);
        let mut entries = vec![
            Entry::new(b"before", directory(self.before(store)?)?, Owned::DIRECTORY),
            Entry::new(b"mounts", directory(self.entries.clone())?, private),
            Entry::new(b"output", directory(output)?, Owned::DIRECTORY),
            Entry::new(b"previous", directory(vec![stubs])?, Owned::DIRECTORY),
            Entry::new(b"shim", blob(SHIM)?, Owned { mode: 0o555, ..Owned::FILE }),
        ];
        if let Stdin::Text(text) = &op.stdin {
            entries.push(Entry::new(b"stdin", blob(text.as_bytes())?, Owned { mode: 0o444, ..Owned::FILE }));
        }
        store.put_node(Node::of(entries)).map_err(|error| failure(&error))
    }

    /// Returns what the shim reads of the root as it was: who its users are.
    fn before(&self, store: &Store) -> Result<Vec<Entry>, Failure> {
        let mut found = Vec::new();
        for name in ["group", "passwd"] {
            let path = TreePath::parse(&format!("etc/{name}")).unwrap_or_default();
            if let Ok(bytes) = store.read_file(self.root, &path, 0, None) {
                let digest = store.put_blob(&bytes).map_err(|error| failure(&error))?;
                let kind = Kind::File { digest, size: bytes.len() as u64 };
                found.push(Entry::new(name.as_bytes(), kind, Owned::FILE));
            }
        }
        let digest = store.put_node(Node::of(found)).map_err(|error| failure(&error))?;
        Ok(vec![Entry::new(b"etc", Kind::Directory { digest }, Owned::DIRECTORY)])
    }
}

/// Makes the archive of what is in no store: the params, and secrets that are files.
pub(crate) fn archive_of(params: &[u8], secrets: &[Secret]) -> std::io::Result<Vec<u8>> {
    let header = |owned: Owned, size: usize, kind: tar::EntryType| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(owned.mode);
        header.set_uid(owned.uid.into());
        header.set_gid(owned.gid.into());
        header.set_size(size as u64);
        header
    };
    let mut archive = tar::Builder::new(Vec::new());
    let private = Owned { mode: 0o400, uid: 0, gid: 0 };
    archive.append_data(&mut header(private, params.len(), tar::EntryType::Regular), "params", params)?;
    let directory = Owned { mode: 0o700, ..private };
    archive.append_data(&mut header(directory, 0, tar::EntryType::Directory), "secrets", std::io::empty())?;
    for (n, secret) in secrets.iter().enumerate() {
        let mut header = header(secret.owned, secret.value.len(), tar::EntryType::Regular);
        archive.append_data(&mut header, format!("secrets/{n}"), secret.value.as_slice())?;
    }
    archive.into_inner()
}
