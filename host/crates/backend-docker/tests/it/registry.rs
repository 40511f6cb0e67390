//! Images of a registry that wants to know who one is: Debian's `docker-registry` on the loopback interface.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use backend::{Backend as _, ImageSource, ImageTarget};
use graph::{ImageConfig, Op, PackForm, PackOp, Platform, Selection};

use crate::harness::{Settings, base, docker, file, open_with, sh, unique};

/// `ann` and `swordfish`, as `htpasswd -B` writes them.
const HTPASSWD: &str = "ann:$2y$05$abcdefghijklmnopqrstuupWDwJQeCHYIBQy8WvkVB6ImhZ476YYy\n";

/// A registry for `ann` alone; ends with its owner.
struct Registry {
    dir: tempfile::TempDir,
    address: String,
    child: Child,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Registry {
    /// Starts one; none, said aloud, if it is not installed.
    fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().display();
        std::fs::write(dir.path().join("htpasswd"), HTPASSWD).unwrap();
        // Source: the documentation of `distribution/distribution` 2.8, "Configuring a registry".
        let config = format!(
            "version: 0.1\nlog: {{level: info, formatter: json}}\nstorage: {{filesystem: {{rootdirectory: {at}/data}}}}\n\
             http: {{addr: '127.0.0.1:0', secret: tests}}\nauth: {{htpasswd: {{realm: tests, path: {at}/htpasswd}}}}\n"
        );
        std::fs::write(dir.path().join("config.yml"), config).unwrap();
        let log = dir.path().join("log");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(dir.path().join("config.yml")).stdin(Stdio::null()).stdout(Stdio::null());
        let Ok(child) = command.stderr(std::fs::File::create(&log).unwrap()).spawn() else {
            let required = std::env::var("REQUIRE").unwrap_or_default();
            assert!(!required.split(',').any(|tool| tool == "docker-registry"), "this test needs `docker-registry`");
            eprintln!("skipped: there is no `docker-registry`");
            return None;
        };
        let mut registry = Self { dir, address: String::new(), child };
        let deadline = Instant::now() + Duration::from_secs(20);
        while registry.address.is_empty() {
            let told = std::fs::read_to_string(&log).unwrap();
            let address = told.split_once("listening on ").and_then(|(_, rest)| rest.split_once('"'));
            registry.address = address.map(|(address, _)| address.to_owned()).unwrap_or_default();
            assert!(Instant::now() < deadline, "`docker-registry` does not listen: {told}");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(registry)
    }

    /// Writes what Docker's command line writes when `ann` logs in.
    fn login(&self) -> Settings {
        let path = self.dir.path().join("config.json");
        // `ann:swordfish`.
        let config = format!(r#"{{"auths": {{"{}": {{"auth": "YW5uOnN3b3JkZmlzaA=="}}}}}}"#, self.address);
        std::fs::write(&path, config).unwrap();
        Settings { docker_config: Some(path), ..Settings::default() }
    }
}

#[tokio::test]
async fn a_private_image_is_had_by_whoever_may() {
    let Some(docker) = docker() else { return };
    let Some(registry) = Registry::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open_with(&docker, dir.path(), registry.login()).await;
    let pack = PackOp {
        config: ImageConfig::default(),
        annotations: [].into(),
        platform: Platform::of_this_machine(),
        form: PackForm::Layout,
    };
    // Otherwise Docker would have its layers already.
    let id = unique();
    let root = file(&base(), "id", id.as_bytes(), 0o644, None);
    let image = Selection::of(Op::Pack(Box::new(pack)), vec![root]);
    let reference = format!("{}/private:1", registry.address);
    session
        .docker
        .publish(&image.edge, &ImageTarget::Registry { reference: reference.clone(), login: None })
        .await
        .unwrap();
    let found =
        session.docker.resolve_image(&ImageSource::Named(reference), &Platform::of_this_machine()).await.unwrap();
    assert_eq!(session.stdout(&sh(&found.rootfs, "cat /id")).await, id);
}
