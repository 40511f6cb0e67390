//! Configurations of images, between the words of OCI and those of definitions.

use graph::{ImageConfig, Platform};
use oci::image::{ConfigFile, ContainerConfig, Empty};

/// Returns what an image runs on.
pub(super) fn platform(file: &ConfigFile) -> Platform {
    Platform { os: file.os.clone(), architecture: file.architecture.clone(), variant: file.variant.clone() }
}

/// Returns what commands take from an image.
pub(super) fn from_file(file: &ConfigFile) -> ImageConfig {
    let ContainerConfig {
        user,
        exposed_ports,
        env,
        entrypoint,
        cmd,
        volumes,
        working_dir,
        labels,
        stop_signal,
        healthcheck,
    } = &file.config;
    let pair = |text: &String| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    ImageConfig {
        // A variable without a value is one that `docker run` would take from its caller.
        env: env.iter().filter_map(pair).collect(),
        entrypoint: entrypoint.clone(),
        default_args: cmd.clone(),
        user: user.clone(),
        workdir: working_dir.clone(),
        labels: labels.clone(),
        ports: exposed_ports.keys().cloned().collect(),
        volumes: volumes.keys().cloned().collect(),
        stop_signal: stop_signal.clone(),
        healthcheck: healthcheck.as_ref().map(ToString::to_string),
    }
}

/// Returns the configuration of an image that is made; its layers are to be added.
pub(super) fn to_file(config: &ImageConfig, platform: &Platform) -> ConfigFile {
    let ImageConfig { env, entrypoint, default_args, user, workdir, labels, ports, volumes, stop_signal, healthcheck } =
        config;
    let set = |names: &std::collections::BTreeSet<String>| names.iter().map(|name| (name.clone(), Empty {})).collect();
    ConfigFile {
        architecture: platform.architecture.clone(),
        os: platform.os.clone(),
        variant: platform.variant.clone(),
        config: ContainerConfig {
            user: user.clone(),
            exposed_ports: set(ports),
            env: env.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            entrypoint: entrypoint.clone(),
            cmd: default_args.clone(),
            volumes: set(volumes),
            working_dir: workdir.clone(),
            labels: labels.clone(),
            stop_signal: stop_signal.clone(),
            healthcheck: healthcheck.as_ref().and_then(|text| serde_json::from_str(text).ok()),
        },
        ..ConfigFile::default()
    }
}
