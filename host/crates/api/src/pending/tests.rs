use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::{
    Caps, Engine, FailureCode, FileStat, ImageSource, ImageTarget, OutputRef, ResolvedImage, SearchMatch, SearchQuery,
    Snapshot, Solved,
};
use graph::{
    Definition, Edge, ImageConfig, ImageDigest, ImageOp, ImageOrigin, Op, Platform, Reference, Repository, SecretName,
    Selection, TreePath,
};

use super::*;
use crate::bridge::LogLevel;
use crate::dispatch::invoke;

/// An engine that finds images and cannot do anything else.
#[derive(Default)]
struct Images {
    n_resolved: AtomicUsize,
}

#[async_trait::async_trait]
impl Engine for Images {
    fn caps(&self) -> Caps {
        unreachable!()
    }

    async fn solve(&self, _: &[Edge]) -> Result<Vec<Solved>, Failure> {
        unreachable!()
    }

    fn forget_failures(&self) {}

    async fn settle(&self) {}

    async fn read(&self, _: &Snapshot, _: &TreePath, _: u64, _: u64) -> Result<Vec<u8>, Failure> {
        unreachable!()
    }

    async fn stat(&self, _: &Snapshot, _: &TreePath, _: bool) -> Result<FileStat, Failure> {
        unreachable!()
    }

    async fn entries(&self, _: &Snapshot, _: &TreePath) -> Result<Vec<String>, Failure> {
        unreachable!()
    }

    async fn glob(&self, _: &Snapshot, _: &TreePath, _: &str) -> Result<Vec<String>, Failure> {
        unreachable!()
    }

    async fn search(&self, _: &Snapshot, _: &TreePath, _: &SearchQuery) -> Result<Vec<SearchMatch>, Failure> {
        unreachable!()
    }

    async fn digest(&self, _: &Snapshot, _: &TreePath) -> Result<graph::ContentDigest, Failure> {
        unreachable!()
    }

    async fn output(&self, _: &OutputRef) -> Result<Vec<u8>, Failure> {
        unreachable!()
    }

    async fn export(&self, _: &Snapshot, _: &TreePath, _: &Path) -> Result<(), Failure> {
        unreachable!()
    }

    async fn resolve_image(&self, source: &ImageSource, platform: &Platform) -> Result<ResolvedImage, Failure> {
        self.n_resolved.fetch_add(1, Ordering::SeqCst);
        let ImageSource::Named(name) = source else { unreachable!() };
        if name == "missing" {
            return Err(Failure::invalid(FailureCode::NotFound, "image `missing` does not exist"));
        }
        let origin = ImageOrigin::Registry { repository: repository(name) };
        let op = ImageOp { origin, digest: ImageDigest::of(b"") };
        Ok(ResolvedImage {
            rootfs: Selection::of(Op::Image(Box::new(op)), Vec::new()),
            reference: format!("{name}@sha256:00"),
            platform: platform.clone(),
            config: ImageConfig {
                env: vec![("A".to_owned(), "image".to_owned()), ("B".to_owned(), "2".to_owned())],
                workdir: "/srv".to_owned(),
                default_args: vec!["serve".to_owned()],
                ..ImageConfig::default()
            },
        })
    }

    async fn publish(&self, _: &Edge, _: &ImageTarget) -> Result<String, Failure> {
        unreachable!()
    }
}

impl Bridge for Images {
    fn engine(&self) -> &dyn Engine {
        self
    }

    fn start(&self, _: Object) {}

    fn log(&self, _: LogLevel, _: &str) {}

    fn plaintext(&self, _: &SecretName) -> Result<String, Failure> {
        unreachable!()
    }

    fn export_target(&self, _: &str) -> Result<PathBuf, Failure> {
        unreachable!()
    }
}

