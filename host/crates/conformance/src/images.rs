//! The images that behaviours are about, and a registry's client to put them where backends find them.
//!
//! Nothing here is the product's: what the product writes and reads is judged by it.

mod build;
mod http;
mod layer;
mod layers;

use std::io;

use serde_json::json;

pub use http::Registry;

use crate::base;
use crate::images::build::{Image, Packing, machine};
use crate::images::layer::Layer;

/// Puts all images into a registry.
///
/// # Errors
/// If the registry refuses, or busybox is not installed.
pub fn push_all(registry: &Registry) -> io::Result<()> {
    let busybox = busybox()?;
    registry.push("busybox", "1", &Image::new(json!({ "Env": ["PATH=/bin"] })).layer(busybox.clone()))?;
    registry.push("busybox", "rich", &Image::new(rich()).layer(busybox.clone()))?;
    registry.push("busybox", "oci", &Image::new(rich()).packed(Packing::OciZstd).layer(busybox))?;
    for (tag, packing) in [("docker", Packing::Docker), ("oci", Packing::Oci), ("zstd", Packing::OciZstd)] {
        let image = layers::all().into_iter().fold(Image::new(json!({})).packed(packing), Image::layer);
        registry.push("layers", tag, &image)?;
    }
    let of = |architecture| {
        let image = Image::new(json!({ "Env": [format!("ARCH={architecture}")] })).of(architecture);
        image.layer(Layer::default().file("arch", 0o644, architecture))
    };
    registry.push_index("multi", "1", &[of("amd64"), of("arm64")])?;
    registry.push("foreign", "1", &of("s390x"))?;
    push_broken(registry)
}

/// Images that no backend may take.
fn push_broken(registry: &Registry) -> io::Result<()> {
    let good = || Image::new(json!({})).layer(Layer::default().file("f", 0o644, "x"));
    registry.push("broken", "layer", &good().with_raw_layer(b"this is no archive".to_vec()))?;
    registry.push("broken", "diff-id", &good().with_wrong_diff_id())?;
    registry.push("broken", "config", &good().with_raw_config(b"{ no configuration".to_vec()))?;
    registry.push("broken", "escape", &Image::new(json!({})).layer(Layer::default().raw_file("../../escaped", "x")))
}

/// The layer of busybox; the same tree as [`base::write`] makes, but for the home of `app`, which is its own.
fn busybox() -> io::Result<Layer> {
    let mut layer = Layer::default();
    for (path, mode) in base::DIRECTORIES {
        let owner = if *path == "home/app" { (1000, 1000) } else { (0, 0) };
        layer = layer.directory_of(path, *mode, owner);
    }
    layer = layer.file_of("bin/busybox", 0o755, (0, 0), &base::busybox()?);
    for applet in base::APPLETS {
        layer = layer.symlink(&format!("bin/{applet}"), "busybox");
    }
    Ok(layer.file("etc/passwd", 0o644, base::PASSWD).file("etc/group", 0o644, base::GROUP))
}

/// The configuration of the recorded answer 005.
fn rich() -> serde_json::Value {
    json!({
        "Entrypoint": ["echo", "ep"],
        "Cmd": ["default", "args"],
        "Env": ["PATH=/bin", "A=1", "B=two words"],
        "User": "app",
        "WorkingDir": "/home/app",
        "Labels": { "l1": "v1", "l2": "v2" },
        "ExposedPorts": { "8080/tcp": {}, "9090/udp": {} },
        "Volumes": { "/data": {} },
        "StopSignal": "SIGINT",
        "Healthcheck": { "Test": ["CMD", "true"], "Interval": 5_000_000_000_u64, "Retries": 2 },
    })
}

/// Returns what the layers of the image `layers` come to: a line for each path, as in `d 755 0:0 path`.
pub(crate) fn layers_tree() -> &'static str {
    layers::TREE
}

/// Puts an image with one file into a registry, under a name that may have been another's.
///
/// # Errors
/// If the registry refuses.
pub fn push_file(registry: &Registry, name: &str, tag: &str, path: &str, contents: &str) -> io::Result<()> {
    registry.push(name, tag, &Image::new(json!({})).of(machine()).layer(Layer::default().file(path, 0o644, contents)))
}

/// Puts an image of one layer into a registry, which is an archive as it is.
///
/// # Errors
/// If the registry refuses.
pub fn push_archive(registry: &Registry, name: &str, tag: &str, archive: Vec<u8>) -> io::Result<()> {
    let config = json!({ "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] });
    registry.push(name, tag, &Image::new(config).packed(Packing::OciTar).with_raw_layer(archive))
}
