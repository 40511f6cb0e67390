//! Limits on memory, processes and processors, and rules for devices, by control groups of the kernel.
//!
//! Each zone has a directory in each hierarchy with slots, which steps use one after the other. With a group
//! for each step, groups would stay until the kernel drops their page cache, and hundreds of them slow every
//! step down.
//!
//! Works with version 1, version 2, and both (where the controllers are those of version 1). Under
//! version 2 the zone's directory is at the top for root, and below its own group otherwise; there
//! the kernel lets a group with processes in it have no limited children, so it must be delegated.

mod devices;
mod places;

use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, FlockOperation, Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::fault::{Context as _, Fault};
use super::spec::Limits;

/// How many steps with limits can run at the same time in one zone.
const N_SLOTS: usize = 256;

/// What the container's own processes need besides the command's: the runtime and pid 1.
const N_OWN_PIDS: u32 = 3;

/// How many processes and threads a step may have that asks for no limit: enough for any build, and an end
/// to one that multiplies without end.
pub(super) const DEFAULT_PIDS: u32 = 16_384;

/// The period that shares of a processor are measured in; the kernel's default.
const CPU_PERIOD_US: u64 = 100_000;

const PREFIX: &str = "host-zone-";

/// A kind of limit, as the kernel groups them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Controller {
    Memory,
    Pids,
    Cpu,
}

const CONTROLLERS: [(Controller, &str); 3] =
    [(Controller::Memory, "memory"), (Controller::Pids, "pids"), (Controller::Cpu, "cpu")];

/// The control groups of a zone.
#[derive(Debug, Default)]
pub(super) struct Cgroups {
    /// The directory in which the zone makes its own, per controller; one for all in version 2.
    parents: Vec<(Controller, PathBuf, OwnedFd)>,
    is_version_2: bool,
    /// The directories in which the zone makes groups for the rules for devices, with their version.
    devices: Vec<(Version, PathBuf, OwnedFd)>,
    /// The name of the zone's directory.
    name: String,
}

/// A version of control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Version {
    One,
    Two,
}

impl Cgroups {
    /// Finds out where limits can be set. `owner` is the supervisor, whose life the groups share.
    pub(super) fn find(owner: u32) -> Self {
        let name = format!("{PREFIX}{owner}-{}", started_at(owner).unwrap_or(0));
        let mountinfo = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let found = places::find(&mountinfo, &own, rustix::process::geteuid().is_root());
        let controllers = found.controllers.into_iter();
        let parents =
            controllers.filter_map(|(controller, path)| open_writable(&path).map(|fd| (controller, path, fd)));
        let devices = [(Version::One, found.devices), (Version::Two, found.unified)].into_iter();
        let devices =
            devices.filter_map(|(version, path)| path.and_then(|path| Some((version, open_writable(&path)?, path))));
        Self {
            parents: parents.collect(),
            is_version_2: found.is_version_2,
            devices: devices.map(|(version, fd, path)| (version, path, fd)).collect(),
            name,
        }
    }

    /// Keeps this process, and all that it starts from here on, from the devices of the machine.
    ///
    /// # Errors
    /// If there is no control group that can do it, or only of another version than `wanted`.
    pub(super) fn guard_devices(&self, wanted: Option<Version>) -> Result<(), Fault> {
        let none = || Fault::Devices { message: "there is no control group for it that can be written".to_owned() };
        let mut usable = self.devices.iter().filter(|(version, ..)| wanted.is_none_or(|wanted| wanted == *version));
        let (version, _, parent) = usable.next().ok_or_else(none)?;
        let entered = match version {
            Version::One => devices::enter_version_1(parent, &self.name),
            Version::Two => devices::enter_version_2(parent, &self.name),
        };
        entered.map_err(|fault| Fault::Devices { message: fault.to_string() })
    }

    /// Returns the name of the zone, which no other has or had since this machine was started.
    pub(super) fn zone_name(&self) -> &str {
        &self.name
    }

    /// Returns whether everything can be limited.
    pub(super) fn is_complete(&self) -> bool {
        self.parents.len() == CONTROLLERS.len()
    }

    /// Returns whether the zone can have no groups.
    pub(super) fn is_empty(&self) -> bool {
        self.parents.is_empty() && self.devices.is_empty()
    }

