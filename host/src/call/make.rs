//! Objects of `pipeline:api` that are made without an engine: options, and containers that name an image.

use api::Value;
use module::ApiFunction;

use crate::report::{Report, Result};

/// Calls a function of `pipeline:api` that makes a value out of values.
pub(super) fn make(function: &ApiFunction, args: Vec<Value>) -> Result<Value> {
    make_named(&function.interface, &function.wit_name, args)
}

/// Calls the function of this interface and name, which makes a value out of values.
pub(super) fn make_named(interface: &str, function: &str, args: Vec<Value>) -> Result<Value> {
    match api::find(interface, function) {
        Some(api::Function::Lazy(lazy)) => {
            lazy.call(&NoBridge, args).map_err(|error| Report::bug(format!("cannot call `{function}`: {error}")))
        }
        _ => Err(Report::bug(format!("`{function}` cannot be called here"))),
    }
}

/// Lazy functions make values and ask nothing of an engine.
struct NoBridge;

impl api::Bridge for NoBridge {
    fn engine(&self) -> &dyn engine::Engine {
        unreachable!("lazy functions evaluate nothing")
    }

    fn start(&self, _object: api::Object) {}

    fn log(&self, _level: api::LogLevel, _message: &str) {}

    fn plaintext(&self, _name: &graph::SecretName) -> Result<String, engine::Failure> {
        Err(engine::Failure::bug("options have no secrets"))
    }

    fn export_target(&self, _path: &str) -> Result<std::path::PathBuf, engine::Failure> {
        Err(engine::Failure::bug("options are not exported"))
    }
}
