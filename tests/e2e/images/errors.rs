//! Errors of images: which image, why, and what to do about it.

use testkit::Registry;

use super::{Bench, from};
use crate::run::Chain;

/// Runs a chain that fails, and checks the exit code and the message.
#[track_caller]
fn check(bench: &Bench, chain: &Chain, code: i32, says: &[&str]) {
    let ran = chain.run(&bench.scratch);
    let said = ran.fails(code);
    for phrase in says {
        assert!(said.contains(phrase), "it does not say: {phrase}\n{said}");
    }
    assert_eq!(ran.answer.stdout, "");
}

#[test]
fn an_image_that_is_not_there_is_named_with_its_registry() {
    let Some(bench) = Bench::new() else { return };
    let hint = "hint: check the name and the tag; a private image may need `docker login`";
    for image in ["nothing:1", "busybox:nothing"] {
        let name = format!("image `{}`", bench.registry.name(image));
        check(&bench, &bench.from(image).then(&["sync"]), 1, &[&name, "it has no such tag", hint]);
    }
    let digest = format!("busybox@sha256:{}", "0".repeat(64));
    check(&bench, &bench.from(&digest).then(&["sync"]), 1, &[&digest, "it has no such manifest", hint]);
}

#[test]
fn a_registry_that_is_down_is_the_fault_of_the_machine() {
    let Some(mut bench) = Bench::new() else { return };
    bench.registry.stop();
    let says = ["cannot connect: Connection refused", "hint: check the name `127.0.0.1:", "the network and the proxy"];
    check(&bench, &bench.from("busybox:1").then(&["sync"]), 4, &says);
    let target = format!("docker://{}", bench.registry.name("app:1"));
    check(&bench, &Chain::new("empty").then(&["-o", &target]), 4, &says);
}

#[test]
fn an_image_for_another_machine_says_for_which() {
    let Some(bench) = Bench::new() else { return };
    let says = ["foreign:1", "linux/s390x", "hint: "];
    check(&bench, &bench.from("foreign:1").then(&["sync"]), 1, &says);
    let other = Chain::new("empty").then(&["with-platform", "--platform", "linux/riscv64"]);
    let other = other.then(&["from-image", "--address", &bench.registry.name("multi:1"), "sync"]);
    check(&bench, &other, 1, &["multi:1", "linux/riscv64", "linux/amd64", "linux/arm64", "hint: "]);
}

#[test]
fn an_image_that_is_damaged_in_its_registry_is_named_and_is_not_kept() {
    let Some(bench) = Bench::new() else { return };
    // The digests fit, so the fault is in the image and not in the transfer.
    check(
        &bench,
        &bench.from("broken:config").then(&["sync"]),
        1,
        &["broken:config", "the configuration is not valid"],
    );
    for (tag, says) in [("layer", "layer"), ("diff-id", "layer"), ("escape", "`../../escaped`")] {
        let sync = bench.from(&format!("broken:{tag}")).then(&["sync"]);
        check(&bench, &sync, 1, &[says]);
        check(&bench, &sync, 1, &[says]);
    }
    assert!(!bench.scratch.path("escaped").exists() && !bench.scratch.path("store/escaped").exists());
    assert_eq!(bench.ok(&bench.from("busybox:1").sh("echo whole").stdout()), "whole\n");
}

#[test]
fn a_registry_with_a_certificate_is_not_spoken_to_without_one() {
    let Some(bench) = Bench::new() else { return };
    // Only addresses of the loopback interface are trusted without TLS. This name has such an address, and is none.
    let name = format!("localhost.localdomain:{}/busybox:1", port(&bench.registry));
    let ran = from(&name).then(&["sync"]).run(&bench.scratch);
    assert!(ran.fails(4).contains("localhost.localdomain"), "{:?}", ran.answer);
}

fn port(registry: &Registry) -> &str {
    registry.address().rsplit(':').next().unwrap()
}

#[test]
fn directories_of_this_machine_are_put_into_no_image() {
    let Some(bench) = Bench::new() else { return };
    let says =
        ["directories of this machine cannot be made an image", "hint: start from an image, or from a directory"];
    let registry = format!("docker://{}", bench.registry.name("machine:1"));
    for target in ["x.tar", "oci:x", &registry] {
        check(&bench, &Chain::machine().then(&["-o", target]), 1, &says);
        check(&bench, &Chain::machine().sh("echo 1 > /one").then(&["-o", target]), 1, &says);
    }
    assert!(!bench.scratch.path("work/x.tar").exists() && !bench.scratch.path("work/x").exists());
}
