//! Writes the files of an image as a tar file.

use std::io::{self, Read, Write};

use crate::Digest;
use crate::layer::entry::{Kind, NewEntry, data, end, header};
use crate::layout::{LayoutContents, LayoutFile};

/// Writes files as a tar file: sorted, owned by root, with the time 1970-01-01. The same files
/// always give the same bytes. `open` opens the layers.
///
/// # Errors
/// If writing fails, or if a layer cannot be opened or read or has another size than announced.
pub fn write_tar(
    files: &[LayoutFile],
    writer: &mut impl Write,
    mut open: impl FnMut(&Digest) -> io::Result<Box<dyn Read + Send>>,
) -> io::Result<()> {
    let mut last: Vec<&str> = Vec::new();
    for file in files {
        let dirs: Vec<&str> = file.path.match_indices('/').map(|(at, _)| &file.path[..=at]).collect();
        for dir in dirs.iter().filter(|dir| !last.contains(dir)) {
            header(writer, &NewEntry { mode: 0o755, ..entry(dir.as_bytes(), Kind::Directory) })?;
        }
        last = dirs;
        let size = file.contents.size();
        header(writer, &NewEntry { size, ..entry(file.path.as_bytes(), Kind::File) })?;
        match &file.contents {
            LayoutContents::Bytes(bytes) => data(writer, &mut bytes.as_slice(), size)?,
            LayoutContents::Blob { digest, .. } => data(writer, &mut *open(digest)?, size)?,
        }
    }
    end(writer)
}

fn entry(name: &[u8], kind: Kind) -> NewEntry<'_> {
    NewEntry { name, link: b"", kind, mode: 0o644, uid: 0, gid: 0, mtime_ns: 0, size: 0, device: (0, 0), xattrs: &[] }
}
