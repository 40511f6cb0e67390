//! The state of zone init, which every worker inherits.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use super::cgroup::Cgroups;
use super::network::ZoneNetwork;
use super::protocol::Config;
use super::runtime::Runtime;

/// A plain function that a worker can run: bytes in, bytes or a sentence out.
pub type ZoneFunction = fn(&[u8]) -> Result<Vec<u8>, String>;

/// The state that outlives a request.
pub(super) struct ZoneState {
    /// The settings of the zone.
    pub config: Config,
    pub functions: &'static [(&'static str, ZoneFunction)],
    pub runtime: Runtime,
    /// The compiled seccomp program, if the runtime takes one.
    pub seccomp: Option<String>,
    /// The files of the kernel that a command can only read.
    pub read_only_paths: Vec<&'static str>,
    /// The zone's memory file system.
    pub memory: PathBuf,
    /// The directory with the mountpoints that every root needs.
    pub skeleton: PathBuf,
    /// The names of the devices below `devices/` of the memory file system.
    pub devices: PathBuf,
    /// Whether all owners can be given to files.
    pub has_owners: bool,
    /// Whether steps have a `/sys` of their own; it is empty otherwise.
    pub has_sysfs: bool,
    /// Whether the kernel holds rules for devices.
    pub has_device_rules: bool,
    /// Whether upper directories are in memory.
    pub is_upper_in_memory: bool,
    /// The control groups of the zone.
    pub cgroups: Cgroups,
    /// The most descriptors that a process may have here.
    pub n_files_max: u64,
    /// The most processes that this user may have.
    pub n_processes_max: u64,
    /// The network of steps.
    pub network: ZoneNetwork,
    /// The process that keeps the network, if there is one.
    pub network_keeper: Option<i32>,
    /// Readable when the supervisor has ended.
    pub life: OwnedFd,
}
