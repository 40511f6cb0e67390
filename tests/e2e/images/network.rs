//! The network of commands, and the ways to take it away.

use serde_json::Value as Json;
use testkit::{Scratch, guest};

use super::{Bench, call};

/// Returns the network interfaces that a step sees.
const INTERFACES: &str = "cd /sys/class/net && ls";

/// Returns whether steps can have a network on this machine, for this user.
fn has_network(scratch: &Scratch) -> bool {
    let engine: Json =
        serde_json::from_str(&scratch.host(["engine", "--engine", "embedded", "--json"]).stdout).unwrap();
    engine["caps"]["network"].as_bool().unwrap()
}

#[test]
fn steps_have_the_network_unless_the_run_takes_it_away() {
    let Some(bench) = Bench::new() else { return };
    let step = || bench.from("busybox:1").sh_with(INTERFACES, &["--without-cache"]);
    let open = bench.ok(&step().stdout());
    assert_eq!(open.lines().any(|name| name != "lo"), has_network(&bench.scratch), "{open}");
    assert_eq!(bench.ok(&step().stdout().then(&["--no-network"])), "lo\n");
    let without = bench.from("busybox:1").sh_with(INTERFACES, &["--without-network"]).stdout();
    assert_eq!(bench.ok(&without), "lo\n");
}

#[test]
fn a_step_without_network_is_another_step() {
    let Some(bench) = Bench::new() else { return };
    let step = bench.from("busybox:1").sh(INTERFACES).stdout();
    let open = bench.ok(&step);
    assert_eq!(bench.ok(&step.clone().then(&["--no-network"])), "lo\n");
    assert_eq!(bench.ok(&step), open);
}

#[test]
fn the_image_itself_is_pulled_also_where_steps_have_no_network() {
    let Some(bench) = Bench::new() else { return };
    let step = bench.from("busybox:1").sh("echo pulled").stdout().then(&["--no-network"]);
    assert_eq!(bench.ok(&step), "pulled\n");
}

#[test]
fn a_module_whose_manifest_says_so_has_no_network() {
    let Some(bench) = Bench::new() else { return };
    let interfaces = |scratch: &Scratch, manifest: &str| {
        let component = guest("pipelines").display().to_string();
        let manifest = format!("name = \"pipelines\"\nversion = \"0.1.0\"\ncomponent = \"{component}\"\n{manifest}");
        scratch.write("m/host.toml", manifest);
        let address = bench.registry.name("busybox:1");
        let args = serde_json::json!(["sh", "-c", INTERFACES]).to_string();
        let words = ["call", "-q", "-m", "m", "empty", "from-image", "--address", &address];
        let answer = scratch.host(words.into_iter().chain(["with-exec", "--args", &args, "stdout"]));
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        answer.stdout
    };
    let open = interfaces(&bench.scratch, "allow = [\"machine\"]\nnetwork = true\n");
    assert_eq!(open != "lo\n", has_network(&bench.scratch), "{open}");
    assert_eq!(interfaces(&bench.scratch, "allow = [\"machine\"]\nnetwork = false\n"), "lo\n");
}

#[test]
fn a_stage_runs_its_steps_without_network_too() {
    let Some(bench) = Bench::new() else { return };
    let root = bench.registry.name("busybox:1");
    let flags = ["--root", &root, "--no-network"];
    let answer = call(&bench.scratch, "containers", &["machine"], "env-variables", &flags, |_| ());
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), "ok\n"), "{}", answer.stderr);
}
