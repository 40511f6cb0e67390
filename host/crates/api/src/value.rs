//! Values that cross between guests, the command line and the engine, and the objects in them.
//!
//! They are in one file because they contain each other: a value may be an object, and an object that is not made yet
//! keeps the values that it will be made of.

use std::any::Any;
use std::sync::Arc;
use std::{fmt, mem};

use engine::Failure;
use futures::future::BoxFuture;
use graph::{Contents, Edge};
use tokio::sync::OnceCell;

use crate::container::Container;
use crate::directory::Directory;
use crate::file::File;
use crate::options::{BuildOptions, CopyOptions, ExecOptions, MountOptions, NewOptions, SearchOptions};
use crate::origins::Caller;
use crate::resources::{CacheVolume, Secret, Service};
use crate::types::CustomType;

/// A value of any WIT type. It belongs to no instance: an object in it stands for itself.
#[derive(Debug, Clone)]
pub enum Value {
    /// A value of type `bool`.
    Bool(bool),
    /// A value of type `s8`.
    S8(i8),
    /// A value of type `u8`.
    U8(u8),
    /// A value of type `s16`.
    S16(i16),
    /// A value of type `u16`.
    U16(u16),
    /// A value of type `s32`.
    S32(i32),
    /// A value of type `u32`.
    U32(u32),
    /// A value of type `s64`.
    S64(i64),
    /// A value of type `u64`.
    U64(u64),
    /// A value of type `f32`.
    F32(f32),
    /// A value of type `f64`.
    F64(f64),
    /// A value of type `char`.
    Char(char),
    /// A value of type `string`.
    String(String),
    /// A value of type `list<u8>`.
    Bytes(Vec<u8>),
    /// A value of type `list<T>`, for any other item type.
    List(Vec<Self>),
    /// A record, with its fields in the order of the type.
    Record(Vec<(String, Self)>),
    /// A value of type `tuple<...>`.
    Tuple(Vec<Self>),
    /// A variant: the name of the case, and its value if it has one.
    Variant(String, Option<Box<Self>>),
    /// The name of the case of an enum.
    Enum(String),
    /// The names of the flags that are set.
    Flags(Vec<String>),
    /// A value of type `option<T>`.
    Option(Option<Box<Self>>),
    /// A value of type `result<T, E>`.
    Result(Result<Option<Box<Self>>, Option<Box<Self>>>),
    /// An object: a resource.
    Object(Object),
    /// The contents of a file that are in the store: a `string` or a `list<u8>` for the methods that make files.
    Kept(Contents),
}

impl Value {
    /// Returns the value of a function without a result.
    #[must_use]
    pub const fn unit() -> Self {
        Self::Tuple(Vec::new())
    }

    /// Returns whether this is the value of a function without a result.
    #[must_use]
    pub fn is_unit(&self) -> bool {
        matches!(self, Self::Tuple(items) if items.is_empty())
    }

    /// Makes a list of pairs of texts.
    pub fn pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::List(pairs.into_iter().map(|(a, b)| Self::Tuple(vec![Self::String(a), Self::String(b)])).collect())
    }
}

/// A custom object. The object lives in an instance of the module that defines it; this is a handle.
pub trait CustomObject: Any + fmt::Debug + Send + Sync {
    /// Returns the type of the object.
    fn ty(&self) -> &CustomType;

    /// Returns a number that no other object of this process has.
    fn identity(&self) -> u64;
}

/// A resource of the WIT package.
pub(crate) trait Resource {
    /// The name of the resource in WIT.
    const NAME: &'static str;
}

macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident = $wit:literal),* $(,)?) => {
        /// An object: a resource of the WIT package, or of a module. It is cheap to clone.
        #[derive(Debug, Clone)]
        pub enum Object {
            $($(#[$doc])* $name(Arc<$name>),)*
            /// A resource of the WIT package that is made when it is needed.
            Pending(Arc<Pending>),
            /// A resource that a module defines.
            Custom(Arc<dyn CustomObject>),
        }

        impl Object {
            /// The names of all resources of the WIT package.
            pub const NAMES: &[&str] = &[$($wit),*];

            /// Returns the name of the resource, as the WIT package has it.
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
    /// The resource `container.container`.
    Container = "container",
    /// The resource `directory.directory`.
    Directory = "directory",
    /// The resource `file.file`.
    File = "file",
    /// The resource `secret.secret`.
    Secret = "secret",
    /// The resource `cache.cache-volume`.
    CacheVolume = "cache-volume",
    /// The resource `service.service`.
    Service = "service",
    /// The resource `container.exec-options`.
    ExecOptions = "exec-options",
    /// The resource `container.mount-options`.
    MountOptions = "mount-options",
    /// The resource `container.build-options`.
    BuildOptions = "build-options",
    /// The resource `directory.copy-options`.
    CopyOptions = "copy-options",
    /// The resource `directory.new-options`.
    NewOptions = "new-options",
    /// The resource `directory.search-options`.
    SearchOptions = "search-options",
}

impl Object {
    /// Returns the edges whose evaluation does everything that was asked of the object.
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

/// Makes an object by calling a function of a module. It is called again if nobody waited for the end of the last
/// call.
pub type Making = Arc<dyn Fn() -> BoxFuture<'static, Result<Value, Failure>> + Send + Sync>;

/// The way in which a pending object is made.
pub(crate) enum Recipe {
    /// A method of the table is called with these arguments.
    Method {
        method: &'static str,
        args: Vec<Value>,
        /// The function that called the method.
        caller: Option<Arc<Caller>>,
    },
    /// A function of a module is called.
    Call { function: Arc<str>, making: Making },
}

/// An object that is made when it is needed, and only once.
pub struct Pending {
    pub(crate) makes: &'static str,
    pub(crate) recipe: Recipe,
    pub(crate) name: Arc<str>,
    pub(crate) id: String,
    pub(crate) made: OnceCell<Object>,
}

impl Pending {
    /// Returns the name of the resource that the object will be.
    #[must_use]
    pub fn makes(&self) -> &'static str {
        self.makes
    }

    /// Returns the digest of the object's definition.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the method or the function that makes the object.
    pub(crate) fn maker(&self) -> &str {
        match &self.recipe {
            Recipe::Method { method, .. } => method,
            Recipe::Call { function, .. } => function,
        }
    }

    /// Returns the values that the object is made of. The arguments of a call belong to the call and may stay pending.
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
    /// Frees the objects that only this one needs, without recursion: a chain may be longer than the stack is deep.
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
