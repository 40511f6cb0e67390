//! A registry that lies, about each part of an image.

use serde_json::Value as Json;
use testkit::{Scratch, guest, require};

use crate::bounds;
use crate::verdict::{Tally, Verdict, is_long};
use crate::warm;
use fake::{Asked, Fake, Reply};
use image::{Image, descriptor};

#[path = "../../host/crates/oci/tests/it/support/fake.rs"]
#[allow(dead_code, reason = "the tests of the client use all of it")]
mod fake;
#[path = "../../host/crates/oci/tests/it/support/image.rs"]
#[allow(dead_code, reason = "the tests of the client use all of it")]
mod image;
mod lies;
#[path = "../../host/crates/oci/tests/it/support/serve.rs"]
mod serve;

/// What the file of the image says.
const TRUTH: &str = "the truth";

/// How many processes pull at the same time: most of the time they wait before they ask again.
const N_PROCESSES: usize = 16;

/// The part of an image that is not what it should be.
enum Lie {
    /// Another manifest, with the digest that it has.
    Manifest(fn(&mut Json)),
    /// Another configuration, with the digest that it has.
    Config(fn(&mut Json)),
    /// Another text in the place of the configuration.
    Text(fn() -> Vec<u8>),
    /// Another layer, with the digest that it has, compressed.
    Layer(fn() -> Vec<u8>),
    /// Other bytes for the manifest, of this media type.
    Bytes(&'static str, fn(&Image) -> Vec<u8>),
    /// Other responses to requests for the manifest, the configuration or the layer.
    Asked(Part, fn(&Asked, Reply) -> Reply),
}

/// What is asked for.
#[derive(Clone, Copy)]
enum Part {
    Manifest,
    Config,
    Layer,
}

/// A lie: its name, whether the image can be had nevertheless, and what is not true.
type Row = (&'static str, bool, Lie);

/// Returns a tar archive with some files.
fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, contents) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        // Not by `set_path`, which refuses what an attacker writes.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        builder.append(&header, contents.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns an image with a layer, whose bytes are compressed, and a changed configuration.
fn image(layer: &[u8], change: impl FnOnce(&mut Json)) -> Image {
    let diff_id = oci::Digest::of(layer).to_string();
    Image::with_config(&[&gzip(layer)], |config| {
        config["rootfs"]["diff_ids"] = serde_json::json!([diff_id]);
        change(config);
    })
}

/// Puts an image with a lie into the registry.
fn put(fake: &Fake, repository: &str, lie: &Lie) {
    // The layer of each image is another, so that none is known from an honest one.
    let truth = tar(&[("f", TRUTH), ("repository", repository)]);
    let honest = image(&truth, |_| {});
    let told = match lie {
        Lie::Manifest(change) => honest.with_manifest(change),
        Lie::Config(change) => image(&truth, change),
        Lie::Text(text) => Image::of(honest.layers.clone(), text()),
        Lie::Layer(layer) => image(&layer(), |_| {}),
        Lie::Bytes(..) | Lie::Asked(..) => honest.clone(),
    };
    told.put(fake, repository, "1");
    match lie {
        Lie::Bytes(media_type, bytes) => fake.put_manifest(repository, "1", media_type, &bytes(&honest), "<manifest>"),
        Lie::Asked(part, change) => {
            let blob = |bytes: &[u8]| format!("GET /v2/{repository}/blobs/{}", oci::Digest::of(bytes));
            let pattern = match part {
                Part::Manifest => format!("/v2/{repository}/manifests/"),
                Part::Config => blob(&honest.config),
                Part::Layer => blob(&honest.layers[0]),
            };
            fake.always(&pattern, *change);
        }
        _ => {}
    }
}

/// Pulls images in one process, and returns for each what its file says, or the error.
fn pull(scratch: &Scratch, images: &[String]) -> bounds::Running {
    let images = serde_json::to_string(images).unwrap();
    let mut command = scratch.command(["call", "-q", "--json", "--allow", "machine", "-m"]);
    command.arg(guest("hostile")).args(["pulls", "--images", &images, "--file", "f"]);
    bounds::start(&mut command)
}

#[test]
fn no_lie_of_a_registry_becomes_an_image() {
    if !require("crun") || !require("wasm32-wasip2") {
        return;
    }
    let (scratch, fake) = (warm::scratch("hostile", &["count-calls"]), Fake::start());
    let mut rows = lies::all();
    if is_long() {
        rows.extend(lies::slow());
    }
    let names: Vec<String> = (0..rows.len()).map(|n| format!("{}/l{n}:1", fake.name())).collect();
    for (n, (_, _, lie)) in rows.iter().enumerate() {
        put(&fake, &format!("l{n}"), lie);
    }
    let mut running = Vec::new();
    for first in 0..N_PROCESSES {
        let chosen: Vec<usize> = (first..rows.len()).step_by(N_PROCESSES).collect();
        let images: Vec<String> = chosen.iter().map(|n| names[*n].clone()).collect();
        running.push((chosen, pull(&scratch, &images)));
    }
    let mut tally = Tally::new("lies");
    for (chosen, running) in running {
        let answer = running.wait();
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        let answers: Vec<String> = serde_json::from_str(&answer.stdout).unwrap();
        for (n, got) in chosen.into_iter().zip(answers) {
            let (name, is_right, _) = &rows[n];
            let verdict = match (got.as_str(), *is_right) {
                (TRUTH, true) => Verdict::Right,
                (got, false) if got.starts_with("error ") => Verdict::Told,
                (got, true) => Verdict::wrong(format!("it could be had: {got}")),
                (got, false) => Verdict::wrong(format!("it was taken: {got}")),
            };
            tally.add(format!("{n} {name}"), verdict);
        }
    }
    tally.finish(100);
}
