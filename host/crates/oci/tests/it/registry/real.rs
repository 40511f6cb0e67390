//! Tests of the client against `docker-registry`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use oci::Reference;
use oci::credentials::{Anonymous, Credential, Given, Secret};
use oci::image::MANIFEST;
use oci::registry::{Client, Missing, Options, Problem, Push};
use testkit::{PASSWORD, Registry, USER, require};

use super::push::Blobs;
use crate::support::image::Image;

fn client(registry: &Registry, password: Option<&str>) -> Client {
    let mut given = Given::before(Anonymous);
    if let Some(password) = password {
        let credential = Credential::Password { username: USER.to_owned(), password: Secret::new(password) };
        given = given.with(registry.address(), credential);
    }
    let options = Options { credentials: Arc::new(given), ..Options::default() };
    Client::new(Options { stall_timeout: Duration::from_secs(60), ..options }).unwrap()
}

fn named(registry: &Registry, name: &str) -> Reference {
    registry.name(name).parse().unwrap()
}

/// Pushes an image, and returns the numbers of blobs that were uploaded, that existed, and that
/// were mounted.
async fn push(client: &Client, target: &Reference, image: &Image, mount_from: Option<&str>) -> (usize, usize, usize) {
    let manifest = Bytes::from(image.manifest.clone());
    let blobs = Blobs::of(image);
    let push = Push { target, manifest, media_type: MANIFEST, source: &blobs, mount_from };
    let pushed = client.push_image(&push).await.unwrap();
    (pushed.n_uploaded, pushed.n_skipped, pushed.n_mounted)
}

#[tokio::test]
async fn an_image_is_pushed_and_pulled_back() {
    if !require("docker-registry") {
        return;
    }
    let registry = Registry::start();
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let image = Image::new(&[b"small", &large]);
    let (client, target) = (client(&registry, None), named(&registry, "a/b:1"));
    assert_eq!(client.manifest_digest(&target).await.unwrap(), None);
    assert_eq!(push(&client, &target, &image, None).await, (3, 0, 0));
    assert_eq!(push(&client, &target, &image, None).await, (0, 3, 0));
    assert_eq!(push(&client, &named(&registry, "a/b:2"), &image, None).await, (0, 3, 0));
    assert_eq!(push(&client, &named(&registry, "c:1"), &image, Some("a/b")).await, (0, 0, 3));
    for name in ["a/b:1", "c:1"] {
        let resolved = client.resolve(&named(&registry, name), &"linux/amd64".parse().unwrap()).await.unwrap();
        assert_eq!(resolved.manifest_bytes, image.manifest);
        for (descriptor, layer) in resolved.manifest.layers.iter().zip(&image.layers) {
            let mut sink = Vec::new();
            client.blob(&resolved.reference, descriptor, &mut sink).await.unwrap();
            assert!(sink == *layer, "{name}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    if !require("docker-registry") {
        return;
    }
    let registry = Registry::start();
    let client = client(&registry, None);
    push(&client, &named(&registry, "app:1"), &Image::new(&[b"x"]), None).await;
    for (name, expected) in [("app:2", Missing::Tag), ("no/such:1", Missing::Tag)] {
        let error = client.resolve(&named(&registry, name), &"linux/amd64".parse().unwrap()).await.unwrap_err();
        assert!(matches!(error.problem(), Problem::NotFound(missing) if *missing == expected), "{error}");
    }
    let error = client.resolve(&named(&registry, "app:1"), &"linux/arm64".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error.problem(), Problem::WrongPlatform { .. }), "{error}");
}

#[tokio::test]
async fn a_password_opens_the_registry_and_a_wrong_one_does_not() {
    if !require("docker-registry") {
        return;
    }
    let registry = Registry::start_with_password();
    let (image, target) = (Image::new(&[b"x"]), named(&registry, "app:1"));
    assert_eq!(push(&client(&registry, Some(PASSWORD)), &target, &image, None).await, (2, 0, 0));
    let platform = "linux/amd64".parse().unwrap();
    client(&registry, Some(PASSWORD)).resolve(&target, &platform).await.unwrap();
    for (password, with_password) in [(Some("guess"), true), (None, false)] {
        let error = client(&registry, password).resolve(&target, &platform).await.unwrap_err();
        let Problem::Unauthorized { with_credentials, .. } = error.problem() else { panic!("{error}") };
        assert_eq!(*with_credentials, with_password);
        assert!(!error.to_string().contains("guess"), "{error}");
    }
}
