//! The volume of one command: the shim, what it reads and writes, and what is mounted.

use bollard::models::{Mount, MountType};
use engine::Failure;
use evaluate::Command;
use graph::{ContentDigest, Stdin, TreePath};
use store::{Entry, Kind, Node, Owned, Store};

use super::labelled;
use super::mounts::{Prepared, Secret};
use crate::step::{OUTPUT_FILES, Places, SHIM, TOOLS};

/// Where the shim finds everything: in one volume.
pub(crate) const PLACES: Places = Places {
    output: "/dev/.host/output",
    params: "/dev/.host/params",
    before: "/dev/.host/before",
    previous: "/dev/.host/previous",
};

/// Where the volume in memory is mounted that has the values of secrets.
pub(crate) const SECRETS: &str = "/dev/.host/secret";

/// Where the params are if they have values of secrets.
pub(crate) const SECRET_PARAMS: &str = "/dev/.host/secret/params";

/// Returns the name of what is mounted, by its number; they are in order.
pub(crate) fn entry_name(index: usize) -> String {
    format!("{index:06}")
}

/// The volumes of a command in Docker: their names, and where they are for Docker.
pub(crate) struct Volumes {
    /// The volume with everything that is no secret.
    pub(crate) own: (String, String),
    /// The volume in memory, if the command sees secrets.
    pub(crate) secret: Option<(String, String)>,
}

impl Prepared {
    /// Returns the mounts of the command.
    pub(crate) fn mounts(&self, volumes: &Volumes) -> Vec<Mount> {
        let bind = |source: String, dest: &str, is_writable: bool| Mount {
            typ: Some(MountType::BIND),
            source: Some(source),
            target: Some(dest.to_owned()),
            read_only: Some(!is_writable),
            ..Mount::default()
        };
        let (name, at) = &volumes.own;
        let mut mounts = vec![labelled::mount(name, TOOLS)];
        for (n, (dest, is_writable)) in self.binds.iter().enumerate() {
            mounts.push(bind(format!("{at}/mounts/{}", entry_name(n)), dest, *is_writable));
        }
        if let Some((name, at)) = &volumes.secret {
            mounts.push(labelled::mount(name, SECRETS));
            let secrets = self.secrets.iter().enumerate();
            mounts.extend(secrets.map(|(n, secret)| bind(format!("{at}/files/{n}"), &secret.dest, false)));
        }
        let caches = self.caches.iter().flat_map(|(cache, places)| places.iter().map(move |dest| (cache, dest)));
        mounts.extend(caches.map(|(cache, dest)| labelled::mount(&cache.name, dest)));
        mounts
    }

    /// Returns the tree of the command's own volume.
    pub(crate) fn volume(&self, store: &Store, command: &Command<'_, ()>) -> Result<ContentDigest, Failure> {
        let blob = |bytes: &[u8]| -> Result<Kind, Failure> {
            let digest = store.put_blob(bytes).map_err(Failure::of)?;
            Ok(Kind::File { digest, size: bytes.len() as u64 })
        };
        let directory = |entries: Vec<Entry>| -> Result<Kind, Failure> {
            Ok(Kind::Directory { digest: store.put_node(Node::of(entries)).map_err(Failure::of)? })
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
        let before = before(store, command.root.digest)?;
        let mut entries = vec![
            Entry::new(b"before", directory(before)?, Owned::DIRECTORY),
            Entry::new(b"mounts", directory(self.entries.clone())?, private),
            Entry::new(b"output", directory(output)?, Owned::DIRECTORY),
            Entry::new(b"previous", directory(vec![stubs])?, Owned::DIRECTORY),
            Entry::new(b"secret", directory(Vec::new())?, private),
            Entry::new(b"shim", blob(SHIM)?, Owned { mode: 0o555, ..Owned::FILE }),
        ];
        if let Stdin::Text(text) = &command.op.stdin {
            entries.push(Entry::new(b"stdin", blob(text.as_bytes())?, Owned { mode: 0o444, ..Owned::FILE }));
        }
        store.put_node(Node::of(entries)).map_err(Failure::of)
    }
}

/// Returns what the shim reads of the root as it was: who its users are.
fn before(store: &Store, root: ContentDigest) -> Result<Vec<Entry>, Failure> {
    let mut found = Vec::new();
    for name in ["group", "passwd"] {
        let path = TreePath::parse(&format!("etc/{name}")).unwrap_or_default();
        if let Ok(bytes) = store.read_file(root, &path, 0, None) {
            let digest = store.put_blob(&bytes).map_err(Failure::of)?;
            let kind = Kind::File { digest, size: bytes.len() as u64 };
            found.push(Entry::new(name.as_bytes(), kind, Owned::FILE));
        }
    }
    let digest = store.put_node(Node::of(found)).map_err(Failure::of)?;
    Ok(vec![Entry::new(b"etc", Kind::Directory { digest }, Owned::DIRECTORY)])
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
    if !secrets.is_empty() {
        let directory = Owned { mode: 0o700, ..private };
        archive.append_data(&mut header(directory, 0, tar::EntryType::Directory), "files", std::io::empty())?;
    }
    for (n, secret) in secrets.iter().enumerate() {
        let mut header = header(secret.owned, secret.value.len(), tar::EntryType::Regular);
        archive.append_data(&mut header, format!("files/{n}"), secret.value.as_slice())?;
    }
    archive.into_inner()
}
