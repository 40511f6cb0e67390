//! Objects that are made later. They depend on an image whose configuration is not known yet, or on a function of a
//! module that has not returned.
//!
//! The meaning of `with-workdir` or `with-exec` depends on the configuration of the image that a container
//! starts from, and a registry has to be asked for an image. Lazy methods must not wait for one. They make a *pending*
//! object: it keeps the method and its arguments until a LEAF needs the object. Then the
//! image is found, the methods are called one after the other, and from there on everything is as
//! for any other container.

use std::collections::HashSet;
use std::sync::Arc;

use engine::Failure;
use futures::future::{BoxFuture, try_join_all};
use graph::KeyHasher;
use tokio::sync::OnceCell;

use crate::args::Args;
use crate::bridge::Bridge;
use crate::identity::identity;
use crate::origins::{Caller, Origins};
use crate::table::{Kind, NameOf, Row, row_of};
use crate::value::{Making, Object, Pending, Recipe, Value};

impl Pending {
    /// The resources that a function of a module may return before it is called.
    pub const CALLABLE: &[&'static str] = &["container", "directory", "file", "service"];

    /// Returns the object that a method will make, once its arguments are made.
    pub(crate) fn of_method(
        row: &'static Row,
        makes: &'static str,
        args: Vec<Value>,
        caller: Option<Arc<Caller>>,
    ) -> Arc<Self> {
        let mut hasher = KeyHasher::new("pending/1");
        hasher.text(row.method);
        hasher.bytes(identity(&args).as_bytes());
        let (id, name) = (hasher.definition().to_string(), name_of(row.name, makes, &args));
        let recipe = Recipe::Method { method: row.method, args, caller };
        Arc::new(Self { makes, recipe, name, id, made: OnceCell::new() })
    }

    /// Returns the object that a function of a module will return: a resource named `makes`, which `making` makes.
    ///
    /// `call` is the identity of the call in its session. Returns none if there is no such resource, or if it cannot
    /// be made later.
    #[must_use]
    pub fn of_call(makes: &str, call: &str, making: Making) -> Option<Arc<Self>> {
        let makes = Self::CALLABLE.iter().find(|known| **known == makes)?;
        let mut hasher = KeyHasher::new("pending-call/2");
        hasher.text(call);
        let (id, recipe) = (hasher.definition().to_string(), Recipe::Call { function: Arc::from(call), making });
        Some(Arc::new(Self { makes, recipe, name: Arc::from("/"), id, made: OnceCell::new() }))
    }

    /// Returns the pending objects among its arguments that are not made yet.
    fn missing(&self) -> Vec<Arc<Self>> {
        let mut found = Vec::new();
        self.args().iter().for_each(|arg| collect(arg, &mut found));
        found.retain(|pending| !pending.made.initialized());
        found
    }

    /// Returns whether making the object waits for a registry or for a function.
    fn is_waiting(&self) -> bool {
        match &self.recipe {
            Recipe::Method { method, .. } => row_of(method).is_some_and(|row| !matches!(row.kind, Kind::Lazy(_))),
            Recipe::Call { .. } => true,
        }
    }

    /// Makes the object. The objects among its arguments must be made.
    async fn make(&self, bridge: &dyn Bridge) -> Result<(), Failure> {
        let make = async {
            let value = match &self.recipe {
                Recipe::Method { method, args, caller } => call_method(bridge, method, args, caller.as_ref()).await?,
                // A function may return an object that is pending itself.
                Recipe::Call { making, .. } => force_boxed(bridge, making().await?).await?,
            };
            match value {
                Value::Object(object) if object.name() == self.makes => Ok(object),
                _ => Err(Failure::bug(format!("`{}` made no {}", self.maker(), self.makes))),
            }
        };
        self.made.get_or_try_init(|| make).await.map(|_| ())
    }
}

async fn call_method(
    bridge: &dyn Bridge,
    method: &str,
    args: &[Value],
    caller: Option<&Arc<Caller>>,
) -> Result<Value, Failure> {
    let row = row_of(method).ok_or_else(|| Failure::bug(format!("there is no method `{method}`")))?;
    let mut args = Args::new(args.iter().map(made).collect());
    let value = match row.kind {
        Kind::Lazy(function) => function(bridge, &mut args)?,
        Kind::Later(function) | Kind::Leaf(function) => function(bridge, args).await?,
    };
    note_made(bridge, row, caller, &value);
    Ok(value)
}

/// Returns the name that the file or the directory will have.
fn name_of(name: NameOf, makes: &str, args: &[Value]) -> Arc<str> {
    let last = |path: &str| path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    match (name, args) {
        (NameOf::LastOfPath, [_, Value::String(path), ..]) => last(path).into(),
        (NameOf::LastOfPathAndSlash, [_, Value::String(path), ..]) => format!("{}/", last(path)).into(),
        (NameOf::Archive, _) => Arc::from(graph::image::ARCHIVE),
        (_, [Value::Object(Object::Pending(base)), ..]) if base.makes == makes => Arc::clone(&base.name),
        _ => Arc::from("/"),
    }
}

/// Returns whether an object in a value is pending.
pub(crate) fn is_pending(value: &Value) -> bool {
    match value {
        Value::Object(Object::Pending(_)) => true,
        Value::List(items) | Value::Tuple(items) => items.iter().any(is_pending),
        Value::Record(fields) => fields.iter().any(|(_, value)| is_pending(value)),
        Value::Variant(_, Some(value)) | Value::Option(Some(value)) => is_pending(value),
        Value::Result(Ok(Some(value)) | Err(Some(value))) => is_pending(value),
        _ => false,
    }
}

/// Notes who asked for what the method of the row has made.
pub(crate) fn note_made(bridge: &dyn Bridge, row: &Row, caller: Option<&Arc<Caller>>, value: &Value) {
    let (Some(caller), Some(origins), Value::Object(object)) = (caller, bridge.origins(), value) else { return };
    if let (Object::Container(container), true) = (object, row.runs_command) {
        origins.note(container.rootfs.edge.vertex.digest(), caller);
    }
    note_stage(origins, caller, object);
}

/// Notes the stage of what a function asks for.
pub(crate) fn note_asked(bridge: &dyn Bridge, args: &[Value]) {
    let (Some(caller), Some(origins)) = (bridge.caller(), bridge.origins()) else { return };
    let objects = args.iter().filter_map(|arg| if let Value::Object(object) = arg { Some(object) } else { None });
    objects.for_each(|object| note_stage(origins, caller, object));
}

fn note_stage(origins: &Origins, caller: &Caller, object: &Object) {
    if let (Some(stage), true) = (&caller.stage, origins.is_complete()) {
        origins.own(&object.edges(), stage);
    }
}

fn force_boxed(bridge: &dyn Bridge, value: Value) -> BoxFuture<'_, Result<Value, Failure>> {
    Box::pin(force(bridge, value))
}

