//! What a component's imports mean.
//!
//! The functions of `pipeline:api` are defined one by one from the component's own import types,
//! each through [`api::find`]; resources are numbers in the table of the call.

use std::sync::Arc;

use api::{Container, Directory, File, Function, Object, Service, Value};
use backend::FailureCode;
use graph::{FailOp, Op, Selection};
use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem};
use wasmtime::component::{LinkerInstance, ResourceType, Type, Val};
use wasmtime::{Engine, StoreContextMut};

use crate::bulk;
use crate::state::State;
use crate::time::Waiting;
use crate::trap::Stop;
use crate::types::{name_index, object_index, object_name};
use crate::values::{lift, lower};

/// The package of the host.
pub(crate) const PACKAGE: &str = "pipeline:api";

/// The interfaces of the package.
pub(crate) const INTERFACES: &[&str] = &[
    "cache",
    "container",
    "directory",
    "effects",
    "errors",
    "file",
    "log",
    "machine",
    "secret",
    "secret-access",
    "service",
    "sources",
];

/// Defines one interface of `pipeline:api`, as a component imports it.
///
/// # Errors
/// If it has a resource or another item that the package does not have.
pub(crate) fn define(
    linker: &mut LinkerInstance<'_, State>,
    engine: &Engine,
    interface: &str,
    imported: &ComponentInstance,
) -> wasmtime::Result<()> {
    for (name, item) in imported.exports(engine) {
        match item.ty {
            ComponentItem::Resource(_) => define_resource(linker, name)?,
            ComponentItem::ComponentFunc(_) => define_function(linker, interface, name)?,
            _ => {}
        }
    }
    Ok(())
}

fn define_resource(linker: &mut LinkerInstance<'_, State>, name: &str) -> wasmtime::Result<()> {
    let Some(index) = name_index(name) else { return Err(wasmtime::format_err!("there is no resource `{name}`")) };
    linker.resource(name, ResourceType::host_dynamic(index), |mut store, rep| {
        store.data_mut().objects.take(rep);
        Ok(())
    })
}

fn define_function(linker: &mut LinkerInstance<'_, State>, interface: &str, name: &str) -> wasmtime::Result<()> {
    let function = api::find(interface, name);
    if let Some(defined) = function.clone().and_then(|function| bulk::define(linker, name, function)) {
        return defined;
    }
    match function {
        Some(Function::Lazy(function)) => linker.func_new(name, move |mut store, ty, params, results| {
            let args = lift_all(&mut store, &ty, params)?;
            let bridge = Arc::clone(&store.data().bridge);
            let value = function.call(&*bridge, args).map_err(contract)?;
            answer(&mut store, &ty, value, results)
        }),
        Some(Function::Leaf(function)) => linker.func_new_async(name, move |mut store, ty, params, results| {
            Box::new(async move {
                let args = lift_all(&mut store, &ty, params)?;
                let bridge = Arc::clone(&store.data().bridge);
                let stopwatch = Arc::clone(&store.data().stopwatch);
                let answered = Waiting { inner: function.call(&*bridge, args), stopwatch }.await;
                // What passed while it waited is not the guest's.
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

/// Writes a function's name as its users do: `container.publish`.
fn readable(interface: &str, name: &str) -> String {
    let inner = name.strip_prefix("[method]").or_else(|| name.strip_prefix("[static]"));
    match (inner, name.strip_prefix("[constructor]")) {
        (Some(method), _) => method.to_owned(),
        (_, Some(resource)) => format!("{resource} constructor"),
        _ => format!("{interface}.{name}"),
    }
}

pub(crate) fn contract(error: api::ArgumentError) -> wasmtime::Error {
    wasmtime::Error::new(Stop::Contract { message: error.to_string() })
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

/// Makes what a function that is not there answers, if its type has room for an answer.
fn unavailable(ty: &ComponentFunc, args: Vec<Value>, message: &str) -> Option<Value> {
    match ty.results().next()? {
        Type::Result(result) if matches!(result.err(), Some(Type::Record(_))) => {
            let error = error_fields(backend::Failure::invalid(FailureCode::Unavailable, message)).ok()?;
            Some(Value::Result(Err(Some(Box::new(error_value(error))))))
        }
        Type::Own(resource) => {
            let this = args.into_iter().next();
            failing_object(object_name(object_index(resource)?), this, message)
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

/// Makes `errors.error` of a failure.
///
/// # Errors
/// A mistake of this program ends the call: no guest can do anything about it.
pub(crate) fn error_fields(failure: backend::Failure) -> wasmtime::Result<bulk::Error> {
    let (code, message) = (failure.code().to_owned(), failure.to_string());
    let (exec, hint) = match failure {
        backend::Failure::Bug { message } => return Err(wasmtime::Error::new(Stop::Bug { message })),
        backend::Failure::Exec(exec) => (Some(exec), None),
        backend::Failure::Invalid { hint, .. } | backend::Failure::Environment { hint, .. } => (None, hint),
        backend::Failure::Cancelled => (None, None),
    };
    let exec = exec.map(|exec| bulk::ExecFailure {
        exit_code: exec.exit_code(),
        args: exec.args,
        stdout_tail: exec.stdout_tail,
        stderr_tail: exec.stderr_tail,
    });
    let attributes = hint.map(|hint| ("hint".to_owned(), hint)).into_iter().collect();
    Ok(bulk::Error { code, message, exec, attributes })
}

fn error_value(error: bulk::Error) -> Value {
    let field = |name: &str, value: Value| (name.to_owned(), value);
    let exec = error.exec.map(|exec| {
        let fields = vec![
            field("args", exec.args.into()),
            field("exit-code", exec.exit_code.into()),
            field("stdout-tail", exec.stdout_tail.into()),
            field("stderr-tail", exec.stderr_tail.into()),
        ];
        Box::new(Value::Record(fields))
    });
    Value::Record(vec![
        field("code", error.code.into()),
        field("message", error.message.into()),
        field("exec", Value::Option(exec)),
        field("attributes", Value::pairs(error.attributes)),
    ])
}
