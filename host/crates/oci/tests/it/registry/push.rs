//! Uploads of images.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use expect_test::{Expect, expect};
use oci::image::MANIFEST;
use oci::registry::{BlobReader, BlobSource, Client, Push};
use oci::{Digest, Reference};

use crate::support::bench::{Bench, describe};
use crate::support::fake::{Fake, Reply};
use crate::support::image::Image;

/// Blobs in memory.
pub(super) struct Blobs(HashMap<Digest, Vec<u8>>);

impl Blobs {
    /// Returns the blobs of an image.
    pub(super) fn of(image: &Image) -> Self {
        let blobs = image.layers.iter().chain([&image.config]);
        Self(blobs.map(|blob| (Digest::of(blob), blob.clone())).collect())
    }
}

#[async_trait]
impl BlobSource for Blobs {
    async fn open(&self, digest: &Digest) -> io::Result<BlobReader> {
        let blob = self.0.get(digest).cloned().ok_or_else(|| io::Error::other("there is no such blob"))?;
        Ok(Box::pin(io::Cursor::new(blob)))
    }
}

/// Gives the parts of an image names for reports.
fn name(fake: &Fake, image: &Image) {
    for (number, layer) in image.layers.iter().enumerate() {
        fake.name_digest(layer, &format!("<layer {}>", number + 1));
    }
    fake.name_digest(&image.config, "<config>");
    fake.name_digest(&image.manifest, "<manifest>");
}

/// Pushes an image as `new:1`, and returns a report. Uploads run in parallel, so their requests are
/// sorted.
async fn push(client: &Client, fake: &Fake, image: &Image, blobs: &Blobs, mount_from: Option<&str>) -> String {
    let target: Reference = format!("{}/new:1", fake.name()).parse().unwrap();
    let manifest = Bytes::from(image.manifest.clone());
    let push = Push { target: &target, manifest, media_type: MANIFEST, source: blobs, mount_from };
    let mut report = String::new();
    match client.push_image(&push).await {
        Ok(pushed) => {
            let (uploaded, skipped, mounted) = (pushed.n_uploaded, pushed.n_skipped, pushed.n_mounted);
            report = format!("{}: {uploaded} uploaded, {skipped} there, {mounted} mounted\n", pushed.reference);
        }
        Err(error) => describe(&mut report, &error),
    }
    // The number of an upload depends on which one came first.
    let log = (1..9).fold(fake.log(), |log, number| log.replace(&format!("uploads/{number}?"), "uploads/N?"));
    let mut log: Vec<&str> = log.lines().collect();
    log.sort_unstable();
    let log = log.join("\n");
    fake.shorten(&report) + &log + "\n"
}

/// Pushes an image with one layer to a prepared registry, and compares the report with its
/// requests.
async fn check(prepare: impl FnOnce(&mut Bench), expect: Expect) {
    let mut bench = Bench::new();
    prepare(&mut bench);
    let image = bench.image.clone();
    let client = Client::new(bench.options).unwrap();
    let report = push(&client, &bench.fake, &image, &Blobs::of(&image), None).await;
    let waits = bench.clock.waits();
    expect.assert_eq(&(report + &if waits.is_empty() { waits } else { format!("waited:{waits}\n") }));
}

