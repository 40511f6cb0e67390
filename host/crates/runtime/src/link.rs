//! The imports of a component and their definitions.
//!
//! The functions of `pipeline:api` are defined one by one, with the types of the component's own imports.
//! [`api::find`] finds each of them. Resources are numbers in the table of the call.

use std::sync::Arc;

use api::{Container, CustomType, Directory, File, Function, Object, Service, Value};
use engine::FailureCode;
use graph::{FailOp, Op, Selection};
use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem};
use wasmtime::component::{LinkerInstance, ResourceType, Type, Val};
use wasmtime::{Engine, StoreContextMut};

use crate::budget::{CONTENTS, check_texts};
use crate::bulk;
use crate::failure::{error_fields, error_value, planned};
use crate::kinds::{Imported, Kinds, name_index, object_name};
use crate::method::{kept, make, readable};
use crate::state::State;
use crate::time::Waiting;
use crate::trap::Stop;
use crate::values::{lift, lower};

/// The name of the host's package.
pub(crate) const PACKAGE: &str = "pipeline:api";

/// The interfaces of the host's package.
pub(crate) const INTERFACES: &[&str] = &[
    "cache",
    "container",
    "directory",
    "effects",
    "errors",
    "file",
    "log",
    "machine",
    "report",
    "secret",
    "secret-access",
    "service",
    "sources",
];

/// Defines one interface of `pipeline:api` with the types of a component's import.
///
/// # Errors
/// Fails if the import has a resource or another item that the package does not have.
pub(crate) fn define(
    linker: &mut LinkerInstance<'_, State>,
    engine: &Engine,
    interface: &str,
    imported: &ComponentInstance,
    resources: &mut Resources,
) -> wasmtime::Result<()> {
    for (name, item) in imported.exports(engine) {
        match item.ty {
            ComponentItem::Resource(resource) => {
                let Some(index) = name_index(name) else {
                    return Err(wasmtime::format_err!("there is no resource `{name}`"));
                };
                resources.push((resource, Imported(index)));
                define_resource(linker, name, Imported(index))?;
            }
            ComponentItem::ComponentFunc(_) => define_function(linker, interface, name)?,
            _ => {}
        }
    }
    Ok(())
}

fn define_resource(linker: &mut LinkerInstance<'_, State>, name: &str, imported: Imported) -> wasmtime::Result<()> {
    linker.resource(name, ResourceType::host_dynamic(imported.0), |mut store, rep| {
        store.data_mut().objects.take(rep);
        Ok(())
    })
}

/// The resources of the imports so far. A resource under another name is the same resource.
pub(crate) type Resources = Vec<(ResourceType, Imported)>;

/// Returns whether an import is from another module.
pub(crate) fn is_dependency(import: &str) -> bool {
    !import.starts_with("wasi:") && !import.starts_with("pipeline:") && import.contains('/')
}

/// Returns the name of an interface without its version.
pub(crate) fn path(interface: &str) -> &str {
    interface.split('@').next().unwrap_or(interface)
}

/// Defines an interface of another module. Each call is forwarded to the bridge.
pub(crate) fn define_dependency(
    linker: &mut LinkerInstance<'_, State>,
    engine: &Engine,
    import: &str,
    imported: &ComponentInstance,
    kinds: &mut Kinds,
    resources: &mut Resources,
) -> wasmtime::Result<()> {
    for (name, item) in imported.exports(engine) {
        match item.ty {
            ComponentItem::Resource(resource) => {
                let known = resources.iter().find(|(known, _)| *known == resource).map(|(_, imported)| *imported);
                let imported = known.unwrap_or_else(|| {
                    kinds.import(CustomType { interface: path(import).to_owned(), name: name.to_owned() })
                });
                resources.push((resource, imported));
                define_resource(linker, name, imported)?;
            }
            ComponentItem::ComponentFunc(_) => define_forwarding(linker, import, name)?,
            _ => {}
        }
    }
    Ok(())
}

fn define_forwarding(linker: &mut LinkerInstance<'_, State>, import: &str, name: &str) -> wasmtime::Result<()> {
    let (import, function): (Arc<str>, Arc<str>) = (import.into(), name.into());
    linker.func_new_async(name, move |mut store, ty, params, results| {
        let (import, function) = (Arc::clone(&import), Arc::clone(&function));
        Box::new(async move {
            let args = lift_all(&mut store, &ty, params)?;
            // The session remembers calls, with their arguments and answers.
            remember(&mut store, &args)?;
            let bridge = Arc::clone(&store.data().bridge);
            let stopwatch = Arc::clone(&store.data().stopwatch);
            let answered = Waiting { inner: bridge.call_import(&import, &function, args), stopwatch }.await;
            store.set_epoch_deadline(1);
            let value = match answered {
                Ok(value) => value,
                Err(failure) if has_error(&ty) => {
                    Value::Result(Err(Some(Box::new(error_value(error_fields(failure)?)))))
                }
                Err(engine::Failure::Bug { message }) => return Err(wasmtime::Error::new(Stop::Bug { message })),
                Err(engine::Failure::Planned { operation, .. }) => return Err(planned(operation)),
                Err(failure) => {
                    let message =
                        format!("`{}` of a dependency failed: {}", readable(&import, &function), why(&failure));
                    return Err(wasmtime::Error::new(Stop::Dependency { message }));
                }
            };
            remember(&mut store, std::slice::from_ref(&value))?;
            answer(&mut store, &ty, value, results)
        })
    })
}

/// Charges values that are kept until the end of the call.
fn remember(store: &mut StoreContextMut<'_, State>, values: &[Value]) -> wasmtime::Result<()> {
    let budget = &mut store.data_mut().budget;
    budget.pin_taken();
    budget.add(api::text_bytes(values)).map_err(wasmtime::Error::new)
}

