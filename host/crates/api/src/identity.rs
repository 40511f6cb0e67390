//! The identity of values: equal identities are the same arguments.

use graph::{DefinitionDigest, KeyHasher, SecretName};

use crate::container::Container;
use crate::directory::Directory;
use crate::file::File;
use crate::resources::{CacheVolume, Secret, Service};
use crate::value::{Object, Value};

/// Returns the digest of values. It is made of the definitions of the objects in them, not of their contents.
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
        Value::Kept(contents) => {
            hasher.text("contents");
            hasher.bytes(contents.digest().as_bytes());
        }
        Value::Flags(names) => {
            hasher.text("flags");
            hasher.list(names.iter(), |hasher, name| hasher.text(name));
        }
        Value::String(text) => tagged(hasher, "string", text),
        Value::Enum(case) => tagged(hasher, "enum", case),
        Value::Char(character) => tagged(hasher, "char", character.encode_utf8(&mut [0; 4])),
        Value::Bool(value) => number(hasher, "bool", u64::from(*value)),
        Value::U8(value) => number(hasher, "u8", u64::from(*value)),
        Value::U16(value) => number(hasher, "u16", u64::from(*value)),
        Value::U32(value) => number(hasher, "u32", u64::from(*value)),
        Value::U64(value) => number(hasher, "u64", *value),
        Value::S8(value) => number(hasher, "s8", i64::from(*value).cast_unsigned()),
        Value::S16(value) => number(hasher, "s16", i64::from(*value).cast_unsigned()),
        Value::S32(value) => number(hasher, "s32", i64::from(*value).cast_unsigned()),
        Value::S64(value) => number(hasher, "s64", value.cast_unsigned()),
        Value::F32(value) => number(hasher, "f32", u64::from(value.to_bits())),
        Value::F64(value) => number(hasher, "f64", value.to_bits()),
    }
}

/// The type is a part of the identity: `1` as a `u8` is not `1` as a `u32`.
fn tagged(hasher: &mut KeyHasher, ty: &str, text: &str) {
    hasher.text(ty);
    hasher.text(text);
}

fn number(hasher: &mut KeyHasher, ty: &str, number: u64) {
    hasher.text(ty);
    hasher.number(number);
}

pub(crate) fn add_object(hasher: &mut KeyHasher, object: &Object) {
    hasher.text(object.name());
    match object {
        Object::Container(container) => add_container(hasher, container),
        Object::Directory(directory) => {
            let Directory { selection } = &**directory;
            selection.hash_into(hasher);
        }
        Object::File(file) => {
            let File { selection, name } = &**file;
            selection.hash_into(hasher);
            hasher.text(name);
        }
        Object::Service(service) => {
            let Service { container, hostname } = &**service;
            add_container(hasher, container);
            hasher.option(hostname.as_deref(), KeyHasher::text);
        }
        Object::Pending(pending) => hasher.text(pending.id()),
        Object::Custom(custom) => hasher.number(custom.identity()),
        Object::Secret(secret) => {
            let Secret { name: SecretName(name) } = &**secret;
            hasher.text(name);
        }
        Object::CacheVolume(volume) => {
            let CacheVolume { key } = &**volume;
            hasher.text(key);
        }
        Object::ExecOptions(options) => options.hash_into(hasher),
        Object::MountOptions(options) => options.hash_into(hasher),
        Object::BuildOptions(options) => options.hash_into(hasher),
        Object::CopyOptions(options) => options.hash_into(hasher),
        Object::NewOptions(options) => options.hash_into(hasher),
        Object::SearchOptions(options) => options.hash_into(hasher),
    }
}

fn add_container(hasher: &mut KeyHasher, container: &Container) {
    hasher.text(&container.id());
    // A function can read the reference, so another reference is another argument.
    hasher.option(container.image_ref(), KeyHasher::text);
}

#[cfg(test)]
mod tests {
    use engine::ResolvedImage;
    use graph::{ImageConfig, Op, Selection, SourceOp};

    use super::*;
    use crate::container::MountSource;

    #[test]
    fn values_are_the_same_if_all_that_is_in_them_is() {
        let file = |text: &[u8]| Value::from(File::with_contents("a", text));
        assert_eq!(identity(&[file(b"x")]), identity(&[file(b"x")]));
        assert_ne!(identity(&[file(b"x")]), identity(&[file(b"y")]));
        assert_ne!(identity(&[Value::U8(1)]), identity(&[Value::U32(1)]));
        assert_ne!(identity(&[Value::List(vec![Value::U8(1)])]), identity(&[Value::Tuple(vec![Value::U8(1)])]));
        assert_ne!(identity(&[Value::Option(None)]), identity(&[Value::Option(Some(Box::new(Value::Option(None))))]));
    }

    /// A directory of this machine, mounted.
    fn mounted(path: &str) -> Container {
        let op = Op::Source(SourceOp::Local { path: path.into(), include: Vec::new(), exclude: Vec::new() });
        let source = MountSource::Directory { selection: Selection::of(op, Vec::new()), read_only: true, owner: None };
        Container::default().with_platform("linux/amd64").with_mount("/m", source)
    }

    #[test]
    fn the_whole_digest_of_a_mount_decides_and_not_the_digits_that_people_see() {
        // These paths were found by search: the digests of their vertices begin with the same 48 bits.
        let [one, other] = ["/3714230", "/37661907"].map(mounted);
        assert_eq!(format!("{:?}", shown(&one)), format!("{:?}", shown(&other)));
        assert_ne!(one.id(), other.id());
        assert_ne!(identity(&[one.into()]), identity(&[other.into()]));
    }

    /// The digits of the mounted vertex that people see.
    fn shown(container: &Container) -> Option<String> {
        container.edges().get(1).map(|edge| edge.vertex.digest().short())
    }

    #[test]
    fn an_identity_is_the_same_in_every_process() {
        // The digest is written down here: an address, a random number or the order of a hash map would change it.
        let container = mounted("/src").with_env_variable("A", "1");
        let digest = identity(&[container.into(), Value::F32(1.5), Value::S8(-1), Value::Char('x')]);
        assert_eq!(digest.to_string(), "blake3:ec41b1f1ab4d94f333d5d939b96591a93e9150070649f0dcc2a539989705f4ac");
    }

    #[test]
    fn a_container_of_another_reference_is_another_argument() {
        let image = |reference: &str| {
            Value::from(Container::default().based_on(&ResolvedImage {
                rootfs: Container::default().rootfs,
                reference: reference.to_owned(),
                platform: Container::default().platform,
                config: ImageConfig::default(),
            }))
        };
        assert_eq!(identity(&[image("a")]), identity(&[image("a")]));
        assert_ne!(identity(&[image("a")]), identity(&[image("b")]));
    }
}
