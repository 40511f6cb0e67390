//! Writes the OCI configuration of a step. Pure, but for the caller who stores it.
//!
//! Source: OCI runtime-spec 1.0, `config.md` and `config-linux.md`; the lists are Docker's defaults.

use serde_json::{Map, Value, json};

use super::cgroup::DEFAULT_PIDS;
use super::device::INIT_PATH;
use super::mounts::StepDirectories;
use super::seccomp;
use super::spec::ExecSpec;
use super::state::ZoneState;

/// What a command as root may do. Source: Docker Engine, `oci/caps/defaults.go`.
const CAPABILITIES: [&str; 14] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

/// Source: Docker Engine, `oci/defaults.go`.
const MASKED: [&str; 11] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];

/// Source: as for [`MASKED`].
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Returns the files of the kernel that a command can only read, as far as this kernel has them.
pub(super) fn read_only_paths() -> Vec<&'static str> {
    READ_ONLY.into_iter().filter(|path| std::path::Path::new(path).exists()).collect()
}

/// How many descriptors a process gets without asking. More makes programs slow that close all of them.
const N_FILES_SOFT: u64 = 65_536;

/// How many it can get; Docker's default.
const N_FILES_HARD: u64 = 1_048_576;

/// Returns the configuration. `network` is the path of the network namespace to join; a new one is made if
/// there is none. `seccomp` is the compiled program, if the runtime takes one.
pub(super) fn config(zone: &ZoneState, spec: &ExecSpec, step: &StepDirectories, network: Option<&str>) -> Value {
    let seccomp = zone.seccomp.as_deref();
    let mut annotations = Map::new();
    let mut linux = json!({
        "namespaces": [
            {"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "cgroup"},
            network.map_or_else(|| json!({"type": "network"}), |path| json!({"type": "network", "path": path})),
        ],
        "maskedPaths": MASKED,
    });
    match seccomp {
        Some(program) => {
            annotations.insert("run.oci.seccomp_bpf_data".to_owned(), json!(program));
        }
        None => linux["seccomp"] = seccomp::profile(),
    }
    let sys = if zone.has_sysfs { "sysfs" } else { "tmpfs" };
    let mut mounts = vec![
        // The runtime mounts the root once more, without what the zone's mount of it refuses.
        json!({"destination": "/.", "source": step.root, "options": ["remount", "bind", "nodev"]}),
        mount("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount("/sys", sys, sys, &["nosuid", "noexec", "nodev", "ro"]),
        json!({"destination": "/dev", "type": "bind", "source": step.dev, "options": ["rbind", "nosuid", "nodev"]}),
        mount("/dev/mqueue", "mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
    ];
    // The field `readonlyPaths` is for this, but crun lets other restrictions of these mounts go.
    mounts.extend(zone.read_only_paths.iter().map(|path| {
        let source = format!("{}{path}", step.root.display());
        mount(path, "bind", &source, &["bind", "ro", "nosuid", "noexec", "nodev"])
    }));
    json!({
        "ociVersion": "1.0.0",
        "hostname": spec.hostname,
        "root": {"path": step.root},
        "process": process(spec, zone),
        "mounts": mounts,
        "annotations": annotations,
        "linux": linux,
    })
}

fn mount(destination: &str, kind: &str, source: &str, options: &[&str]) -> Value {
    json!({"destination": destination, "type": kind, "source": source, "options": options})
}

fn process(spec: &ExecSpec, zone: &ZoneState) -> Value {
    // Another user than root has no power. The rest of root's bounds what a program can be given.
    let held: &[&str] = if spec.user.uid == 0 { &CAPABILITIES } else { &[] };
    // With a single user nobody may set groups.
    let groups: &[u32] = if zone.has_owners { &spec.user.groups } else { &[] };
    let mut env: Vec<String> = spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for (name, value) in &spec.secret_env {
        env.push(format!("{name}={}", String::from_utf8_lossy(&value.0)));
    }
    let args: Vec<&str> = std::iter::once(INIT_PATH).chain(spec.args.iter().map(String::as_str)).collect();
    json!({
        "terminal": false,
        "user": {"uid": spec.user.uid, "gid": spec.user.gid, "additionalGids": groups},
        "args": args,
        "env": env,
        "cwd": spec.cwd,
        "noNewPrivileges": !spec.gains_privileges,
        "capabilities": {"bounding": CAPABILITIES, "effective": held, "permitted": held},
        "rlimits": rlimits(zone),
    })
}

fn rlimits(zone: &ZoneState) -> Vec<Value> {
    let limit = |kind: &str, soft: u64, hard: u64| json!({"type": kind, "soft": soft, "hard": hard});
    let n_files_max = zone.n_files_max;
    let mut limits = vec![
        limit("RLIMIT_NOFILE", N_FILES_SOFT.min(n_files_max), N_FILES_HARD.min(n_files_max)),
        limit("RLIMIT_CORE", 0, 0),
    ];
    // An ordinary user has no control group that limits processes. The kernel counts those of one user in one
    // user namespace, which are the steps of a zone together; it does not count those of root.
    if zone.config.is_user_namespace {
        let n_processes = u64::from(DEFAULT_PIDS).min(zone.n_processes_max);
        limits.push(limit("RLIMIT_NPROC", n_processes, n_processes));
    }
    limits
}
