//! The meaning of statuses, which requests are repeated, and where redirects lead.

use std::net::TcpListener;

use expect_test::expect;
use oci::registry::Retry;

use crate::support::bench::{Bench, check};
use crate::support::fake::{Fake, Reply};

const FIRST: &str = "GET /v2/app/manifests";

#[tokio::test]
async fn a_refused_connection_is_tried_again_once_and_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut bench = Bench::new();
    bench.name = format!("{free}/app:1");
    let report = bench.pull().await.replace(&free.to_string(), "FREE");
    expect![[r#"
        error (Environment, may pass): image `FREE/app:1`: registry `FREE`: cannot connect: Connection refused (os error 111)
        hint: check the name `FREE`, the network and the proxy
        waited: 0.25
    "#]].assert_eq(&report);
}

#[tokio::test]
async fn forbidden_is_not_tried_again() {
    let change = |bench: &mut Bench| {
        bench.fake.always(FIRST, |_, _| Reply::error(403, "DENIED", "requested access to the resource is denied"));
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it refuses access: requested access to the resource is denied
        hint: ask the administrator of `REGISTRY` for access, or log in as another user
          GET /v2/app/manifests/1 -> 403
    "#]]).await;
}

#[tokio::test]
async fn not_found_without_a_reason_is_not_tried_again() {
    check(
        |bench| bench.fake.always(FIRST, |_, _| Reply::new(404, "")),
        expect![[r#"
        error (User): image `REGISTRY/app:1`: registry `REGISTRY`: it has no such image
        hint: check the name and the tag; a private image may need `docker login`
          GET /v2/app/manifests/1 -> 404
    "#]],
    )
    .await;
}

#[tokio::test]
async fn another_status_is_shown_with_what_was_said() {
    let change = |bench: &mut Bench| {
        bench
            .fake
            .always(FIRST, |_, _| Reply::new(418, "I am\n a\x1b[31m teapot").header("Content-Type", "text/plain"));
    };
    check(change, expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it refused the request with status 418: I am a[31m teapot
        hint: ask the administrator of `REGISTRY` what it accepts
          GET /v2/app/manifests/1 -> 418
    "#]]).await;
}

#[tokio::test]
async fn too_many_requests_waits_as_long_as_it_is_told() {
    let change = |bench: &mut Bench| {
        bench
            .fake
            .change(FIRST, 1, |_, _| Reply::error(429, "TOOMANYREQUESTS", "slow down").header("Retry-After", "7"));
    };
    check(
        change,
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
        waited: 7
          GET /v2/app/manifests/1 -> 429
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn too_many_requests_waits_until_a_date() {
    let change = |bench: &mut Bench| {
        let date = "Sun, 06 Nov 1994 08:49:49 GMT";
        bench.fake.change(FIRST, 1, move |_, _| Reply::new(429, "").header("Retry-After", date));
    };
    check(
        change,
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
        waited: 12
          GET /v2/app/manifests/1 -> 429
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn too_many_requests_that_want_a_long_wait_end_the_pull() {
    let change = |bench: &mut Bench| {
        bench.fake.always(FIRST, |_, _| Reply::new(429, "").header("Retry-After", "3600"));
    };
    check(change, expect![[r#"
        error (Environment, may pass): image `REGISTRY/app:1`: registry `REGISTRY`: it was asked too often, and asks to wait 3600 s
        hint: wait, or run `docker login REGISTRY`: the limits are higher after a login
          GET /v2/app/manifests/1 -> 429
    "#]]).await;
}

#[tokio::test]
async fn too_many_requests_without_end_end_the_pull() {
    check(
        |bench| bench.fake.always(FIRST, |_, _| Reply::new(429, "")),
        expect![[r#"
        error (Environment, may pass): image `REGISTRY/app:1`: registry `REGISTRY`: it was asked too often
        hint: wait, or run `docker login REGISTRY`: the limits are higher after a login
        waited: 0.25 0.5 1 2
          GET /v2/app/manifests/1 -> 429
          GET /v2/app/manifests/1 -> 429
          GET /v2/app/manifests/1 -> 429
          GET /v2/app/manifests/1 -> 429
          GET /v2/app/manifests/1 -> 429
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_failure_that_passes_is_waited_for() {
    let failure = |_: &_, _| Reply::error(500, "UNKNOWN", "out of cheese");
    check(
        |bench| bench.fake.change("GET", 2, failure),
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
        waited: 0.25 0.5
          GET /v2/app/manifests/1 -> 500
          GET /v2/app/manifests/1 -> 500
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_failure_that_stays_ends_the_pull() {
    let failure = |_: &_, _| Reply::error(500, "UNKNOWN", "out of cheese");
    check(|bench| bench.fake.always(FIRST, failure), expect![[r#"
        error (Environment, may pass): image `REGISTRY/app:1`: registry `REGISTRY`: it failed with status 500: out of cheese
        hint: try again later; if it fails again, ask the administrator of `REGISTRY`
        waited: 0.25 0.5 1 2
          GET /v2/app/manifests/1 -> 500
          GET /v2/app/manifests/1 -> 500
          GET /v2/app/manifests/1 -> 500
          GET /v2/app/manifests/1 -> 500
          GET /v2/app/manifests/1 -> 500
    "#]]).await;
}

#[tokio::test]
async fn a_failure_of_a_proxy_is_not_quoted() {
    let change = |bench: &mut Bench| {
        bench.options.retry = Retry { times: 1, ..Retry::default() };
        bench.fake.always(FIRST, |_, _| Reply::new(503, "<html>Bad things</html>").header("Retry-After", "2"));
    };
    check(
        change,
        expect![[r#"
        error (Environment, may pass): image `REGISTRY/app:1`: registry `REGISTRY`: it failed with status 503
        hint: try again later; if it fails again, ask the administrator of `REGISTRY`
        waited: 2
          GET /v2/app/manifests/1 -> 503
          GET /v2/app/manifests/1 -> 503
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_redirect_to_another_host_takes_no_credentials_along() {
    let cdn = Fake::start();
    let other = cdn.clone();
    let mut bench = Bench::new();
    super::auth::want_basic(&mut bench, "ann", "secret");
    bench.image.put(&cdn, "app", "1");
    bench.fake.always("GET /v2/app/blobs", move |asked, reply| match reply.status {
        200 => Reply::new(307, "").header("Location", &format!("http://{}{}", other.name(), asked.path)),
        _ => reply,
    });
    let names = |text: &str| cdn.shorten(text).replace("REGISTRY", "CDN");
    let report = bench.pull().await;
    expect![[r#"
        resolved: CDN/app:1@<manifest>
        layer: "0123456789"
          GET /v2/app/manifests/1 -> 401
          GET /v2/app/manifests/1 Basic -> 200
          GET /v2/app/blobs/<config> Basic -> 307
          GET /v2/app/blobs/<layer 1> Basic -> 307
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]]
    .assert_eq(&(names(&report) + &names(&cdn.log())));
    assert!(cdn.asked().iter().all(|asked| asked.header("authorization").is_empty()));
}

#[tokio::test]
async fn a_redirect_on_the_same_host_keeps_credentials() {
    let mut bench = Bench::new();
    super::auth::want_basic(&mut bench, "ann", "secret");
    bench.fake.change("GET /v2/app/manifests/1", 2, |_, reply| match reply.status {
        200 => Reply::new(302, "").header("Location", "/v2/app/manifests/1?really"),
        _ => reply,
    });
    expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
          GET /v2/app/manifests/1 -> 401
          GET /v2/app/manifests/1 Basic -> 302
          GET /v2/app/manifests/1?really Basic -> 200
          GET /v2/app/blobs/<config> Basic -> 200
          GET /v2/app/blobs/<layer 1> Basic -> 200
    "#]]
    .assert_eq(&bench.pull().await);
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let change = |bench: &mut Bench| {
        bench.fake.always(FIRST, |asked, _| Reply::new(302, "").header("Location", &asked.path));
    };
    check(
        change,
        expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it redirects more than 5 times
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 302
          GET /v2/app/manifests/1 -> 302
          GET /v2/app/manifests/1 -> 302
          GET /v2/app/manifests/1 -> 302
          GET /v2/app/manifests/1 -> 302
          GET /v2/app/manifests/1 -> 302
    "#]],
    )
    .await;
}

#[tokio::test]
async fn redirects_to_nowhere_and_to_what_is_not_the_web_are_refused() {
    check(
        |bench| bench.fake.always(FIRST, |_, _| Reply::new(302, "")),
        expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it leads to nowhere
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 302
    "#]],
    )
    .await;
    let change = |bench: &mut Bench| {
        bench.fake.always(FIRST, |_, _| Reply::new(302, "").header("Location", "file:///etc/passwd"));
    };
    check(
        change,
        expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it leads to `file:`, which is not the web
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
          GET /v2/app/manifests/1 -> 302
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_redirect_out_of_tls_to_another_machine_is_refused() {
    let change = |bench: &mut Bench| {
        bench.fake.always(FIRST, |_, _| Reply::new(302, "").header("Location", "http://192.0.2.1/evil"));
    };
    check(
        change,
        expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it leads to `192.0.2.1`, without TLS
        hint: if you trust its network, list `REGISTRY` as an insecure registry
          GET /v2/app/manifests/1 -> 302
    "#]],
    )
    .await;
}
