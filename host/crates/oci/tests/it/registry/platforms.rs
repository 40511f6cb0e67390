//! Images for other machines.

use expect_test::expect;
use oci::Digest;
use oci::image::{INDEX, MANIFEST};
use serde_json::{Value, json};

use crate::support::bench::{Bench, check};
use crate::support::image::{Image, descriptor};

/// Stores an index of manifests that are never read.
fn put_index(bench: &Bench, platforms: &[(&str, &str)]) {
    let describe = |(os, architecture): &(&str, &str)| {
        let digest = Digest::of(architecture.as_bytes()).to_string();
        json!({ "mediaType": MANIFEST, "digest": digest, "size": 1,
                "platform": { "os": os, "architecture": architecture } })
    };
    let manifests: Vec<Value> = platforms.iter().map(describe).collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }).to_string();
    bench.fake.put_manifest("app", "1", INDEX, index.as_bytes(), "<index>");
}

#[tokio::test]
async fn an_index_without_the_platform_says_what_it_has() {
    check(|bench| put_index(bench, &[("linux", "arm64"), ("windows", "amd64")]), expect![[r#"
        error (User): image `REGISTRY/app:1`: registry `REGISTRY`: it has no image for `linux/amd64`; there is `linux/arm64`, `windows/amd64`
        hint: choose one of these, or another image
          GET /v2/app/manifests/1 -> 200
    "#]]).await;
}

#[tokio::test]
async fn an_empty_index_has_nothing() {
    check(|bench| put_index(bench, &[]), expect![[r#"
        error (User): image `REGISTRY/app:1`: registry `REGISTRY`: it has no image for `linux/amd64`, nor for any other platform
        hint: choose another image
          GET /v2/app/manifests/1 -> 200
    "#]]).await;
}

#[tokio::test]
async fn an_index_of_attestations_has_nothing() {
    check(|bench| put_index(bench, &[("unknown", "unknown")]), expect![[r#"
        error (User): image `REGISTRY/app:1`: registry `REGISTRY`: it has no image for `linux/amd64`, nor for any other platform
        hint: choose another image
          GET /v2/app/manifests/1 -> 200
    "#]]).await;
}

#[tokio::test]
async fn an_image_for_another_platform_is_refused() {
    let change = |bench: &mut Bench| {
        bench.put(Image::with_config(&[b"x"], |config| config["architecture"] = json!("arm64")));
    };
    check(change, expect![[r#"
        error (User): image `REGISTRY/app:1`: registry `REGISTRY`: it has no image for `linux/amd64`; there is `linux/arm64`
        hint: choose one of these, or another image
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
    "#]]).await;
}

#[tokio::test]
async fn an_image_in_an_index_that_names_no_platform_is_checked_by_its_configuration() {
    let change = |bench: &mut Bench| {
        bench.put(Image::with_config(&[b"x"], |config| config["os"] = json!("windows")));
        let mine = descriptor(MANIFEST, &bench.image.manifest);
        let index = json!({ "schemaVersion": 2, "manifests": [mine] }).to_string();
        bench.fake.put_manifest("app", "1", INDEX, index.as_bytes(), "<index>");
    };
    check(change, expect![[r#"
        error (User): image `REGISTRY/app:1`: registry `REGISTRY`: it has no image for `linux/amd64`; there is `windows/amd64`
        hint: choose one of these, or another image
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/manifests/<manifest> -> 200
          GET /v2/app/blobs/<config> -> 200
    "#]]).await;
}
