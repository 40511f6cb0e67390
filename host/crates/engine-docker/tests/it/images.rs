//! The images of a real Docker.

use engine::DockerImages as _;
use engine_docker::LocalImages;
use graph::Platform;

use crate::harness::{docker, unique};

#[tokio::test]
async fn an_image_is_loaded_found_and_saved() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("image.tar");
    let name = format!("host.invalid/test:{}", unique());
    std::fs::write(&archive, image(&name)).unwrap();
    let (images, platform) = (LocalImages::new(docker), Platform::of_this_machine());
    let renamed = format!("{name}-renamed");
    let id = images.load(&archive, &renamed).await.unwrap();
    assert_eq!(images.id(&renamed, &platform).await.unwrap(), Some(id));
    let mut other = platform.clone();
    other.architecture = "s390x".into();
    assert_eq!(images.id(&renamed, &other).await.unwrap(), None, "it is for another platform");
    let saved = dir.path().join("saved.tar");
    images.save(&renamed, &saved).await.unwrap();
    let mut saved = tar::Archive::new(std::fs::File::open(saved).unwrap());
    let names = saved.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
    assert!(names.collect::<Vec<_>>().contains(&"manifest.json".to_owned()));
}

/// An image of one empty layer.
fn image(name: &str) -> Vec<u8> {
    use sha2::Digest as _;
    let layer = tar::Builder::new(Vec::new()).into_inner().unwrap();
    let digest: String = sha2::Sha256::digest(&layer).iter().map(|byte| format!("{byte:02x}")).collect();
    let arch = Platform::of_this_machine().architecture;
    let config = format!(
        r#"{{"architecture":"{arch}","os":"linux","config":{{}},"author":"{name}","rootfs":{{"type":"layers","diff_ids":["sha256:{digest}"]}}}}"#
    );
    let manifest = format!(r#"[{{"Config":"c.json","RepoTags":["{name}"],"Layers":["layer.tar"]}}]"#);
    let mut out = tar::Builder::new(Vec::new());
    for (name, bytes) in [("manifest.json", manifest.as_bytes()), ("c.json", config.as_bytes()), ("layer.tar", &layer)]
    {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        out.append_data(&mut header, name, bytes).unwrap();
    }
    out.into_inner().unwrap()
}
