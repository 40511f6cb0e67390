//! Values on their way into a guest and out of it.
//!
//! Both ways follow the type: `list<u8>` is bytes, and a handle is an object. A value that does not fit its type is
//! found before the guest sees it, because a failed lowering would make the instance unusable.

use std::sync::Arc;

use api::{Object, Value};
use wasmtime::StoreContextMut;
use wasmtime::component::types::{Record, Variant};
use wasmtime::component::{ResourceAny, ResourceDynamic, Type, Val};

use crate::home::Handle;
use crate::kinds::{Imported, Kind, Kinds};
use crate::state::State;
use crate::trap::Stop;
use crate::types::type_of;

/// The reason why a value cannot be converted.
#[derive(Debug)]
pub(crate) enum ConvertError {
    /// The value is not of the type. The text says why.
    Mismatch(String),
    /// The call has to end.
    Stop(wasmtime::Error),
}

impl From<wasmtime::Error> for ConvertError {
    fn from(error: wasmtime::Error) -> Self {
        Self::Stop(error)
    }
}

impl From<Stop> for ConvertError {
    fn from(stop: Stop) -> Self {
        Self::Stop(wasmtime::Error::new(stop))
    }
}

impl From<ConvertError> for wasmtime::Error {
    fn from(error: ConvertError) -> Self {
        match error {
            ConvertError::Mismatch(reason) => Self::new(Stop::Contract { message: reason }),
            ConvertError::Stop(error) => error,
        }
    }
}

fn mismatch(kinds: &Kinds, ty: &Type, value: &Value) -> ConvertError {
    ConvertError::Mismatch(format!("it takes a {}, not {}", type_of(kinds, ty), describe(value)))
}

/// Returns the kind of a value, without its contents, which may be long.
fn describe(value: &Value) -> String {
    match value {
        Value::Bool(_) => "a bool".to_owned(),
        Value::S8(n) => format!("the s8 {n}"),
        Value::U8(n) => format!("the u8 {n}"),
        Value::S16(n) => format!("the s16 {n}"),
        Value::U16(n) => format!("the u16 {n}"),
        Value::S32(n) => format!("the s32 {n}"),
        Value::U32(n) => format!("the u32 {n}"),
        Value::S64(n) => format!("the s64 {n}"),
        Value::U64(n) => format!("the u64 {n}"),
        Value::F32(n) => format!("the f32 {n}"),
        Value::F64(n) => format!("the f64 {n}"),
        Value::Char(_) => "a char".to_owned(),
        Value::String(_) => "a string".to_owned(),
        Value::Bytes(_) => "bytes".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Record(_) => "a record".to_owned(),
        Value::Tuple(items) => format!("a tuple of {}", items.len()),
        Value::Variant(case, _) | Value::Enum(case) => format!("the case `{case}`"),
        Value::Flags(_) => "flags".to_owned(),
        Value::Option(_) => "an option".to_owned(),
        Value::Result(_) => "a result".to_owned(),
        Value::Object(object) => format!("a {}", object.name()),
        Value::Kept(_) => "the contents of a file".to_owned(),
    }
}

