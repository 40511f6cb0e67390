//! Publishing of images: what is sent, with which credentials, and without secrets.

use std::process::Command;

use testkit::{PASSWORD, Registry, Scratch, USER, require};

use super::{Bench, call, from};
use crate::run::Chain;
use crate::secrets::files_with;

/// Returns the requests that changed a registry.
fn changes(registry: &Registry) -> Vec<String> {
    registry.requests().into_iter().filter(|line| !line.starts_with("GET ") && !line.starts_with("HEAD ")).collect()
}

#[test]
fn an_image_that_the_registry_has_is_not_sent_again() {
    let Some(bench) = Bench::new() else { return };
    let publish = || {
        let flags = ["--contents", "x", "--address", &bench.registry.name("app:1")];
        let answer = bench.effect("publish", &flags, |_| ());
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        answer.stdout
    };
    let first = publish();
    let n_changes = changes(&bench.registry).len();
    assert_eq!(publish(), first);
    let again = changes(&bench.registry).split_off(n_changes);
    assert_eq!(again, Vec::<String>::new(), "it was sent again");
}

#[test]
fn only_the_changed_layers_of_an_image_are_sent() {
    let Some(bench) = Bench::new() else { return };
    let push = |label: &str| {
        let target = format!("docker://{}", bench.registry.name("app:1"));
        let n_changes = changes(&bench.registry).len();
        let chain = bench.from("busybox:1").sh("echo 1 > /one");
        bench.ok(&chain.then(&["with-label", "--name", "l", "--value", label, "-o", &target]));
        let sent = changes(&bench.registry).split_off(n_changes);
        let uploads = sent.iter().filter(|line| line.starts_with("PUT ") && line.contains("/uploads/")).count();
        let manifests = sent.iter().filter(|line| line.starts_with("PUT ") && line.contains("/manifests/")).count();
        (uploads, manifests)
    };
    // The registry has the layer of busybox in another repository.
    assert_eq!(push("a"), (2, 1), "the new layer, the configuration");
    assert_eq!(push("b"), (1, 1), "the configuration");
}

#[test]
fn a_stage_pushes_only_where_it_was_granted_the_power() {
    let Some(bench) = Bench::new() else { return };
    let name = bench.registry.name("app:1");
    let n_requests = bench.registry.requests().len();
    let powers = ["machine", "sources", "secret-access"];
    let flags = ["--contents", "x", "--address", &name];
    let answer = call(&bench.scratch, "powers", &powers, "publish", &flags, |_| ());
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(3), ""), "{}", answer.stderr);
    assert!(answer.stderr.contains("`effects`"), "{}", answer.stderr);
    assert_eq!(bench.registry.requests().len(), n_requests, "the registry was asked");
}

#[test]
fn a_secret_is_in_no_layer_and_no_configuration_and_not_in_the_store() {
    const VALUE: &str = "correct-horse-battery";
    let Some(bench) = Bench::new() else { return };
    let (name, root) = (bench.registry.name("app:1"), bench.registry.name("busybox:1"));
    let flags = ["--root", &root, "--secret", "env:OUR_TOKEN", "--address", &name];
    let answer = bench.effect("publish-after-secret", &flags, |command| {
        command.env("OUR_TOKEN", VALUE);
    });
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    // The blobs of the registry are compressed.
    bench.ok(&bench.from("app:1").then(&["-o", "root"]));
    assert_ne!(files_with(&bench.scratch.path("work/root"), &["kept-by-the-step"]), Vec::<String>::new());
    for dir in [bench.registry.storage(), bench.scratch.path("")] {
        assert_eq!(files_with(&dir, &[VALUE]), Vec::<String>::new());
    }
    assert_eq!(files_with(&bench.registry.storage(), &["OUR_TOKEN", "/run/token"]), Vec::<String>::new());
    assert!(!bench.scratch.path("work/root/run/token").exists());
}

