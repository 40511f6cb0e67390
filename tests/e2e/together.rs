//! Steps at the same time, in one process and in two processes.

use testkit::{Scratch, require};

use crate::run::{Chain, Vertex, processes, sleep, until};

#[test]
fn steps_that_do_not_need_each_other_run_at_the_same_time_up_to_the_jobs_asked_for() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let most_at_once = |seconds: &str, jobs: &str| {
        let words = ["--n", "4", "--seconds", seconds, "--jobs", jobs];
        let ran = Chain::new("sleepers").then(&words).run(&scratch);
        ran.ok();
        let steps: Vec<&Vertex> = ran.commands().collect();
        assert_eq!(steps.len(), 4);
        let under_way =
            |at: &str| steps.iter().filter(|step| step.start.as_str() <= at && at < step.end.as_str()).count();
        steps.iter().map(|step| under_way(&step.start)).max()
    };
    assert_eq!(most_at_once("2", "4"), Some(4));
    assert_eq!(most_at_once("0.25", "1"), Some(1));
}

#[test]
fn a_step_that_two_processes_ask_for_runs_once() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let sleep = sleep("1.375");
    let chain = Chain::machine().sh(&format!("{sleep}; head -c 8 /dev/urandom | od -An -tx1")).stdout();
    let first = chain.spawn(&scratch);
    until("the first runs the step", || !processes(&format!("sh -c {sleep}")).is_empty());
    let second = chain.spawn(&scratch);
    let (first, second) = (first.wait(), second.wait());
    assert_eq!(first.ok(), second.ok());
    let outcomes = [first.command("sleep").outcome.as_str(), second.command("sleep").outcome.as_str()];
    assert_eq!(outcomes, ["ran", "cached"]);
}

#[test]
fn a_step_goes_on_when_the_process_that_ran_it_for_both_is_killed() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let sleep = sleep("0.875");
    let chain = Chain::machine().sh(&format!("{sleep}; echo done")).stdout();
    let first = chain.spawn(&scratch);
    until("the first runs the step", || !processes(&format!("sh -c {sleep}")).is_empty());
    let second = chain.spawn(&scratch);
    first.signal("KILL");
    first.wait();
    let second = second.wait();
    assert_eq!((second.ok(), second.command("sleep").outcome.as_str()), ("done\n", "ran"));
}

#[test]
fn equal_steps_of_one_call_run_once() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let twice = Chain::new("fail").then(&["--script", "echo same"]);
    assert_eq!(twice.run(&scratch).ok(), "same\n");
    let other = twice.run(&scratch);
    assert_eq!((other.ok(), other.evaluated()), ("same\n", vec![]));
}

#[test]
fn a_clear_beside_a_run_keeps_what_the_run_uses_and_its_results_are_right_afterwards() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    // The second step waits in its cache volume until the store was cleared.
    let wait = "touch /c/here; until [ -e /c/go ]; do sleep 0.02; done; touch /above";
    let chain = Chain::machine().sh("mkdir /lower; touch /lower/below");
    let chain = chain.then(&["with-mounted-cache-options", "--path", "/c", "--cache", "gate"]);
    let chain = chain.sh(wait).sh("ls -d /lower/below /above /bin").stdout();
    let run = chain.spawn(&scratch);
    let volumes = scratch.path("store/caches-v1");
    let gate = || std::fs::read_dir(&volumes).ok()?.find_map(|entry| Some(entry.ok()?.path().join("data")));
    until("the second step waits", || gate().is_some_and(|gate| gate.join("here").exists()));
    let cleared = scratch.host(["cache", "clear", "--json"]);
    let listed = scratch.host(["cache", "list"]).stdout;
    std::fs::write(gate().expect("it was there").join("go"), "").expect("the volume is there");
    let ran = run.wait();
    let shown = "/above\n/bin\n/lower/below\n";
    assert_eq!(ran.ok(), shown);
    let cleared: serde_json::Value = serde_json::from_str(&cleared.stdout).expect("it prints JSON");
    assert!(cleared["kept_entries"].as_u64() >= Some(2), "the layer and the volume: {cleared}");
    assert!(listed.contains("cache-volume") && listed.contains("layer"), "{listed}");
    assert_eq!(chain.run(&scratch).ok(), shown);
    let cleared = scratch.host(["cache", "clear", "--json"]).stdout;
    assert!(cleared.contains("\"kept_entries\":0") || cleared.contains("\"kept_entries\": 0"), "{cleared}");
}