/// Converts a value for a guest.
pub(crate) fn lower(store: &mut StoreContextMut<'_, State>, ty: &Type, value: Value) -> Result<Val, ConvertError> {
    Ok(match (ty, value) {
        (Type::Bool, Value::Bool(value)) => Val::Bool(value),
        (Type::S8, Value::S8(value)) => Val::S8(value),
        (Type::U8, Value::U8(value)) => Val::U8(value),
        (Type::S16, Value::S16(value)) => Val::S16(value),
        (Type::U16, Value::U16(value)) => Val::U16(value),
        (Type::S32, Value::S32(value)) => Val::S32(value),
        (Type::U32, Value::U32(value)) => Val::U32(value),
        (Type::S64, Value::S64(value)) => Val::S64(value),
        (Type::U64, Value::U64(value)) => Val::U64(value),
        (Type::Float32, Value::F32(value)) => Val::Float32(value),
        (Type::Float64, Value::F64(value)) => Val::Float64(value),
        (Type::Char, Value::Char(value)) => Val::Char(value),
        (Type::String, Value::String(value)) => Val::String(value),
        (Type::List(list), Value::Bytes(bytes)) if list.ty() == Type::U8 => {
            Val::List(bytes.into_iter().map(Val::U8).collect())
        }
        (Type::List(list), Value::List(items)) => Val::List(lower_all(store, std::iter::repeat(list.ty()), items)?),
        (Type::Record(record), Value::Record(fields)) => lower_record(store, record, fields)?,
        (Type::Tuple(tuple), Value::Tuple(items)) if tuple.types().len() == items.len() => {
            Val::Tuple(lower_all(store, tuple.types(), items)?)
        }
        (Type::Variant(variant), Value::Variant(case, payload)) => lower_variant(store, variant, case, payload)?,
        (Type::Enum(cases), Value::Enum(case)) if cases.names().any(|name| name == case) => Val::Enum(case),
        (Type::Flags(flags), Value::Flags(set)) if set.iter().all(|flag| flags.names().any(|name| name == flag)) => {
            Val::Flags(set)
        }
        (Type::Option(_), Value::Option(None)) => Val::Option(None),
        (Type::Option(option), Value::Option(Some(value))) => {
            Val::Option(Some(Box::new(lower(store, &option.ty(), *value)?)))
        }
        (Type::Result(result), Value::Result(Ok(value))) => Val::Result(Ok(lower_case(store, result.ok(), value)?)),
        (Type::Result(result), Value::Result(Err(value))) => Val::Result(Err(lower_case(store, result.err(), value)?)),
        (Type::Own(_) | Type::Borrow(_), Value::Object(object)) => lower_resource(store, ty, object)?,
        (ty, value) => return Err(mismatch(&store.data().kinds, ty, &value)),
    })
}

fn lower_all(
    store: &mut StoreContextMut<'_, State>,
    types: impl Iterator<Item = Type>,
    items: Vec<Value>,
) -> Result<Vec<Val>, ConvertError> {
    types.zip(items).map(|(ty, item)| lower(store, &ty, item)).collect()
}

/// Takes the fields of a record in any order. A missing field is none if its type allows that.
fn lower_record(
    store: &mut StoreContextMut<'_, State>,
    record: &Record,
    mut fields: Vec<(String, Value)>,
) -> Result<Val, ConvertError> {
    let mut vals = Vec::with_capacity(fields.len());
    for field in record.fields() {
        let value = match fields.iter().position(|(name, _)| name == field.name) {
            Some(position) => fields.swap_remove(position).1,
            None if matches!(field.ty, Type::Option(_)) => Value::Option(None),
            None => return Err(ConvertError::Mismatch(format!("the field `{}` is missing", field.name))),
        };
        vals.push((field.name.to_owned(), lower(store, &field.ty, value)?));
    }
    match fields.first() {
        Some((name, _)) => Err(ConvertError::Mismatch(format!("there is no field `{name}`"))),
        None => Ok(Val::Record(vals)),
    }
}

fn lower_variant(
    store: &mut StoreContextMut<'_, State>,
    variant: &Variant,
    name: String,
    payload: Option<Box<Value>>,
) -> Result<Val, ConvertError> {
    let ty = match variant.cases().find(|case| case.name == name) {
        Some(case) => case.ty,
        None => return Err(ConvertError::Mismatch(format!("there is no case `{name}`"))),
    };
    Ok(Val::Variant(name, lower_case(store, ty, payload)?))
}