#[tokio::test]
async fn what_is_missing_is_sent_and_then_the_manifest() {
    check(
        |_| (),
        expect![[r#"
            REGISTRY/new:1@<manifest>: 2 uploaded, 0 there, 0 mounted
              HEAD /v2/new/blobs/<config> -> 404
              HEAD /v2/new/blobs/<layer 1> -> 404
              HEAD /v2/new/manifests/1 -> 404
              POST /v2/new/blobs/uploads/ -> 202
              POST /v2/new/blobs/uploads/ -> 202
              PUT /v2/new/blobs/uploads/N?state=x&digest=<config> -> 201
              PUT /v2/new/blobs/uploads/N?state=x&digest=<layer 1> -> 201
              PUT /v2/new/manifests/1 -> 201
        "#]],
    )
    .await;
}

#[tokio::test]
async fn what_is_there_is_not_sent_again() {
    let (bench, image) = (Bench::new(), Image::new(&[b"one", b"two"]));
    name(&bench.fake, &image);
    bench.fake.put_blob("new", b"two", "<layer 2>");
    let client = Client::new(bench.options).unwrap();
    let blobs = Blobs::of(&image);
    let first = push(&client, &bench.fake, &image, &blobs, None).await;
    assert!(first.starts_with("REGISTRY/new:1@<manifest>: 2 uploaded, 1 there, 0 mounted\n"), "{first}");
    let n_before = bench.fake.asked().len();
    let second = push(&client, &bench.fake, &image, &blobs, None).await;
    assert!(second.starts_with("REGISTRY/new:1@<manifest>: 0 uploaded, 3 there, 0 mounted\n"), "{second}");
    let asked: Vec<String> = bench.fake.asked()[n_before..].iter().map(|it| it.method.clone()).collect();
    assert_eq!(asked, ["HEAD"]);
}

#[tokio::test]
async fn what_another_repository_has_is_mounted() {
    let bench = Bench::new();
    let client = Client::new(bench.options).unwrap();
    let report = push(&client, &bench.fake, &bench.image, &Blobs::of(&bench.image), Some("app")).await;
    expect![[r#"
        REGISTRY/new:1@<manifest>: 0 uploaded, 0 there, 2 mounted
          HEAD /v2/new/blobs/<config> -> 404
          HEAD /v2/new/blobs/<layer 1> -> 404
          HEAD /v2/new/manifests/1 -> 404
          POST /v2/new/blobs/uploads/?mount=<config>&from=app -> 201
          POST /v2/new/blobs/uploads/?mount=<layer 1>&from=app -> 201
          PUT /v2/new/manifests/1 -> 201
    "#]]
    .assert_eq(&report);
}

#[tokio::test]
async fn what_cannot_be_mounted_is_sent() {
    let bench = Bench::new();
    bench.fake.always("?mount=", |_, _| Reply::error(403, "DENIED", "not yours"));
    let client = Client::new(bench.options).unwrap();
    let report = push(&client, &bench.fake, &bench.image, &Blobs::of(&bench.image), Some("app")).await;
    expect![[r#"
        REGISTRY/new:1@<manifest>: 2 uploaded, 0 there, 0 mounted
          HEAD /v2/new/blobs/<config> -> 404
          HEAD /v2/new/blobs/<layer 1> -> 404
          HEAD /v2/new/manifests/1 -> 404
          POST /v2/new/blobs/uploads/ -> 202
          POST /v2/new/blobs/uploads/ -> 202
          POST /v2/new/blobs/uploads/?mount=<config>&from=app -> 403
          POST /v2/new/blobs/uploads/?mount=<layer 1>&from=app -> 403
          PUT /v2/new/blobs/uploads/N?state=x&digest=<config> -> 201
          PUT /v2/new/blobs/uploads/N?state=x&digest=<layer 1> -> 201
          PUT /v2/new/manifests/1 -> 201
    "#]]
    .assert_eq(&report);
    // A registry that does not mount starts an upload, which is cancelled.
    let report =
        push(&client, &bench.fake, &Image::new(&[b"other"]), &Blobs::of(&Image::new(&[b"other"])), Some("no")).await;
    assert!(report.contains("2 uploaded, 0 there, 0 mounted"), "{report}");
}

#[tokio::test]
async fn an_absolute_location_is_used() {
    let change = |bench: &mut Bench| {
        let name = bench.fake.name();
        bench.fake.always("POST", move |_, reply| {
            reply.header("Location", &format!("http://{name}/v2/new/blobs/uploads/9?a=b%2Fc"))
        });
    };
    check(
        change,
        expect![[r#"
        REGISTRY/new:1@<manifest>: 2 uploaded, 0 there, 0 mounted
          HEAD /v2/new/blobs/<config> -> 404
          HEAD /v2/new/blobs/<layer 1> -> 404
          HEAD /v2/new/manifests/1 -> 404
          POST /v2/new/blobs/uploads/ -> 202
          POST /v2/new/blobs/uploads/ -> 202
          PUT /v2/new/blobs/uploads/9?a=b%2Fc&digest=<config> -> 201
          PUT /v2/new/blobs/uploads/9?a=b%2Fc&digest=<layer 1> -> 201
          PUT /v2/new/manifests/1 -> 201
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_upload_that_breaks_is_begun_anew() {
    let change = |bench: &mut Bench| {
        let layer = Digest::of(&bench.image.layers[0]).hex();
        bench.fake.change(&format!("digest=sha256%3A{layer}"), 1, |_, _| Reply::default());
        bench.fake.change("PUT /v2/new/manifests", 1, |_, _| Reply::error(503, "UNAVAILABLE", "later"));
    };
    check(
        change,
        expect![[r#"
            REGISTRY/new:1@<manifest>: 2 uploaded, 0 there, 0 mounted
              HEAD /v2/new/blobs/<config> -> 404
              HEAD /v2/new/blobs/<layer 1> -> 404
              HEAD /v2/new/manifests/1 -> 404
              POST /v2/new/blobs/uploads/ -> 202
              POST /v2/new/blobs/uploads/ -> 202
              POST /v2/new/blobs/uploads/ -> 202
              PUT /v2/new/blobs/uploads/N?state=x&digest=<config> -> 201
              PUT /v2/new/blobs/uploads/N?state=x&digest=<layer 1> -> 0
              PUT /v2/new/blobs/uploads/N?state=x&digest=<layer 1> -> 201
              PUT /v2/new/manifests/1 -> 201
              PUT /v2/new/manifests/1 -> 503
            waited: 0.25 0.25
        "#]],
    )
    .await;
}

#[tokio::test]
async fn an_upload_that_is_refused_ends_the_push_before_the_manifest() {
    let change = |bench: &mut Bench| {
        let refusal = |_: &_, _| Reply::error(413, "SIZE_INVALID", "the quota of the project is used up");
        bench.fake.always("PUT /v2/new/blobs", refusal);
    };
    let mut bench = Bench::new();
    change(&mut bench);
    let client = Client::new(bench.options).unwrap();
    let report = push(&client, &bench.fake, &bench.image, &Blobs::of(&bench.image), None).await;
    let (error, requests) = report.split_once("hint: ").unwrap();
    assert!(error.contains("it refused the blob with status 413: the quota of the project is used up"), "{error}");
    assert!(!requests.contains("PUT /v2/new/manifests"), "{requests}");
}

#[tokio::test]
async fn an_upload_that_is_not_answered_ends() {
    let mut bench = Bench::new();
    bench.options.stall_timeout = Duration::from_millis(100);
    bench.options.retry.times = 1;
    bench.fake.always("PUT /v2/new/blobs", |_, _| Reply::default().stall(0));
    let client = Client::new(bench.options).unwrap();
    let report = push(&client, &bench.fake, &bench.image, &Blobs::of(&bench.image), None).await;
    assert!(report.contains("registry `REGISTRY`: it did not answer for 0.4 s"), "{report}");
    assert!(!report.contains("PUT /v2/new/manifests"), "{report}");
}

#[tokio::test]
async fn a_manifest_that_is_refused_is_said() {
    let change = |bench: &mut Bench| {
        let refusal = |_: &_, _| Reply::error(400, "MANIFEST_INVALID", "manifest invalid");
        bench.fake.always("PUT /v2/new/manifests", refusal);
    };
    check(change, expect![[r#"
        error (Environment): push of `REGISTRY/new:1`: registry `REGISTRY`: it refused the manifest with status 400: manifest invalid
        hint: ask the administrator of `REGISTRY` what it accepts
          HEAD /v2/new/blobs/<config> -> 404
          HEAD /v2/new/blobs/<layer 1> -> 404
          HEAD /v2/new/manifests/1 -> 404
          POST /v2/new/blobs/uploads/ -> 202
          POST /v2/new/blobs/uploads/ -> 202
          PUT /v2/new/blobs/uploads/N?state=x&digest=<config> -> 201
          PUT /v2/new/blobs/uploads/N?state=x&digest=<layer 1> -> 201
          PUT /v2/new/manifests/1 -> 400
    "#]]).await;
}

#[tokio::test]
async fn who_may_not_push_is_told_so() {
    let change = |bench: &mut Bench| {
        bench.fake.always("/v2/new", |_, _| Reply::error(403, "DENIED", "you may only pull"));
    };
    check(
        change,
        expect![[r#"
        error (Environment): image `REGISTRY/new:1`: registry `REGISTRY`: it refuses access
        hint: ask the administrator of `REGISTRY` for access, or log in as another user
          HEAD /v2/new/manifests/1 -> 403
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_registry_that_stored_another_manifest_is_not_believed() {
    let change = |bench: &mut Bench| {
        let claim = Digest::of(b"").to_string();
        bench.fake.always("PUT /v2/new/manifests", move |_, reply| reply.header("Docker-Content-Digest", &claim));
    };
    check(change, expect![[r#"
        error (Environment): push of `REGISTRY/new:1`: registry `REGISTRY`: it claims the digest sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, but the data that it sent has <manifest>
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          HEAD /v2/new/blobs/<config> -> 404
          HEAD /v2/new/blobs/<layer 1> -> 404
          HEAD /v2/new/manifests/1 -> 404
          POST /v2/new/blobs/uploads/ -> 202
          POST /v2/new/blobs/uploads/ -> 202
          PUT /v2/new/blobs/uploads/N?state=x&digest=<config> -> 201
          PUT /v2/new/blobs/uploads/N?state=x&digest=<layer 1> -> 201
          PUT /v2/new/manifests/1 -> 201
    "#]]).await;
}

#[tokio::test]
async fn a_blob_that_cannot_be_read_or_has_another_size_is_named() {
    for (blob, expected) in [
        (None, "cannot read the data to upload: there is no such blob"),
        (Some(&b"01234567890"[..]), "cannot read the data to upload: it has more than 10 bytes"),
        (Some(&b"012345678"[..]), "cannot read the data to upload: it has 9 of 10 bytes"),
        (
            Some(&b"9876543210"[..]),
            "it refused the blob with status 400: provided digest did not match uploaded content",
        ),
    ] {
        let bench = Bench::new();
        let mut blobs = Blobs::of(&bench.image);
        let digest = Digest::of(b"0123456789");
        blobs.0.remove(&digest);
        blobs.0.extend(blob.map(|blob| (digest, blob.to_vec())));
        let client = Client::new(bench.options).unwrap();
        let report = push(&client, &bench.fake, &bench.image, &blobs, None).await;
        assert!(report.contains(expected), "{report}");
        assert!(!report.contains("PUT /v2/new/manifests"), "{report}");
    }
}

#[tokio::test]
async fn a_name_with_another_digest_is_no_target() {
    let bench = Bench::new();
    let client = Client::new(bench.options).unwrap();
    let target: Reference = format!("{}/new@{}", bench.fake.name(), Digest::of(b"x")).parse().unwrap();
    let error = client.put_manifest(&target, MANIFEST, Bytes::from_static(b"y")).await.unwrap_err();
    bench.fake.name_digest(b"x", "<x>");
    bench.fake.name_digest(b"y", "<y>");
    let expected = "push of `REGISTRY/new@<x>`: registry `REGISTRY`: `REGISTRY/new@<x>` has the digest <x>, \
                    and the manifest has <y>";
    assert_eq!(bench.fake.shorten(&error.to_string()), expected);
}

#[tokio::test]
async fn a_token_for_pushing_may_also_read_what_is_mounted() {
    let bench = Bench::new();
    let challenge = format!(r#"Bearer realm="http://{}/token",service=s"#, bench.fake.name());
    bench.fake.always("/token", |_, _| Reply::new(200, r#"{"token": "good"}"#));
    bench.fake.always("/v2/", move |asked, reply| match asked.header("authorization") {
        "Bearer good" => reply,
        _ => Reply::new(401, "").header("WWW-Authenticate", &challenge),
    });
    let client = Client::new(bench.options).unwrap();
    push(&client, &bench.fake, &bench.image, &Blobs::of(&bench.image), Some("app")).await;
    let mut tokens: Vec<String> =
        bench.fake.asked().iter().filter(|it| it.path.starts_with("/token")).map(|it| it.path.clone()).collect();
    tokens.sort();
    let push_only = "/token?service=s&scope=repository%3Anew%3Apull%2Cpush".to_owned();
    let mount = "/token?service=s&scope=repository%3Aapp%3Apull&scope=repository%3Anew%3Apull%2Cpush".to_owned();
    assert_eq!(tokens, [mount, push_only]);
}
