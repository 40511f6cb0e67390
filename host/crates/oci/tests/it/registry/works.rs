//! Pulls that succeed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use expect_test::expect;
use oci::image::{DOCKER_MANIFEST, Descriptor, INDEX, LAYER};
use oci::registry::{Client, Options, Piped, Problem, Push};
use oci::{Digest, Reference};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use super::push::Blobs;
use crate::support::bench::{Bench, check};
use crate::support::fake::{Fake, Reply};
use crate::support::image::{Image, descriptor};

#[tokio::test]
async fn a_tag_is_pinned_and_its_layers_are_read() {
    check(
        |_| (),
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_manifest_of_docker_is_read_as_one_of_the_oci() {
    let change = |bench: &mut Bench| {
        let image = bench.image.with_manifest(|manifest| {
            manifest["mediaType"] = json!(DOCKER_MANIFEST);
            manifest["config"]["mediaType"] = json!("application/vnd.docker.container.image.v1+json");
        });
        bench.fake.put_manifest("app", "1", DOCKER_MANIFEST, &image.manifest, "<docker manifest>");
    };
    check(
        change,
        expect![[r#"
        resolved: REGISTRY/app:1@<docker manifest>
        layer: "0123456789"
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_index_is_pinned_by_its_own_digest() {
    let change = |bench: &mut Bench| {
        let mut mine = descriptor(oci::image::MANIFEST, &bench.image.manifest);
        mine["platform"] = json!({ "os": "linux", "architecture": "amd64" });
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [mine] }).to_string();
        bench.fake.put_manifest("app", "1", INDEX, index.as_bytes(), "<index>");
    };
    check(
        change,
        expect![[r#"
        resolved: REGISTRY/app:1@<index>
        layer: "0123456789"
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/manifests/<manifest> -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_name_with_a_digest_is_asked_for_by_it() {
    check(
        |bench| bench.name += &format!("@{}", Digest::of(&bench.image.manifest)),
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
          GET /v2/app/manifests/<manifest> -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_moved_tag_does_no_harm_after_it_was_resolved() {
    let bench = Bench::new();
    let other = Image::new(&[b"another"]);
    let client = Client::new(bench.options).unwrap();
    let reference: Reference = bench.name.parse().unwrap();
    let resolved = client.resolve(&reference, &"linux/amd64".parse().unwrap()).await.unwrap();
    other.put(&bench.fake, "app", "1");
    let mut sink = Vec::new();
    client.blob(&resolved.reference, &resolved.manifest.layers[0], &mut sink).await.unwrap();
    assert_eq!(sink, b"0123456789");
    let again = client.resolve(&resolved.reference, &"linux/amd64".parse().unwrap()).await.unwrap();
    assert_eq!(again, resolved);
    assert_eq!(resolved.config.config.env, ["A=b"]);
    assert_eq!(resolved.manifest_bytes, bench.image.manifest);
}

#[tokio::test]
async fn a_mirror_is_asked_first_and_the_registry_if_it_fails() {
    let (mirror, bench) = (Fake::start(), Bench::new());
    let mut options = bench.options;
    options.mirrors = BTreeMap::from([(bench.fake.name(), vec![format!("http://{}/hub", mirror.name())])]);
    let client = Client::new(options).unwrap();
    let reference: Reference = bench.name.parse().unwrap();
    client.resolve(&reference, &"linux/amd64".parse().unwrap()).await.unwrap();
    expect![[r#"
        mirror:
          GET /hub/v2/app/manifests/1 -> 404
        registry:
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
    "#]]
    .assert_eq(&format!("mirror:\n{}registry:\n{}", mirror.log(), bench.fake.log()));
}

type Change = fn(Reply) -> Reply;

#[tokio::test]
async fn what_a_mirror_sent_is_kept_if_it_breaks_and_thrown_away_if_it_lies() {
    const LIE: &str = "9876543210";
    // The response of the mirror, and the ranges that the registry is asked for after it.
    let cases: [(Change, &[&str]); 3] = [
        (|reply| reply.cut(4), &["bytes=4-"]),
        (|reply| Reply { body: LIE.into(), ..reply }, &[""]),
        (|reply| Reply { body: LIE.into(), ..reply }.cut(5), &["bytes=5-", ""]),
    ];
    for (change, ranges) in cases {
        let (mirror, bench) = (Fake::start(), Bench::new());
        bench.image.put(&mirror, "app", "1");
        mirror.always("GET /v2/app/blobs", move |_, reply| change(reply));
        let mut options = bench.options;
        options.mirrors = BTreeMap::from([(bench.fake.name(), vec![format!("http://{}", mirror.name())])]);
        let client = Client::new(options).unwrap();
        let blob: Descriptor = serde_json::from_value(descriptor(LAYER, b"0123456789")).unwrap();
        let mut sink = Vec::new();
        client.blob(&bench.name.parse().unwrap(), &blob, &mut sink).await.unwrap();
        assert_eq!(sink, b"0123456789");
        let asked = bench.fake.asked();
        assert_eq!(asked.iter().map(|asked| asked.header("range")).collect::<Vec<_>>(), ranges);
    }
}

#[tokio::test]
async fn a_pipe_does_not_take_what_a_mirror_lied_about() {
    let (mirror, bench) = (Fake::start(), Bench::new());
    mirror.always("GET", |_, _| Reply::new(200, "9876543210"));
    let mut options = bench.options;
    options.mirrors = BTreeMap::from([(bench.fake.name(), vec![format!("http://{}", mirror.name())])]);
    let client = Client::new(options).unwrap();
    let blob: Descriptor = serde_json::from_value(descriptor(LAYER, b"0123456789")).unwrap();
    let (_reader, writer) = tokio::io::duplex(64);
    let error = client.blob(&bench.name.parse().unwrap(), &blob, &mut Piped(writer)).await.unwrap_err();
    assert!(matches!(error.problem(), Problem::DigestMismatch { .. }), "{error}");
    assert_eq!(error.server(), mirror.name());
    assert_eq!(bench.fake.log(), "", "the registry is not asked: the pipe cannot begin again");
}

#[tokio::test]
async fn a_blob_is_written_to_a_pipe() {
    let bench = Bench::new();
    let client = Client::new(bench.options).unwrap();
    let blob: Descriptor = serde_json::from_value(descriptor(LAYER, b"0123456789")).unwrap();
    let (mut reader, writer) = tokio::io::duplex(4);
    let read = async {
        let mut text = String::new();
        reader.read_to_string(&mut text).await.unwrap();
        text
    };
    let reference = bench.name.parse().unwrap();
    let write = async {
        let mut sink = Piped(writer);
        client.blob(&reference, &blob, &mut sink).await.unwrap();
    };
    assert_eq!(tokio::join!(read, write).0, "0123456789");
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let bench = Bench::new();
    bench.fake.put_blob("app", b"", "<empty>");
    let client = Client::new(bench.options).unwrap();
    let blob: Descriptor = serde_json::from_value(descriptor(LAYER, b"")).unwrap();
    let mut sink = Vec::new();
    client.blob(&bench.name.parse().unwrap(), &blob, &mut sink).await.unwrap();
    assert_eq!(sink, b"");
}

#[test]
fn what_a_client_does_can_be_sent_to_another_thread() {
    fn check<T: Send>(_: &T) {}
    let client = Client::new(Options::default()).unwrap();
    let reference: Reference = "alpine".parse().unwrap();
    let platform = "linux/amd64".parse().unwrap();
    let blob: Descriptor = serde_json::from_value(descriptor(LAYER, b"")).unwrap();
    let (blobs, mut sink) = (Blobs::of(&Image::new(&[])), Vec::new());
    let push = Push { target: &reference, manifest: Bytes::new(), media_type: "", source: &blobs, mount_from: None };
    check(&client.resolve(&reference, &platform));
    check(&client.blob(&reference, &blob, &mut sink));
    check(&client.push_image(&push));
}

#[test]
fn a_client_costs_nothing_until_it_is_used() {
    let time = || {
        let started = Instant::now();
        drop(Client::new(Options::default()).unwrap());
        started.elapsed()
    };
    // The best of several, because this machine may be busy.
    let took = (0..20).map(|_| time()).min().unwrap();
    assert!(took < Duration::from_millis(1), "{took:?}");
}