fn lower_case(
    store: &mut StoreContextMut<'_, State>,
    ty: Option<Type>,
    payload: Option<Box<Value>>,
) -> Result<Option<Box<Val>>, ConvertError> {
    match (ty, payload) {
        (Some(ty), Some(value)) => Ok(Some(Box::new(lower(store, &ty, *value)?))),
        (None, None) => Ok(None),
        // The value of an operation without a result is the empty tuple.
        (None, Some(value)) if value.is_unit() => Ok(None),
        (None, Some(value)) => {
            Err(ConvertError::Mismatch(format!("the case takes no value, not {}", describe(&value))))
        }
        (Some(ty), None) => {
            Err(ConvertError::Mismatch(format!("the case takes a {}", type_of(&store.data().kinds, &ty))))
        }
    }
}

fn lower_resource(store: &mut StoreContextMut<'_, State>, ty: &Type, object: Object) -> Result<Val, ConvertError> {
    let kinds = Arc::clone(&store.data().kinds);
    let (Type::Own(resource) | Type::Borrow(resource)) = ty else { return Err(mismatch(&kinds, ty, &object.into())) };
    match (kinds.find(*resource), &object) {
        (Some(Kind::Own(own)), Object::Custom(custom)) if custom.ty() == own => {
            let handle = Handle::of(custom.as_ref(), store.data().instance.as_ref());
            let handle = handle.ok_or_else(|| lost(&own.name))?;
            let resource = if matches!(ty, Type::Own(_)) { handle.take() } else { handle.lend() };
            resource.map(Val::Resource).ok_or_else(|| given_away(&own.name))
        }
        (Some(Kind::Dependency(imported, ty)), Object::Custom(custom)) if custom.ty() == ty => {
            lower_object(store, imported, object)
        }
        (Some(Kind::Api(imported)), _) if Kind::Api(imported).name() == object.name() => {
            lower_object(store, imported, object)
        }
        _ => Err(mismatch(&kinds, ty, &object.into())),
    }
}

/// A custom object does not outlive the instance that it lives in.
fn lost(name: &str) -> ConvertError {
    ConvertError::Mismatch(format!("the {name} is gone: its module ended with an error after it was made"))
}

fn given_away(name: &str) -> ConvertError {
    let message =
        format!("the {name} was given away by an earlier call, which takes `{name}` and not `borrow<{name}>`");
    ConvertError::Mismatch(message)
}

fn lower_object(
    store: &mut StoreContextMut<'_, State>,
    imported: Imported,
    object: Object,
) -> Result<Val, ConvertError> {
    let state = store.data_mut();
    let rep = state.objects.push(object, state.budget.take_made())?;
    Ok(Val::Resource(ResourceDynamic::new_own(rep, imported.0).try_into_resource_any(store)?))
}

/// Converts a value of a guest.
pub(crate) fn lift(store: &mut StoreContextMut<'_, State>, ty: &Type, val: &Val) -> wasmtime::Result<Value> {
    let kinds = Arc::clone(&store.data().kinds);
    lift_with(&kinds, &mut |ty, resource| take_object(store, &kinds, ty, resource), ty, val)
}

/// Converts a value without objects. Returns none if it contains one.
pub(crate) fn lift_plain(kinds: &Kinds, ty: &Type, val: &Val) -> Option<Value> {
    lift_with(kinds, &mut |_, _| Err(contract("an object")), ty, val).ok()
}

/// Finds the object of a handle. A borrowed handle is given back, too: otherwise the call of the guest could not end.
fn take_object(
    store: &mut StoreContextMut<'_, State>,
    kinds: &Kinds,
    ty: &Type,
    resource: ResourceAny,
) -> wasmtime::Result<Object> {
    if let Type::Own(own) | Type::Borrow(own) = ty
        && let Some(Kind::Own(own)) = kinds.find(*own)
    {
        let handle = store.data().instance.as_ref().map(|home| Handle::make(own.clone(), home, resource));
        return handle.ok_or_else(|| contract(format!("it returned a {}, which lives nowhere", own.name)));
    }
    let resource = resource.try_into_resource_dynamic(&mut *store)?;
    let State { objects, budget, .. } = store.data_mut();
    let found = if resource.owned() { objects.take(resource.rep()) } else { objects.get(resource.rep()) };
    let (object, charge) = found.ok_or_else(|| contract("a handle stands for nothing"))?;
    budget.take(charge);
    Ok(object)
}

