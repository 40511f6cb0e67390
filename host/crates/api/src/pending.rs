//! Objects that depend on an image whose configuration is not known yet.
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
use futures::future::try_join_all;
use graph::KeyHasher;
use tokio::sync::OnceCell;

use crate::args::Args;
use crate::bridge::Bridge;
use crate::dispatch::{LazyFn, LeafFn};
use crate::object::Object;
use crate::value::Value;

/// How an object is made.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// Out of values.
    Values(LazyFn),
    /// By asking the engine.
    Engine(LeafFn),
}

/// An object that is made when it is needed, once.
pub struct Pending {
    method: Arc<str>,
    makes: &'static str,
    work: Work,
    args: Vec<Value>,
    id: String,
    made: OnceCell<Object>,
}

impl Pending {
    pub(crate) fn new(method: Arc<str>, makes: &'static str, work: Work, args: Vec<Value>) -> Arc<Self> {
        let mut hasher = KeyHasher::new("pending/1");
        hasher.text(&method);
        hasher.list(args.iter(), |h, arg| h.text(&identity(arg)));
        let id = hasher.definition().to_string();
        Arc::new(Self { method, makes, work, args, id, made: OnceCell::new() })
    }

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
            let value = match self.work {
                Work::Values(function) => function(bridge, &mut { args })?,
                Work::Engine(function) => function(bridge, args).await?,
            };
            match value {
                Value::Object(object) => Ok(object),
                _ => Err(Failure::bug(format!("`{}` made no object", self.method))),
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

/// Makes every object in a value that is pending.
///
/// # Errors
/// If an image cannot be found.
pub async fn force(bridge: &dyn Bridge, value: Value) -> Result<Value, Failure> {
    let mut roots = Vec::new();
    collect(&value, &mut roots);
    if roots.is_empty() {
        return Ok(value);
    }
    let order = order_of(roots);
    // Images wait for registries, all at the same time; the rest is computed.
    let images = order.iter().filter(|pending| matches!(pending.work, Work::Engine(_)) && pending.missing().is_empty());
    try_join_all(images.map(|pending| pending.make(bridge))).await?;
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

fn identity(value: &Value) -> String {
    match value {
        Value::Object(Object::Container(container)) => container.id(),
        Value::Object(Object::Pending(pending)) => pending.id.clone(),
        value => format!("{value:?}"),
    }
}

#[cfg(test)]
mod tests;
