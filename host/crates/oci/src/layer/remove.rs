//! Removes what a later entry replaces.

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::error::LayerError;
use super::name::{join, push, split};
use super::root::{OpenDirectory, Root, io};

/// Removes the entry at `name` with everything below it.
pub(super) fn remove(root: &mut Root<'_>, parent: &OpenDirectory, name: &[u8], found: &Stat) -> Result<(), LayerError> {
    root.forget();
    let path = join(&parent.path, name);
    if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
        return rustix::fs::unlinkat(&parent.fd, name, AtFlags::empty()).map_err(|errno| io("replace", &path, errno));
    }
    remove_directory(root, &path)?;
    root.forget_below(&path);
    Ok(())
}

/// Removes a directory. It does not recurse, because a directory can be deeper than the number of
/// file descriptors.
fn remove_directory(root: &Root<'_>, top: &[u8]) -> Result<(), LayerError> {
    let mut at = top.to_vec();
    loop {
        match first_directory(root, &at)? {
            Some(below) => push(&mut at, &below),
            None => {
                let (above, name) = split(&at);
                let parent = root.reopen(above)?;
                rustix::fs::unlinkat(&parent.fd, name, AtFlags::REMOVEDIR).map_err(|e| io("replace", &at, e))?;
                if at.len() == top.len() {
                    return Ok(());
                }
                at.truncate(above.len());
            }
        }
    }
}

/// Removes the files and the empty directories of a directory, and returns a directory that is not
/// empty.
fn first_directory(root: &Root<'_>, path: &[u8]) -> Result<Option<Vec<u8>>, LayerError> {
    let directory = root.reopen(path)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(&directory.fd, ".", flags, Mode::empty()).map_err(|e| io("open directory", path, e))?;
    for entry in rustix::fs::Dir::new(fd).map_err(|e| io("list", path, e))? {
        let entry = entry.map_err(|e| io("list", path, e))?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        match rustix::fs::unlinkat(&directory.fd, name, AtFlags::empty()) {
            Err(Errno::ISDIR) => {}
            done => {
                done.map_err(|e| io("replace", &join(path, name.to_bytes()), e))?;
                continue;
            }
        }
        match rustix::fs::unlinkat(&directory.fd, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => return Ok(Some(name.to_bytes().to_vec())),
            done => done.map_err(|e| io("replace", &join(path, name.to_bytes()), e))?,
        }
    }
    Ok(None)
}
