//! What makes two values the same.

use graph::{DefinitionDigest, KeyHasher, Selection};

use crate::object::Object;
use crate::value::Value;

/// Returns the digest of what values are: of the definitions of the objects in them, not of their contents.
#[must_use]
pub fn identity(values: &[Value]) -> DefinitionDigest {
    let mut hasher = KeyHasher::new("values/1");
    hasher.list(values.iter(), add);
    hasher.definition()
}

fn add(hasher: &mut KeyHasher, value: &Value) {
    let boxed = |hasher: &mut KeyHasher, value: &Option<Box<Value>>| {
        hasher.option(value.as_deref(), add);
    };
    match value {
        Value::Object(object) => add_object(hasher, object),
        Value::List(items) => {
            hasher.text("list");
            hasher.list(items.iter(), add);
        }
        Value::Tuple(items) => {
            hasher.text("tuple");
            hasher.list(items.iter(), add);
        }
        Value::Record(fields) => {
            hasher.text("record");
            hasher.list(fields.iter(), |hasher, (name, value)| {
                hasher.text(name);
                add(hasher, value);
            });
        }
        Value::Variant(case, value) => {
            hasher.text("variant");
            hasher.text(case);
            boxed(hasher, value);
        }
        Value::Option(value) => {
            hasher.text("option");
            boxed(hasher, value);
        }
        Value::Result(Ok(value)) => {
            hasher.text("ok");
            boxed(hasher, value);
        }
        Value::Result(Err(value)) => {
            hasher.text("err");
            boxed(hasher, value);
        }
        Value::Bytes(bytes) => {
            hasher.text("bytes");
            hasher.bytes(bytes);
        }
        // The type is a part of it: `U8(1)` is not `U32(1)`.
        plain => hasher.text(&format!("{plain:?}")),
    }
}

fn add_object(hasher: &mut KeyHasher, object: &Object) {
    hasher.text(object.name());
    match object {
        Object::Container(container) => hasher.text(&container.id()),
        Object::Directory(directory) => add_selection(hasher, &directory.selection),
        Object::File(file) => {
            add_selection(hasher, &file.selection);
            hasher.text(&file.name);
        }
        Object::Service(service) => {
            hasher.text(&service.container.id());
            hasher.option(service.hostname.as_deref(), KeyHasher::text);
        }
        Object::Pending(pending) => hasher.text(pending.id()),
        Object::Custom(custom) => hasher.number(custom.identity()),
        Object::Secret(secret) => hasher.text(&secret.name.0),
        Object::CacheVolume(volume) => hasher.text(&volume.key),
        Object::ExecOptions(options) => hasher.text(&format!("{options:?}")),
        Object::MountOptions(options) => hasher.text(&format!("{options:?}")),
        Object::BuildOptions(options) => hasher.text(&format!("{options:?}")),
        Object::CopyOptions(options) => hasher.text(&format!("{options:?}")),
        Object::NewOptions(options) => hasher.text(&format!("{options:?}")),
        Object::SearchOptions(options) => hasher.text(&format!("{options:?}")),
    }
}

fn add_selection(hasher: &mut KeyHasher, selection: &Selection) {
    hasher.bytes(selection.edge.vertex.digest().as_bytes());
    hasher.number(u64::from(selection.edge.output));
    hasher.text(selection.path.as_str());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::File;

    #[test]
    fn values_are_the_same_if_all_that_is_in_them_is() {
        let file = |text: &[u8]| Value::from(File::with_contents("a", text));
        assert_eq!(identity(&[file(b"x")]), identity(&[file(b"x")]));
        assert_ne!(identity(&[file(b"x")]), identity(&[file(b"y")]));
        assert_ne!(identity(&[Value::U8(1)]), identity(&[Value::U32(1)]));
        assert_ne!(identity(&[Value::List(vec![Value::U8(1)])]), identity(&[Value::Tuple(vec![Value::U8(1)])]));
        assert_ne!(identity(&[Value::Option(None)]), identity(&[Value::Option(Some(Box::new(Value::Option(None))))]));
    }
}
