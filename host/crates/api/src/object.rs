//! The resources of the WIT package as values.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use graph::{Edge, SecretName};

use crate::container::Container;
use crate::directory::Directory;
use crate::file::File;
use crate::options::{BuildOptions, CopyOptions, ExecOptions, MountOptions, NewOptions, SearchOptions};
use crate::pending::Pending;
use crate::types::CustomType;
use crate::value::Value;

/// A secret: its name, never its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The name under which it was handed over.
    pub name: SecretName,
}

/// A cache volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheVolume {
    /// Equal keys are the same volume.
    pub key: String,
}

/// A container that serves others. Services cannot be started in this version.
#[derive(Debug, Clone)]
pub struct Service {
    /// What is run.
    pub container: Container,
    /// The name that it was given.
    pub hostname: Option<String>,
}

/// A custom object. It lives in an instance of the module that defines it; what is held here is a
/// handle of it.
pub trait CustomObject: Any + fmt::Debug + Send + Sync {
    /// Returns its type.
    fn ty(&self) -> &CustomType;

    /// Returns a number that no other object of this process has.
    fn identity(&self) -> u64;
}

macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident = $wit:literal),* $(,)?) => {
        /// A resource of the WIT package. Cheap to clone.
        #[derive(Debug, Clone)]
        pub enum Object {
            $($(#[$doc])* $name(Arc<$name>),)*
            /// One of these, made when it is needed.
            Pending(Arc<Pending>),
            /// A resource that a module defines.
            Custom(Arc<dyn CustomObject>),
        }

        impl Object {
            /// The names of all resources, as the WIT package has them.
            pub const NAMES: &[&str] = &[$($wit),*];

            /// Returns the resource's name, as the WIT package has it.
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$name(_) => $wit,)*
                    Self::Pending(pending) => pending.makes(),
                    Self::Custom(custom) => &custom.ty().name,
                }
            }
        }

        $(
            impl From<$name> for Value {
                fn from(object: $name) -> Self {
                    Self::Object(Object::$name(Arc::new(object)))
                }
            }

            impl crate::args::FromValue for Arc<$name> {
                const EXPECTED: &'static str = $wit;

                fn from_value(value: Value) -> Option<Self> {
                    match value {
                        Value::Object(Object::$name(object)) => Some(object),
                        _ => None,
                    }
                }
            }
        )*
    };
}

objects! {
    /// `container.container`
    Container = "container",
    /// `directory.directory`
    Directory = "directory",
    /// `file.file`
    File = "file",
    /// `secret.secret`
    Secret = "secret",
    /// `cache.cache-volume`
    CacheVolume = "cache-volume",
    /// `service.service`
    Service = "service",
    /// `container.exec-options`
    ExecOptions = "exec-options",
    /// `container.mount-options`
    MountOptions = "mount-options",
    /// `container.build-options`
    BuildOptions = "build-options",
    /// `directory.copy-options`
    CopyOptions = "copy-options",
    /// `directory.new-options`
    NewOptions = "new-options",
    /// `directory.search-options`
    SearchOptions = "search-options",
}

impl Object {
    /// Returns the edges to evaluate so that everything that was asked of it is done.
    #[must_use]
    pub fn edges(&self) -> Vec<Edge> {
        match self {
            Self::Container(container) => container.edges(),
            Self::Directory(directory) => vec![directory.selection.edge.clone()],
            Self::File(file) => vec![file.selection.edge.clone()],
            _ => Vec::new(),
        }
    }
}
