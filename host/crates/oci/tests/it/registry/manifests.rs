//! Manifests, indexes and configurations that are not valid.

use expect_test::expect;
use oci::Digest;
use oci::image::{INDEX, MANIFEST};
use serde_json::json;

use crate::support::bench::{Bench, check};
use crate::support::fake::Reply;
use crate::support::image::Image;

const MANIFESTS: &str = "GET /v2/app/manifests";

/// Replaces the manifest.
fn put(bench: &Bench, media_type: &str, text: &str) {
    bench.fake.put_manifest("app", "1", media_type, text.as_bytes(), "<other>");
}

#[tokio::test]
async fn an_unknown_image_is_not_found() {
    check(
        |bench| bench.name = bench.name.replace("app", "no/such"),
        expect![[r#"
        error (User): image `REGISTRY/no/such:1`: registry `REGISTRY`: it has no such repository
        hint: check the name and the tag; a private image may need `docker login`
          GET /v2/no/such/manifests/1 -> 404
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_tag_is_not_found() {
    check(
        |bench| bench.name = bench.name.replace(":1", ":2"),
        expect![[r#"
        error (User): image `REGISTRY/app:2`: registry `REGISTRY`: it has no such tag
        hint: check the name and the tag; a private image may need `docker login`
          GET /v2/app/manifests/2 -> 404
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_digest_is_not_found() {
    check(|bench| bench.name += &format!("@{}", Digest::of(b"")), expect![[r#"
        error (User): image `REGISTRY/app:1@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`: registry `REGISTRY`: it has no such manifest
        hint: check the name and the tag; a private image may need `docker login`
          GET /v2/app/manifests/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 -> 404
    "#]]).await;
}

#[tokio::test]
async fn a_manifest_with_another_digest_is_refused() {
    let change = |bench: &mut Bench| {
        bench.name += &format!("@{}", Digest::of(&bench.image.manifest));
        let other = Image::new(&[b"evil"]).manifest;
        bench.fake.name_digest(&other, "<evil manifest>");
        bench.fake.always(MANIFESTS, move |_, reply| Reply { body: other.clone(), ..reply });
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1@<manifest>`: registry `REGISTRY`: the data that it sent has the digest <evil manifest> instead of <manifest>
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/<manifest> -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_registry_that_contradicts_its_own_digest_is_refused() {
    let claim = Digest::of(b"").to_string();
    let change = move |bench: &mut Bench| {
        bench.fake.always(MANIFESTS, move |_, reply| reply.header("Docker-Content-Digest", &claim));
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it claims the digest sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, but the data that it sent has <manifest>
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_claim_in_another_algorithm_is_passed_over() {
    let change = |bench: &mut Bench| {
        bench.fake.always(MANIFESTS, |_, reply| reply.header("Docker-Content-Digest", "sha512:00"));
    };
    check(
        change,
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
async fn a_manifest_that_is_not_json_is_refused() {
    check(|bench| put(bench, MANIFEST, "schemaVersion: 2"), expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: the manifest is not valid: expected value at line 1 column 1
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_manifest_with_wrong_types_is_refused() {
    let text = r#"{"schemaVersion": 2, "config": {"digest": "md5:1"}, "layers": []}"#;
    check(|bench| put(bench, MANIFEST, text), expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: the manifest is not valid: digest `md5:1` is not `sha256:` with 64 hex digits at line 1 column 50
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
    "#]]).await;
}

#[tokio::test]
async fn json_that_is_no_manifest_is_refused() {
    check(|bench| put(bench, MANIFEST, r#"{"schemaVersion": 2}"#), expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: the manifest is not valid: it has neither `manifests` nor `config`
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_document_that_is_two_things_is_refused() {
    let change = |bench: &mut Bench| {
        let both = bench.image.with_manifest(|manifest| manifest["manifests"] = json!([]));
        put(bench, MANIFEST, std::str::from_utf8(&both.manifest).unwrap());
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: the manifest is not valid: it is an index and a manifest at once
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
    "#]]).await;
}

#[tokio::test]
async fn an_index_that_is_sent_as_a_manifest_is_refused() {
    check(|bench| put(bench, MANIFEST, r#"{"schemaVersion": 2, "manifests": []}"#), expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: the manifest is not valid: it is an index and is sent as a manifest
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
    "#]]).await;
}

#[tokio::test]
async fn schema_1_is_refused() {
    let text = r#"{"schemaVersion": 1, "name": "app", "tag": "1", "fsLayers": [], "history": []}"#;
    let kind = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    check(|bench| put(bench, kind, text), expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: its manifest has the obsolete schema 1, which is not supported
        hint: build the image again with a current tool, and push it
          GET /v2/app/manifests/1 -> 200
    "#]]).await;
}

#[tokio::test]
async fn what_is_no_image_is_refused() {
    let change = |bench: &mut Bench| {
        let kind = "application/vnd.cncf.helm.config.v1+json";
        bench.put(bench.image.with_manifest(|manifest| manifest["config"]["mediaType"] = json!(kind)));
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it is not an image of a container: its configuration is `application/vnd.cncf.helm.config.v1+json`
        hint: 
          GET /v2/app/manifests/1 -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_huge_manifest_is_not_read() {
    let change = |bench: &mut Bench| {
        bench.fake.always(MANIFESTS, |_, reply| Reply { length: Some(5 << 20), ..reply.stall(0) });
    };
    check(
        change,
        expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: the manifest has more than 4194304 bytes
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_manifest_without_an_end_is_not_read_to_it() {
    let change = |bench: &mut Bench| {
        bench.fake.always(MANIFESTS, |_, _| {
            let chunk = format!("{:x}\r\n{}\r\n", 5 << 20, " ".repeat(5 << 20));
            Reply::new(200, chunk).header("Transfer-Encoding", "chunked")
        });
    };
    check(
        change,
        expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: the manifest has more than 4194304 bytes
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_huge_configuration_is_not_read() {
    let change = |bench: &mut Bench| {
        bench.fake.always("GET /v2/app/blobs", |_, reply| Reply { length: Some(9 << 20), ..reply.stall(0) });
    };
    check(
        change,
        expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: the configuration has more than 8388608 bytes
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn the_page_of_a_captive_portal_is_recognized() {
    let change = |bench: &mut Bench| {
        let page = "<!DOCTYPE html><title>Welcome to the hotel</title>";
        bench.fake.always("GET", move |_, _| Reply::new(200, page).header("Content-Type", "text/html; charset=utf-8"));
    };
    check(
        change,
        expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it answered with a web page
        hint: a proxy or the login page of a network may have answered: open `REGISTRY` in a browser
          GET /v2/app/manifests/1 -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_manifest_that_its_index_names_and_that_was_deleted_is_gone() {
    let change = |bench: &mut Bench| {
        let mine = json!({
            "mediaType": MANIFEST, "digest": Digest::of(b"deleted").to_string(), "size": 7,
            "platform": { "os": "linux", "architecture": "amd64" },
        });
        put(bench, INDEX, &json!({ "schemaVersion": 2, "manifests": [mine] }).to_string());
        bench.fake.name_digest(b"deleted", "<deleted>");
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it does not have the manifest <deleted> that its index names any more
        hint: the tag was moved and the old image deleted: pull it again
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/manifests/<deleted> -> 404
    "#]]).await;
}

#[tokio::test]
async fn an_index_in_an_index_is_refused() {
    let change = |bench: &mut Bench| {
        let inner = r#"{"schemaVersion": 2, "manifests": []}"#;
        bench.fake.put_manifest("app", "inner", INDEX, inner.as_bytes(), "<inner>");
        let mine = json!({
            "mediaType": MANIFEST, "digest": Digest::of(inner.as_bytes()).to_string(), "size": inner.len(),
            "platform": { "os": "linux", "architecture": "amd64" },
        });
        put(bench, INDEX, &json!({ "schemaVersion": 2, "manifests": [mine] }).to_string());
    };
    check(
        change,
        expect![[r#"
            error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: its index names an index, and not an image
            hint: 
              GET /v2/app/manifests/1 -> 200
              GET /v2/app/manifests/<inner> -> 200
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_missing_configuration_is_gone() {
    check(|bench| bench.fake.remove_blobs(), expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it does not have the configuration <config> that its manifest names any more
        hint: the tag was moved and the old image deleted: pull it again
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 404
    "#]]).await;
}

#[tokio::test]
async fn a_configuration_with_another_digest_is_refused() {
    let change = |bench: &mut Bench| {
        bench.fake.always("GET /v2/app/blobs", |_, mut reply| {
            reply.body.reverse();
            reply
        });
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: the data that it sent has the digest sha256:fe97a6d8b3acb758515e0c2faa70f06223472d0b9272be7e0057cc8e8c183fae instead of <config>
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_configuration_of_another_size_is_refused() {
    let change = |bench: &mut Bench| {
        bench.fake.always("GET /v2/app/blobs", |_, mut reply| {
            reply.body.push(b' ');
            reply
        });
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it sent more than the 187 bytes that the manifest announces
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_configuration_that_is_not_json_is_refused() {
    check(|bench| bench.put(Image::of(vec![b"x".to_vec()], b"no json".to_vec())), expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: the configuration is not valid: expected ident at line 1 column 2
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_configuration_that_has_another_number_of_layers_is_refused() {
    let change = |bench: &mut Bench| {
        bench.put(Image::with_config(&[b"x"], |config| config["rootfs"]["diff_ids"] = json!([])));
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: the configuration is not valid: it has diff_ids for 0 layers, and the manifest has 1
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
    "#]]).await;
}
