//! From a command to the container that runs it.

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use evaluate::Command;
use graph::Limits;

use super::labelled::LabelledDocker;
use super::mounts::Prepared;
use super::volume::{PLACES, SECRET_PARAMS, Volumes};
use crate::step::{Places, arguments};

/// Returns the container of a command.
pub(crate) fn body(
    docker: &LabelledDocker,
    command: &Command<'_, ()>,
    prepared: &Prepared,
    volumes: &Volumes,
) -> ContainerCreateBody {
    let host_config = HostConfig {
        network_mode: Some(if command.has_network { "default" } else { "none" }.to_owned()),
        mounts: Some(prepared.mounts(volumes)),
        tmpfs: Some(prepared.tmpfs.clone()),
        // What is printed is in the volume, and nowhere else.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        ..limits(command.op.limits)
    };
    let params = if volumes.secret.is_some() { SECRET_PARAMS } else { PLACES.params };
    let mut words = arguments(command.op, &prepared.options, &Places { params, ..PLACES }).into_iter();
    ContainerCreateBody {
        image: Some(prepared.image.reference.clone()),
        entrypoint: Some(words.by_ref().take(1).collect()),
        cmd: Some(words.collect()),
        // All variables come through the shim, so that no image has any. This one Docker sets unless it is
        // named without a value.
        env: Some(vec!["HOSTNAME".to_owned()]),
        user: Some("0:0".to_owned()),
        working_dir: Some("/".to_owned()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        labels: Some(docker.label()),
        host_config: Some(host_config),
        ..ContainerCreateBody::default()
    }
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
