//! Facts about this machine, without a judgement.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use module::{Distribution, LanguageTools};
use rustix::fs::{Access, access, statfs, statvfs};

use crate::config::Config;

/// Facts about a machine.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) is_root: bool,
    /// Whether this process may mount without a user namespace.
    pub(super) may_mount: bool,
    pub(super) distribution: Distribution,
    /// The release of the kernel, such as `6.1.0`.
    pub(super) kernel: String,
    /// The path of crun, and the first line of `crun --version`.
    pub(super) crun: Option<(PathBuf, String)>,
    pub(super) has_overlay: bool,
    /// Why user namespaces cannot be made; none if they can.
    pub(super) user_namespaces: Option<NamespaceProblem>,
    pub(super) newuidmap: Option<PathBuf>,
    /// Whether `/etc/subuid` and `/etc/subgid` list the user.
    pub(super) has_subordinate_ids: bool,
    /// The number of the user, and the name; none if the user has none.
    pub(super) user: (u32, Option<String>),
    pub(super) cgroup: Cgroup,
    /// The path of cargo, and its version.
    pub(super) cargo: Option<(PathBuf, String)>,
    /// Whether the target `wasm32-wasip2` is installed; none if there is no rustc to ask.
    pub(super) has_wasm_target: Option<bool>,
    pub(super) languages: Vec<LanguageTools>,
    pub(super) store: StoreFacts,
    /// The path of this program.
    pub(super) program: Option<PathBuf>,
    /// Other programs named `host` that the `PATH` finds first.
    pub(super) other_hosts: Vec<PathBuf>,
}

/// The reason why user namespaces cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamespaceProblem {
    /// `user.max_user_namespaces` is 0.
    SwitchedOff,
    /// `kernel.unprivileged_userns_clone` is 0.
    Unprivileged,
    /// `kernel.apparmor_restrict_unprivileged_userns` is 1.
    AppArmor,
    /// Something else refuses.
    Refused,
}

/// The version of control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cgroup {
    V2,
    Hybrid,
    V1,
    Absent,
}

/// Facts about the file system of the store.
#[derive(Debug, Clone)]
pub(super) struct StoreFacts {
    pub(super) path: PathBuf,
    pub(super) is_writable: bool,
    pub(super) file_system: &'static str,
    pub(super) free_bytes: u64,
}

impl Facts {
    /// Gathers the facts about this machine.
    pub(super) fn gather(config: &Config) -> Self {
        let user = user(config);
        let has_ids = |file| has_ids(file, user.1.as_deref());
        let is_root = rustix::process::geteuid().is_root();
        Self {
            is_root,
            may_mount: has_sys_admin(),
            distribution: Distribution::of_this_machine(),
            kernel: proc_text("/proc/sys/kernel/osrelease"),
            crun: config.find_program("crun").map(|path| (path.clone(), first_line(&path, &["--version"]))),
            has_overlay: has_overlay(),
            user_namespaces: user_namespaces(config, is_root),
            newuidmap: config.find_program("newuidmap"),
            has_subordinate_ids: has_ids("/etc/subuid") && has_ids("/etc/subgid"),
            user,
            cgroup: cgroup(),
            cargo: cargo(config),
            has_wasm_target: module::has_target(&config.cargo(), &config.cwd),
            languages: module::language_tools(),
            store: store(&config.store),
            program: config.program.clone(),
            other_hosts: other_hosts(config),
        }
    }
}

fn proc_text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// Runs a program and returns the first line of what it prints; empty if it cannot be run.
fn first_line(program: &Path, args: &[&str]) -> String {
    let output = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let output = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or_default().to_owned()
}

/// Returns whether this process has CAP_SYS_ADMIN, which is bit 21. Source: proc_pid_status(5), capabilities(7).
fn has_sys_admin() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok());
    effective.is_some_and(|set| set & 1 << 21 != 0)
}

/// Looks for overlayfs. A kernel module that is not loaded yet is missing in `/proc/filesystems` and is loaded by the
/// first mount.
fn has_overlay() -> bool {
    let release = proc_text("/proc/sys/kernel/osrelease");
    let modules = Path::new("/lib/modules").join(release);
    fs::read_to_string("/proc/filesystems").unwrap_or_default().lines().any(|line| line.ends_with("\toverlay"))
        || ["modules.dep", "modules.builtin"]
            .iter()
            .any(|list| fs::read_to_string(modules.join(list)).unwrap_or_default().contains("/overlay.ko"))
}

