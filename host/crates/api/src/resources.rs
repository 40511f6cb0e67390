//! Resources that are little more than a name.

use graph::SecretName;

use crate::container::Container;

/// A secret. It has the name of the secret and never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The name that the secret was handed over with.
    pub name: SecretName,
}

/// A cache volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheVolume {
    /// The key of the volume. Equal keys are the same volume.
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