fn repository(name: &str) -> Repository {
    name.parse::<Reference>().unwrap().full_repository().clone()
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// Calls methods of a container one after the other.
async fn chain(bridge: &Images, calls: &[(&str, Vec<Value>)]) -> Result<Value, Failure> {
    let mut value = Value::from(crate::Container::default());
    for (method, args) in calls {
        let resource = match &value {
            Value::Object(object) => object.name(),
            _ => unreachable!("the chain goes on behind a scalar"),
        };
        let args = std::iter::once(value.clone()).chain(args.iter().cloned()).collect();
        value = invoke(bridge, resource, &format!("[method]{resource}.{method}"), args).await?;
    }
    Ok(value)
}

fn command(words: &[&str]) -> Vec<Value> {
    vec![Value::List(words.iter().map(|word| text(word)).collect())]
}

#[tokio::test]
async fn methods_on_an_image_ask_nobody_until_a_leaf_does() {
    let bridge = Images::default();
    let calls = [
        ("from-image", vec![text("base")]),
        ("with-workdir", vec![text("lib")]),
        ("with-exec", command(&["make"])),
        ("file", vec![text("out")]),
    ];
    let file = chain(&bridge, &calls).await.unwrap();
    assert_eq!(bridge.n_resolved.load(Ordering::SeqCst), 0);

    let Value::Object(Object::File(file)) = force(&bridge, file).await.unwrap() else { panic!("no file") };
    assert_eq!(bridge.n_resolved.load(Ordering::SeqCst), 1);
    assert_eq!(file.selection.path.to_absolute(), "/srv/lib/out");
    let image = format!("docker.io/library/base@{}", ImageDigest::of(b""));
    let expect = format!("%0 = image {image} []\n%1 = exec make [%0]\n");
    assert_eq!(Definition::of([&file.selection.edge]).to_text(), expect);
}

#[tokio::test]
async fn the_configuration_of_an_image_is_read_without_its_files() {
    let bridge = Images::default();
    let set = |name: &str, value: &str| ("with-env-variable", vec![text(name), text(value)]);
    let from = ("from-image", vec![text("base")]);
    let calls = [set("X", "1"), set("A", "mine"), from, set("B", "3"), ("env-variables", vec![])];
    let variables = chain(&bridge, &calls).await.unwrap();
    assert_eq!(
        format!("{variables:?}"),
        format!(
            "{:?}",
            Value::pairs(
                [("X", "1"), ("A", "image"), ("B", "3")].map(|(name, value)| (name.to_owned(), value.to_owned()))
            )
        )
    );
}

#[tokio::test]
async fn an_image_that_is_not_there_fails_the_leaf_and_not_the_method() {
    let bridge = Images::default();
    let calls = [("from-image", vec![text("missing")]), ("with-exec", command(&["a"])), ("stdout", vec![])];
    let error = chain(&bridge, &calls).await.unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), ("not-found", "image `missing` does not exist"));
}

#[tokio::test]
async fn an_image_has_a_reference_until_something_is_changed() {
    let bridge = Images::default();
    let from = ("from-image", vec![text("base")]);
    let reference = chain(&bridge, &[from.clone(), ("image-ref", vec![])]).await.unwrap();
    assert_eq!(format!("{reference:?}"), r#"String("base@sha256:00")"#);
    let changed = [from, ("with-workdir", vec![text("/")]), ("image-ref", vec![])];
    assert_eq!(chain(&bridge, &changed).await.unwrap_err().code(), "invalid-argument");
}

#[tokio::test]
async fn what_is_pending_has_an_id_and_a_name() {
    let bridge = Images::default();
    let from = |name: &str| ("from-image", vec![text(name)]);
    let id = async |name: &str| format!("{:?}", chain(&bridge, &[from(name), ("id", vec![])]).await.unwrap());
    assert_eq!(id("base").await, id("base").await);
    assert_ne!(id("base").await, id("other").await);
    let name = chain(&bridge, &[from("base"), ("directory", vec![text("a/b")]), ("name", vec![])]).await.unwrap();
    assert_eq!(format!("{name:?}"), r#"String("b/")"#);
    assert_eq!(bridge.n_resolved.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_chain_longer_than_the_stack_is_deep_is_made() {
    let bridge = Images::default();
    let step = ("with-env-variable", vec![text("N"), text("1")]);
    let calls: Vec<_> = std::iter::once(("from-image", vec![text("base")])).chain(vec![step; 20_000]).collect();
    let value = chain(&bridge, &calls).await.unwrap();
    assert!(matches!(force(&bridge, value).await, Ok(Value::Object(Object::Container(_)))));
}
