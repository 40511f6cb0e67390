//! What a zone is started with, and what it can do.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::network::{NetworkConfig, Uplink};
use super::tools::SYSTEM_DIRECTORIES;

/// The first argument of the binary that makes it a zone.
pub const ARGUMENT: &str = "__zone";

/// How to start a zone.
#[derive(Debug, Clone)]
pub struct ZoneConfig {
    /// The binary whose `main` calls [`super::main`] when its first argument is [`ARGUMENT`].
    pub executable: PathBuf,
    /// The container runtime; `crun` of one of `tools` if not given.
    pub runtime: Option<PathBuf>,
    /// The directories in which programs are searched for, in this order.
    pub tools: Vec<PathBuf>,
    /// The directory of the store, on the file system of all upper directories. Made if missing.
    pub store: PathBuf,
    /// With whose power.
    pub mode: ZoneMode,
    /// How steps reach the network; without it none does.
    pub network: Option<NetworkConfig>,
    /// How a zone of root keeps steps from the devices of this machine.
    pub devices: DeviceGuard,
    /// Acts as if the store's file system could not hold upper directories; for tests.
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

/// With whose power a zone works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneMode {
    /// As root if this is root, else in a user namespace.
    Auto,
    /// As root, without a user namespace.
    Root,
    /// In a user namespace.
    User,
}

/// What a zone can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneCaps {
    /// Whether it works in a user namespace.
    pub is_user_namespace: bool,
    /// Whether `chown` to any user works.
    pub has_owners: bool,
    /// Whether limits on memory, processes and processors can be set.
    pub has_limits: bool,
    /// Whether the kernel keeps steps from the devices of this machine by rules, beside the mounts.
    pub has_device_rules: bool,
    /// Whether upper directories are in memory and copied to the store, because its file system cannot hold them.
    pub is_upper_in_memory: bool,
    /// Whether the runtime takes a finished seccomp program.
    pub is_seccomp_compiled: bool,
    /// How steps reach the network, or why they cannot and what changes that.
    pub network: Result<Uplink, String>,
    /// What a person should know, a sentence each.
    pub notes: Vec<String>,
}

/// Returns what a person should know about a zone, a sentence each.
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
    if caps.is_upper_in_memory {
        notes.push("the store's file system cannot hold overlays: steps write to memory first".to_owned());
    }
    if let Err(cause) = &caps.network {
        notes.push(format!("steps have no way out to the network: {cause}"));
    }
    notes
}
