//! Configured credentials that cannot be used. They do not matter for a registry that asks for
//! none.

use std::sync::Arc;

use expect_test::{Expect, expect};
use oci::credentials::DockerConfig;

use crate::support::bench::Bench;

/// Pulls with this `config.json` from a registry that asks for a password, and from one that does
/// not.
async fn check(json: &str, expect: Expect) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    let mut bench = Bench::new();
    std::fs::write(&path, json.replace("REGISTRY", &bench.fake.name())).unwrap();
    super::auth::want_basic(&mut bench, "", "");
    bench.options.credentials = Arc::new(DockerConfig::new(&path));
    let report = bench.pull().await;
    expect.assert_eq(&report.replace(dir.path().to_str().unwrap(), "DIR"));
    let mut open = Bench::new();
    open.options.credentials = Arc::new(DockerConfig::new(&path));
    assert!(open.pull().await.starts_with("resolved: "), "a registry that asks for nothing");
}

#[tokio::test]
async fn the_password_of_docker_login_is_used() {
    check(
        r#"{"auths": {"REGISTRY": {"auth": "YW5uOnNlY3JldA=="}}}"#,
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
          GET /v2/app/manifests/1 -> 401
          GET /v2/app/manifests/1 Basic -> 200
          GET /v2/app/blobs/<config> Basic -> 200
          GET /v2/app/blobs/<layer 1> Basic -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_missing_helper_is_named() {
    check(r#"{"credsStore": "no-such-keychain"}"#, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: `DIR/config.json` names the credential helper `docker-credential-no-such-keychain` for `REGISTRY`, but there is no such program
        hint: install `docker-credential-no-such-keychain`, or remove it from `DIR/config.json`
          GET /v2/app/manifests/1 -> 401
    "#]]).await;
}

#[tokio::test]
async fn a_broken_configuration_is_named() {
    check(r#"{"auths": "#, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: `DIR/config.json` is not a configuration of Docker: it is no JSON of the right form at line 1, column 10
        hint: correct `DIR/config.json`, or remove it and log in again
          GET /v2/app/manifests/1 -> 401
    "#]]).await;
}
