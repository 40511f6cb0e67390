//! Typed arguments, taken out of values.

use std::sync::Arc;

use graph::Contents;

use crate::value::{Object, Resource, Value};

/// An argument is missing, or its type is not the one in the WIT package.
///
/// Neither a guest nor the command line can cause this error: both are checked against the package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("argument {position} is not a {expected}")]
pub struct ArgumentError {
    position: usize,
    expected: &'static str,
}

/// The arguments of a call. They are taken one after the other.
pub struct Args {
    values: std::vec::IntoIter<Value>,
    position: usize,
}

/// A type that an argument can have.
pub(crate) trait FromValue: Sized {
    /// The name of the type in WIT.
    const EXPECTED: &'static str;

    /// Returns the value if it is of this type.
    fn from_value(value: Value) -> Option<Self>;
}

impl Args {
    /// Takes the arguments of a call. The first argument of a method is its object.
    #[must_use]
    pub fn new(values: Vec<Value>) -> Self {
        Self { values: values.into_iter(), position: 0 }
    }

    /// Takes the next argument.
    pub(crate) fn next<T: FromValue>(&mut self) -> Result<T, ArgumentError> {
        let position = self.position;
        self.position += 1;
        self.values.next().and_then(T::from_value).ok_or(ArgumentError { position, expected: T::EXPECTED })
    }
}

macro_rules! from_value {
    ($($type:ty = $wit:literal: $pattern:pat => $value:expr),* $(,)?) => {
        $(impl FromValue for $type {
            const EXPECTED: &'static str = $wit;

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    $pattern => Some($value),
                    _ => None,
                }
            }
        })*
    };
}

from_value! {
    bool = "bool": Value::Bool(value) => value,
    u16 = "u16": Value::U16(value) => value,
    u32 = "u32": Value::U32(value) => value,
    u64 = "u64": Value::U64(value) => value,
    String = "string": Value::String(value) => value,
    EnumCase = "enum": Value::Enum(case) => EnumCase(case),
}

/// The case of an enum.
pub(crate) struct EnumCase(pub(crate) String);

impl FromValue for Contents {
    const EXPECTED: &'static str = "string or list<u8>";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(text.as_str().into()),
            Value::Bytes(bytes) => Some(bytes.into()),
            Value::Kept(contents) => Some(contents),
            Value::List(items) if items.is_empty() => Some(Vec::new().into()),
            _ => None,
        }
    }
}

impl FromValue for i32 {
    const EXPECTED: &'static str = "s32";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::S32(value) => Some(value),
            _ => None,
        }
    }
}

impl<T: Resource> FromValue for Arc<T>
where
    Self: TryFrom<Object>,
{
    const EXPECTED: &'static str = T::NAME;

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Object(object) => Self::try_from(object).ok(),
            _ => None,
        }
    }
}

/// A list of any type but bytes.
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: FromValue> FromValue for List<T> {
    const EXPECTED: &'static str = "list";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::List(items) => items.into_iter().map(T::from_value).collect::<Option<Vec<T>>>().map(Self),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const EXPECTED: &'static str = "option";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Option(None) => Some(None),
            Value::Option(Some(value)) => T::from_value(*value).map(Some),
            _ => None,
        }
    }
}
