//! Values that cross between guests, the command line and the engine.

use crate::object::Object;

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
