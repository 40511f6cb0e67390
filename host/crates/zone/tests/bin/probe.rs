//! What a process can do, item by item, in lines that can be compared: `item: value`.

use std::collections::BTreeSet;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

/// The highest number of a system call that is tried.
const LAST_CALL: i64 = 470;

/// Prints all items.
pub(crate) fn print() -> std::process::ExitCode {
    use std::io::Write as _;
    let mut lines = Vec::new();
    status(&mut lines);
    mounts(&mut lines);
    devices(Path::new("/dev"), &mut lines);
    lines.extend(openable(Path::new("/")).into_iter().map(|device| format!("openable {device}: yes")));
    limits(&mut lines);
    namespaces(&mut lines);
    calls(&mut lines);
    let is_hidden = std::fs::read_link("/proc/1/fd/1").is_err();
    lines.push(format!("descriptors of process 1: {}", if is_hidden { "hidden" } else { "seen" }));
    let _ = std::io::stdout().write_all(lines.join("\n").as_bytes());
    std::process::ExitCode::SUCCESS
}

fn status(lines: &mut Vec<String>) {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let wanted = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"];
    for (name, value) in text.lines().filter_map(|line| line.split_once(":\t")) {
        if wanted.contains(&name) {
            lines.push(format!("status {name}: {value}"));
        }
    }
}

fn mounts(lines: &mut Vec<String>) {
    let text = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let (path, options) = (fields[4], fields[5]);
        let is_of_kernel = ["/proc/", "/sys/"].iter().any(|prefix| path.starts_with(prefix));
        lines.push(match is_of_kernel && is_masked(Path::new(path)) {
            true => format!("masked {path}: yes"),
            false => format!("mount {path}: {options}"),
        });
    }
}

/// Returns whether a file or directory of the kernel is hidden behind the null device, or behind nothing.
fn is_masked(path: &Path) -> bool {
    const NULL: (u32, u32) = (1, 3);
    let Ok(metadata) = path.metadata() else { return false };
    let device = (rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev()));
    let is_null = metadata.file_type().is_char_device() && device == NULL;
    is_null || std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

fn devices(directory: &Path, lines: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        let kind = match metadata.file_type() {
            kind if kind.is_char_device() => 'c',
            kind if kind.is_block_device() => 'b',
            kind if kind.is_dir() => {
                devices(&entry.path(), lines);
                continue;
            }
            _ => continue,
        };
        let (major, minor) = (rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev()));
        lines.push(format!("device {}: {kind} {major}:{minor}", entry.path().display()));
    }
}

/// Makes a file for each device of the machine below a directory. Returns those whose file can be opened, as far as
/// the kernel's permissions say.
pub(crate) fn openable(directory: &Path) -> BTreeSet<String> {
    use rustix::fs::{FileType, Mode, OFlags};
    let mut found = BTreeSet::new();
    for (kind, letter, list) in
        [(FileType::CharacterDevice, 'c', "/sys/dev/char"), (FileType::BlockDevice, 'b', "/sys/dev/block")]
    {
        for entry in std::fs::read_dir(list).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let numbers = name.split_once(':').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
            let Some((major, minor)) = numbers else { continue };
            // Opening the watchdog starts it, and it then reboots the machine.
            if (major, minor) == (10, 130) {
                continue;
            }
            let path = directory.join(format!("device-{letter}-{name}"));
            let device = rustix::fs::makedev(major, minor);
            if rustix::fs::mknodat(rustix::fs::CWD, &path, kind, Mode::from_raw_mode(0o600), device).is_err() {
                continue;
            }
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
            let opened = rustix::fs::open(&path, flags, Mode::empty());
            if !matches!(opened, Err(rustix::io::Errno::PERM | rustix::io::Errno::ACCESS)) {
                found.insert(format!("{letter} {name}"));
            }
            let _ = std::fs::remove_file(&path);
        }
    }
    found
}

fn limits(lines: &mut Vec<String>) {
    let text = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    for line in text.lines().skip(1).filter(|line| line.len() > 47) {
        let (name, values) = line.split_at(26);
        let values: Vec<&str> = values.split_whitespace().take(2).collect();
        lines.push(format!("limit {}: {}", name.trim(), values.join(" ")));
    }
}

fn namespaces(lines: &mut Vec<String>) {
    for name in ["cgroup", "ipc", "mnt", "net", "pid", "uts", "user"] {
        let id = std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap_or_default();
        lines.push(format!("namespace {name}: {}", id.display()));
    }
}

/// An argument that is no descriptor, no address and no flags.
const NOTHING: i64 = 0xffff_ffff;

/// Makes each system call with arguments that mean nothing, in a process of its own.
#[expect(unsafe_code, reason = "a call by its number has no safe form")]
fn calls(lines: &mut Vec<String>) {
    for number in 0..=LAST_CALL {
        // SAFETY: this process has one thread; the child makes one call with addresses that are not mapped.
        let code = unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::alarm(1);
                *libc::__errno_location() = 0;
                let failed = libc::syscall(number, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING) == -1;
                let errno = *libc::__errno_location();
                libc::_exit(i32::from(failed && (errno == libc::EPERM || errno == libc::ENOSYS)));
            }
            let mut status = 0;
            libc::waitpid(child, &raw mut status, 0);
            if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 0 }
        };
        lines.push(format!("call {number}: {}", if code == 1 { "refused" } else { "allowed" }));
    }
}
