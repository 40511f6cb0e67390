//! Values that cross between guests, the command line and the engine, and the objects in them.
//!
//! They are in one file because they are made of each other: a value may be an object, and an object that is not made
//! yet keeps the values that it will be made of.

use std::any::Any;
use std::sync::Arc;
use std::{fmt, mem};

use backend::Failure;
use futures::future::BoxFuture;
use graph::Edge;
use tokio::sync::OnceCell;

use crate::container::Container;
use crate::directory::Directory;
use crate::file::File;
use crate::options::{BuildOptions, CopyOptions, ExecOptions, MountOptions, NewOptions, SearchOptions};
use crate::resources::{CacheVolume, Secret, Service};
use crate::types::CustomType;

/// A value of any WIT type, independent of any store: objects in it are what they stand for.
#[derive(Debug, Clone)]
pub enum Value {
    /// `bool`
    Bool(bool),
    /// `s8`
    S8(i8),
    /// `u8`
    U8(u8),
    /// `s16`
    S16(i16),
    /// `u16`
    U16(u16),
    /// `s32`
    S32(i32),
    /// `u32`
    U32(u32),
    /// `s64`
    S64(i64),
    /// `u64`
    U64(u64),
    /// `f32`
    F32(f32),
    /// `f64`
    F64(f64),
    /// `char`
    Char(char),
    /// `string`
    String(String),
    /// `list<u8>`
    Bytes(Vec<u8>),
    /// `list<T>` of anything else
    List(Vec<Self>),
    /// `record`: fields in the order of the type
    Record(Vec<(String, Self)>),
    /// `tuple<...>`
    Tuple(Vec<Self>),
    /// `variant`
    Variant(String, Option<Box<Self>>),
    /// `enum`
    Enum(String),
    /// `flags`
    Flags(Vec<String>),
    /// `option<T>`
    Option(Option<Box<Self>>),
    /// `result<T, E>`
    Result(Result<Option<Box<Self>>, Option<Box<Self>>>),
    /// A resource.
    Object(Object),
}

impl Value {
    /// The value of a function without a result.
    #[must_use]
    pub const fn unit() -> Self {
        Self::Tuple(Vec::new())
    }

    /// Returns whether it is the value of a function without a result.
    #[must_use]
    pub fn is_unit(&self) -> bool {
        matches!(self, Self::Tuple(items) if items.is_empty())
    }

    /// Makes a list of pairs of texts.
    pub fn pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::List(pairs.into_iter().map(|(a, b)| Self::Tuple(vec![Self::String(a), Self::String(b)])).collect())
    }
}

/// A custom object. It lives in an instance of the module that defines it; a value holds a handle of it.
pub trait CustomObject: Any + fmt::Debug + Send + Sync {
    /// Returns its type.
    fn ty(&self) -> &CustomType;

    /// Returns a number that no other object of this process has.
    fn identity(&self) -> u64;
}

/// A resource of the WIT package.
pub(crate) trait Resource {
    /// Its name in WIT.
    const NAME: &'static str;
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
            impl Resource for $name {
                const NAME: &'static str = $wit;
            }

            impl From<$name> for Value {
                fn from(object: $name) -> Self {
                    Self::Object(Object::$name(Arc::new(object)))
                }
            }

            impl TryFrom<Object> for Arc<$name> {
                type Error = Object;

                fn try_from(object: Object) -> Result<Self, Object> {
                    match object {
                        Object::$name(object) => Ok(object),
                        other => Err(other),
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

/// Makes an object by calling a function of a module. Called again if nobody waited for the end.
pub type Making = Arc<dyn Fn() -> BoxFuture<'static, Result<Value, Failure>> + Send + Sync>;

/// The way in which a pending object is made.
pub(crate) enum Recipe {
    /// A method of the table is called with these arguments.
    Method {
        method: &'static str,
        args: Vec<Value>,
        /// The function that called the method.
        caller: Option<Arc<str>>,
    },
    /// A function of a module is called.
    Call { function: Arc<str>, making: Making },
}

/// An object that is made when it is needed, once.
pub struct Pending {
    pub(crate) makes: &'static str,
    pub(crate) recipe: Recipe,
    pub(crate) name: Arc<str>,
    pub(crate) id: String,
    pub(crate) made: OnceCell<Object>,
}

impl Pending {
    /// Returns the name of the resource that it will be.
    #[must_use]
    pub fn makes(&self) -> &'static str {
        self.makes
    }

    /// Returns the digest of its definition.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the method or the function that makes it.
    pub(crate) fn maker(&self) -> &str {
        match &self.recipe {
            Recipe::Method { method, .. } => method,
            Recipe::Call { function, .. } => function,
        }
    }

    /// Returns the values that it is made of. The arguments of a call belong to the call: they may stay pending.
    pub(crate) fn args(&self) -> &[Value] {
        match &self.recipe {
            Recipe::Method { args, .. } => args,
            Recipe::Call { .. } => &[],
        }
    }

    fn take_args(&mut self) -> Vec<Value> {
        match &mut self.recipe {
            Recipe::Method { args, .. } => mem::take(args),
            Recipe::Call { .. } => Vec::new(),
        }
    }
}

impl Drop for Pending {
    /// Frees what only this object needs without recursion: a chain may be longer than the stack is deep.
    fn drop(&mut self) {
        let mut values = self.take_args();
        while let Some(value) = values.pop() {
            match value {
                Value::Object(Object::Pending(pending)) => {
                    if let Some(mut pending) = Arc::into_inner(pending) {
                        values.append(&mut pending.take_args());
                    }
                }
                Value::List(items) => values.extend(items),
                Value::Option(Some(value)) => values.push(*value),
                _ => {}
            }
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending({} {})", self.maker(), self.id)
    }
}

macro_rules! value_from {
    ($($type:ty => $variant:ident),* $(,)?) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        })*
    };
}

value_from!(bool => Bool, u32 => U32, u64 => U64, i32 => S32, String => String, Vec<u8> => Bytes, Object => Object);

impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Self {
        Self::List(texts.into_iter().map(Self::String).collect())
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Option(text.map(|text| Box::new(Self::String(text))))
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::unit()
    }
}
