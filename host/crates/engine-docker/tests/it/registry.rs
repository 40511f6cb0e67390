//! Images of a registry with a password.

use std::path::Path;

use engine::{ImageSource, ImageTarget};
use graph::{ImageConfig, Op, PackForm, PackOp, Platform, Selection};
use testkit::{Registry, require};

use crate::harness::{Settings, base, docker, file, open_with, sh, unique};

/// Writes the file that `docker login` writes, and returns settings with its path.
fn login(registry: &Registry, dir: &Path) -> Settings {
    let path = dir.join("config.json");
    // `ann:swordfish` in base64.
    let config = format!(r#"{{"auths": {{"{}": {{"auth": "YW5uOnN3b3JkZmlzaA=="}}}}}}"#, registry.address());
    std::fs::write(&path, config).unwrap();
    Settings { docker_config: Some(path), ..Settings::default() }
}

#[tokio::test]
async fn credentials_of_docker_are_used_to_push_and_to_pull() {
    let Some(docker) = docker() else { return };
    if !require("docker-registry") {
        return;
    }
    let registry = Registry::start_with_password();
    let (dir, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let session = open_with(&docker, dir.path(), login(&registry, own.path())).await;
    let pack = PackOp {
        config: ImageConfig::default(),
        annotations: [].into(),
        platform: Platform::of_this_machine(),
        form: PackForm::Layout,
    };
    // Docker has no layer of this image yet.
    let id = unique();
    let root = file(&base(), "id", id.as_bytes(), 0o644, None);
    let image = Selection::of(Op::Pack(Box::new(pack)), vec![root]);
    let reference = registry.name("private:1");
    session
        .docker
        .publish(&image.edge, &ImageTarget::Registry { reference: reference.clone(), login: None })
        .await
        .unwrap();
    let found =
        session.docker.resolve_image(&ImageSource::Named(reference), &Platform::of_this_machine()).await.unwrap();
    assert_eq!(session.stdout(&sh(&found.rootfs, "cat /id")).await, id);
}
