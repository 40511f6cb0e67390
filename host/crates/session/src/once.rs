//! The calls of a run: each is made once for the same arguments.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use api::{Value, identity};
use backend::Failure;
use futures::future::{BoxFuture, Shared};
use graph::{DefinitionDigest, KeyHasher};

/// A call under way.
pub(crate) type Answering = BoxFuture<'static, Result<Value, Failure>>;

/// A call that others wait for, too.
pub(crate) type Once = Shared<Answering>;

/// Variables of the containers that a function begins with.
pub(crate) type Env = Arc<[(String, String)]>;

/// What was called in a run, by module, function, arguments and variables.
#[derive(Default)]
pub(crate) struct Calls {
    pub(crate) once: Mutex<HashMap<DefinitionDigest, Once>>,
    /// What calls that failed had been told of failures before.
    pub(crate) told: Mutex<HashMap<DefinitionDigest, Vec<Failure>>>,
}

/// A function of a module, with what it is called with.
#[derive(Clone)]
pub(crate) struct FunctionCall {
    /// The module's position.
    pub(crate) module: usize,
    /// As components name it.
    pub(crate) function: String,
    pub(crate) args: Vec<Value>,
    pub(crate) env: Env,
    /// What is kept as the origin of its commands; the function with its module if none.
    pub(crate) origin: Option<Arc<str>>,
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
