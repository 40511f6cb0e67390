//! Whether steps can have a `/sys` of their own.
//!
//! To a user namespace the kernel gives no sysfs that would show more than is seen around it, or allow more, as in a
//! container that hides parts of `/sys` or can only read it. The runtime would then take the one around it, with the
//! network interfaces of the machine.

use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

use super::fault::{Context as _, Fault};
use super::sys::{self, Forked};

/// Returns whether a sysfs can be mounted in a network namespace of its own, as a step has one.
pub(super) fn is_given() -> Result<bool, Fault> {
    let what = || "cannot try to mount /sys".to_owned();
    match sys::fork(0).context(what)? {
        Forked::Child => {
            let is_given = sys::enter_new_network().is_ok() && mount().is_ok();
            sys::exit(i32::from(!is_given))
        }
        Forked::Parent(pid) => {
            let ended = sys::reap(pid, true).context(what)?;
            Ok(ended.is_some_and(|(_, status)| status.code() == Some(0)))
        }
    }
}

/// Makes the mount, attached to nothing.
fn mount() -> rustix::io::Result<()> {
    let fs = fsopen(c"sysfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&fs)?;
    // As the runtime does it, which makes it read-only only afterwards.
    let refuses =
        MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, refuses).map(drop)
}
