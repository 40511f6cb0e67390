//! Images that are loaded into the local Docker and read from it.

use std::process::Command;

use testkit::{Answer, Docker, Scratch, require};

use super::{call, from};
use crate::run::{Chain, Ran};

/// Returns a container with a program of busybox.
fn busybox(scratch: &Scratch) -> Chain {
    std::fs::create_dir_all(scratch.path("work/bin")).unwrap();
    std::fs::copy("/bin/busybox", scratch.path("work/bin/busybox")).unwrap();
    let chain = Chain::new("empty").then(&["with-directory", "--path", "/bin", "--source", "bin"]);
    let entrypoint = serde_json::json!(["/bin/busybox", "echo", "from the image:"]).to_string();
    chain.then(&["with-entrypoint", "--args", &entrypoint, "with-label", "--name", "l", "--value", "v"])
}

/// Calls the stage `load` of the module `powers`.
fn load(scratch: &Scratch, powers: &[&str], name: &str, docker: &str) -> Answer {
    let flags = ["--contents", "x", "--name", name];
    call(scratch, "powers", powers, "load", &flags, |command| {
        command.env("DOCKER_HOST", docker);
    })
}

#[test]
fn an_image_goes_to_docker_and_comes_back() {
    if !["crun", "busybox", "docker", "root"].into_iter().all(require) {
        return;
    }
    let (scratch, docker) = (Scratch::new(), Docker::start());
    let with_docker = |command: &mut Command| {
        command.env("DOCKER_HOST", docker.address());
    };
    let run = |chain: &Chain| -> Ran { chain.run_with(&scratch, with_docker) };

    let put = run(&busybox(&scratch).then(&["-o", "docker-daemon:e2e:1"]));
    assert!(put.ok().starts_with("e2e:1@sha256:"), "{:?}", put.answer);
    assert_eq!(docker.run(&["run", "--rm", "--network", "none", "e2e:1", "hello"]), "from the image: hello\n");

    let back = || from("docker-daemon:e2e:1");
    let ran = run(&back().then(&["with-exec", "--args", r#"["/bin/busybox", "echo", "a step"]"#, "stdout"]));
    assert_eq!(ran.ok(), "a step\n");
    assert!(ran.images.concat().starts_with("docker-daemon:e2e:1 docker-daemon:e2e:1@sha256:"), "{:?}", ran.images);
    assert_eq!(run(&back().then(&["label", "--name", "l"])).ok(), "v\n");

    // The next run uses the image that the name means then.
    run(&Chain::new("empty").then(&["with-label", "--name", "l", "--value", "w", "-o", "docker-daemon:e2e:1"])).ok();
    assert_eq!(run(&back().then(&["label", "--name", "l"])).ok(), "w\n");

    let missing = run(&from("docker-daemon:no-such:1").then(&["sync"]));
    let said = missing.fails(1);
    assert!(said.contains("image `no-such:1`") && said.contains("hint: `docker pull no-such:1`"), "{said}");

    let refused = load(&scratch, &["machine", "sources", "secret-access"], "loaded:1", docker.address());
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert_eq!(docker.run(&["images", "-q", "loaded"]), "");
    let loaded = load(&scratch, &["machine", "sources", "effects", "secret-access"], "loaded:1", docker.address());
    assert_eq!(loaded.code, Some(0), "{}", loaded.stderr);
    assert!(loaded.stdout.starts_with("loaded:1"), "{}", loaded.stdout);
    assert_ne!(docker.run(&["images", "-q", "loaded:1"]), "");
}

#[test]
fn without_docker_its_images_and_its_engines_say_how_to_get_it() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let nowhere = "unix:///nowhere/docker.sock";
    let empty = || Chain::new("empty");
    for chain in [
        from("docker-daemon:x:1").then(&["sync"]),
        empty().then(&["-o", "docker-daemon:x:1"]),
        // Docker is not needed before a command runs.
        empty().sh("true").then(&["sync", "--engine", "docker"]),
        empty().then(&["sync", "--engine", "docker-classic"]),
    ] {
        let ran = chain.run_with(&scratch, |command| {
            command.env("DOCKER_HOST", nowhere);
        });
        let said = ran.fails(4);
        assert!(said.contains(nowhere) && said.contains("hint: start it"), "{said}");
    }
    let loaded = load(&scratch, &["machine", "sources", "effects", "secret-access"], "x:1", nowhere);
    assert_eq!(loaded.code, Some(4), "{}", loaded.stderr);
}
