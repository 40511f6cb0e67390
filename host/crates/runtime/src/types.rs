//! From wasmtime's types to the types of `api`.

use api::Type;
use wasmtime::component::Type as WasmType;

use crate::kinds::{Kind, Kinds, object_name};

/// Translates a type of a component whose imports are linked.
pub(crate) fn type_of(kinds: &Kinds, ty: &WasmType) -> Type {
    let type_of = |ty: &WasmType| type_of(kinds, ty);
    let boxed = |ty: WasmType| Box::new(type_of(&ty));
    match ty {
        WasmType::Bool => Type::Bool,
        WasmType::S8 => Type::S8,
        WasmType::U8 => Type::U8,
        WasmType::S16 => Type::S16,
        WasmType::U16 => Type::U16,
        WasmType::S32 => Type::S32,
        WasmType::U32 => Type::U32,
        WasmType::S64 => Type::S64,
        WasmType::U64 => Type::U64,
        WasmType::Float32 => Type::F32,
        WasmType::Float64 => Type::F64,
        WasmType::Char => Type::Char,
        WasmType::String => Type::String,
        WasmType::List(list) => Type::List(boxed(list.ty())),
        WasmType::Record(record) => {
            Type::Record(record.fields().map(|field| (field.name.to_owned(), type_of(&field.ty))).collect())
        }
        WasmType::Tuple(tuple) => Type::Tuple(tuple.types().map(|ty| type_of(&ty)).collect()),
        WasmType::Variant(variant) => {
            Type::Variant(variant.cases().map(|case| (case.name.to_owned(), case.ty.as_ref().map(&type_of))).collect())
        }
        WasmType::Enum(cases) => Type::Enum(cases.names().map(str::to_owned).collect()),
        WasmType::Flags(flags) => Type::Flags(flags.names().map(str::to_owned).collect()),
        WasmType::Option(option) => Type::Option(boxed(option.ty())),
        WasmType::Result(result) => Type::Result(result.ok().map(boxed), result.err().map(boxed)),
        WasmType::Own(resource) | WasmType::Borrow(resource) => match kinds.find(*resource) {
            Some(Kind::Api(imported)) => Type::Object(object_name(imported.0).to_owned()),
            Some(Kind::Dependency(_, ty) | Kind::Own(ty)) => Type::Custom(ty.clone()),
            None => Type::Other("a resource of another package".to_owned()),
        },
        WasmType::Map(_) => Type::Other("a map".to_owned()),
        WasmType::Future(_) => Type::Other("a future".to_owned()),
        WasmType::Stream(_) => Type::Other("a stream".to_owned()),
        WasmType::ErrorContext => Type::Other("an error context".to_owned()),
        WasmType::FixedLengthList(_) => Type::Other("a list of fixed length".to_owned()),
    }
}

/// Returns whether an object is in a type.
pub(crate) fn has_object(ty: &Type) -> bool {
    ty.find(&|ty| matches!(ty, Type::Object(_) | Type::Custom(_))).is_some()
}

/// Returns whether a type contains a resource that the component itself defines.
pub(crate) fn has_own(kinds: &Kinds, ty: &WasmType) -> bool {
    let any = |ty: Option<WasmType>| ty.is_some_and(|ty| has_own(kinds, &ty));
    match ty {
        WasmType::Own(resource) | WasmType::Borrow(resource) => matches!(kinds.find(*resource), Some(Kind::Own(_))),
        WasmType::List(list) => has_own(kinds, &list.ty()),
        WasmType::Option(option) => has_own(kinds, &option.ty()),
        WasmType::Record(record) => record.fields().any(|field| has_own(kinds, &field.ty)),
        WasmType::Tuple(tuple) => tuple.types().any(|ty| has_own(kinds, &ty)),
        WasmType::Variant(variant) => variant.cases().any(|case| any(case.ty)),
        WasmType::Result(result) => any(result.ok()) || any(result.err()),
        _ => false,
    }
}
