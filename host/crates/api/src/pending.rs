//! Objects that are made later: they depend on an image whose configuration is not known yet, or on what a function
//! of a module returns.
//!
//! What `with-workdir` or `with-exec` mean depends on the configuration of the image that a container
//! starts from, and finding an image takes a registry. Lazy methods must not wait for one, so that what
//! they make is *pending*: the function and its arguments, kept until a LEAF needs the object. Then the
//! image is found, the functions are called one after the other, and from there on everything is as
//! for any other container.

use std::collections::HashSet;
use std::sync::Arc;
use std::{fmt, mem};

use backend::Failure;
use futures::future::{BoxFuture, try_join_all};
use graph::KeyHasher;
use tokio::sync::OnceCell;

use crate::args::Args;
use crate::bridge::Bridge;
use crate::dispatch::{LazyFn, LeafFn};
use crate::identity::identity;
use crate::object::Object;
use crate::value::Value;

/// Makes an object by calling a function of a module. Called again if nobody waited for the end.
pub type Making = Arc<dyn Fn() -> BoxFuture<'static, Result<Value, Failure>> + Send + Sync>;

/// How an object is made.
#[derive(Clone)]
pub(crate) enum Work {
    /// Out of values.
    Values(LazyFn),
    /// By asking the engine.
    Engine(LeafFn),
    /// By calling a function of a module.
    Call(Making),
}

/// An object that is made when it is needed, once.
pub struct Pending {
    method: Arc<str>,
    makes: &'static str,
    work: Work,
    args: Vec<Value>,
    /// The function that asked for it.
    function: Option<Arc<str>>,
    id: String,
    made: OnceCell<Object>,
}

impl Pending {
    pub(crate) fn new(
        method: Arc<str>,
        makes: &'static str,
        work: Work,
        args: Vec<Value>,
        function: Option<Arc<str>>,
    ) -> Arc<Self> {
        let mut hasher = KeyHasher::new("pending/1");
        hasher.text(&method);
        hasher.bytes(identity(&args).as_bytes());
        let id = hasher.definition().to_string();
        Arc::new(Self { method, makes, work, args, function, id, made: OnceCell::new() })
    }

    /// The object that a function of a module will return: a resource of this name, made by `making`.
    ///
    /// `call` names the function, `args` are what it is called with. None if there is no such resource, or none that
    /// can be made later.
    #[must_use]
    pub fn of_call(makes: &str, call: &str, args: &[Value], making: Making) -> Option<Arc<Self>> {
        let makes = Self::CALLABLE.iter().find(|known| **known == makes)?;
        let mut hasher = KeyHasher::new("pending-call/1");
        hasher.text(call);
        hasher.bytes(identity(args).as_bytes());
        let id = hasher.definition().to_string();
        let (method, work) = (Arc::from(call), Work::Call(making));
        // The arguments belong to the call: they may stay pending.
        Some(Arc::new(Self { method, makes, work, args: Vec::new(), function: None, id, made: OnceCell::new() }))
    }

    /// The resources that a function of a module may return before it is called.
    pub const CALLABLE: &[&'static str] = &["container", "directory", "file", "service"];

    /// Returns the name of the resource that it will be.
    #[must_use]
    pub fn makes(&self) -> &'static str {
        self.makes
    }

    /// Returns the digest of its definition.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name that the file or the directory will have.
    pub(crate) fn name(&self) -> String {
        let last = |text: &str| text.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        match (&*self.method, self.args.first(), self.args.get(1)) {
            ("container.file" | "directory.file" | "file.with-name", _, Some(Value::String(path))) => last(path),
            ("container.as-tarball", ..) => graph::image::ARCHIVE.to_owned(),
            ("container.directory" | "directory.subdirectory", _, Some(Value::String(path))) => {
                format!("{}/", last(path))
            }
            (_, Some(Value::Object(Object::Pending(base))), _) if base.makes == self.makes => base.name(),
            _ => "/".to_owned(),
        }
    }

    /// Returns what it depends on that is pending too, and not made yet.
    fn missing(&self) -> Vec<Arc<Self>> {
        let mut found = Vec::new();
        self.args.iter().for_each(|arg| collect(arg, &mut found));
        found.retain(|pending| !pending.made.initialized());
        found
    }

    /// Makes it; everything that it depends on is made.
    async fn make(&self, bridge: &dyn Bridge) -> Result<(), Failure> {
        let make = async {
            let args = Args::new(self.args.iter().map(made).collect());
            let value = match &self.work {
                Work::Values(function) => function(bridge, &mut { args })?,
                Work::Engine(function) => function(bridge, args).await?,
                // What a function returns may be pending itself.
                Work::Call(making) => force_boxed(bridge, making().await?).await?,
            };
            note_exec(bridge, &self.method, self.function.as_ref(), &value);
            match value {
                Value::Object(object) if object.name() == self.makes => Ok(object),
                _ => Err(Failure::bug(format!("`{}` made no {}", self.method, self.makes))),
            }
        };
        self.made.get_or_try_init(|| make).await.map(|_| ())
    }
}

impl Drop for Pending {
    /// Frees what only this object needs without recursion: a chain may be longer than the stack is deep.
    fn drop(&mut self) {
        let mut values = mem::take(&mut self.args);
        while let Some(value) = values.pop() {
            match value {
                Value::Object(Object::Pending(pending)) => {
                    if let Some(mut pending) = Arc::into_inner(pending) {
                        values.append(&mut pending.args);
                    }
                }
                Value::List(items) => values.extend(items),
                Value::Option(Some(value)) => values.push(*value),
                _ => {}
            }
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending({} {})", self.method, self.id)
    }
}

/// Returns whether a value has an object in it that is pending.
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

/// Remembers which function asked for a command, if a method made one.
pub(crate) fn note_exec(bridge: &dyn Bridge, method: &str, function: Option<&Arc<str>>, value: &Value) {
    if let (Some(function), Some(origins), true) =
        (function, bridge.origins(), method.starts_with("container.with-exec"))
        && let Value::Object(Object::Container(container)) = value
    {
        origins.note(container.rootfs.edge.vertex.digest(), function);
    }
}

fn force_boxed(bridge: &dyn Bridge, value: Value) -> BoxFuture<'_, Result<Value, Failure>> {
    Box::pin(force(bridge, value))
}

/// Makes every object in a value that is pending.
///
/// # Errors
/// If an image cannot be found, or if a function of a module fails.
pub async fn force(bridge: &dyn Bridge, value: Value) -> Result<Value, Failure> {
    let mut roots = Vec::new();
    collect(&value, &mut roots);
    if roots.is_empty() {
        return Ok(value);
    }
    let order = order_of(roots);
    // Images wait for registries and functions for each other, all at the same time; the rest is computed.
    let is_waiting = |pending: &Pending| !matches!(pending.work, Work::Values(_)) && pending.missing().is_empty();
    try_join_all(order.iter().filter(|pending| is_waiting(pending)).map(|pending| pending.make(bridge))).await?;
    for pending in &order {
        pending.make(bridge).await?;
    }
    Ok(made(&value))
}

/// Returns everything that has to be made, what is needed first coming first. A chain may be longer than the
/// stack is deep.
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

/// Returns a value with what was made in the places of what was pending.
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
