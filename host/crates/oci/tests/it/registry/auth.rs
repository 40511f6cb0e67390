//! Challenges and tokens.

use std::sync::Arc;

use expect_test::expect;
use oci::credentials::{Anonymous, Credential, Given, Secret};

use crate::support::bench::{Bench, check};
use crate::support::fake::{Asked, Fake, Reply};

/// Gives the client a user name and a password.
fn log_in(bench: &mut Bench, username: &str, password: &str) {
    let credential = Credential::Password { username: username.to_owned(), password: Secret::new(password) };
    bench.options.credentials = Arc::new(Given::before(Anonymous).with(bench.fake.name(), credential));
}

/// Gives the client an identity token.
fn log_in_by_token(bench: &mut Bench, token: &str) {
    let credential = Credential::IdentityToken(Secret::new(token));
    bench.options.credentials = Arc::new(Given::before(Anonymous).with(bench.fake.name(), credential));
}

/// Returns `ann:secret` in base64.
const ANN: &str = "Basic YW5uOnNlY3JldA==";

/// Makes the registry ask for ann's password, and gives the client this one.
pub(super) fn want_basic(bench: &mut Bench, username: &str, password: &str) {
    log_in(bench, username, password);
    bench.fake.always("/v2/", |asked, reply| match asked.header("authorization") {
        ANN => reply,
        _ => Reply::error(401, "UNAUTHORIZED", "authentication required").header("WWW-Authenticate", "Basic realm=x"),
    });
}

