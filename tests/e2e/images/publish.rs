//! Images that go to a registry: once, by who may, and without secrets.

use std::process::Command;

use support::{PASSWORD, Place, Registry, USER, require};

use super::{Bench, call, from};
use crate::run::Chain;
use crate::secrets::files_with;

/// Returns the requests of a registry that change it.
fn changes(registry: &Registry) -> Vec<String> {
    registry.requests().into_iter().filter(|line| !line.starts_with("GET ") && !line.starts_with("HEAD ")).collect()
}

#[test]
fn an_image_that_is_there_is_not_sent_again() {
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
fn of_an_image_that_differs_only_what_differs_is_sent() {
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
    // The layer of busybox is in that registry already, in another repository.
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
    let answer = call(&bench.place, "powers", &powers, "publish", &flags, |_| ());
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
    // Compressed in the registry, as files here.
    bench.ok(&bench.from("app:1").then(&["-o", "root"]));
    assert_ne!(files_with(&bench.place.path("work/root"), &["kept-by-the-step"]), Vec::<String>::new());
    for dir in [bench.registry.storage(), bench.place.path("")] {
        assert_eq!(files_with(&dir, &[VALUE]), Vec::<String>::new());
    }
    assert_eq!(files_with(&bench.registry.storage(), &["OUR_TOKEN", "/run/token"]), Vec::<String>::new());
    assert!(!bench.place.path("work/root/run/token").exists());
}

/// A registry that wants a password, and Docker's configuration with it.
fn guarded() -> Option<(Place, Registry)> {
    if !require("crun") || !require("docker-registry") {
        return None;
    }
    let (place, registry) = (Place::new(), Registry::start_with_password());
    // `ann:swordfish`
    let auths = serde_json::json!({ "auths": { registry.address(): { "auth": "YW5uOnN3b3JkZmlzaA==" } } });
    place.write("docker/config.json", auths.to_string());
    Some((place, registry))
}

/// Pushes an image of one file as a stage does.
fn publish(place: &Place, registry: &Registry, flags: &[&str], change: impl FnOnce(&mut Command)) -> support::Answer {
    let name = registry.name("app:1");
    let flags = [&["--contents", "kept", "--address", &name], flags].concat();
    call(place, "powers", &["machine", "sources", "effects", "secret-access"], "publish", &flags, change)
}

#[test]
fn credentials_of_docker_are_used_to_push_and_to_pull() {
    let Some((place, registry)) = guarded() else { return };
    let config = place.path("work/docker");
    let pushed = publish(&place, &registry, &[], |command| {
        command.env("DOCKER_CONFIG", &config);
    });
    assert_eq!(pushed.code, Some(0), "{}", pushed.stderr);
    let read = from(pushed.stdout.trim()).then(&["file", "--path", "/contents", "contents"]);
    let elsewhere = Place::new();
    let pulled = read.run_with(&elsewhere, |command| {
        command.env("DOCKER_CONFIG", &config);
    });
    assert_eq!(pulled.ok(), "kept\n");
    let refused = from(&registry.name("app:1")).then(&["sync"]).run_with(&elsewhere, |command| {
        command.env("DOCKER_CONFIG", elsewhere.path("nothing"));
    });
    let said = refused.fails(4);
    assert!(said.contains(registry.address()) && said.contains("hint: "), "{said}");
    for place in [&place.path("store"), &elsewhere.path("store")] {
        assert_eq!(files_with(place, &[PASSWORD]), Vec::<String>::new());
    }
}

#[test]
fn a_stage_logs_in_with_a_secret_that_nobody_gets_to_see() {
    let Some((place, registry)) = guarded() else { return };
    let login = ["--username", USER, "--password", "env:OUR_PASSWORD"];
    let with = |password: &'static str| {
        publish(&place, &registry, &login, |command| {
            command.env("OUR_PASSWORD", password).env("DOCKER_CONFIG", "/nowhere");
        })
    };
    let pushed = with(PASSWORD);
    assert_eq!(pushed.code, Some(0), "{}", pushed.stderr);
    let wrong = with("a-wrong-guess");
    assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(4), ""), "{}", wrong.stderr);
    assert!(wrong.stderr.contains(registry.address()), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("a-wrong-guess"), "{}", wrong.stderr);
    assert_eq!(files_with(&place.path(""), &[PASSWORD, "a-wrong-guess"]), Vec::<String>::new());
}

#[test]
fn the_output_of_a_call_is_pushed_with_the_credentials_of_docker() {
    let Some((place, registry)) = guarded() else { return };
    let target = format!("docker://{}", registry.name("app:1"));
    let chain = Chain::new("empty").then(&["with-new-file", "--path", "/f", "--contents", "x", "-o", &target]);
    let refused = chain.run_with(&place, |command| {
        command.env("DOCKER_CONFIG", place.path("nothing"));
    });
    assert!(refused.fails(4).contains("hint: "), "{:?}", refused.answer);
    let pushed = chain.run_with(&place, |command| {
        command.env("DOCKER_CONFIG", place.path("work/docker"));
    });
    assert!(pushed.ok().contains("@sha256:"), "{:?}", pushed.answer);
}
