//! From a command and what was gathered for it to the container that runs it.

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use graph::{ExecOp, Limits};

use super::engine::Engine;
use super::files;
use super::mounts::Gathered;
use crate::step::{self, TOOLS, arguments};

/// Returns the container of a command, whose own volume is `volume` and at `place` for Docker.
pub(crate) fn body(
    engine: &Engine,
    op: &ExecOp,
    gathered: &Gathered,
    volume: &str,
    place: &str,
) -> ContainerCreateBody {
    let has_network = op.network && engine.io.is_network_allowed;
    let host_config = HostConfig {
        network_mode: Some(if has_network { "default" } else { "none" }.to_owned()),
        mounts: Some(gathered.mounts(volume, place)),
        tmpfs: Some(gathered.tmpfs.clone()),
        // What is printed is in the volume, and nowhere else.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        ..limits(op.limits)
    };
    let mut words = told(op, gathered).into_iter();
    ContainerCreateBody {
        image: Some(gathered.image.reference.clone()),
        entrypoint: Some(words.by_ref().take(1).collect()),
        cmd: Some(words.collect()),
        // All variables come through the shim, so that no image has any. This one Docker sets unless it is
        // named without a value.
        env: Some(vec!["HOSTNAME".to_owned()]),
        user: Some("0:0".to_owned()),
        working_dir: Some("/".to_owned()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        labels: Some(files::label(engine)),
        host_config: Some(host_config),
        ..ContainerCreateBody::default()
    }
}

/// Returns the arguments of the shim. All that it reads and writes is in one volume.
fn told(op: &ExecOp, gathered: &Gathered) -> Vec<String> {
    let told = step::Told { has_previous: !gathered.image.stubs.is_empty(), ..gathered.told.clone() };
    let separate = format!("{TOOLS}-");
    let mut is_flag = true;
    let relocated = arguments(op, &told).into_iter().map(|word| {
        is_flag &= word != "--";
        match word.split_at_checked(1).filter(|_| is_flag) {
            Some((flag @ ("d" | "p" | "b" | "f"), path)) => match path.strip_prefix(&separate) {
                Some(name) => format!("{flag}{TOOLS}/{name}"),
                None => word,
            },
            _ => word,
        }
    });
    relocated.collect()
}

fn limits(limits: Limits) -> HostConfig {
    let Limits { memory_bytes, processes, cpu_millis } = limits;
    let memory = memory_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    HostConfig {
        memory,
        // Together with swap, of which there is none then.
        memory_swap: memory,
        // The shim is one more.
        pids_limit: processes.map(|n| i64::from(n) + 1),
        nano_cpus: cpu_millis.map(|millis| i64::from(millis) * 1_000_000),
        ..HostConfig::default()
    }
}