    /// Removes the groups of zones that were killed and, if it is over, of this one. Returns whether nothing is left.
    pub(super) fn remove_stale(&self, is_own_over: bool) -> bool {
        let mut is_done = true;
        let directories =
            self.parents.iter().map(|(_, path, _)| path).chain(self.devices.iter().map(|(_, path, _)| path));
        for parent in directories {
            let Ok(entries) = std::fs::read_dir(parent) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if is_stale(&name) || (is_own_over && name == self.name) {
                    is_done &= remove(&entry.path());
                }
            }
        }
        is_done
    }

    /// Takes a slot for a step that asks for no limits, where that costs next to nothing: to move a process
    /// under version 2 stops all processes of the machine for a moment. There one limit holds for all steps.
    pub(super) fn take_default(&self, locks: &Path) -> Option<Slot> {
        let limits = Limits { n_pids: Some(DEFAULT_PIDS), ..Limits::default() };
        if self.is_version_2 { None } else { self.take(&limits, locks).ok() }
    }

    /// Takes a free slot and sets its limits.
    pub(super) fn take(&self, limits: &Limits, locks: &Path) -> Result<Slot, Fault> {
        let wanted: Vec<Controller> = [
            (Controller::Memory, limits.memory_bytes.is_some()),
            (Controller::Pids, limits.n_pids.is_some()),
            (Controller::Cpu, limits.cpu_millis.is_some()),
        ]
        .into_iter()
        .filter_map(|(controller, is_wanted)| is_wanted.then_some(controller))
        .collect();
        let mut missing = wanted.iter().filter(|wanted| !self.parents.iter().any(|(has, ..)| has == *wanted));
        if let Some(missing) = missing.next() {
            return Err(Fault::Limits {
                message: format!("cannot limit {}: this user has no control group for it", describe(*missing)),
            });
        }
        let what = || "cannot take a slot of the zone's control groups".to_owned();
        std::fs::create_dir_all(locks).context(what)?;
        for n in 0..N_SLOTS {
            let lock = File::create(locks.join(n.to_string())).context(what)?;
            if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
                continue;
            }
            let mut groups: Vec<(Controller, OwnedFd)> = Vec::new();
            for controller in &wanted {
                let group = self.group(*controller, n)?;
                groups.push((*controller, group));
            }
            let mut slot = Slot { groups, is_version_2: self.is_version_2, n_oom_kills: 0, _lock: lock };
            slot.set(limits)?;
            slot.n_oom_kills = slot.count_oom_kills();
            return Ok(slot);
        }
        Err(Fault::Limits { message: format!("more than {N_SLOTS} steps with limits at the same time") })
    }

    /// Returns the group of a slot, and makes it if it is not there.
    fn group(&self, controller: Controller, n: usize) -> Result<OwnedFd, Fault> {
        let (_, _, parent) = self
            .parents
            .iter()
            .find(|(has, ..)| *has == controller)
            .ok_or_else(|| Fault::Limits { message: format!("cannot limit {}", describe(controller)) })?;
        let delegate = |group: &OwnedFd| {
            write(group, "cgroup.subtree_control", "+memory +pids +cpu").map_err(|error| Fault::Limits {
                message: format!("cannot limit {}: its control group is not delegated ({error})", describe(controller)),
            })
        };
        if self.is_version_2 {
            delegate(parent)?;
        }
        let zone = make(parent, &self.name)?;
        if self.is_version_2 {
            delegate(&zone)?;
        }
        make(&zone, &format!("slot{n}"))
    }
}

/// A group, or one per controller, that one step has for itself.
#[derive(Debug)]
pub(super) struct Slot {
    groups: Vec<(Controller, OwnedFd)>,
    is_version_2: bool,
    /// How often the kernel had killed in this slot when the step began.
    n_oom_kills: u64,
    _lock: File,
}

impl Slot {
    /// Moves this process, which has one thread, into the groups.
    pub(super) fn join(&self) -> Result<(), Fault> {
        // Moving one thread, itself, takes no lock on all processes of the machine, which costs 2 ms.
        let file = if self.is_version_2 { "cgroup.procs" } else { "tasks" };
        for (_, group) in &self.groups {
            write(group, file, "0").context(|| "cannot join a control group".to_owned())?;
        }
        Ok(())
    }

    /// Returns whether the kernel killed something because there was no more memory.
    pub(super) fn is_out_of_memory(&self) -> bool {
        self.count_oom_kills() > self.n_oom_kills
    }

