//! The identity of a container: a hash of all its parts.

use graph::{KeyHasher, SecretName};

use super::{Config, Container, ContainerMount, MountSource, Port};

impl Container {
    /// Returns the digest of the container's definition: of its files, its configuration and its mounts.
    #[must_use]
    pub fn id(&self) -> String {
        let mut hasher = KeyHasher::new("container/2");
        self.hash_into(&mut hasher);
        hasher.definition().to_string()
    }

    // Here and below there is no `..`: a new field does not compile until someone decides whether it is part of the
    // identity.
    fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { platform, rootfs, config, mounts, last_exec, image_ref } = self;
        hasher.text(&platform.to_string());
        rootfs.hash_into(hasher);
        config.hash_into(hasher);
        hasher.list(mounts.iter(), |h, mount| mount.hash_into(h));
        hasher.option(last_exec.as_ref(), |h, exec| exec.hash_into(h));
        // The reference of the image is valid only while the id is the one that is kept with it.
        let _ = image_ref;
    }
}

impl Config {
    fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self {
            env,
            volatile_env,
            secret_env,
            workdir,
            user,
            entrypoint,
            default_args,
            labels,
            annotations,
            ports,
            volumes,
            stop_signal,
            healthcheck,
        } = self;
        hasher.list(env.entries().into_iter(), |h, (name, value)| pair(h, name, value));
        hasher.list(volatile_env.sorted().into_iter(), |h, (name, value)| pair(h, name, value));
        hasher.list(secret_env.iter(), |h, (name, SecretName(secret))| pair(h, name, secret));
        hasher.text(workdir.as_str());
        hasher.option(user.as_deref(), KeyHasher::text);
        for texts in [entrypoint, default_args] {
            hasher.list(texts.iter(), |h, text| h.text(text));
        }
        for pairs in [labels, annotations] {
            hasher.list(pairs.sorted().into_iter(), |h, (name, value)| pair(h, name, value));
        }
        hasher.list(ports.iter(), |h, Port { number, protocol }| {
            h.number(u64::from(*number));
            h.text(protocol);
        });
        hasher.list(volumes.iter(), |h, volume| h.text(volume));
        hasher.option(stop_signal.as_deref(), KeyHasher::text);
        hasher.option(healthcheck.as_deref(), KeyHasher::text);
    }
}

impl ContainerMount {
    fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { path, source } = self;
        hasher.text(path.as_str());
        source.hash_into(hasher);
    }
}

impl MountSource {
    fn hash_into(&self, hasher: &mut KeyHasher) {
        match self {
            Self::Directory { selection, read_only, owner } => {
                hasher.text("directory");
                selection.hash_into(hasher);
                hasher.flag(*read_only);
                hasher.option(owner.as_deref(), KeyHasher::text);
            }
            Self::File { selection, owner } => {
                hasher.text("file");
                selection.hash_into(hasher);
                hasher.option(owner.as_deref(), KeyHasher::text);
            }
            Self::Cache { key, sharing, owner, seed } => {
                hasher.text("cache");
                hasher.text(key);
                sharing.hash_into(hasher);
                hasher.option(owner.as_deref(), KeyHasher::text);
                hasher.option(seed.as_ref(), |h, seed| seed.hash_into(h));
            }
            Self::Secret { name: SecretName(name), owner, mode } => {
                hasher.text("secret");
                hasher.text(name);
                hasher.option(owner.as_deref(), KeyHasher::text);
                hasher.number(u64::from(*mode));
            }
            Self::Temp { size_bytes, mode } => {
                hasher.text("temp");
                hasher.option(*size_bytes, KeyHasher::number);
                hasher.number(u64::from(*mode));
            }
        }
    }
}

fn pair(hasher: &mut KeyHasher, name: &str, value: &str) {
    hasher.text(name);
    hasher.text(value);
}