type FindObject<'a> = &'a mut dyn FnMut(&Type, ResourceAny) -> wasmtime::Result<Object>;

fn lift_with(kinds: &Kinds, find: FindObject<'_>, ty: &Type, val: &Val) -> wasmtime::Result<Value> {
    Ok(match (ty, val) {
        (_, Val::Bool(value)) => Value::Bool(*value),
        (_, Val::S8(value)) => Value::S8(*value),
        (_, Val::U8(value)) => Value::U8(*value),
        (_, Val::S16(value)) => Value::S16(*value),
        (_, Val::U16(value)) => Value::U16(*value),
        (_, Val::S32(value)) => Value::S32(*value),
        (_, Val::U32(value)) => Value::U32(*value),
        (_, Val::S64(value)) => Value::S64(*value),
        (_, Val::U64(value)) => Value::U64(*value),
        (_, Val::Float32(value)) => Value::F32(*value),
        (_, Val::Float64(value)) => Value::F64(*value),
        (_, Val::Char(value)) => Value::Char(*value),
        (_, Val::String(value)) => Value::String(value.clone()),
        (Type::List(list), Val::List(items)) => match list.ty() {
            Type::U8 => Value::Bytes(items.iter().filter_map(byte).collect()),
            item => Value::List(
                items.iter().map(|val| lift_with(kinds, find, &item, val)).collect::<wasmtime::Result<_>>()?,
            ),
        },
        (Type::Record(record), Val::Record(fields)) => {
            let fields = record.fields().zip(fields);
            let lift = fields.map(|(field, (name, val))| Ok((name.clone(), lift_with(kinds, find, &field.ty, val)?)));
            Value::Record(lift.collect::<wasmtime::Result<_>>()?)
        }
        (Type::Tuple(tuple), Val::Tuple(items)) => {
            let lift = tuple.types().zip(items).map(|(ty, val)| lift_with(kinds, find, &ty, val));
            Value::Tuple(lift.collect::<wasmtime::Result<_>>()?)
        }
        (Type::Variant(variant), Val::Variant(name, payload)) => {
            let ty = variant.cases().find(|case| case.name == name).and_then(|case| case.ty);
            Value::Variant(name.clone(), lift_case(kinds, find, ty, payload.as_deref())?)
        }
        (_, Val::Enum(case)) => Value::Enum(case.clone()),
        (_, Val::Flags(set)) => Value::Flags(set.clone()),
        (Type::Option(option), Val::Option(payload)) => {
            Value::Option(lift_case(kinds, find, Some(option.ty()), payload.as_deref())?)
        }
        (Type::Result(result), Val::Result(Ok(payload))) => {
            Value::Result(Ok(lift_case(kinds, find, result.ok(), payload.as_deref())?))
        }
        (Type::Result(result), Val::Result(Err(payload))) => {
            Value::Result(Err(lift_case(kinds, find, result.err(), payload.as_deref())?))
        }
        (ty, Val::Resource(resource)) => Value::Object(find(ty, *resource)?),
        _ => return Err(contract(format!("a value is not a {}", type_of(kinds, ty)))),
    })
}

fn lift_case(
    kinds: &Kinds,
    find: FindObject<'_>,
    ty: Option<Type>,
    payload: Option<&Val>,
) -> wasmtime::Result<Option<Box<Value>>> {
    match (ty, payload) {
        (Some(ty), Some(val)) => Ok(Some(Box::new(lift_with(kinds, find, &ty, val)?))),
        _ => Ok(None),
    }
}

fn byte(val: &Val) -> Option<u8> {
    match val {
        Val::U8(byte) => Some(*byte),
        _ => None,
    }
}

fn contract(message: impl Into<String>) -> wasmtime::Error {
    wasmtime::Error::new(Stop::Contract { message: message.into() })
}
