//! Sets owners, modes, times and extended attributes.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use super::error::LayerError;
use super::name::join;
use super::root::{DirectoryMeta, OpenDirectory, Root, io};

/// The numbers of properties that could not be set.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) n_not_owned: u64,
    pub(super) n_xattrs_skipped: u64,
}

/// Sets the owners of entries.
pub(super) struct Owner {
    own: (u32, u32),
    pub(super) counts: Counts,
}

impl Owner {
    pub(super) fn new() -> Self {
        let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Self { own, counts: Counts::default() }
    }

    /// Calls `chown` if the owner is another one. A failure is counted if the user namespace does
    /// not have the owner, or if the user may not change owners.
    fn own(
        &mut self,
        owner: (u32, u32),
        path: &[u8],
        chown: impl FnOnce(Option<Uid>, Option<Gid>) -> Result<(), Errno>,
    ) -> Result<(), LayerError> {
        if owner == self.own {
            return Ok(());
        }
        // To the kernel, the highest number means "no change".
        if owner.0 == u32::MAX || owner.1 == u32::MAX {
            self.counts.n_not_owned += 1;
            return Ok(());
        }
        match chown(Some(Uid::from_raw(owner.0)), Some(Gid::from_raw(owner.1))) {
            Err(Errno::PERM | Errno::INVAL) => self.counts.n_not_owned += 1,
            done => done.map_err(|errno| io("set owner of", path, errno))?,
        }
        Ok(())
    }

    /// Sets the properties of a file. The mode is set after the owner, because changing the owner
    /// clears some bits.
    pub(super) fn finish_file(
        &mut self,
        file: &OwnedFd,
        path: &[u8],
        meta: &FileMeta,
        xattrs: &[(Vec<u8>, Vec<u8>)],
    ) -> Result<(), LayerError> {
        self.own(meta.owner, path, |uid, gid| rustix::fs::fchown(file, uid, gid))?;
        self.set_xattrs(file, path, xattrs)?;
        let mode = Mode::from_raw_mode(meta.mode & 0o7777);
        rustix::fs::fchmod(file, mode).map_err(|errno| io("set mode of", path, errno))?;
        rustix::fs::futimens(file, &timestamps(meta.mtime_ns)).map_err(|errno| io("set time of", path, errno))
    }

    /// Sets the properties of an entry that cannot be opened: a link, a pipe or a device. A link
    /// has no mode, and none of them has attributes.
    pub(super) fn finish_special(
        &mut self,
        parent: &OpenDirectory,
        name: &[u8],
        meta: &FileMeta,
        has_mode: bool,
    ) -> Result<(), LayerError> {
        let path = join(&parent.path, name);
        let chown = |uid, gid| rustix::fs::chownat(&parent.fd, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW);
        self.own(meta.owner, &path, chown)?;
        if has_mode {
            let mode = Mode::from_raw_mode(meta.mode & 0o7777);
            rustix::fs::chmodat(&parent.fd, name, mode, AtFlags::empty())
                .map_err(|errno| io("set mode of", &path, errno))?;
        }
        rustix::fs::utimensat(&parent.fd, name, &timestamps(meta.mtime_ns), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| io("set time of", &path, errno))
    }

    /// Sets the properties of all directories, the deepest ones first, because a mode can forbid
    /// access to what is below.
    pub(super) fn finish_directories(&mut self, root: &Root<'_>) -> Result<(), LayerError> {
        for (path, meta) in root.directories.iter().rev() {
            let DirectoryMeta { mode, owner, mtime_ns } = *meta;
            let fd = open(&root.reopen(path)?, path)?;
            if let Some(owner) = owner {
                self.own(owner, path, |uid, gid| rustix::fs::fchown(&fd, uid, gid))?;
            }
            rustix::fs::fchmod(&fd, Mode::from_raw_mode(mode)).map_err(|e| io("set mode of", path, e))?;
            if let Some(time) = mtime_ns {
                rustix::fs::futimens(&fd, &timestamps(time)).map_err(|e| io("set time of", path, e))?;
            }
        }
        Ok(())
    }

    /// Sets the extended attributes that a layer may have. Attributes of overlayfs would change its
    /// behaviour, and those of the system belong to this machine. It is not an error if a file
    /// system or a namespace refuses one.
    pub(super) fn set_xattrs(
        &mut self,
        fd: impl AsFd,
        path: &[u8],
        xattrs: &[(Vec<u8>, Vec<u8>)],
    ) -> Result<(), LayerError> {
        for (name, value) in xattrs {
            if !is_allowed(name) {
                self.counts.n_xattrs_skipped += 1;
                continue;
            }
            match rustix::fs::fsetxattr(&fd, name.as_slice(), value, XattrFlags::empty()) {
                Err(Errno::IO) => return Err(io("set attribute of", path, Errno::IO)),
                Err(_) => self.counts.n_xattrs_skipped += 1,
                Ok(()) => {}
            }
        }
        Ok(())
    }
}

fn is_allowed(name: &[u8]) -> bool {
    let is_overlay = name == b"user.overlay" || name.starts_with(b"user.overlay.");
    (name.starts_with(b"user.") && !is_overlay && !name.contains(&0)) || name == b"security.capability"
}

/// The properties of a file, which are set after its contents are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileMeta {
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    pub(super) mtime_ns: i64,
}

/// Opens a directory for changes.
pub(super) fn open(directory: &OpenDirectory, path: &[u8]) -> Result<OwnedFd, LayerError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(&directory.fd, ".", flags, Mode::empty()).map_err(|errno| io("open directory", path, errno))
}

/// Marks a directory as one that hides the layers below.
pub(super) fn make_opaque(directory: &OpenDirectory) -> Result<(), LayerError> {
    let fd = open(directory, &directory.path)?;
    rustix::fs::fsetxattr(&fd, disk::OPAQUE, b"y", XattrFlags::empty())
        .map_err(|errno| io("make opaque", &directory.path, errno))
}

fn timestamps(time: i64) -> Timestamps {
    let (seconds, rest) = (time.div_euclid(1_000_000_000), time.rem_euclid(1_000_000_000));
    let time = Timespec { tv_sec: seconds, tv_nsec: rest };
    Timestamps { last_access: time, last_modification: time }
}