/// Tries to make a user namespace, which is the only way to know. Without `unshare` it reads the switches of the kernel.
fn user_namespaces(config: &Config, is_root: bool) -> Option<NamespaceProblem> {
    let switch = |path: &str| proc_text(path);
    let guess = if switch("/proc/sys/user/max_user_namespaces") == "0" {
        Some(NamespaceProblem::SwitchedOff)
    } else if is_root {
        None
    } else if switch("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
        Some(NamespaceProblem::Unprivileged)
    } else if switch("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" {
        Some(NamespaceProblem::AppArmor)
    } else {
        None
    };
    let Some(unshare) = config.find_program("unshare") else { return guess };
    let tried = Command::new(unshare)
        .args(["--user", "--map-root-user", "--mount", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match tried {
        Ok(status) if status.success() => None,
        Ok(_) => guess.or(Some(NamespaceProblem::Refused)),
        Err(_) => guess,
    }
}

/// Asks `id`, which knows users from every source. In a container the user often has no name.
fn user(config: &Config) -> (u32, Option<String>) {
    let uid = rustix::process::getuid().as_raw();
    let asked = Command::new("id").arg("-un").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let name = match asked {
        Ok(output) if output.status.success() => Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        Ok(_) => None,
        Err(_) => config.user.clone(),
    };
    (uid, name)
}

/// Source: subuid(5): `name:first:count`, the name or the number of the user.
fn has_ids(file: &str, user: Option<&str>) -> bool {
    let uid = rustix::process::getuid().as_raw().to_string();
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| line.split(':').next()).any(|name| Some(name) == user || name == uid)
}

fn cgroup() -> Cgroup {
    let is_there = |path: &str| Path::new(path).exists();
    if is_there("/sys/fs/cgroup/cgroup.controllers") {
        Cgroup::V2
    } else if is_there("/sys/fs/cgroup/unified/cgroup.controllers") {
        Cgroup::Hybrid
    } else if is_there("/sys/fs/cgroup/memory") || is_there("/sys/fs/cgroup/pids") {
        Cgroup::V1
    } else {
        Cgroup::Absent
    }
}

fn cargo(config: &Config) -> Option<(PathBuf, String)> {
    let cargo = config.cargo();
    let version = first_line(&cargo, &["--version"]);
    (!version.is_empty()).then_some((cargo, version))
}

/// Looks at the directory of the store, or at the nearest directory above it that exists.
fn store(path: &Path) -> StoreFacts {
    let there = path.ancestors().find(|ancestor| ancestor.is_dir()).unwrap_or(Path::new("/"));
    let free_bytes = statvfs(there).map(|stat| stat.f_bavail * stat.f_frsize).unwrap_or_default();
    StoreFacts {
        path: path.to_owned(),
        is_writable: access(there, Access::WRITE_OK | Access::EXEC_OK).is_ok(),
        file_system: statfs(there).map_or("unknown", |stat| file_system(stat.f_type.cast_unsigned())),
        free_bytes,
    }
}

/// Source: statfs(2), and `include/uapi/linux/magic.h` of Linux.
fn file_system(magic: u64) -> &'static str {
    match magic & 0xffff_ffff {
        0xEF53 => "ext4",
        0x5846_5342 => "xfs",
        0x9123_683E => "btrfs",
        0x0102_1994 => "tmpfs",
        0x794c_7630 => "overlay",
        0x6969 => "nfs",
        0x2FC1_2FC1 => "zfs",
        0xF2F5_2010 => "f2fs",
        0x6573_5546 => "fuse",
        0x0102_1997 => "9p",
        _ => "unknown",
    }
}

/// Returns other programs named `host` that a shell finds before this one.
fn other_hosts(config: &Config) -> Vec<PathBuf> {
    let own = config.program.as_deref().and_then(|program| program.canonicalize().ok());
    let named = config.path.iter().map(|directory| directory.join("host")).filter(|path| path.is_file());
    let is_own = |path: &PathBuf| path.canonicalize().ok() == own;
    named.take_while(|path| !is_own(path)).collect()
}
