//! Zone init: pid 1 of the zone. Prepares it, forks a worker per request, and reaps.

use std::collections::HashMap;
use std::fs::Permissions;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, Mode};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags};
use rustix::net::{RecvFlags, SendFlags};

use super::cgroup::{Cgroups, Version};
use super::config::DeviceGuard;
use super::descendants::children;
use super::descriptors::receive_fds;
use super::fault::{Context as _, Fault};
use super::mounts::StepDirectories;
use super::network::{self, Owner, ZoneNetwork};
use super::overlay::{self, Overlay};
use super::protocol::{Config, StartInfo, Started};
use super::removals::REMOVALS;
use super::run::Outputs;
use super::runtime::load_runtime;
use super::state::{ZoneFunction, ZoneState};
use super::sys::{self, Forked};
use super::{bundle, device, seccomp, skeleton, sysfs, worker};

/// File systems that are known to hold upper directories, by their magic numbers; others are tried.
/// Source: `linux/magic.h`: ext4, btrfs, xfs.
const KNOWN_UPPERS: [u64; 3] = [0xef53, 0x9123_683e, 0x5846_5342];

/// The state that zone init gets from the supervisor.
pub(super) struct Inheritance {
    pub config: Config,
    pub functions: &'static [(&'static str, ZoneFunction)],
    pub control: OwnedFd,
    /// Readable when the supervisor has ended.
    pub life: OwnedFd,
    /// Where limits are set, found before `/sys/fs/cgroup` is hidden.
    pub cgroups: Cgroups,
    /// The process id of the supervisor.
    pub supervisor: u32,
    /// Whether all owners can be given to files.
    pub has_owners: bool,
}

/// Serves requests until the host or the supervisor ends.
pub(super) fn run(inheritance: Inheritance) -> Result<(), Fault> {
    let Inheritance { control, .. } = &inheritance;
    let control = control.try_clone().context(|| "cannot copy the control socket".to_owned())?;
    let zone = match prepare(inheritance) {
        Ok(zone) => zone,
        Err(fault) => return send_started(&control, &Err(fault)),
    };
    let info = StartInfo {
        has_owners: zone.has_owners,
        has_limits: zone.cgroups.is_complete(),
        has_sysfs: zone.has_sysfs,
        has_device_rules: zone.has_device_rules,
        is_upper_in_memory: zone.is_upper_in_memory,
        is_seccomp_compiled: zone.seccomp.is_some(),
        network: zone.network.uplink(),
    };
    let signals = sys::child_signals().context(|| "cannot wait for workers".to_owned())?;
    send_started(&control, &Ok(info))?;
    serve(&zone, &control, &signals)
}

/// Sends the host the result of the start.
pub(super) fn send_started(control: &OwnedFd, started: &Started) -> Result<(), Fault> {
    let what = || "cannot answer the host".to_owned();
    let packet = postcard::to_stdvec(started).map_err(|error| Fault::Protocol { message: error.to_string() })?;
    rustix::net::send(control, &packet, SendFlags::NOSIGNAL).context(what)?;
    Ok(())
}

