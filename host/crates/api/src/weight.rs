//! How much memory the host keeps for the objects of a function.
//!
//! An object shares most of what it has with the objects that it was made of. Only what is its own is weighed: the
//! vertices that its method added, the changes of its configuration, and the lists and texts that were copied.

use graph::{DefinitionDigest, Edge, KeyHasher, Pairs};

use crate::container::{Config, Container, ContainerMount, MountSource};
use crate::identity::add_object;
use crate::value::{Object, Value};

/// The bytes that an object, a vertex or an item of a list takes besides its texts.
const ITEM_BYTES: u64 = 64;
const OBJECT_BYTES: u64 = 512;

/// The memory that a call of a method costs the host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// The bytes that are kept as long as the object that was made, or one that was made of it.
    pub object_bytes: u64,
    /// The bytes that are kept until the end of the run.
    pub run_bytes: u64,
}

/// Returns the bytes of all texts in values, and of the lists that they are in. Objects are not counted.
#[must_use]
pub fn text_bytes(values: &[Value]) -> u64 {
    values.iter().map(text_bytes_of).sum()
}

fn text_bytes_of(value: &Value) -> u64 {
    let boxed = |value: &Option<Box<Value>>| value.as_deref().map_or(0, text_bytes_of);
    let list = |items: &[Value]| text_bytes(items) + ITEM_BYTES * items.len() as u64;
    match value {
        Value::String(text) | Value::Enum(text) => text.len() as u64,
        Value::Bytes(bytes) => bytes.len() as u64,
        Value::Kept(contents) => contents.n_bytes_kept(),
        Value::List(items) | Value::Tuple(items) => list(items),
        Value::Record(fields) => {
            fields.iter().map(|(name, value)| name.len() as u64 + ITEM_BYTES + text_bytes_of(value)).sum()
        }
        Value::Variant(case, value) => case.len() as u64 + boxed(value),
        Value::Flags(names) => names.iter().map(|name| name.len() as u64 + ITEM_BYTES).sum(),
        Value::Option(value) | Value::Result(Ok(value) | Err(value)) => boxed(value),
        _ => 0,
    }
}

/// The arguments of a method, as far as they decide what its result shares with them. While it is there, what the
/// arguments have is shared.
pub(crate) struct Origin {
    texts: u64,
    n_items: usize,
    objects: Vec<Object>,
    vertices: Vec<DefinitionDigest>,
    pairs_bytes: u64,
}

impl Origin {
    pub(crate) fn of(args: &[Value]) -> Self {
        let mut origin =
            Self { texts: text_bytes(args), n_items: 0, objects: Vec::new(), vertices: Vec::new(), pairs_bytes: 0 };
        args.iter().for_each(|arg| origin.add(arg));
        origin
    }

    fn add(&mut self, value: &Value) {
        match value {
            Value::Object(object) => self.add_object(object),
            Value::Option(Some(value)) => self.add(value),
            Value::List(items) => {
                self.n_items += items.len();
                items.iter().for_each(|item| self.add(item));
            }
            _ => {}
        }
    }

    fn add_object(&mut self, object: &Object) {
        match object {
            Object::Container(container) => self.add_container(container),
            Object::Service(service) => self.add_container(&service.container),
            object => self.vertices.extend(object.edges().iter().map(|edge| edge.vertex.digest())),
        }
        self.objects.push(object.clone());
    }

    fn add_container(&mut self, container: &Container) {
        let edges = container.edges().into_iter().chain(container.last_exec.clone());
        self.vertices.extend(edges.map(|edge| edge.vertex.digest()));
        self.pairs_bytes = self.pairs_bytes.max(pairs_bytes(&container.config));
    }

    /// Returns the bytes that the host keeps for a value that was made of the arguments.
    pub(crate) fn bytes_of(&self, made: &Value) -> u64 {
        match made {
            Value::Object(object) => OBJECT_BYTES + self.object_bytes(object),
            _ => 0,
        }
    }