    fn count_oom_kills(&self) -> u64 {
        let file = if self.is_version_2 { "memory.events" } else { "memory.oom_control" };
        let Some((_, group)) = self.groups.iter().find(|(controller, _)| *controller == Controller::Memory) else {
            return 0;
        };
        let text = read(group, file).unwrap_or_default();
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok()).unwrap_or(0)
    }

    fn set(&self, limits: &Limits) -> Result<(), Fault> {
        for (controller, group) in &self.groups {
            let set = |file: &str, value: String| {
                write(group, file, &value).context(|| format!("cannot set the limit `{file}` to {value}"))
            };
            match (controller, self.is_version_2) {
                (Controller::Memory, true) => {
                    set("memory.max", limits.memory_bytes.unwrap_or(u64::MAX).to_string())?;
                    // A kernel without swap has no such file.
                    let _ = write(group, "memory.swap.max", "0");
                    // The kernel kills the command and not one of its processes, of which the command may say nothing.
                    set("memory.oom.group", "1".to_owned())?;
                }
                (Controller::Memory, false) => {
                    let bytes = limits.memory_bytes.unwrap_or(u64::MAX).to_string();
                    // The limit with swap may never be below the one without.
                    let _ = write(group, "memory.memsw.limit_in_bytes", "-1");
                    set("memory.limit_in_bytes", bytes.clone())?;
                    let _ = write(group, "memory.memsw.limit_in_bytes", &bytes);
                }
                (Controller::Pids, _) => {
                    set("pids.max", limits.n_pids.unwrap_or(u32::MAX).saturating_add(N_OWN_PIDS).to_string())?;
                }
                (Controller::Cpu, is_version_2) => {
                    // Less than a millisecond in a period is refused.
                    let quota = (u64::from(limits.cpu_millis.unwrap_or(1)) * CPU_PERIOD_US / 1000).max(1000);
                    if is_version_2 {
                        set("cpu.max", format!("{quota} {CPU_PERIOD_US}"))?;
                    } else {
                        set("cpu.cfs_period_us", CPU_PERIOD_US.to_string())?;
                        set("cpu.cfs_quota_us", quota.to_string())?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn describe(controller: Controller) -> &'static str {
    match controller {
        Controller::Memory => "memory",
        Controller::Pids => "the number of processes",
        Controller::Cpu => "processors",
    }
}

/// The file systems of control groups, by their magic numbers. Source: `linux/magic.h`.
const MAGIC: [u64; 2] = [0x0027_e0eb, 0x6367_7270];

/// Opens a directory that this process may make groups in. Something else can be mounted over it.
fn open_writable(path: &Path) -> Option<OwnedFd> {
    let fd = rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    if !MAGIC.contains(&(rustix::fs::fstatfs(&fd).ok()?.f_type as u64)) {
        return None;
    }
    rustix::fs::accessat(&fd, c".", Access::WRITE_OK, AtFlags::EACCESS).ok().map(|()| fd)
}

/// Opens the group of this name, and makes it if it is not there.
fn make(parent: &OwnedFd, name: &str) -> Result<OwnedFd, Fault> {
    let what = || format!("cannot make the control group `{name}`");
    match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(Fault::system(what(), error)),
    }
    rustix::fs::openat(parent, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).context(what)
}

fn write(group: &OwnedFd, file: &str, value: &str) -> std::io::Result<()> {
    let fd = rustix::fs::openat(group.as_fd(), file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&fd, value.as_bytes())?;
    Ok(())
}

fn read(group: &OwnedFd, file: &str) -> std::io::Result<String> {
    let fd = rustix::fs::openat(group.as_fd(), file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    std::io::read_to_string(File::from(fd))
}

/// Removes a group and those in it. Returns whether it is gone: one with a process in it stays.
fn remove(group: &Path) -> bool {
    for entry in std::fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _ = std::fs::remove_dir(entry.path());
        }
    }
    std::fs::remove_dir(group).is_ok() || !group.exists()
}

/// Returns whether a directory or a rule belongs to a zone whose supervisor is gone.
pub(super) fn is_stale(name: &str) -> bool {
    let Some((pid, start)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')) else { return false };
    let (Ok(pid), Ok(start)) = (pid.parse::<u32>(), start.parse::<u64>()) else { return false };
    started_at(pid) != Some(start)
}

/// Returns when a process started, in ticks since boot; with its id this names it for good.
/// Source: `proc_pid_stat(5)`, field 22.
fn started_at(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_stale_when_its_supervisor_is_another_process_or_none() {
        let pid = std::process::id();
        let start = started_at(pid).unwrap();
        assert!(!is_stale(&format!("{PREFIX}{pid}-{start}")));
        assert!(is_stale(&format!("{PREFIX}{pid}-{}", start + 1)));
        assert!(is_stale(&format!("{PREFIX}4194999-1")));
        assert!(!is_stale("docker"));
    }
}
