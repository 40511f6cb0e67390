//! Conversions of Rust values to arguments of the package.

use api::Value;

/// A value that can be an argument of a function of the package.
pub trait Arg {
    /// Converts it to a value of the package.
    fn value(self) -> Value;
}

macro_rules! args {
    ($($type:ty: $self:ident => $value:expr),* $(,)?) => {
        $(impl Arg for $type {
            fn value($self) -> Value {
                $value
            }
        })*
    };
}

args! {
    &str: self => Value::String(self.to_owned()),
    &String: self => Value::String(self.clone()),
    bool: self => Value::Bool(self),
    u16: self => Value::U16(self),
    u32: self => Value::U32(self),
    u64: self => Value::U64(self),
    &[u8]: self => Value::Bytes(self.to_vec()),
    &[&str]: self => Value::List(self.iter().map(|text| text.value()).collect()),
    &[i32]: self => Value::List(self.iter().map(|code| Value::S32(*code)).collect()),
    Option<&str>: self => Value::Option(self.map(|text| Box::new(text.value()))),
}

/// A case of an enum, by its name in the WIT package.
#[derive(Debug, Clone, Copy)]
pub struct Case(pub &'static str);

impl Arg for Case {
    fn value(self) -> Value {
        Value::Enum(self.0.to_owned())
    }
}
