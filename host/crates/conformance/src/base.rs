//! A root file system with busybox, three users and their groups.

use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

/// The static binary of the Debian package `busybox-static`.
const BUSYBOX: &str = "/bin/busybox";

/// The programs of busybox that behaviours use.
pub(crate) const APPLETS: &[&str] = &[
    "ash",
    "awk",
    "base64",
    "basename",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "cp",
    "cut",
    "date",
    "dd",
    "diff",
    "dirname",
    "du",
    "echo",
    "env",
    "expr",
    "false",
    "find",
    "grep",
    "head",
    "hostname",
    "id",
    "ip",
    "kill",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mknod",
    "mktemp",
    "mount",
    "mv",
    "nproc",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "setpriv",
    "sh",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "sync",
    "tail",
    "tar",
    "tee",
    "test",
    "touch",
    "tr",
    "true",
    "truncate",
    "tty",
    "ulimit",
    "umount",
    "uname",
    "uniq",
    "unlink",
    "usleep",
    "wc",
    "wget",
    "whoami",
    "xargs",
    "yes",
];

/// The contents of `/etc/passwd`: root, a user with a home directory, and nobody.
pub(crate) const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
     app:x:1000:1000:app:/home/app:/bin/sh\n\
     nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n";

/// The contents of `/etc/group`: the user `app` is also in `staff`.
pub(crate) const GROUP: &str = "root:x:0:\nstaff:x:50:app\napp:x:1000:\nnogroup:x:65534:\n";

/// The directories, with their permission bits.
pub(crate) const DIRECTORIES: &[(&str, u32)] = &[
    ("bin", 0o755),
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("home/app", 0o755),
    ("proc", 0o755),
    ("root", 0o700),
    ("sys", 0o755),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("var", 0o755),
];

/// Reads the static binary of busybox.
///
/// # Errors
/// If it is not installed.
pub(crate) fn busybox() -> io::Result<Vec<u8>> {
    std::fs::read(BUSYBOX)
}

/// Creates a directory and writes the root file system into it.
///
/// # Errors
/// If it cannot be written, or busybox is not installed.
pub(crate) fn write(root: &Path) -> io::Result<()> {
    std::fs::create_dir(root)?;
    let allow = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    for (path, mode) in DIRECTORIES {
        std::fs::create_dir(root.join(path))?;
        allow(&root.join(path), *mode)?;
    }
    std::fs::write(root.join("bin/busybox"), busybox()?)?;
    allow(&root.join("bin/busybox"), 0o755)?;
    for applet in APPLETS {
        symlink("busybox", root.join("bin").join(applet))?;
    }
    for (path, contents) in [("etc/passwd", PASSWD), ("etc/group", GROUP)] {
        std::fs::write(root.join(path), contents)?;
        allow(&root.join(path), 0o644)?;
    }
    Ok(())
}
