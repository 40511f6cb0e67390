//! Builds a layer: a tar archive that has the same bytes every time.

use tar::{Builder, EntryType, Header};

/// A layer that is being built. All times are zero.
#[derive(Clone, Default)]
pub(super) struct Layer(Vec<Entry>);

#[derive(Clone)]
struct Entry {
    path: String,
    kind: EntryType,
    mode: u32,
    owner: (u64, u64),
    contents: Vec<u8>,
    link: Option<String>,
    xattrs: Vec<(String, String)>,
}

impl Layer {
    fn with(mut self, path: &str, kind: EntryType, mode: u32) -> Self {
        let path = path.to_owned();
        self.0.push(Entry { path, kind, mode, owner: (0, 0), contents: Vec::new(), link: None, xattrs: Vec::new() });
        self
    }

    fn last(mut self, change: impl FnOnce(&mut Entry)) -> Self {
        if let Some(entry) = self.0.last_mut() {
            change(entry);
        }
        self
    }

    /// Adds a directory.
    pub(super) fn directory(self, path: &str, mode: u32) -> Self {
        self.with(&format!("{path}/"), EntryType::Directory, mode)
    }

    /// Adds a directory of a user and a group.
    pub(super) fn directory_of(self, path: &str, mode: u32, owner: (u64, u64)) -> Self {
        self.directory(path, mode).last(|entry| entry.owner = owner)
    }

    /// Adds a file.
    pub(super) fn file(self, path: &str, mode: u32, contents: &str) -> Self {
        self.file_of(path, mode, (0, 0), contents.as_bytes())
    }

    /// Adds a file of a user and a group.
    pub(super) fn file_of(self, path: &str, mode: u32, owner: (u64, u64), contents: &[u8]) -> Self {
        self.with(path, EntryType::Regular, mode).last(|entry| {
            entry.owner = owner;
            entry.contents = contents.to_vec();
        })
    }

    /// Adds a file under a name that an archive should not have.
    pub(super) fn raw_file(self, path: &str, contents: &str) -> Self {
        self.file(path, 0o644, contents)
    }

    /// Adds an extended attribute to the last entry.
    pub(super) fn xattr(self, name: &str, value: &str) -> Self {
        self.last(|entry| entry.xattrs.push((name.to_owned(), value.to_owned())))
    }

    /// Adds a symbolic link.
    pub(super) fn symlink(self, path: &str, target: &str) -> Self {
        self.with(path, EntryType::Symlink, 0o777).last(|entry| entry.link = Some(target.to_owned()))
    }

    /// Adds a hard link to a file of this layer.
    pub(super) fn hard_link(self, path: &str, target: &str) -> Self {
        self.with(path, EntryType::Link, 0o644).last(|entry| entry.link = Some(target.to_owned()))
    }

    /// Adds a whiteout: the path is removed from the layers below.
    pub(super) fn whiteout(self, path: &str) -> Self {
        let (parent, name) = path.rsplit_once('/').map_or(("", path), |(parent, name)| (parent, name));
        let slash = if parent.is_empty() { "" } else { "/" };
        self.file(&format!("{parent}{slash}.wh.{name}"), 0o644, "")
    }

    /// Adds an opaque whiteout: the contents of a directory are removed from the layers below.
    pub(super) fn opaque(self, path: &str) -> Self {
        self.file(&format!("{path}/.wh..wh..opq"), 0o644, "")
    }

    /// Returns the archive.
    pub(super) fn tar(&self) -> std::io::Result<Vec<u8>> {
        let mut builder = Builder::new(Vec::new());
        for entry in &self.0 {
            entry.append(&mut builder)?;
        }
        builder.into_inner()
    }
}

impl Entry {
    fn append(&self, builder: &mut Builder<Vec<u8>>) -> std::io::Result<()> {
        if !self.xattrs.is_empty() {
            // As GNU tar and Docker write them.
            let records: Vec<(String, &[u8])> =
                self.xattrs.iter().map(|(name, value)| (format!("SCHILY.xattr.{name}"), value.as_bytes())).collect();
            builder.append_pax_extensions(records.iter().map(|(name, value)| (name.as_str(), *value)))?;
        }
        let mut header = Header::new_gnu();
        header.set_entry_type(self.kind);
        header.set_mode(self.mode);
        header.set_uid(self.owner.0);
        header.set_gid(self.owner.1);
        header.set_mtime(0);
        header.set_size(self.contents.len() as u64);
        match &self.link {
            Some(target) => builder.append_link(&mut header, &self.path, target),
            None if self.path.contains("..") => {
                // The crate `tar` refuses such a name, so the bytes are written here.
                let name = self.path.as_bytes();
                header.as_old_mut().name[..name.len()].copy_from_slice(name);
                header.set_cksum();
                builder.append(&header, self.contents.as_slice())
            }
            None => builder.append_data(&mut header, &self.path, self.contents.as_slice()),
        }
    }
}