/// Converts the arguments of a method. Texts that are too long are refused before they are copied.
fn lift_args(
    store: &mut StoreContextMut<'_, State>,
    ty: &ComponentFunc,
    vals: &[Val],
    shown: &str,
) -> wasmtime::Result<Vec<Value>> {
    let (limit_bytes, bridge) = (store.data().text_bytes, Arc::clone(&store.data().bridge));
    store.data_mut().budget.forget_taken();
    let params = ty.params().zip(vals);
    let lift_arg = |((param, ty), val): ((&str, Type), &Val)| {
        check_texts(param, val, limit_bytes, || shown.to_owned()).map_err(wasmtime::Error::new)?;
        let value = lift(store, &ty, val)?;
        if param == CONTENTS { kept(&*bridge, value) } else { Ok(value) }
    };
    params.map(lift_arg).collect()
}

/// Returns whether a function can answer with `errors.error`.
fn has_error(ty: &ComponentFunc) -> bool {
    let Some(Type::Result(result)) = ty.results().next() else { return false };
    let Some(Type::Record(record)) = result.err() else { return false };
    record.fields().map(|field| field.name).eq(["code", "message", "exec", "attributes"])
}

fn why(failure: &engine::Failure) -> String {
    match failure {
        engine::Failure::Stage(stage) => stage.message.clone(),
        other => other.to_string(),
    }
}

fn define_function(linker: &mut LinkerInstance<'_, State>, interface: &str, name: &str) -> wasmtime::Result<()> {
    let function = api::find(interface, name);
    if let Some(defined) = function.and_then(|function| bulk::define(linker, name, function)) {
        return defined;
    }
    let (is_log, shown) = (interface == "log", readable(interface, name));
    match function {
        Some(Function::Lazy(function)) => linker.func_new(name, move |mut store, ty, params, results| {
            let args = lift_args(&mut store, &ty, params, &shown)?;
            if is_log {
                store.data_mut().messages.count(&args).map_err(wasmtime::Error::new)?;
            }
            let value = make(&mut store, &function, args)?;
            answer(&mut store, &ty, value, results)
        }),
        Some(Function::Leaf(function)) => linker.func_new_async(name, move |mut store, ty, params, results| {
            let shown = shown.clone();
            Box::new(async move {
                let args = lift_args(&mut store, &ty, params, &shown)?;
                // The engine remembers what it evaluates.
                store.data_mut().budget.pin_taken();
                let bridge = Arc::clone(&store.data().bridge);
                let stopwatch = Arc::clone(&store.data().stopwatch);
                let answered = Waiting { inner: function.call(&*bridge, args), stopwatch }.await;
                // The time that the guest waited is not its own.
                store.set_epoch_deadline(1);
                let value = match answered {
                    Ok(value) => Ok(Some(Box::new(value))),
                    Err(failure) => Err(Some(Box::new(error_value(error_fields(failure)?)))),
                };
                answer(&mut store, &ty, Value::Result(value), results)
            })
        }),
        None => {
            let message = format!("`{}` is not available in this version", readable(interface, name));
            linker.func_new(name, move |mut store, ty, params, results| {
                let args = lift_all(&mut store, &ty, params)?;
                let stop = || wasmtime::Error::new(Stop::Unavailable { message: message.clone() });
                let value = unavailable(&ty, args, &message).ok_or_else(stop)?;
                answer(&mut store, &ty, value, results)
            })
        }
    }
}

fn lift_all(store: &mut StoreContextMut<'_, State>, ty: &ComponentFunc, vals: &[Val]) -> wasmtime::Result<Vec<Value>> {
    ty.params().zip(vals).map(|((_, ty), val)| lift(store, &ty, val)).collect()
}

fn answer(
    store: &mut StoreContextMut<'_, State>,
    ty: &ComponentFunc,
    value: Value,
    results: &mut [Val],
) -> wasmtime::Result<()> {
    if let (Some(ty), Some(result)) = (ty.results().next(), results.first_mut()) {
        *result = lower(store, &ty, value)?;
    }
    Ok(())
}

/// Makes the answer of a function that does not exist, if its type has room for one.
fn unavailable(ty: &ComponentFunc, args: Vec<Value>, message: &str) -> Option<Value> {
    match ty.results().next()? {
        Type::Result(result) if matches!(result.err(), Some(Type::Record(_))) => {
            let error = error_fields(engine::Failure::invalid(FailureCode::Unavailable, message)).ok()?;
            Some(Value::Result(Err(Some(Box::new(error_value(error))))))
        }
        Type::Own(resource) => {
            let this = args.into_iter().next();
            let index = (0..Object::NAMES.len()).filter_map(|n| u32::try_from(n).ok());
            let index = index.into_iter().find(|n| resource == ResourceType::host_dynamic(*n))?;
            failing_object(object_name(index), this, message)
        }
        _ => None,
    }
}

fn failing_object(name: &str, this: Option<Value>, message: &str) -> Option<Value> {
    let container = || match &this {
        Some(Value::Object(Object::Container(this))) => this.with_error(FailureCode::Unavailable, message),
        _ => Container::default().with_error(FailureCode::Unavailable, message),
    };
    let code = FailureCode::Unavailable.as_str().to_owned();
    let failing = || Selection::of(Op::Fail(FailOp { code, message: message.to_owned() }), Vec::new());
    Some(match name {
        "container" => container().into(),
        "directory" => Directory::at(failing()).into(),
        "file" => File::at(failing()).into(),
        "service" => Service { container: container(), hostname: None }.into(),
        _ => return None,
    })
}