fn serve(zone: &ZoneState, control: &OwnedFd, signals: &OwnedFd) -> Result<(), Fault> {
    let what = || "cannot wait for requests".to_owned();
    let mut workers: HashMap<i32, u64> = HashMap::new();
    let mut n_requests = 0;
    loop {
        let mut fds = [
            PollFd::new(control, PollFlags::IN),
            PollFd::new(signals, PollFlags::IN),
            PollFd::new(&zone.life, PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(Fault::system(what(), error)),
        }
        let [is_asked, is_signalled, is_over] = fds.map(|fd| !fd.revents().is_empty());
        if is_over {
            return Ok(());
        }
        if is_signalled {
            drain(signals);
            reap(zone, &mut workers);
        }
        if is_asked {
            let Some((_, mut fds)) = receive_fds(control, RecvFlags::empty()).context(what)? else { return Ok(()) };
            let Some(socket) = fds.pop_front() else { continue };
            let outputs = match (fds.pop_front(), fds.pop_front()) {
                (Some(stdout), Some(stderr)) => Some(Outputs { stdout, stderr }),
                _ => None,
            };
            n_requests += 1;
            match sys::fork(0).context(|| "cannot start a worker".to_owned()) {
                Ok(Forked::Child) => {
                    sys::reset_signals();
                    // A write to a host that is gone is an error then, not the end of the worker.
                    sys::ignore_sigpipe();
                    sys::exit(worker::serve(zone, n_requests, socket, outputs))
                }
                Ok(Forked::Parent(pid)) => drop(workers.insert(pid, n_requests)),
                Err(fault) => {
                    let mut socket = std::os::unix::net::UnixStream::from(socket);
                    let _ = super::protocol::write_reply(&mut socket, &super::protocol::Reply::Fault(fault));
                }
            }
        }
    }
}

fn drain(signals: &OwnedFd) {
    let mut bytes = [0; 1024];
    while rustix::io::read(signals, &mut bytes).is_ok_and(|n_bytes| n_bytes == bytes.len()) {}
}

/// Reaps what has ended, and cleans up behind workers that could not.
fn reap(zone: &ZoneState, workers: &mut HashMap<i32, u64>) {
    while let Ok(Some((pid, status))) = sys::reap(-1, false) {
        let Some(n) = workers.remove(&pid) else { continue };
        if status.code() == Some(0) {
            continue;
        }
        // What a worker leaves behind becomes a child of pid 1.
        for orphan in children() {
            if !workers.contains_key(&orphan) && zone.network_keeper != Some(orphan) {
                sys::kill(orphan);
            }
        }
        let all = worker::step_directory(zone, n);
        let step = StepDirectories { root: all.join("root"), dev: all.join("dev"), all };
        step.remove();
    }
}

fn prepare(inheritance: Inheritance) -> Result<ZoneState, Fault> {
    let Inheritance { config, functions, life, cgroups, has_owners, supervisor, control: _control } = inheritance;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    sys::leave_session_keyring();
    let runtime = load_runtime(&config.runtime)?;
    let base = config.store.join("zone-v1");
    let memory = base.join("mount");
    std::fs::create_dir_all(&memory).context(|| format!("cannot make `{}`", memory.display()))?;
    let base = base.canonicalize().context(|| format!("cannot find `{}`", base.display()))?;
    let memory = base.join("mount");
    isolate(&memory, config.is_user_namespace)?;
    let owner = Owner {
        name: cgroups.zone_name().to_owned(),
        supervisor,
        is_user_namespace: config.is_user_namespace,
        memory: memory.clone(),
        tools: config.tools.clone(),
    };
    // Beside the rest, which takes about as long.
    let network = config.network.clone().map(|network| network::start(network, &owner)).transpose()?;
    let skeleton = skeleton::prepare(&base)?;
    let devices = device::prepare(&memory, config.is_user_namespace)?;
    device::guard_null(&devices)?;
    let is_upper_in_memory = config.is_upper_forced_to_memory || !can_hold_uppers(&base, &memory, &skeleton)?;
    let has_sysfs = !config.is_user_namespace || sysfs::is_given()?;
    let seccomp = runtime.is_seccomp_compiled.then(seccomp::compiled);
    let most = |resource| rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
    // After the network was begun, whose programs need a device, and after the devices of steps were made.
    let has_device_rules = guard_devices(&config, &cgroups)?;
    let network_keeper = network.as_ref().map(network::Starting::pid);
    let network = network.map_or_else(ZoneNetwork::refused, network::Starting::wait);
    Ok(ZoneState {
        config,
        functions,
        runtime,
        seccomp,
        read_only_paths: bundle::read_only_paths(),
        memory,
        skeleton,
        devices,
        has_owners,
        has_sysfs,
        has_device_rules,
        is_upper_in_memory,
        cgroups,
        n_files_max: most(rustix::process::Resource::Nofile),
        n_processes_max: most(rustix::process::Resource::Nproc),
        network,
        network_keeper,
        life,
    })
}

/// Keeps this process and its workers from the devices of the machine. Returns whether that was needed and done.
fn guard_devices(config: &Config, cgroups: &Cgroups) -> Result<bool, Fault> {
    let version = match config.devices {
        // In a user namespace nobody can open a device that was made there.
        _ if config.is_user_namespace => return Ok(false),
        DeviceGuard::MountsAlone => return Ok(false),
        DeviceGuard::Rules => None,
        DeviceGuard::RulesOfVersion2 => Some(Version::Two),
    };
    cgroups.guard_devices(version).map(|()| true)
}

/// Makes the mounts of the zone its own.
fn isolate(memory: &Path, is_user_namespace: bool) -> Result<(), Fault> {
    let refused = |what: &str, error: rustix::io::Errno| {
        // AppArmor lets an ordinary user make a user namespace, and then refuses everything in it.
        if is_user_namespace && matches!(error, rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) {
            super::userns::explain(&error.into())
        } else {
            Fault::system(what, error)
        }
    };
    // What the host unmounts goes here too; what is mounted here stays here.
    let propagation = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", propagation).map_err(|error| refused("cannot detach the zone's mounts", error))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount(c"proc", c"/proc", c"proc", flags, None)
        .map_err(|error| refused("cannot mount the zone's /proc", error))?;
    let cgroups = Path::new("/sys/fs/cgroup");
    if cgroups.is_dir() {
        // crun refuses machines with both versions of control groups, and looks no further than here.
        let tmpfs = overlay::tmpfs(Some(0), 0o555)?;
        rustix::mount::move_mount(&tmpfs, c"", CWD, cgroups, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
            .map_err(|error| refused("cannot hide /sys/fs/cgroup", error))?;
    }
    mount_memory(memory)
}

/// Mounts the zone's memory file system: not a tmpfs, whose pages, with secrets in them, can be swapped to a disk.
fn mount_memory(at: &Path) -> Result<(), Fault> {
    let what = || "cannot mount the zone's memory file system".to_owned();
    let fs = rustix::mount::fsopen(c"ramfs", FsOpenFlags::FSOPEN_CLOEXEC).context(what)?;
    rustix::mount::fsconfig_set_string(fs.as_fd(), c"mode", c"0700").context(what)?;
    rustix::mount::fsconfig_create(fs.as_fd()).context(what)?;
    let mount = rustix::mount::fsmount(fs.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_NOSUID)
        .context(what)?;
    rustix::mount::move_mount(&mount, c"", CWD, at, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).context(what)?;
    std::fs::create_dir(at.join("crun")).context(what)?;
    std::fs::create_dir(at.join(REMOVALS)).context(what)?;
    std::fs::set_permissions(at.join("crun"), Permissions::from_mode(0o700)).context(what)
}

/// Returns whether the store's file system can hold upper directories.
fn can_hold_uppers(base: &Path, memory: &Path, lower: &Path) -> Result<bool, Fault> {
    let statfs = rustix::fs::statfs(base).context(|| format!("cannot look at `{}`", base.display()))?;
    if KNOWN_UPPERS.contains(&(statfs.f_type as u64)) {
        return Ok(true);
    }
    let trial: PathBuf = base.join(format!("trial-{}", skeleton::unique()));
    let (upper, work) = (trial.join("upper"), trial.join("work"));
    let what = || format!("cannot make `{}`", trial.display());
    let _ = disk::remove_all(&trial);
    std::fs::create_dir_all(&upper).context(what)?;
    std::fs::create_dir_all(&work).context(what)?;
    let overlay =
        Overlay { lowers: &[lower], upper: Some((&upper, &work)), is_old_mount_forced: false, scratch: memory };
    let works = overlay::mount(&overlay).and_then(|mount| {
        let what = || "cannot write to an overlay".to_owned();
        // Deleting is what needs the marks.
        rustix::fs::unlinkat(&mount, "etc/hosts", rustix::fs::AtFlags::empty()).context(what)
    });
    let _ = disk::remove_all(&trial);
    Ok(works.is_ok())
}
