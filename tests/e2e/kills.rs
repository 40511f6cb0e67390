//! Calls that are interrupted or killed.

use std::path::PathBuf;
use std::time::Duration;

use testkit::{Scratch, require};

use crate::run::{Chain, processes, sleep, until, zone_processes};

fn assert_nothing_is_left(scratch: &Scratch) {
    until("no process of the zone is left", || zone_processes(scratch).is_empty());
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    let store = scratch.path("store");
    assert!(!mounts.contains(store.to_str().unwrap()), "{mounts}");
}

#[test]
fn an_interrupt_ends_the_call_with_code_130_and_says_what_was_under_way() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let sleep = sleep("62.5");
    for signal in ["INT", "TERM"] {
        let script = format!("trap '' INT TERM; {sleep}");
        let running = Chain::machine().sh("echo before").sh(&script).stdout().spawn(&scratch);
        until("the step runs", || !processes(&format!("sh -c {script}")).is_empty());
        running.signal(signal);
        let ran = running.wait();
        assert!(ran.fails(130).contains("under way: exec sh -c"), "{}", ran.answer.stderr);
        assert!(ran.answer.stderr.contains(&sleep), "{}", ran.answer.stderr);
        assert_eq!(ran.command(&sleep).outcome, "cancelled");
        assert_nothing_is_left(&scratch);
        assert_eq!(processes(&sleep), Vec::<String>::new());
    }
    assert_eq!(left_to_sweep(&scratch), Vec::<PathBuf>::new());
}

#[test]
fn a_call_that_is_killed_at_any_moment_leaves_nothing_and_the_next_one_succeeds() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    // Each round has commands of its own, so only those of the killed call can be cached.
    let chain = |round: usize| {
        let container = Chain::machine().then(&["with-env-variable", "--name", "ROUND", "--value", &round.to_string()]);
        (0..3).fold(container, |chain, n| chain.sh(&format!("echo $ROUND {n} >> /n; sleep 0.05"))).sh("cat /n").stdout()
    };
    let mut moment = 41;
    for round in 0..10 {
        // The moments look random and are the same in every run, so that a failure can be repeated.
        moment = (moment * 73 + 29) % 600;
        let running = chain(round).spawn(&scratch);
        std::thread::sleep(Duration::from_millis(moment));
        running.signal("KILL");
        running.wait();
        assert_nothing_is_left(&scratch);
        let expect: String = (0..3).map(|n| format!("{round} {n}\n")).collect();
        assert_eq!(chain(round).run(&scratch).ok(), expect, "after a kill at {moment} ms");
    }
    assert_nothing_is_left(&scratch);
    assert_eq!(left_to_sweep(&scratch), Vec::<PathBuf>::new(), "a later run sweeps what killed ones left");
}

#[test]
fn the_next_runs_remove_files_of_other_users_that_a_run_left() {
    // A user without a range of user numbers cannot run commands as others.
    if !require("crun") || std::env::var("E2E_RANGE").is_ok_and(|range| range == "no") {
        return;
    }
    let scratch = Scratch::new();
    let as_other = Chain::machine().then(&["with-user", "--user", "1000:1000"]);
    as_other.sh("mkdir -p /tmp/d/e; echo > /tmp/d/e/f; chmod 700 /tmp/d; exit 3").stdout().run(&scratch).fails(1);
    // The first of them removes what the failed one left, and the second what the first could not remove.
    for n in 0..2 {
        Chain::machine().sh(&format!("echo {n}; sleep 0.5")).stdout().run(&scratch).ok();
    }
    assert_eq!(left_to_sweep(&scratch), Vec::<PathBuf>::new());
    assert_eq!(std::fs::read_dir(scratch.path("store/trash-v1")).unwrap().count(), 0);
}

/// Returns the files in temporary directories of a store. An empty directory of a process that ended stays until the
/// next run removes it.
fn left_to_sweep(scratch: &Scratch) -> Vec<PathBuf> {
    let entries = |path: PathBuf| {
        let entries = std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    entries(scratch.path("store/tmp-v1")).into_iter().flat_map(entries).collect()
}
