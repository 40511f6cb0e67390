//! Calls of methods that return at once, and what the host keeps for their answers.

use std::sync::Arc;

use api::{Bridge, Lazy, Value};
use graph::Contents;
use wasmtime::StoreContextMut;

use crate::budget::START_BYTES;
use crate::failure::contract;
use crate::state::State;

/// Calls a method that returns at once, and charges what the host keeps for its answer.
pub(crate) fn make(store: &mut StoreContextMut<'_, State>, method: &Lazy, args: Vec<Value>) -> wasmtime::Result<Value> {
    let bridge = Arc::clone(&store.data().bridge);
    let (value, weight) = method.call_weighed(&*bridge, args).map_err(contract)?;
    let budget = &mut store.data_mut().budget;
    let charged = match &value {
        Value::Object(_) => budget.charge(weight.object_bytes).and_then(|()| budget.add(weight.run_bytes)),
        // The object is evaluated in the background.
        value if value.is_unit() && budget.has_taken() => {
            budget.pin_taken();
            budget.add(START_BYTES)
        }
        _ => {
            budget.forget_taken();
            Ok(())
        }
    };
    charged.map_err(wasmtime::Error::new)?;
    Ok(value)
}

/// Puts long contents of a file into the store, where they need no memory.
pub(crate) fn kept(bridge: &dyn Bridge, contents: Value) -> wasmtime::Result<Value> {
    let bytes = match &contents {
        Value::String(text) => text.as_bytes(),
        Value::Bytes(bytes) => bytes,
        _ => return Ok(contents),
    };
    if bytes.len() < Contents::STORED_FROM_BYTES {
        return Ok(contents);
    }
    let stored = bridge.engine().keep(bytes);
    // The machine is to blame, as for every other error of input and output.
    stored.map(Value::Kept).map_err(|failure| wasmtime::Error::new(std::io::Error::other(failure.to_string())))
}

/// Returns the name of a function as its users write it: `container.publish`.
pub(crate) fn readable(interface: &str, name: &str) -> String {
    let inner = name.strip_prefix("[method]").or_else(|| name.strip_prefix("[static]"));
    match (inner, name.strip_prefix("[constructor]")) {
        (Some(method), _) => method.to_owned(),
        (_, Some(resource)) => format!("{resource} constructor"),
        _ => format!("{interface}.{name}"),
    }
}
