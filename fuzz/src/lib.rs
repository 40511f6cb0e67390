//! What the targets of the fuzzer call: each reads one foreign format, and must not panic, hang or take much memory.
//!
//! `scripts/fuzz` runs the targets, and the test `fuzz` of the workspace above reads all corpora with the same functions.

use std::path::Path;

mod registry;
mod results;
mod wave;

/// A function that reads bytes of strangers.
pub type Target = fn(&[u8]);

/// All targets, with the names of their programs and of their corpora.
pub const TARGETS: &[(&str, Target)] = &[
    ("component", component),
    ("credentials", credentials),
    ("documents", documents),
    ("layer", layer),
    ("manifest", manifest),
    ("names", names),
    ("protocol", protocol),
    ("redactor", redactor),
    ("registry", registry::registry),
    ("results", results::results),
    ("rows", rows),
    ("save", save),
    ("wave", wave::wave),
    ("zone", zone),
];

/// Runs the target with this name.
///
/// # Panics
/// If there is none.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    target.expect("a program is named after a target").1(bytes);
}

/// A component, of which the sections with documentation and types are read. Nothing is compiled.
fn component(bytes: &[u8]) {
    let _ = module::documentation(bytes);
    let _ = module::documented_stages(bytes);
    let _ = module::inspect(bytes);
}

/// The file with credentials that Docker writes.
fn credentials(bytes: &[u8]) {
    use oci::credentials::{Credentials as _, DockerConfig};
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let path = directory.path().join("config.json");
    std::fs::write(&path, bytes).expect("a temporary file can be written");
    // No helper is there: the names of those that a file asks for are those of programs of this machine.
    let config = DockerConfig::new(path).with_helper_path(directory.path());
    let runtime = registry::runtime();
    for registry in ["docker.io", "localhost:5000"] {
        let _ = runtime.block_on(config.credential(registry));
    }
}

/// Image manifests, indexes and configurations.
fn documents(bytes: &[u8]) {
    let _ = serde_json::from_slice::<oci::image::Manifest>(bytes);
    let _ = serde_json::from_slice::<oci::image::Index>(bytes);
    let _ = serde_json::from_slice::<oci::image::ConfigFile>(bytes);
}

/// Takes what an archive has, and forgets it.
struct Nothing;

impl oci::layer::Sink for Nothing {
    type Error = oci::layer::LayerError;

    fn take(
        &mut self,
        entry: oci::layer::ArchiveEntry,
        contents: &mut dyn oci::layer::Contents,
    ) -> Result<(), Self::Error> {
        let _ = oci::layer::escape(&entry.path);
        contents.read().map(drop)
    }
}

/// A tar file, compressed or not, as a layer and as an archive.
fn layer(bytes: &[u8]) {
    let limits = oci::layer::Limits { max_bytes: 1 << 20, ..oci::layer::Limits::default() };
    let _ = oci::layer::read(bytes, oci::Digest::of(b""), &limits, &mut Nothing);
    let _ = oci::layer::read_plain(bytes, &limits, &mut Nothing);
}

/// The manifest of a module, with the expressions of its stages.
fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(error) = module::ModuleManifest::parse(Path::new("host.toml"), text) {
        let _ = error.to_string();
    }
    let _ = module::parse_duration(text);
}

/// Names of images, platforms, paths and digests.
fn names(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(name) = text.parse::<graph::Reference>() {
        let again = name.to_string().parse::<graph::Reference>();
        assert_eq!(again.as_ref(), Ok(&name));
    }
    let _ = text.parse::<graph::Platform>();
    let _ = text.parse::<graph::ImageDigest>();
    let _ = graph::TreePath::parse(text);
}

/// What goes over the socket of a request to the zone: a length with a request behind it, and the reply.
fn protocol(bytes: &[u8]) {
    let _ = postcard::from_bytes::<zone::Reply>(bytes);
    let Ok(request) = zone::read_request(&mut &*bytes) else { return };
    let written = zone::encode_request(&request).expect("what was read can be written");
    let again = zone::read_request(&mut &*written).expect("what was written can be read");
    assert_eq!(zone::encode_request(&again).ok(), Some(written));
}

/// What a command prints: the first line is a secret, and the rest is the same however it is cut.
fn redactor(bytes: &[u8]) {
    let (secret, text) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    let whole = engine::Redactor::new([secret]).redact(text);
    let (mut redactor, mut got) = (engine::Redactor::new([secret]), Vec::new());
    for chunk in text.chunks(3) {
        got.extend(redactor.push(chunk));
    }
    got.extend(redactor.finish());
    assert_eq!(got, whole);
}

/// Rows of the store.
fn rows(bytes: &[u8]) {
    if let Ok((digest, node)) = store::Node::decode(bytes) {
        assert_eq!(node.encode().0, digest);
    }
}

/// An archive of `docker save`, or of a layout.
fn save(bytes: &[u8]) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let path = directory.path().join("image.tar");
    std::fs::write(&path, bytes).expect("a temporary file can be written");
    if let Ok(files) = oci::archive::TarFiles::open(&path, directory.path()) {
        let _ = oci::layout::find_image(&files, None, &graph::Platform::of_this_machine());
    }
}

/// The messages of the zone that describe a step and its end, and the layers that it writes.
fn zone(bytes: &[u8]) {
    let _ = postcard::from_bytes::<zone::ExecSpec>(bytes);
    let _ = postcard::from_bytes::<zone::ExecReply>(bytes);
    let _ = postcard::from_bytes::<store::LayerPlan>(bytes);
    let _ = postcard::from_bytes::<store::LayerContents>(bytes);
}
