//! HTTPS. Loopback is asked without it, so that these pulls come to it by a redirect or a mirror.
//!
//! Which certificates are trusted is decided by the environment of a process: these tests run
//! themselves again with another one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use expect_test::expect;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::bench::Bench;
use crate::support::fake::{Fake, Reply};

/// A certificate for `localhost` and `127.0.0.1`, signed by itself. Its key protects nothing.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/tls/certificate.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/tls/key.pem");
/// The variable that is set in the processes that tests start.
const INSIDE: &str = "OCI_TEST_INSIDE";

fn start() -> Fake {
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_file(KEY).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Fake::start_with_tls(Arc::new(config))
}

/// Makes a registry redirect every request to a URL.
fn redirect(bench: &Bench, base: String) {
    bench.fake.always("GET", move |asked, _| Reply::new(307, "").header("Location", &format!("{base}{}", asked.path)));
}

/// Runs a test of this module in a process that trusts a certificate, and returns whether this is
/// that process.
fn is_inside(test: &str, certificate: impl AsRef<Path>) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([&format!("registry::tls::{test}"), "--exact"])
        .env(INSIDE, "1")
        .env("SSL_CERT_FILE", certificate.as_ref())
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    false
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_ends_the_pull() {
    // This authority has signed nothing here, so the certificates of this machine do not matter.
    if !is_inside("a_certificate_that_is_not_trusted_ends_the_pull", another_certificate()) {
        return;
    }
    let (bench, other) = (Bench::new(), start());
    redirect(&bench, format!("https://{}", other.name()));
    let report = bench.pull().await;
    expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: its certificate cannot be trusted: it is not signed by an authority that this machine trusts
        hint: check the certificate of `REGISTRY`; SSL_CERT_FILE names a file of authorities
          GET /v2/app/manifests/1 -> 307
    "#]].assert_eq(&report);
    assert_eq!(other.log(), "", "nothing is asked");
}

#[tokio::test]
async fn a_certificate_for_another_name_ends_the_pull() {
    if !is_inside("a_certificate_for_another_name_ends_the_pull", CERTIFICATE) {
        return;
    }
    let (bench, other) = (Bench::new(), start());
    // The same server by another name.
    redirect(&bench, format!("https://[::ffff:127.0.0.1]:{}", other.port()));
    let report = bench.pull().await;
    expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: its certificate cannot be trusted: it is for another name
        hint: check the certificate of `REGISTRY`; SSL_CERT_FILE names a file of authorities
          GET /v2/app/manifests/1 -> 307
    "#]].assert_eq(&report);
}

#[tokio::test]
async fn the_authorities_of_ssl_cert_file_are_trusted() {
    if !is_inside("the_authorities_of_ssl_cert_file_are_trusted", CERTIFICATE) {
        return;
    }
    let (mut bench, mirror) = (Bench::new(), start());
    bench.image.put(&mirror, "app", "1");
    let url = format!("https://localhost:{}", mirror.port());
    bench.options.mirrors = BTreeMap::from([(bench.fake.name(), vec![url])]);
    let report = bench.pull().await;
    expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
        mirror:
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]]
    .assert_eq(&(report + "mirror:\n" + &mirror.log()));
}

#[tokio::test]
async fn no_redirect_leads_out_of_https() {
    if !is_inside("no_redirect_leads_out_of_https", CERTIFICATE) {
        return;
    }
    let (mut bench, mirror, plain) = (Bench::new(), start(), Fake::start());
    bench.image.put(&plain, "app", "1");
    let base = format!("http://{}", plain.name());
    mirror.always("GET", move |asked, _| Reply::new(307, "").header("Location", &format!("{base}{}", asked.path)));
    let url = format!("https://{}", mirror.name());
    bench.options.mirrors = BTreeMap::from([(bench.fake.name(), vec![url])]);
    let report = bench.pull().await;
    assert!(report.starts_with("resolved: "), "{report}");
    assert_eq!((mirror.asked().len(), plain.log().as_str()), (2, ""), "the mirror is asked, and not obeyed");
}

#[tokio::test]
async fn missing_authorities_matter_only_to_https() {
    if !is_inside("missing_authorities_matter_only_to_https", "/nonexistent.pem") {
        return;
    }
    let report = Bench::new().pull().await;
    assert!(report.starts_with("resolved: "), "{report}");
    let (bench, other) = (Bench::new(), start());
    redirect(&bench, format!("https://{}", other.name()));
    expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: its certificate cannot be trusted: no certificate authority can be read: failed to read PEM from file: No such file or directory (os error 2) at '/nonexistent.pem'
        hint: check the certificate of `REGISTRY`; SSL_CERT_FILE names a file of authorities
          GET /v2/app/manifests/1 -> 307
    "#]].assert_eq(&bench.pull().await);
}

#[tokio::test]
async fn what_does_not_speak_https_is_said() {
    if !is_inside("what_does_not_speak_https_is_said", CERTIFICATE) {
        return;
    }
    let (bench, other) = (Bench::new(), Fake::start());
    redirect(&bench, format!("https://{}", other.name()));
    expect![[r#"
        error (Environment): image `REGISTRY/app:1`: registry `REGISTRY`: it does not speak HTTPS
        hint: if you trust its network, list `REGISTRY` as an insecure registry
          GET /v2/app/manifests/1 -> 307
    "#]]
    .assert_eq(&bench.pull().await);
}

/// The certificate of an authority that these tests do not use.
fn another_certificate() -> std::path::PathBuf {
    Path::new(CERTIFICATE).with_file_name("another.pem")
}
