//! The calls of a run. Each call is made once for the same arguments.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use api::{Caller, Value, identity};
use engine::Failure;
use futures::future::{BoxFuture, Shared};
use graph::{DefinitionDigest, KeyHasher};

/// A running call.
pub(crate) type Answering = BoxFuture<'static, Result<Value, Failure>>;

/// A running call that others can wait for, too.
pub(crate) type Once = Shared<Answering>;

/// The variables of the containers that a function begins with.
pub(crate) type Env = Arc<[(String, String)]>;

/// The calls that were made in a run, by module, function, arguments and variables.
#[derive(Default)]
pub(crate) struct Calls {
    pub(crate) once: Mutex<HashMap<DefinitionDigest, Once>>,
    /// The failures that failed calls had been told of before they failed.
    pub(crate) seen_failures: Mutex<HashMap<DefinitionDigest, Vec<Failure>>>,
}

/// A function of a module with its arguments.
#[derive(Clone)]
pub(crate) struct FunctionCall {
    /// The position of the module.
    pub(crate) module: usize,
    /// The name of the function in the component.
    pub(crate) function: String,
    pub(crate) args: Vec<Value>,
    pub(crate) env: Env,
    /// The origin of what it asks for; the function alone if there is none.
    pub(crate) origin: Option<Arc<Caller>>,
}

impl FunctionCall {
    /// Returns the identity of the call in its session.
    pub(crate) fn digest(&self) -> DefinitionDigest {
        let mut hasher = KeyHasher::new("call/1");
        hasher.number(self.module as u64);
        hasher.text(&self.function);
        hasher.bytes(identity(&self.args).as_bytes());
        hasher.list(self.env.iter(), |hasher, (name, value)| {
            hasher.text(name);
            hasher.text(value);
        });
        hasher.definition()
    }
}
