//! Tests of configuration files and helpers.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use expect_test::{Expect, expect};
use graph::Diagnostic as _;

use super::{Anonymous, Credential, Credentials, DockerConfig, Given, Secret};

/// A time limit that no helper of these tests reaches.
const LONG: Duration = Duration::from_secs(20);
/// A time limit for the helper that does not end.
const SHORT: Duration = Duration::from_millis(250);

/// Returns a description of the credential for a registry, with its secret.
async fn describe(credentials: &dyn Credentials, registry: &str) -> String {
    match credentials.credential(registry).await {
        Ok(None) => "anonymous".to_owned(),
        Ok(Some(Credential::Password { username, password })) => format!("{username}:{}", password.reveal()),
        Ok(Some(Credential::IdentityToken(token))) => format!("token {}", token.reveal()),
        Err(error) => format!("{error}\n{}", error.hint().unwrap_or_default()),
    }
}

async fn check(json: &str, registries: &[&str], expect: Expect) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    std::fs::write(&path, json).unwrap();
    let config = DockerConfig::new(&path);
    let mut text = String::new();
    for registry in registries {
        text += &format!("{registry}: {}\n", describe(&config, registry).await);
    }
    expect.assert_eq(&text.replace(dir.path().to_str().unwrap(), "DIR"));
}

