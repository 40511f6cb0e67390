//! A real registry, that of Debian.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use oci::Reference;
use oci::credentials::{Anonymous, Credential, Given, Secret};
use oci::image::MANIFEST;
use oci::registry::{Client, Missing, Options, Problem, Push};

use super::push::Blobs;
use crate::support::image::Image;
use crate::support::require;

/// `ann` with the password `swordfish`, as bcrypt.
const HTPASSWD: &str = "ann:$2y$05$abcdefghijklmnopqrstuupWDwJQeCHYIBQy8WvkVB6ImhZ476YYy\n";

/// A running registry; ends with its owner.
struct Registry {
    child: Child,
    address: String,
    _dir: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Registry {
    /// Starts one on a port that the kernel chooses, which it says in its log.
    fn start(with_password: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().display().to_string();
        let mut config = format!(
            "version: 0.1\nlog: {{level: info, formatter: json}}\n\
             storage: {{filesystem: {{rootdirectory: {path}/data}}, delete: {{enabled: true}}}}\n\
             http: {{addr: '127.0.0.1:0', secret: tests}}\n"
        );
        if with_password {
            std::fs::write(dir.path().join("htpasswd"), HTPASSWD).unwrap();
            config += &format!("auth: {{htpasswd: {{realm: tests, path: {path}/htpasswd}}}}\n");
        }
        let file = dir.path().join("config.yml");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&file).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let address = address(&mut log).unwrap_or_else(|| panic!("docker-registry does not listen"));
        // It must not wait for somebody to read its log.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, address, _dir: dir }
    }

    fn client(&self, password: Option<&str>) -> Client {
        let mut given = Given::before(Anonymous);
        if let Some(password) = password {
            let credential = Credential::Password { username: "ann".to_owned(), password: Secret::new(password) };
            given = given.with(&self.address, credential);
        }
        let options = Options { credentials: Arc::new(given), ..Options::default() };
        Client::new(Options { stall_timeout: Duration::from_secs(60), ..options }).unwrap()
    }

    fn name(&self, name: &str) -> Reference {
        format!("{}/{name}", self.address).parse().unwrap()
    }
}

/// Reads `listening on 127.0.0.1:1234` in a log.
fn address(log: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    while log.read_line(&mut line).ok()? > 0 {
        if let Some((_, rest)) = line.split_once("listening on ") {
            return Some(rest.split(['"', ',', ' ']).next()?.to_owned());
        }
        line.clear();
    }
    None
}

/// Pushes an image, and returns how many blobs were uploaded, there, and mounted.
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
    let registry = Registry::start(false);
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let image = Image::new(&[b"small", &large]);
    let (client, target) = (registry.client(None), registry.name("a/b:1"));
    assert_eq!(client.manifest_digest(&target).await.unwrap(), None);
    assert_eq!(push(&client, &target, &image, None).await, (3, 0, 0));
    assert_eq!(push(&client, &target, &image, None).await, (0, 3, 0));
    assert_eq!(push(&client, &registry.name("a/b:2"), &image, None).await, (0, 3, 0));
    assert_eq!(push(&client, &registry.name("c:1"), &image, Some("a/b")).await, (0, 0, 3));
    for name in ["a/b:1", "c:1"] {
        let resolved = client.resolve(&registry.name(name), &"linux/amd64".parse().unwrap()).await.unwrap();
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
    let registry = Registry::start(false);
    let client = registry.client(None);
    push(&client, &registry.name("app:1"), &Image::new(&[b"x"]), None).await;
    for (name, expected) in [("app:2", Missing::Tag), ("no/such:1", Missing::Tag)] {
        let error = client.resolve(&registry.name(name), &"linux/amd64".parse().unwrap()).await.unwrap_err();
        assert!(matches!(error.problem(), Problem::NotFound(missing) if *missing == expected), "{error}");
    }
    let error = client.resolve(&registry.name("app:1"), &"linux/arm64".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error.problem(), Problem::WrongPlatform { .. }), "{error}");
}

#[tokio::test]
async fn a_password_opens_the_registry_and_a_wrong_one_does_not() {
    if !require("docker-registry") {
        return;
    }
    let registry = Registry::start(true);
    let (image, target) = (Image::new(&[b"x"]), registry.name("app:1"));
    assert_eq!(push(&registry.client(Some("swordfish")), &target, &image, None).await, (2, 0, 0));
    let platform = "linux/amd64".parse().unwrap();
    registry.client(Some("swordfish")).resolve(&target, &platform).await.unwrap();
    for (password, with_password) in [(Some("guess"), true), (None, false)] {
        let error = registry.client(password).resolve(&target, &platform).await.unwrap_err();
        let Problem::Unauthorized { with_credentials, .. } = error.problem() else { panic!("{error}") };
        assert_eq!(*with_credentials, with_password);
        assert!(!error.to_string().contains("guess"), "{error}");
    }
}
