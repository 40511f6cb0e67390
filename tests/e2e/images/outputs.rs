//! `-o` of a container: every form is written and read back.

use std::os::unix::fs::PermissionsExt as _;
use std::time::SystemTime;

use super::{Bench, from};
use crate::run::{Chain, until};

/// Returns a container that changes an image.
fn changed(bench: &Bench) -> Chain {
    let changed = bench.from("busybox:rich").then(&["with-user", "--user", "root"]).sh("echo new > /new; rm -r /tmp");
    changed.then(&["with-env-variable", "--name", "C", "--value", "3", "with-label", "--name", "l3", "--value", "v3"])
}

/// Returns files and configuration of a container as text.
fn seen(bench: &Bench, container: &Chain) -> String {
    let script = "echo $A $C; pwd; cat /new; ls -a / | tr '\\n' ' '; stat -c %U /home/app";
    let mut seen = bench.ok(&container.clone().sh(script).stdout());
    for method in ["labels", "default-args", "user"] {
        seen += &bench.ok(&container.clone().then(&[method]));
    }
    seen + &bench.ok(&container.clone().then(&["rootfs", "digest"]))
}

#[test]
fn an_image_is_the_same_when_it_is_read_back_from_every_target() {
    let Some(bench) = Bench::new() else { return };
    let expect = seen(&bench, &changed(&bench));
    assert!(expect.contains("1 3\n/home/app\nnew\n") && expect.contains("l3"), "{expect}");
    let registry = format!("docker://{}", bench.registry.name("out:1"));
    for target in ["image.tar", "docker-archive:image.archive", "oci-archive:image.oci", "oci:layout"] {
        assert_eq!(bench.ok(&changed(&bench).then(&["-o", target])), "", "{target}");
    }
    let pinned = bench.ok(&changed(&bench).then(&["-o", &registry]));
    assert!(pinned.starts_with(&format!("{}@sha256:", bench.registry.name("out:1"))), "{pinned}");

    let imported = |method: &str, source: &str| Chain::new("empty").then(&[method, "--source", source]);
    for file in ["image.tar", "image.archive", "image.oci"] {
        assert_eq!(seen(&bench, &imported("import-image", file)), expect, "{file}");
    }
    assert_eq!(seen(&bench, &imported("import-layout", "layout")), expect);
    assert_eq!(seen(&bench, &bench.from("out:1")), expect);
    assert_eq!(seen(&bench, &from(pinned.trim())), expect);
}

#[test]
fn the_same_image_has_the_same_bytes_in_every_run_and_at_every_target() {
    let Some(bench) = Bench::new() else { return };
    let archive = |name: &str| {
        bench.ok(&changed(&bench).then(&["-o", name, "--no-cache"]));
        std::fs::read(bench.scratch.path("work").join(name)).unwrap()
    };
    let first = archive("first.tar");
    // Files of the second run have other times, which archives count in seconds.
    let second = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let began = second();
    until("the clock shows another second", || second() != began);
    assert!(first == archive("second.tar"), "the bytes differ");

    bench.ok(&changed(&bench).then(&["-o", "oci:layout"]));
    let index = std::fs::read_to_string(bench.scratch.path("work/layout/index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let digest = index["manifests"][0]["digest"].as_str().unwrap();
    let pinned = bench.ok(&changed(&bench).then(&["-o", &format!("docker://{}", bench.registry.name("same:1"))]));
    assert_eq!(pinned.trim(), format!("{}@{digest}", bench.registry.name("same:1")));
}

#[test]
fn the_layers_of_the_image_below_are_in_the_new_one_as_they_were() {
    let Some(bench) = Bench::new() else { return };
    bench.ok(&bench.from("busybox:1").then(&["with-new-file", "--path", "/f", "--contents", "x", "-o", "oci:layout"]));
    let blobs = std::fs::read_dir(bench.scratch.path("work/layout/blobs/sha256")).unwrap();
    let blobs: Vec<String> = blobs.map(|blob| blob.unwrap().file_name().into_string().unwrap()).collect();
    let stored = bench.registry.storage().join("docker/registry/v2/repositories/busybox/_layers/sha256");
    let known = std::fs::read_dir(stored).unwrap().map(|layer| layer.unwrap().file_name().into_string().unwrap());
    let kept: Vec<String> = known.filter(|layer| blobs.contains(layer)).collect();
    assert_eq!(kept.len(), 1, "{blobs:?}");
    assert_eq!(blobs.len(), 4, "the layer below, the new one, configuration, manifest: {blobs:?}");
}

#[test]
fn a_directory_gets_the_root_file_system_of_an_image() {
    let Some(bench) = Bench::new() else { return };
    bench.ok(&changed(&bench).then(&["-o", "root"]));
    let root = bench.scratch.path("work/root");
    assert_eq!(std::fs::read_to_string(root.join("new")).unwrap(), "new\n");
    assert_eq!(std::fs::read_link(root.join("bin/sh")).unwrap(), std::path::Path::new("busybox"));
    assert_eq!(root.join("bin/busybox").metadata().unwrap().permissions().mode() & 0o7777, 0o755);
    assert!(!root.join("tmp").exists());
}

#[test]
fn an_export_of_a_stage_is_an_image_that_can_be_read_back() {
    let Some(bench) = Bench::new() else { return };
    let name = bench.registry.name("busybox:rich");
    let answer = bench.effect("export-container", &["--image", &name, "--path", "out/image.tar"], |_| ());
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    let back = Chain::new("empty").then(&["import-image", "--source", "out/image.tar", "labels"]);
    assert_eq!(bench.ok(&back), "[\"l1\",\"v1\"]\n[\"l2\",\"v2\"]\n");
}