/// Checks the credential for `a.io` with this script as the helper `docker-credential-test`.
async fn check_helper(script: &str, timeout: Duration, expect: Expect) {
    let dir = tempfile::tempdir().unwrap();
    let (config, program) = (dir.path().join("config.json"), dir.path().join("docker-credential-test"));
    std::fs::write(&config, r#"{"credsStore": "test"}"#).unwrap();
    // Written by another process: a file that this one has open for writing while another test forks
    // is busy for `execve`.
    let write = format!("cat > '{0}' && chmod +x '{0}'", program.display());
    let mut shell = Command::new("sh").args(["-c", &write]).stdin(Stdio::piped()).spawn().unwrap();
    write!(shell.stdin.take().unwrap(), "#!/bin/sh\n{script}\n").unwrap();
    assert!(shell.wait().unwrap().success());
    let path = format!("{}:/usr/bin:/bin", dir.path().display());
    let config = DockerConfig::new(config).with_helper_path(path).with_helper_timeout(timeout);
    let text = format!("{}\n{}\n", describe(&config, "a.io").await, describe(&config, "docker.io").await);
    expect.assert_eq(&text.replace(dir.path().to_str().unwrap(), "DIR"));
}

#[tokio::test]
async fn a_missing_file_and_a_file_without_entries_are_anonymous() {
    let config = DockerConfig::new("/nonexistent/config.json");
    assert_eq!(describe(&config, "docker.io").await, "anonymous");
    assert_eq!(describe(&Anonymous, "docker.io").await, "anonymous");
    check(
        "{}",
        &["docker.io"],
        expect![[r#"
        docker.io: anonymous
    "#]],
    )
    .await;
    check(
        r#"{"auths": {"ghcr.io": {}}, "credsStore": ""}"#,
        &["ghcr.io"],
        expect![[r#"
        ghcr.io: anonymous
    "#]],
    )
    .await;
}

#[tokio::test]
async fn entries_are_found_however_the_registry_is_written() {
    // ann:secret, bob:x:y, and ann:secret without padding.
    let json = r#"{"auths": {
        "https://index.docker.io/v1/": {"auth": "YW5uOnNlY3JldA=="},
        "localhost:5000": {"auth": "Ym9iOng6eQ=="},
        "https://ghcr.io": {"auth": "YW5uOnNlY3JldA"},
        "quay.io/v2/": {"username": "carl", "password": "pw"},
        "azure.example": {"auth": "YW5uOg==", "identitytoken": "tok"}
    }}"#;
    let registries = ["docker.io", "localhost:5000", "localhost", "ghcr.io", "quay.io", "azure.example"];
    check(
        json,
        &registries,
        expect![[r#"
        docker.io: ann:secret
        localhost:5000: bob:x:y
        localhost: anonymous
        ghcr.io: ann:secret
        quay.io: carl:pw
        azure.example: token tok
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_broken_file_is_named_and_not_quoted() {
    check(
        "{\"auths\": {\"a.io\": {\"auth\": 123456}}}",
        &["a.io"],
        expect![[r#"
        a.io: `DIR/config.json` is not a configuration of Docker: it is no JSON of the right form at line 1, column 34
        correct `DIR/config.json`, or remove it and log in again
    "#]],
    )
    .await;
    check(
        "not json",
        &["a.io"],
        expect![[r#"
        a.io: `DIR/config.json` is not a configuration of Docker: it is no JSON of the right form at line 1, column 2
        correct `DIR/config.json`, or remove it and log in again
    "#]],
    )
    .await;
    check(
        r#"{"auths": {"a.io": {"auth": "%%%secret"}}}"#,
        &["a.io"],
        expect![[r#"
        a.io: `DIR/config.json` is not a configuration of Docker: the entry of `a.io` has an `auth` that is not base64
        correct `DIR/config.json`, or remove it and log in again
    "#]],
    )
    .await;
    check(
        r#"{"auths": {"a.io": {"auth": "c2VjcmV0"}}}"#,
        &["a.io"],
        expect![[r#"
        a.io: `DIR/config.json` is not a configuration of Docker: the entry of `a.io` has an `auth` without a colon
        correct `DIR/config.json`, or remove it and log in again
    "#]],
    )
    .await;
    let dir = tempfile::tempdir().unwrap();
    let described = describe(&DockerConfig::new(dir.path()), "a.io").await;
    assert_eq!(described.replace(dir.path().to_str().unwrap(), "DIR"), "cannot read `DIR`\nmake `DIR` readable");
}

#[tokio::test]
async fn a_missing_helper_is_named() {
    let json = r#"{"credHelpers": {"a.io": "no-such-keychain"}, "credsStore": "no-such-store"}"#;
    check(json, &["a.io", "docker.io"], expect![[r#"
        a.io: `DIR/config.json` names the credential helper `docker-credential-no-such-keychain` for `a.io`, but there is no such program
        install `docker-credential-no-such-keychain`, or remove it from `DIR/config.json`
        docker.io: `DIR/config.json` names the credential helper `docker-credential-no-such-store` for `https://index.docker.io/v1/`, but there is no such program
        install `docker-credential-no-such-store`, or remove it from `DIR/config.json`
    "#]]).await;
}

#[tokio::test]
async fn explicit_credentials_come_first_and_are_not_printed() {
    let secret = Credential::Password { username: "ann".to_owned(), password: Secret::new("hunter2") };
    assert_eq!(format!("{secret:?}"), r#"Password { username: "ann", password: *** }"#);
    let given = Given::before(DockerConfig::new("/nonexistent")).with("a.io", secret);
    assert_eq!(describe(&given, "a.io").await, "ann:hunter2");
    assert_eq!(describe(&given, "b.io").await, "anonymous");
}

#[tokio::test]
async fn a_helper_is_asked_by_the_name_of_the_server() {
    let script =
        r#"read -r server; echo "{\"ServerURL\": \"$server\", \"Username\": \"$server\", \"Secret\": \"pw\"}""#;
    check_helper(
        script,
        LONG,
        expect![[r#"
        a.io:pw
        https://index.docker.io/v1/:pw
    "#]],
    )
    .await;
    check_helper(
        r#"echo '{"ServerURL": "", "Username": "<token>", "Secret": "tok"}'"#,
        LONG,
        expect![[r#"
        token tok
        token tok
    "#]],
    )
    .await;
    check_helper(
        "echo credentials not found in native keychain; exit 1",
        LONG,
        expect![[r#"
        anonymous
        anonymous
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_helper_that_fails_is_named_and_its_output_is_not_shown() {
    check_helper("echo secret; echo the keychain is locked >&2; exit 3", LONG, expect![[r#"
        the credential helper `docker-credential-test` failed for `a.io`: exit status: 3: the keychain is locked
        run `echo a.io | docker-credential-test get` to see what it does
        the credential helper `docker-credential-test` failed for `https://index.docker.io/v1/`: exit status: 3: the keychain is locked
        run `echo https://index.docker.io/v1/ | docker-credential-test get` to see what it does
    "#]]).await;
    check_helper("echo secret", LONG, expect![[r#"
        the credential helper `docker-credential-test` failed for `a.io`: its answer is not JSON with `Username` and `Secret`
        run `echo a.io | docker-credential-test get` to see what it does
        the credential helper `docker-credential-test` failed for `https://index.docker.io/v1/`: its answer is not JSON with `Username` and `Secret`
        run `echo https://index.docker.io/v1/ | docker-credential-test get` to see what it does
    "#]]).await;
    check_helper(
        "kill -9 $$",
        LONG,
        expect![[r#"
        the credential helper `docker-credential-test` failed for `a.io`: signal: 9 (SIGKILL)
        run `echo a.io | docker-credential-test get` to see what it does
        the credential helper `docker-credential-test` failed for `https://index.docker.io/v1/`: signal: 9 (SIGKILL)
        run `echo https://index.docker.io/v1/ | docker-credential-test get` to see what it does
    "#]],
    )
    .await;
    check_helper(
        "exec sleep 100",
        SHORT,
        expect![[r#"
        the credential helper `docker-credential-test` did not answer for `a.io` within 0.25 s
        run `echo a.io | docker-credential-test get` to see what it does
        the credential helper `docker-credential-test` did not answer for `https://index.docker.io/v1/` within 0.25 s
        run `echo https://index.docker.io/v1/ | docker-credential-test get` to see what it does
    "#]],
    )
    .await;
}
