//! The settings of a zone, and its capabilities.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::network::{NetworkConfig, Uplink};
use super::tools::SYSTEM_DIRECTORIES;

/// The first argument of the program that starts it as a zone.
pub const ARGUMENT: &str = "__zone";

/// The settings of a zone.
#[derive(Debug, Clone)]
pub struct ZoneConfig {
    /// The program whose `main` calls [`super::main`] if its first argument is [`ARGUMENT`].
    pub executable: PathBuf,
    /// The path of the container runtime; if `None`, `crun` is searched for in `tools`.
    pub runtime: Option<PathBuf>,
    /// The directories in which programs are searched for, in this order.
    pub tools: Vec<PathBuf>,
    /// The directory of the store, on the file system of all upper directories. It is made if it is missing.
    pub store: PathBuf,
    /// The user that the zone works as.
    pub mode: ZoneMode,
    /// The uplink of steps to the network; if `None`, no step reaches it.
    pub network: Option<NetworkConfig>,
    /// How a zone of root keeps steps from the devices of this machine.
    pub devices: DeviceGuard,
    /// Acts as if the file system of the store could not hold upper directories; for tests.
    pub is_upper_forced_to_memory: bool,
    /// Acts as if the kernel had no `lowerdir+`; for tests.
    pub is_old_mount_forced: bool,
}

impl ZoneConfig {
    /// Makes a configuration for a store: this binary is the zone, programs come from the directories of
    /// the system, and the zone has the power that this process has.
    #[must_use]
    pub fn new(store: impl Into<PathBuf>) -> Self {
        Self {
            executable: PathBuf::from("/proc/self/exe"),
            runtime: None,
            tools: SYSTEM_DIRECTORIES.map(PathBuf::from).to_vec(),
            store: store.into(),
            mode: ZoneMode::Auto,
            network: Some(NetworkConfig::default()),
            devices: DeviceGuard::Rules,
            is_upper_forced_to_memory: false,
            is_old_mount_forced: false,
        }
    }

    /// Searches for programs in these directories first. One that is not absolute is left out.
    #[must_use]
    pub fn with_path(mut self, directories: &[PathBuf]) -> Self {
        let first = directories.iter().filter(|directory| directory.is_absolute()).cloned();
        self.tools = first.chain(self.tools).collect();
        self
    }
}

/// How a zone of root keeps steps from the devices of this machine.
///
/// The mounts of a step never let it open a device that it makes. A control group with rules for devices
/// holds also where a mount does not. The zone of an ordinary user needs neither: the kernel lets nobody
/// open devices there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceGuard {
    /// By mounts and by a control group. The zone does not start where there is no such group.
    Rules,
    /// As [`Self::Rules`], with a control group of version 2; for tests.
    RulesOfVersion2,
    /// By mounts alone. For a machine without control groups, where one mistake in the mounts of a step
    /// would give it all devices.
    MountsAlone,
}

/// The user that a zone works as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneMode {
    /// As root if this process is root and may mount, otherwise as an ordinary user.
    Auto,
    /// As root, without a user namespace.
    Root,
    /// As an ordinary user, in a user namespace.
    User,
}

/// The capabilities of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneCaps {
    /// Whether the zone works in a user namespace.
    pub is_user_namespace: bool,
    /// Whether files can be given to all users.
    pub has_owners: bool,
    /// Whether limits on memory, processes and processors can be set.
    pub has_limits: bool,
    /// Whether steps have a `/sys` of their own. It is empty otherwise, because that of this machine shows its network.
    pub has_sysfs: bool,
    /// Whether the kernel keeps steps from the devices of this machine by rules, beside the mounts.
    pub has_device_rules: bool,
    /// Whether steps write to memory first, because the file system of the store cannot hold upper directories.
    pub is_upper_in_memory: bool,
    /// Whether the runtime takes a compiled filter for system calls.
    pub is_seccomp_compiled: bool,
    /// The uplink of steps to the network, or the reason why there is none.
    pub network: Result<Uplink, String>,
    /// Sentences about what the zone cannot do, for a person to read.
    pub notes: Vec<String>,
}

/// Returns the sentences of [`ZoneCaps::notes`].
pub(super) fn notes(caps: &ZoneCaps) -> Vec<String> {
    let mut notes = Vec::new();
    if !caps.has_owners {
        notes.push(
            "only one user exists in containers: no range in /etc/subuid and /etc/subgid, or no newuidmap".to_owned(),
        );
    }
    if !caps.has_limits {
        notes.push("limits on memory, processes and processors cannot be set".to_owned());
    }
    if !caps.has_device_rules && !caps.is_user_namespace {
        notes.push("no control group keeps steps from the devices of this machine: only their mounts do".to_owned());
    }
    if !caps.has_sysfs {
        notes.push(
            "steps have an empty /sys: that of this container is hidden or read-only, and the kernel gives no other"
                .to_owned(),
        );
    }
    if caps.is_upper_in_memory {
        notes.push(
            "the store's file system cannot hold overlays: steps write to memory first, where before Linux 6.6 \
            they cannot remove directories of an image"
                .to_owned(),
        );
    }
    if let Err(cause) = &caps.network {
        notes.push(format!("steps have no way out to the network: {cause}"));
    }
    notes
}
