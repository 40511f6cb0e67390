//! `/dev` of containers.
//!
//! A container gets a few devices, which are mounted read-only: they can be read and written, and their
//! modes cannot be changed. All other mounts of it refuse devices. So a container that is root can make
//! device files, and cannot open them.

use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags};

use super::fault::{Context as _, Fault};
use super::overlay;
use super::sys::{MountAttributes, restrict_mount};

/// The devices and their minor and major numbers. Source: OCI runtime-spec, `config-linux.md`, "Default Devices".
const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

const LINKS: [(&str, &str); 6] = [
    ("/proc/self/fd", "fd"),
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
    ("/proc/kcore", "core"),
    ("pts/ptmx", "ptmx"),
];

/// Where the program is that is process 1 of a container: in `/dev`, which no root has files of.
pub(super) const INIT_PATH: &str = "/dev/.init";

/// How much `/dev/shm` holds; Docker's default.
const SHM_BYTES: u64 = 64 << 20;

/// Makes the devices that all containers of the zone get, and returns their directory.
pub(super) fn prepare(memory: &Path, is_user_namespace: bool) -> Result<PathBuf, Fault> {
    let directory = memory.join("devices");
    std::fs::create_dir(&directory).context(|| "cannot make the zone's devices".to_owned())?;
    for (name, major, minor) in DEVICES {
        let what = || format!("cannot make the device `{name}`");
        let path = directory.join(name);
        let source = if is_user_namespace {
            std::fs::write(&path, "").context(what)?;
            Path::new("/dev").join(name)
        } else {
            let device = rustix::fs::makedev(major, minor);
            rustix::fs::mknodat(CWD, &path, FileType::CharacterDevice, Mode::from_raw_mode(0o666), device)
                .context(what)?;
            rustix::fs::chmod(&path, Mode::from_raw_mode(0o666)).context(what)?;
            path.clone()
        };
        let tree = overlay::bind(&source)?;
        let refuses = MountAttributes::READ_ONLY | MountAttributes::NO_SUID | MountAttributes::NO_EXEC;
        restrict_mount(tree.as_fd(), refuses).context(what)?;
        rustix::mount::move_mount(&tree, c"", CWD, &path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).context(what)?;
    }
    Ok(directory)
}

/// Puts the guarded null device in the place of the machine's: the runtime mounts `/dev/null` over what is
/// masked, where a container that is root could change the mode of the machine's own.
pub(super) fn guard_null(devices: &Path) -> Result<(), Fault> {
    let what = || "cannot guard /dev/null".to_owned();
    let null = overlay::bind(&devices.join("null"))?;
    rustix::mount::move_mount(&null, c"", CWD, c"/dev/null", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).context(what)
}

/// Mounts `/dev` of one container at a path of the zone.
pub(super) fn mount(at: &Path, devices: &Path, has_owners: bool) -> Result<(), Fault> {
    let what = || "cannot make /dev".to_owned();
    let move_flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    let dev = overlay::tmpfs(Some(64 << 10), 0o755)?;
    rustix::mount::move_mount(&dev, c"", CWD, at, move_flags).context(what)?;
    for (name, ..) in DEVICES {
        let file = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        let target = rustix::fs::openat(&dev, name, file, Mode::from_raw_mode(0o666)).context(what)?;
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let device = rustix::mount::open_tree(CWD, devices.join(name), flags).context(what)?;
        let onto = move_flags | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        rustix::mount::move_mount(&device, c"", &target, c"", onto).context(what)?;
    }
    write_init(&dev)?;
    for (target, name) in LINKS {
        symlink(target, at.join(name)).context(what)?;
    }
    for name in ["pts", "shm", "mqueue"] {
        rustix::fs::mkdirat(&dev, name, Mode::from_raw_mode(0o755)).context(what)?;
    }
    let pts = terminals(has_owners)?;
    rustix::mount::move_mount(&pts, c"", &dev, c"pts", move_flags).context(what)?;
    let shm = overlay::tmpfs(Some(SHM_BYTES), 0o1777)?;
    restrict_mount(shm.as_fd(), MountAttributes::NO_EXEC).context(what)?;
    rustix::mount::move_mount(&shm, c"", &dev, c"shm", move_flags).context(what)
}

/// Writes the program that is process 1.
fn write_init(dev: &OwnedFd) -> Result<(), Fault> {
    let what = || "cannot write process 1 of the container".to_owned();
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(dev, ".init", flags, Mode::from_raw_mode(0o555)).context(what)?;
    std::fs::File::from(file).write_all(pid1::INIT).context(what)
}

/// Makes the file system of `/dev/pts`.
fn terminals(has_owners: bool) -> Result<OwnedFd, Fault> {
    use rustix::mount::{fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen};
    let what = || "cannot make /dev/pts".to_owned();
    let fs = fsopen(c"devpts", FsOpenFlags::FSOPEN_CLOEXEC).context(what)?;
    fsconfig_set_flag(fs.as_fd(), c"newinstance").context(what)?;
    fsconfig_set_string(fs.as_fd(), c"ptmxmode", c"0666").context(what)?;
    fsconfig_set_string(fs.as_fd(), c"mode", c"0620").context(what)?;
    if has_owners {
        // The group `tty`, on all distributions.
        fsconfig_set_string(fs.as_fd(), c"gid", c"5").context(what)?;
    }
    fsconfig_create(fs.as_fd()).context(what)?;
    let refuses = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    fsmount(fs.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, refuses).context(what)
}
