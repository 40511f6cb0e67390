//! Images of a registry in steps.

use testkit::Answer;

use super::{Bench, call, from};
use crate::run::Chain;

#[test]
fn steps_have_the_user_the_variables_and_the_directory_of_their_image() {
    let Some(bench) = Bench::new() else { return };
    let rich = || bench.from("busybox:rich");
    let script = r#"echo "$(id -un) $(pwd) $A $B $PATH"; echo mine > "$HOME/mine"; stat -c %U /home/app/mine"#;
    let script = script.replace("$HOME", "/home/app");
    assert_eq!(bench.ok(&rich().sh(&script).stdout()), "app /home/app 1 two words /bin\napp\n");
    let entered = rich().then(&["with-exec-options", "--args", "x", "--use-entrypoint", "stdout"]);
    assert_eq!(bench.ok(&entered), "ep x\n");
    let check = |method: &str, expect: &str| assert_eq!(bench.ok(&rich().then(&[method])), expect, "{method}");
    check("user", "app\n");
    check("workdir", "/home/app\n");
    check("entrypoint", "echo\nep\n");
    check("default-args", "default\nargs\n");
    check("labels", "[\"l1\",\"v1\"]\n[\"l2\",\"v2\"]\n");
    check("env-variables", "[\"PATH\",\"/bin\"]\n[\"A\",\"1\"]\n[\"B\",\"two words\"]\n");
}

#[test]
fn an_image_is_resolved_once_a_run_however_many_steps_use_it() {
    let Some(bench) = Bench::new() else { return };
    let name = bench.registry.name("busybox:1");
    let events = bench.scratch.path("events");
    let flags = ["--address", &name, "--events", events.to_str().unwrap()];
    let before = bench.registry.requests().len();
    let answer = call(&bench.scratch, "containers", &["machine"], "image", &flags, |_| ());
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    let pinned = answer.stdout.trim();
    assert!(pinned.starts_with(&format!("{name}@sha256:")), "{pinned}");

    let told = std::fs::read_to_string(&events).unwrap();
    let told: Vec<&str> = told.lines().filter(|line| line.contains(r#""event":"image""#)).collect();
    assert_eq!(told, [format!(r#"{{"event":"image","name":"{name}","reference":"{pinned}"}}"#)]);
    let asked = bench.registry.requests().split_off(before);
    let manifests: Vec<&String> = asked.iter().filter(|line| line.contains("/manifests/")).collect();
    assert_eq!(manifests.len(), 1, "{asked:?}");
}

#[test]
fn a_tag_that_moved_is_seen_by_the_next_run() {
    let Some(bench) = Bench::new() else { return };
    let read = bench.from("moving:1").then(&["file", "--path", "/f", "contents", "-q"]);
    bench.push("moving", "1", "first");
    let first = read.run(&bench.scratch);
    assert_eq!(first.ok(), "first\n");
    bench.push("moving", "1", "second");
    let second = read.run(&bench.scratch);
    assert_eq!(second.ok(), "second\n");
    assert_ne!(first.images, second.images);
}

#[test]
fn a_tag_that_moves_means_the_same_image_to_the_end_of_the_run() {
    let Some(bench) = Bench::new() else { return };
    let name = bench.registry.name("moving:1");
    let answer = bench.effect("publish-twice", &["--address", &name], |_| ());
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), "first\n"), "{}", answer.stderr);
    let next = bench.from("moving:1").then(&["file", "--path", "/contents", "contents"]);
    assert_eq!(bench.ok(&next), "second\n");
}

#[test]
fn an_image_that_is_pinned_and_was_pulled_needs_no_registry() {
    let Some(mut bench) = Bench::new() else { return };
    let pinned = bench.ok(&bench.from("busybox:1").then(&["image-ref"]));
    let pinned = pinned.trim();
    assert_eq!(bench.ok(&from(pinned).sh("echo 1").stdout()), "1\n");
    bench.registry.stop();
    assert_eq!(bench.ok(&from(pinned).sh("echo 2").stdout()), "2\n");
    assert_eq!(bench.ok(&from(pinned).then(&["image-ref"])).trim(), pinned);
    // Only the registry knows what the tag means now.
    let by_tag = bench.from("busybox:1").sh("echo 3").stdout().run(&bench.scratch);
    assert!(by_tag.fails(4).contains(bench.registry.address()), "{:?}", by_tag.answer);
}

#[test]
fn the_same_steps_on_the_same_image_run_once_under_all_its_names() {
    let Some(bench) = Bench::new() else { return };
    let pinned = bench.ok(&bench.from("busybox:1").then(&["image-ref"]));
    let step = |chain: Chain| chain.sh("echo once > /once").then(&["file", "--path", "/once", "contents"]);
    step(bench.from("busybox:1")).run(&bench.scratch).ok();
    for chain in [bench.from("busybox:1"), from(pinned.trim())] {
        let again = step(chain).run(&bench.scratch);
        assert_eq!((again.ok(), again.evaluated()), ("once\n", Vec::<&str>::new()));
    }
}

#[test]
fn a_mirror_is_used_instead_of_a_registry() {
    let Some(bench) = Bench::new() else { return };
    let mirror = format!("mirrored.example=http://{}", bench.registry.address());
    let chain = from("mirrored.example/busybox:1").sh("echo from the mirror").stdout();
    let ran = chain.run_with(&bench.scratch, |command| {
        command.env("HOST_REGISTRY_MIRRORS", &mirror);
    });
    assert_eq!(ran.ok(), "from the mirror\n");
    assert!(ran.images.concat().starts_with("mirrored.example/busybox:1 mirrored.example/busybox:1@sha256:"));
}

#[test]
fn an_image_of_several_platforms_is_that_of_this_machine_or_of_the_one_asked_for() {
    let Some(bench) = Bench::new() else { return };
    let arch = |chain: Chain| bench.ok(&chain.then(&["file", "--path", "/arch", "contents"])).trim().to_owned();
    let machine = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    assert_eq!(arch(bench.from("multi:1")), machine);
    for platform in ["linux/amd64", "linux/arm64"] {
        let chain = Chain::new("empty").then(&["with-platform", "--platform", platform]);
        let address = bench.registry.name("multi:1");
        assert_eq!(format!("linux/{}", arch(chain.then(&["from-image", "--address", &address]))), platform);
    }
}

/// Calls a stage whose parameter is a container.
fn with_root(bench: &Bench, stage: &str, root: &str) -> Answer {
    call(&bench.scratch, "containers", &["machine"], stage, &["--root", root], |_| ())
}

#[test]
fn a_parameter_that_is_a_container_takes_an_image() {
    let Some(bench) = Bench::new() else { return };
    bench.ok(&bench.from("busybox:1").then(&["-o", "busybox.tar"]));
    bench.ok(&bench.from("busybox:1").then(&["-o", "oci:busybox"]));
    for root in
        [&*bench.registry.name("busybox:1"), "docker-archive:busybox.tar", "oci-archive:busybox.tar", "oci:busybox"]
    {
        for stage in ["env-variables", "workdir", "copies"] {
            let answer = with_root(&bench, stage, root);
            assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), "ok\n"), "{stage} {root}: {}", answer.stderr);
        }
    }
}