/// Makes every pending object in a value.
///
/// # Errors
/// Fails if an image cannot be found, or if a function of a module fails.
pub async fn force(bridge: &dyn Bridge, value: Value) -> Result<Value, Failure> {
    let mut roots = Vec::new();
    collect(&value, &mut roots);
    if roots.is_empty() {
        return Ok(value);
    }
    let order = order_of(roots);
    // Images wait for registries and functions wait for each other, all at the same time. The rest only computes.
    let is_waiting = |pending: &Pending| pending.is_waiting() && pending.missing().is_empty();
    try_join_all(order.iter().filter(|pending| is_waiting(pending)).map(|pending| pending.make(bridge))).await?;
    for pending in &order {
        pending.make(bridge).await?;
    }
    Ok(made(&value))
}

/// Returns all objects that have to be made, each after its arguments. There is no recursion: a chain may be longer
/// than the stack is deep.
fn order_of(roots: Vec<Arc<Pending>>) -> Vec<Arc<Pending>> {
    let (mut order, mut seen, mut stack) = (Vec::new(), HashSet::new(), Vec::new());
    stack.extend(roots.into_iter().map(|root| (root, false)));
    while let Some((pending, is_ready)) = stack.pop() {
        if is_ready {
            order.push(pending);
        } else if seen.insert(Arc::as_ptr(&pending)) {
            let missing = pending.missing();
            stack.push((pending, true));
            stack.extend(missing.into_iter().map(|needed| (needed, false)));
        }
    }
    order
}

fn collect(value: &Value, found: &mut Vec<Arc<Pending>>) {
    match value {
        Value::Object(Object::Pending(pending)) => found.push(Arc::clone(pending)),
        Value::List(items) | Value::Tuple(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Record(fields) => fields.iter().for_each(|(_, value)| collect(value, found)),
        Value::Variant(_, Some(value)) | Value::Option(Some(value)) => collect(value, found),
        Value::Result(Ok(Some(value)) | Err(Some(value))) => collect(value, found),
        _ => {}
    }
}

/// Returns the value with each pending object replaced by the object that was made.
fn made(value: &Value) -> Value {
    let boxed = |value: &Value| Box::new(made(value));
    match value {
        Value::Object(Object::Pending(pending)) => {
            Value::Object(pending.made.get().cloned().unwrap_or_else(|| Object::Pending(Arc::clone(pending))))
        }
        Value::List(items) => Value::List(items.iter().map(made).collect()),
        Value::Tuple(items) => Value::Tuple(items.iter().map(made).collect()),
        Value::Record(fields) => {
            Value::Record(fields.iter().map(|(name, value)| (name.clone(), made(value))).collect())
        }
        Value::Variant(case, Some(value)) => Value::Variant(case.clone(), Some(boxed(value))),
        Value::Option(Some(value)) => Value::Option(Some(boxed(value))),
        Value::Result(Ok(Some(value))) => Value::Result(Ok(Some(boxed(value)))),
        Value::Result(Err(Some(value))) => Value::Result(Err(Some(boxed(value)))),
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests;