/// Returns a registry with a password, and a store with a configuration of Docker that has the password.
fn guarded() -> Option<(Scratch, Registry)> {
    if !require("crun") || !require("docker-registry") {
        return None;
    }
    let (scratch, registry) = (Scratch::new(), Registry::start_with_password());
    // `ann:swordfish`
    let auths = serde_json::json!({ "auths": { registry.address(): { "auth": "YW5uOnN3b3JkZmlzaA==" } } });
    scratch.write("docker/config.json", auths.to_string());
    Some((scratch, registry))
}

/// Calls a stage that publishes an image of one file.
fn publish(
    scratch: &Scratch,
    registry: &Registry,
    flags: &[&str],
    change: impl FnOnce(&mut Command),
) -> testkit::Answer {
    let name = registry.name("app:1");
    let flags = [&["--contents", "kept", "--address", &name], flags].concat();
    call(scratch, "powers", &["machine", "sources", "effects", "secret-access"], "publish", &flags, change)
}

#[test]
fn credentials_of_docker_are_used_to_push_and_to_pull() {
    let Some((scratch, registry)) = guarded() else { return };
    let config = scratch.path("work/docker");
    let pushed = publish(&scratch, &registry, &[], |command| {
        command.env("DOCKER_CONFIG", &config);
    });
    assert_eq!(pushed.code, Some(0), "{}", pushed.stderr);
    let read = from(pushed.stdout.trim()).then(&["file", "--path", "/contents", "contents"]);
    let elsewhere = Scratch::new();
    let pulled = read.run_with(&elsewhere, |command| {
        command.env("DOCKER_CONFIG", &config);
    });
    assert_eq!(pulled.ok(), "kept\n");
    let refused = from(&registry.name("app:1")).then(&["sync"]).run_with(&elsewhere, |command| {
        command.env("DOCKER_CONFIG", elsewhere.path("nothing"));
    });
    let said = refused.fails(4);
    assert!(said.contains(registry.address()) && said.contains("hint: "), "{said}");
    for scratch in [&scratch.path("store"), &elsewhere.path("store")] {
        assert_eq!(files_with(scratch, &[PASSWORD]), Vec::<String>::new());
    }
}

#[test]
fn a_stage_logs_in_with_a_secret_that_is_never_shown() {
    let Some((scratch, registry)) = guarded() else { return };
    let login = ["--username", USER, "--password", "env:OUR_PASSWORD"];
    let with = |password: &'static str| {
        publish(&scratch, &registry, &login, |command| {
            command.env("OUR_PASSWORD", password).env("DOCKER_CONFIG", "/nowhere");
        })
    };
    let pushed = with(PASSWORD);
    assert_eq!(pushed.code, Some(0), "{}", pushed.stderr);
    let wrong = with("a-wrong-guess");
    assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(4), ""), "{}", wrong.stderr);
    assert!(wrong.stderr.contains(registry.address()), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("a-wrong-guess"), "{}", wrong.stderr);
    assert_eq!(files_with(&scratch.path(""), &[PASSWORD, "a-wrong-guess"]), Vec::<String>::new());
}

#[test]
fn the_output_of_a_call_is_pushed_with_the_credentials_of_docker() {
    let Some((scratch, registry)) = guarded() else { return };
    let target = format!("docker://{}", registry.name("app:1"));
    let chain = Chain::new("empty").then(&["with-new-file", "--path", "/f", "--contents", "x", "-o", &target]);
    let refused = chain.run_with(&scratch, |command| {
        command.env("DOCKER_CONFIG", scratch.path("nothing"));
    });
    assert!(refused.fails(4).contains("hint: "), "{:?}", refused.answer);
    let pushed = chain.run_with(&scratch, |command| {
        command.env("DOCKER_CONFIG", scratch.path("work/docker"));
    });
    assert!(pushed.ok().contains("@sha256:"), "{:?}", pushed.answer);
}