/// Makes the registry ask for the token `good`, and sets the answer of the token server.
fn want_bearer(bench: &mut Bench, issue: impl FnMut(&Asked) -> Reply + Send + 'static) {
    let mut issue = issue;
    let realm = format!("http://{}/token", bench.fake.name());
    let challenge = format!(r#"Bearer realm="{realm}",service="the registry",scope="repository:app:pull""#);
    bench.fake.always("/token", move |asked, _| issue(asked));
    bench.fake.always("/v2/", move |asked, reply| match asked.header("authorization") {
        "Bearer good" => reply,
        _ => Reply::error(401, "UNAUTHORIZED", "authentication required").header("WWW-Authenticate", &challenge),
    });
}

#[tokio::test]
async fn a_password_is_shown_once_it_was_asked_for() {
    check(
        |bench| want_basic(bench, "ann", "secret"),
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
async fn a_wrong_password_is_shown_once() {
    check(|bench| want_basic(bench, "ann", "wrong"), expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it does not accept the credentials: authentication required
        hint: run `docker login REGISTRY`
          GET /v2/app/manifests/1 -> 401
          GET /v2/app/manifests/1 Basic -> 401
    "#]]).await;
}

#[tokio::test]
async fn a_registry_that_wants_a_password_says_how_to_log_in() {
    let change = |bench: &mut Bench| {
        want_basic(bench, "ann", "secret");
        bench.options.credentials = Arc::new(Anonymous);
    };
    check(
        change,
        expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it asks for credentials
        hint: check the name; if the repository is private, run `docker login REGISTRY`
          GET /v2/app/manifests/1 -> 401
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_challenge_that_is_missing_is_said() {
    check(
        |bench| bench.fake.always("GET", |_, _| Reply::new(401, "")),
        expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it asks for credentials; it does not say how
        hint: check the name; if the repository is private, run `docker login REGISTRY`
          GET /v2/app/manifests/1 -> 401
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_token_is_got_once_without_a_name() {
    check(
        |bench| want_bearer(bench, |_| Reply::new(200, r#"{"token": "good"}"#)),
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull -> 200
          GET /v2/app/manifests/1 Bearer -> 200
          GET /v2/app/blobs/<config> Bearer -> 200
          GET /v2/app/blobs/<layer 1> Bearer -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_token_is_got_by_a_password() {
    let change = |bench: &mut Bench| {
        want_bearer(bench, |asked| match asked.header("authorization") {
            ANN => Reply::new(200, r#"{"access_token": "good", "expires_in": 60}"#),
            _ => Reply::new(401, ""),
        });
        log_in(bench, "ann", "secret");
    };
    check(
        change,
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull Basic -> 200
          GET /v2/app/manifests/1 Bearer -> 200
          GET /v2/app/blobs/<config> Bearer -> 200
          GET /v2/app/blobs/<layer 1> Bearer -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_token_is_got_by_an_identity_token() {
    let change = |bench: &mut Bench| {
        want_bearer(bench, |asked| {
            let form = String::from_utf8(asked.body.clone()).unwrap();
            let expected = "grant_type=refresh_token&client_id=host&refresh_token=a%2Fb&service=the+registry\
                            &scope=repository%3Aapp%3Apull";
            if form == expected { Reply::new(200, r#"{"access_token": "good"}"#) } else { Reply::new(401, form) }
        });
        log_in_by_token(bench, "a/b");
    };
    check(
        change,
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
          GET /v2/app/manifests/1 -> 401
          POST /token -> 200
          GET /v2/app/manifests/1 Bearer -> 200
          GET /v2/app/blobs/<config> Bearer -> 200
          GET /v2/app/blobs/<layer 1> Bearer -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_identity_token_is_no_password() {
    let change = |bench: &mut Bench| {
        want_basic(bench, "ann", "secret");
        log_in_by_token(bench, "secret");
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it does not accept the credentials: it wants a name and a password, and there is a token
        hint: run `docker login REGISTRY`
          GET /v2/app/manifests/1 -> 401
    "#]]).await;
}

#[tokio::test]
async fn a_token_that_expires_is_renewed() {
    let change = |bench: &mut Bench| {
        want_bearer(bench, |_| Reply::new(200, r#"{"token": "good"}"#));
        // The first request for the layer finds the token expired.
        let digest = oci::Digest::of(&bench.image.layers[0]);
        let challenge = format!(r#"Bearer realm="http://{}/token""#, bench.fake.name());
        bench.fake.change(&format!("GET /v2/app/blobs/{digest}"), 1, move |_, _| {
            Reply::new(401, "").header("WWW-Authenticate", &challenge)
        });
    };
    check(
        change,
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull -> 200
          GET /v2/app/manifests/1 Bearer -> 200
          GET /v2/app/blobs/<config> Bearer -> 200
          GET /v2/app/blobs/<layer 1> Bearer -> 401
          GET /token?scope=repository%3Aapp%3Apull -> 200
          GET /v2/app/blobs/<layer 1> Bearer -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_token_server_that_does_not_believe_it_is_not_asked_again() {
    let change = |bench: &mut Bench| {
        want_bearer(bench, |_| Reply::error(401, "UNAUTHORIZED", "incorrect username or password"));
        log_in(bench, "ann", "wrong");
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it does not accept the credentials: incorrect username or password
        hint: run `docker login REGISTRY`
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull Basic -> 401
    "#]]).await;
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_not_got_again() {
    check(|bench| want_bearer(bench, |_| Reply::new(200, r#"{"token": "bad"}"#)), expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it asks for credentials: authentication required
        hint: check the name; if the repository is private, run `docker login REGISTRY`
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull -> 200
          GET /v2/app/manifests/1 Bearer -> 401
    "#]]).await;
}

#[tokio::test]
async fn a_token_server_that_fails_is_named_and_tried_again() {
    check(|bench| want_bearer(bench, |_| Reply::new(500, "")), expect![[r#"
        error (Environment, may pass): image `REGISTRY/app:1`: registry `REGISTRY`: its token server `REGISTRY`: it failed with status 500
        hint: try again later; if it fails again, ask the administrator of `REGISTRY`
        waited: 0.25 0.5 1 2
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull -> 500
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull -> 500
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull -> 500
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull -> 500
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull -> 500
    "#]]).await;
}

#[tokio::test]
async fn a_token_server_that_cannot_be_reached_is_named() {
    let change = |bench: &mut Bench| {
        bench.fake.always("GET", |_, _| {
            Reply::new(401, "").header("WWW-Authenticate", r#"Bearer realm="http://127.0.0.1:1/token""#)
        });
    };
    check(change, expect![[r#"
        error (Environment, may pass): image `REGISTRY/app:1`: registry `REGISTRY`: its token server `127.0.0.1:1`: cannot connect: Connection refused (os error 111)
        hint: check the name `127.0.0.1:1`, the network and the proxy
        waited: 0.25
          GET /v2/app/manifests/1 -> 401
          GET /v2/app/manifests/1 -> 401
    "#]]).await;
}

#[tokio::test]
async fn an_answer_without_a_token_is_refused_and_not_quoted() {
    check(|bench| want_bearer(bench, |_| Reply::new(200, r#"{"secret": "1"}"#)), expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: its token server `REGISTRY`: its answer is not valid: it has no token
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull -> 200
    "#]]).await;
    check(|bench| want_bearer(bench, |_| Reply::new(200, "secret")), expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: its token server `REGISTRY`: its answer is not valid: it has no token
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull -> 200
    "#]]).await;
    check(|bench| want_bearer(bench, |_| Reply::new(200, r#"{"token": "a\nb"}"#)), expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: the token is not valid: it cannot be sent in a header
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 401
          GET /token?service=the+registry&scope=repository%3Aapp%3Apull -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_token_server_without_tls_on_another_machine_gets_no_password() {
    let change = |bench: &mut Bench| {
        log_in(bench, "ann", "secret");
        bench.fake.always("GET", |_, _| {
            Reply::new(401, "").header("WWW-Authenticate", r#"Bearer realm="http://192.0.2.1/token""#)
        });
    };
    check(
        change,
        expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: its token server `192.0.2.1` is without TLS
        hint: if you trust its network, list `REGISTRY` as an insecure registry
          GET /v2/app/manifests/1 -> 401
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_realm_that_is_no_address_is_refused() {
    let change = |bench: &mut Bench| {
        bench.fake.always("GET", |_, _| Reply::new(401, "").header("WWW-Authenticate", "Bearer realm=token"));
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: its address of a token server is not valid: it does not begin with `https://`
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 401
    "#]]).await;
}

#[tokio::test]
async fn another_host_that_asks_for_credentials_after_a_redirect_gets_none() {
    let other = Fake::start();
    other.always("GET", |_, _| Reply::new(401, "").header("WWW-Authenticate", "Basic"));
    let mut bench = Bench::new();
    want_basic(&mut bench, "ann", "secret");
    let name = other.name();
    bench.fake.always("GET /v2/app/manifests", move |_, _| {
        Reply::new(302, "").header("Location", &format!("http://{name}/"))
    });
    let report = bench.pull().await.replace(&other.name(), "OTHER");
    expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it redirects to `OTHER`, which asks for credentials
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 302
    "#]].assert_eq(&report);
    assert!(other.asked().iter().all(|asked| asked.header("authorization").is_empty()));
}
