//! Image files in a directory of this machine.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::ArchiveError;
use crate::layout::Files;

/// The files of a directory. Symbolic links are followed as if the directory were the root, so none
/// leads out of it.
#[derive(Debug)]
pub struct DirectoryFiles {
    root: OwnedFd,
}

impl DirectoryFiles {
    /// Opens the directory.
    ///
    /// # Errors
    /// If the directory does not exist or cannot be read.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty());
        let failed = |errno: Errno| ArchiveError::Io {
            action: "open directory",
            path: path.display().to_string(),
            source: errno.into(),
        };
        Ok(Self { root: root.map_err(failed)? })
    }

    fn file(&self, path: &str) -> io::Result<File> {
        // Opening a named pipe must not wait for its other end.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match rustix::fs::openat2(&self.root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
            // Old kernels and system call filters do not have the call. Symbolic links are refused then.
            Err(Errno::NOSYS | Errno::PERM) => self.file_without_links(path, flags),
            file => file,
        };
        let file = file?;
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        Ok(file.into())
    }

    fn file_without_links(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let mut at = rustix::io::dup(&self.root)?;
        let mut names = path.split('/').filter(|name| !matches!(*name, "" | ".")).peekable();
        while let Some(name) = names.next() {
            if name == ".." {
                return Err(Errno::XDEV);
            }
            let inner = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let flags = if names.peek().is_none() { flags } else { inner };
            at = rustix::fs::openat(&at, name, flags | OFlags::NOFOLLOW, Mode::empty())?;
        }
        Ok(at)
    }
}

impl Files for DirectoryFiles {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.file(path)?))
    }

    fn size(&self, path: &str) -> io::Result<u64> {
        Ok(self.file(path)?.metadata()?.len())
    }
}
