//! Makes overlay mounts, attached to nothing yet.
//!
//! With the mount API of Linux 6.7 each lower directory is an option of its own, so their number is
//! not limited by the page that `mount(2)` takes. Older kernels get them as numbers of descriptors,
//! relative to `/proc/self/fd`, which makes 300 of them fit.

use std::fmt::Write as _;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, OpenTreeFlags, UnmountFlags};

use super::fault::{Context as _, Fault};
use super::sys::c_path;

/// The directories of an overlay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Overlay<'a> {
    /// The lower directories, lowest first.
    pub lowers: &'a [&'a Path],
    /// The upper directory and the one for the overlay's own use; read-only without.
    pub upper: Option<(&'a Path, &'a Path)>,
    /// Whether to act as an older kernel.
    pub is_old_mount_forced: bool,
    /// A directory of the zone that an older kernel mounts on in passing.
    pub scratch: &'a Path,
}

/// Makes the mount.
pub(super) fn mount(overlay: &Overlay<'_>) -> Result<OwnedFd, Fault> {
    match (overlay.lowers, overlay.upper) {
        ([], None) => return tmpfs(Some(0), 0o755),
        // An overlay without an upper directory needs two lower ones.
        ([only], None) => return bind(only),
        _ => {}
    }
    if overlay.is_old_mount_forced {
        return mount_old(overlay);
    }
    // The first kernels with the mount API take any option, and refuse what they do not know when the mount is made.
    match mount_new(overlay) {
        Err(refused) if is_invalid(&refused) => match mount_old(overlay) {
            // This kernel says more when it is asked the new way.
            Err(fault) if is_invalid(&fault) => Err(refused),
            result => result,
        },
        result => result,
    }
}

fn is_invalid(fault: &Fault) -> bool {
    matches!(fault, Fault::System { errno: libc::EINVAL, .. })
}

fn mount_new(overlay: &Overlay<'_>) -> Result<OwnedFd, Fault> {
    use rustix::mount::{fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen};
    let what = || "cannot make an overlay".to_owned();
    let fs = fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC).context(what)?;
    for lower in overlay.lowers.iter().rev() {
        fsconfig_set_string(fs.as_fd(), c"lowerdir+", *lower)
            .context(|| format!("cannot use `{}` as a layer (lowerdir+)", lower.display()))?;
    }
    if let Some((upper, work)) = overlay.upper {
        fsconfig_set_string(fs.as_fd(), c"upperdir", upper).context(|| upper_refused(upper))?;
        fsconfig_set_string(fs.as_fd(), c"workdir", work).context(|| upper_refused(work))?;
        // No sync at unmount: what is kept is believed after a power cut only once it was synced.
        fsconfig_set_flag(fs.as_fd(), c"volatile").context(what)?;
    }
    // What keeps an upper directory a layer that any other overlay can read: its marks are
    // `user.overlay.*`, as the store writes them, for root and for a user. It also switches
    // `redirect_dir` and `metacopy` off.
    fsconfig_set_string(fs.as_fd(), c"index", c"off").context(what)?;
    fsconfig_set_flag(fs.as_fd(), c"userxattr").context(what)?;
    fsconfig_create(fs.as_fd()).map_err(|error| Fault::system(format!("cannot make an overlay{}", log(&fs)), error))?;
    fsmount(fs.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_NODEV).context(what)
}

fn upper_refused(path: &Path) -> String {
    format!("cannot use `{}` as an upper directory", path.display())
}

/// Returns what the kernel says about a mount that it refused.
fn log(fs: &OwnedFd) -> String {
    let mut text = String::new();
    let mut line = [0; 1024];
    while let Ok(n_bytes) = rustix::io::read(fs, &mut line) {
        if n_bytes == 0 {
            break;
        }
        let _ = write!(text, " ({})", String::from_utf8_lossy(&line[..n_bytes]).trim());
    }
    text
}

fn mount_old(overlay: &Overlay<'_>) -> Result<OwnedFd, Fault> {
    let open = |path: &Path| {
        rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .context(|| format!("cannot use `{}` as a layer", path.display()))
    };
    let mut fds = Vec::new();
    let mut options = String::from("index=off,userxattr,lowerdir=");
    for (n, lower) in overlay.lowers.iter().rev().enumerate() {
        let fd = open(lower)?;
        let _ = write!(options, "{}{}", if n == 0 { "" } else { ":" }, fd.as_raw_fd());
        fds.push(fd);
    }
    if let Some((upper, work)) = overlay.upper {
        let (upper, work) = (open(upper)?, open(work)?);
        let _ = write!(options, ",upperdir={},workdir={},volatile", upper.as_raw_fd(), work.as_raw_fd());
        fds.extend([upper, work]);
    }
    let what = || "cannot make an overlay".to_owned();
    let options = super::sys::c_text(&options).context(what)?;
    let scratch = c_path(overlay.scratch).context(what)?;
    let before = rustix::fs::open(".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).context(what)?;
    rustix::process::chdir("/proc/self/fd").context(what)?;
    let mounted = rustix::mount::mount(c"overlay", &*scratch, c"overlay", MountFlags::NODEV, Some(&*options));
    rustix::process::fchdir(&before).context(what)?;
    mounted.context(what)?;
    let fd =
        rustix::mount::open_tree(CWD, &*scratch, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC);
    rustix::mount::unmount(&*scratch, UnmountFlags::DETACH).context(what)?;
    fd.context(what)
}

/// Makes a mount of an empty file system in memory.
pub(super) fn tmpfs(size_bytes: Option<u64>, mode: u32) -> Result<OwnedFd, Fault> {
    use rustix::mount::{fsconfig_create, fsconfig_set_string, fsmount, fsopen};
    let what = || "cannot make a tmpfs".to_owned();
    let fs = fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC).context(what)?;
    if let Some(size_bytes) = size_bytes {
        // Nothing is "no limit" to tmpfs.
        fsconfig_set_string(fs.as_fd(), c"size", size_bytes.max(4096).to_string()).context(what)?;
    }
    fsconfig_set_string(fs.as_fd(), c"mode", format!("{mode:o}")).context(what)?;
    fsconfig_create(fs.as_fd()).context(what)?;
    let refuses = MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOSUID;
    fsmount(fs.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, refuses).context(what)
}

/// Makes a second mount of a directory or file, with everything that is mounted below it.
pub(super) fn bind(source: &Path) -> Result<OwnedFd, Fault> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    rustix::mount::open_tree(CWD, source, flags).map_err(|error| match error {
        Errno::NOENT | Errno::NOTDIR => Fault::spec(format!("`{}` of this machine does not exist", source.display())),
        error => Fault::system(format!("cannot mount `{}` of this machine", source.display()), error),
    })
}
