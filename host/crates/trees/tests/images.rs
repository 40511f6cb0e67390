//! Images out of trees, and back: what is packed is found again, and the same is packed to the same bytes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex};

use engine::{Event, Failure, ImageAccess, ImageSource, SecretProvider, SessionIo};
use expect_test::{Expect, expect};
use graph::image::ARCHIVE;
use graph::{
    ContentDigest, Edge, FileOp, ImageConfig, PackForm, PackOp, Platform, RemoveKind, SecretName, Selection, TreePath,
    Vertex,
};
use oci::archive::TarFiles;
use oci::layout::{Files as _, find_image};
use store::{Store, empty_tree};
use tokio_util::sync::CancellationToken;
use trees::{Input, Trees};

struct NoSecrets;

impl SecretProvider for NoSecrets {
    fn value(&self, name: &SecretName) -> Result<Vec<u8>, Failure> {
        Err(Failure::bug(format!("nobody has a secret {name:?}")))
    }
}

struct World {
    _dir: tempfile::TempDir,
    trees: Trees,
    events: Arc<Mutex<Vec<String>>>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&events);
        let io = SessionIo {
            events: Arc::new(move |event| {
                if let Event::Image { name, reference } = event {
                    sink.lock().unwrap().push(format!("{name} is {reference}"));
                }
            }),
            secrets: Arc::new(NoSecrets),
            cancel: CancellationToken::new(),
            n_jobs: 1,
            is_cache_used: true,
            timeout: None,
            max_output_bytes: engine::MAX_OUTPUT_BYTES,
            rules: engine::Rules::default(),
            images: ImageAccess::default(),
            store: dir.path().to_owned(),
            is_dry: false,
        };
        Self { trees: Trees::new(store, &io), _dir: dir, events }
    }

    fn apply(&self, base: ContentDigest, op: FileOp) -> ContentDigest {
        self.trees.store().apply(&op, base, None).unwrap()
    }

    fn file(&self, base: ContentDigest, at: &str, contents: &str, owner: Option<&str>) -> ContentDigest {
        let (contents, owner) = (contents.as_bytes().into(), owner.map(str::to_owned));
        self.apply(base, FileOp::MakeFile { path: path(at), contents, mode: 0o640, owner })
    }

    fn remove(&self, base: ContentDigest, pattern: &str) -> ContentDigest {
        let (base_path, pattern) = (TreePath::root(), pattern.to_owned());
        self.apply(base, FileOp::Remove { pattern, base: base_path, kind: RemoveKind::File })
    }

    /// Packs root file systems that no image is under.
    fn pack(&self, form: PackForm, trees: &[ContentDigest]) -> Result<ContentDigest, Failure> {
        let root = TreePath::root();
        let selections = vec![Edge::first(Vertex::scratch()).at(root.clone()); trees.len()];
        let inputs: Vec<Input<'_>> = trees.iter().map(|tree| Input { tree: *tree, path: &root }).collect();
        let config = ImageConfig {
            env: vec![("A".to_owned(), "1=2".to_owned())],
            entrypoint: vec!["app".to_owned()],
            user: "1000".to_owned(),
            ports: ["80/tcp".to_owned()].into(),
            healthcheck: Some(r#"{"Test":["CMD","true"]}"#.to_owned()),
            ..ImageConfig::default()
        };
        let annotations = BTreeMap::from([("note".to_owned(), "n".to_owned())]);
        let op = PackOp { config, annotations, platform: Platform::of_this_machine(), form };
        self.trees.pack(&op, &selections, &inputs)
    }

    async fn within(&self, tree: ContentDigest, at: &str, tag: Option<&str>) -> Result<engine::ResolvedImage, Failure> {
        let selection = Selection { edge: Edge::first(Vertex::scratch()), path: path(at) };
        let source = ImageSource::Within { selection, tag: tag.map(str::to_owned) };
        let at = path(at);
        let input = Input { tree, path: &at };
        self.trees.resolve_image(&source, &Platform::of_this_machine(), Some(input)).await
    }
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

/// Shows the layers of an archive, entry by entry.
fn check_layers(world: &World, archive: ContentDigest, expect: &Expect) {
    let store = world.trees.store();
    let blob = store.contents_digest(archive, &path(ARCHIVE)).unwrap();
    let (_, _, file) = store.open_blob(&blob).unwrap();
    let files = TarFiles::open(&file, &store.temporary_dir().unwrap()).unwrap();
    let found = find_image(&files, None, &Platform::of_this_machine()).unwrap();
    let mut shown = String::new();
    for layer in &found.layers {
        shown.push_str("layer\n");
        let mut bytes = Vec::new();
        oci::compression::Decoder::new(files.open(&layer.path).unwrap()).unwrap().read_to_end(&mut bytes).unwrap();
        for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            shown.push_str(&format!(
                "  {} {:o} {}:{} at {}\n",
                entry.path().unwrap().display(),
                header.mode().unwrap(),
                header.uid().unwrap(),
                header.gid().unwrap(),
                header.mtime().unwrap(),
            ));
        }
    }
    expect.assert_eq(&shown);
}