    fn object_bytes(&self, object: &Object) -> u64 {
        match object {
            Object::Container(container) => self.container_bytes(container),
            Object::Service(service) => self.container_bytes(&service.container),
            Object::Directory(directory) => {
                text(directory.selection.path.as_str()) + self.vertex_bytes(&directory.selection.edge)
            }
            Object::File(file) => {
                text(file.selection.path.as_str()) + text(&file.name) + self.vertex_bytes(&file.selection.edge)
            }
            // It keeps its arguments, and a name that is a part of them.
            Object::Pending(_) => 2 * self.texts,
            Object::Custom(_) => 0,
            options => hashed(|hasher| add_object(hasher, options)),
        }
    }

    /// Returns the bytes of the vertices that the method added: as many as its list has items, or one.
    fn vertex_bytes(&self, edge: &Edge) -> u64 {
        let chain = std::iter::successors(Some(edge), |edge| Some(&edge.vertex.inputs().first()?.edge));
        let chain = chain.take(self.n_items + 1);
        let added = chain.take_while(|edge| !self.vertices.contains(&edge.vertex.digest()));
        added.map(|edge| OBJECT_BYTES + edge.vertex.n_bytes()).sum()
    }

    fn container_bytes(&self, container: &Container) -> u64 {
        let Container { platform, rootfs, config, mounts, last_exec: _, image_ref } = container;
        let image = image_ref.as_ref().map_or(0, |(reference, id)| text(reference) + text(id));
        let mounts = own(mounts, |mounts| mounts.iter().map(mount_bytes).sum());
        let changed = pairs_bytes(config).saturating_sub(self.pairs_bytes);
        text(&platform.to_string()) + image + self.vertex_bytes(&rootfs.edge) + mounts + config_bytes(config) + changed
    }
}

fn text(text: &str) -> u64 {
    text.len() as u64
}

/// Returns the bytes of something that may be shared, if nobody else has it.
fn own<T: ?Sized>(shared: &std::sync::Arc<T>, n_bytes: impl FnOnce(&T) -> u64) -> u64 {
    if std::sync::Arc::strong_count(shared) == 1 { n_bytes(shared) } else { 0 }
}

fn pairs_bytes(config: &Config) -> u64 {
    [&config.env, &config.volatile_env, &config.labels, &config.annotations].map(Pairs::n_bytes).iter().sum()
}

/// Returns the bytes of a configuration but for its pairs. There is no `..`: a new field does not compile until someone
/// decides how it is weighed.
fn config_bytes(config: &Config) -> u64 {
    let Config {
        env: _,
        volatile_env: _,
        labels: _,
        annotations: _,
        secret_env,
        workdir,
        user,
        entrypoint,
        default_args,
        ports,
        volumes,
        stop_signal,
        healthcheck,
    } = config;
    let texts = |texts: &[String]| texts.iter().map(|item| text(item) + ITEM_BYTES).sum::<u64>();
    own(secret_env, |pairs| pairs.iter().map(|(name, secret)| text(name) + text(&secret.0) + ITEM_BYTES).sum())
        + text(workdir.as_str())
        + [user, stop_signal, healthcheck].into_iter().flatten().map(|item| text(item)).sum::<u64>()
        + own(entrypoint, texts)
        + own(default_args, texts)
        + own(ports, |ports| ITEM_BYTES * ports.len() as u64)
        + own(volumes, |volumes| volumes.iter().map(|volume| text(volume) + ITEM_BYTES).sum())
}

fn mount_bytes(mount: &ContainerMount) -> u64 {
    let texts = match &mount.source {
        MountSource::Directory { selection, owner, .. } | MountSource::File { selection, owner } => {
            text(selection.path.as_str()) + owner.as_deref().map_or(0, text)
        }
        MountSource::Cache { key, owner, seed, .. } => {
            let seed = seed.as_ref().map_or(0, |seed| text(seed.path.as_str()));
            text(key) + owner.as_deref().map_or(0, text) + seed
        }
        MountSource::Secret { name, owner, .. } => text(&name.0) + owner.as_deref().map_or(0, text),
        MountSource::Temp { .. } => 0,
    };
    text(mount.path.as_str()) + texts + 2 * ITEM_BYTES
}

/// Returns how many bytes are hashed: all texts, and a few bytes for everything else.
fn hashed(add: impl FnOnce(&mut KeyHasher)) -> u64 {
    let mut hasher = KeyHasher::new("weight");
    add(&mut hasher);
    hasher.n_bytes()
}

#[cfg(test)]
mod tests;
