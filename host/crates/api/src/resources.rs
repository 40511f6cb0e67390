//! Resources that are not much more than a name.

use graph::SecretName;

use crate::container::Container;

/// A secret: its name, never its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The name under which it was handed over.
    pub name: SecretName,
}

/// A cache volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheVolume {
    /// The key of the volume: equal keys are the same volume.
    pub key: String,
}

/// A container that serves others. Services cannot be started in this version.
#[derive(Debug, Clone)]
pub struct Service {
    /// The container that is run.
    pub container: Container,
    /// The host name that it was given.
    pub hostname: Option<String>,
}
