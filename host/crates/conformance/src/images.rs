//! Test images, and a client that puts them into a registry.
//!
//! The code shares nothing with the product but the compression, so that a mistake of the product cannot hide itself.

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

/// Pushes all test images to a registry.
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

/// Pushes images that every engine must refuse.
fn push_broken(registry: &Registry) -> io::Result<()> {
    let good = || Image::new(json!({})).layer(Layer::default().file("f", 0o644, "x"));
    registry.push("broken", "layer", &good().with_raw_layer(b"this is no archive".to_vec()))?;
    registry.push("broken", "diff-id", &good().with_wrong_diff_id())?;
    registry.push("broken", "config", &good().with_raw_config(b"{ no configuration".to_vec()))?;
    registry.push("broken", "escape", &Image::new(json!({})).layer(Layer::default().raw_file("../../escaped", "x")))
}

/// Returns the layer of busybox: the tree of [`base::write`], with a home directory that belongs to `app`.
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

/// Returns a configuration in which every field is set.
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

/// Returns the tree of the image `layers`: a line for each path, as in `d 755 0:0 path`.
pub(crate) fn layers_tree() -> &'static str {
    layers::TREE
}

/// Pushes an image with one file, under a name that another image may have had.
///
/// # Errors
/// If the registry refuses.
pub fn push_file(registry: &Registry, name: &str, tag: &str, path: &str, contents: &str) -> io::Result<()> {
    registry.push(name, tag, &Image::new(json!({})).of(machine()).layer(Layer::default().file(path, 0o644, contents)))
}

/// Pushes an image of one layer, which is an archive as it is.
///
/// # Errors
/// If the registry refuses.
pub fn push_archive(registry: &Registry, name: &str, tag: &str, archive: Vec<u8>) -> io::Result<()> {
    let config = json!({ "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] });
    registry.push(name, tag, &Image::new(config).packed(Packing::OciTar).with_raw_layer(archive))
}