#[test]
fn each_root_file_system_adds_a_layer_with_what_it_changes() {
    let world = World::new();
    let first = world.file(world.file(empty_tree(), "etc/a", "1", None), "etc/b", "2", None);
    let second = world.remove(world.file(first, "etc/c", "3", Some("7:8")), "etc/a");
    let archive = world.pack(PackForm::Archive, &[first, first, second]).unwrap();
    check_layers(
        &world,
        archive,
        &expect![[r#"
            layer
              etc/ 755 0:0 at 0
              etc/a 640 0:0 at 0
              etc/b 640 0:0 at 0
            layer
              etc/ 755 0:0 at 0
              etc/.wh.a 0 0:0 at 0
              etc/c 640 7:8 at 0
        "#]],
    );
}

#[test]
fn the_same_is_packed_to_the_same_bytes_in_another_store() {
    let packed = |form| {
        let world = World::new();
        let tree = world.file(empty_tree(), "a", "1", None);
        world.pack(form, &[tree]).unwrap()
    };
    for form in [PackForm::Layout, PackForm::Archive] {
        assert_eq!(packed(form), packed(form));
    }
    assert_ne!(packed(PackForm::Layout), packed(PackForm::Archive));
}

#[tokio::test]
async fn what_was_packed_says_the_same_when_it_is_read_again() {
    let world = World::new();
    let tree = world.file(empty_tree(), "a", "1", None);
    for (form, at) in [(PackForm::Layout, ""), (PackForm::Archive, ARCHIVE)] {
        let packed = world.pack(form, &[tree]).unwrap();
        let image = world.within(packed, at, None).await.unwrap();
        expect![[r#"
            ImageConfig { env: [("A", "1=2")], entrypoint: ["app"], default_args: [], user: "1000", workdir: "", labels: {}, ports: {"80/tcp"}, volumes: {}, stop_signal: None, healthcheck: Some("{\"Test\":[\"CMD\",\"true\"]}") }"#]]
        .assert_eq(&format!("{:?}", image.config));
        assert!(image.reference.starts_with("sha256:"), "{}", image.reference);
    }
    assert!(world.events.lock().unwrap().is_empty(), "only names are looked up");
}

#[tokio::test]
async fn what_is_no_image_is_told() {
    let world = World::new();
    let check = async |tree, at: &str, expect: Expect| {
        let error = world.within(tree, at, None).await.unwrap_err();
        expect.assert_eq(&error.to_string());
    };
    let garbage = world.file(empty_tree(), "x.tar", "garbage", None);
    let empty = world.apply(empty_tree(), FileOp::MakeDirectory { path: path("d"), mode: 0o755, owner: None });
    let version = world.file(empty_tree(), "index.json", "{", None);
    check(empty, "d", expect!["there is no image: neither `index.json` nor `manifest.json` is there"]).await;
    check(
        version,
        "",
        expect!["`index.json` of the image is not valid: EOF while parsing an object at line 1 column 1"],
    )
    .await;
    check(empty, "nowhere", expect!["nothing is at `/nowhere`"]).await;
    let error = world.within(garbage, "x.tar", None).await.unwrap_err().to_string();
    assert!(error.contains("is not a tar file with an image, or is damaged"), "{error}");
}

#[tokio::test]
async fn names_are_checked_and_docker_is_not_asked_where_there_is_none() {
    let world = World::new();
    let check = async |name: &str, expect: Expect| {
        let source = ImageSource::Named(name.to_owned());
        let error = world.trees.resolve_image(&source, &Platform::of_this_machine(), None).await.unwrap_err();
        expect.assert_eq(&error.to_string());
    };
    check("UPPER", expect!["`UPPER` is not the name of an image: the repository `UPPER` has upper case letters"]).await;
    check("docker-daemon:x", expect!["there is no Docker to ask for an image"]).await;
    check(
        "127.0.0.1:1/x:1",
        expect!["image `127.0.0.1:1/x:1`: registry `127.0.0.1:1`: cannot connect: Connection refused (os error 111)"],
    )
    .await;
}
