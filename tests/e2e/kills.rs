//! Calls that are ended from outside: nothing is left, and the next one works.

use std::path::PathBuf;
use std::time::Duration;

use support::{Place, require};

use crate::run::{Chain, processes, until, zone_processes};

fn assert_nothing_is_left(place: &Place) {
    until("no process of the zone is left", || zone_processes(place).is_empty());
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    let store = place.path("store");
    assert!(!mounts.contains(store.to_str().unwrap()), "{mounts}");
}

#[test]
fn an_interrupt_ends_the_call_with_code_130_and_says_what_was_under_way() {
    if !require("crun") {
        return;
    }
    let place = Place::new();
    for signal in ["INT", "TERM"] {
        let running = Chain::machine().sh("echo before").sh("trap '' INT TERM; sleep 62.5").stdout().spawn(&place);
        until("the step runs", || !processes("/.init sh -c trap").is_empty());
        running.signal(signal);
        let ran = running.wait();
        assert!(ran.fails(130).contains("under way: exec sh -c"), "{}", ran.answer.stderr);
        assert!(ran.answer.stderr.contains("sleep 62.5"), "{}", ran.answer.stderr);
        assert_eq!(ran.command("sleep 62.5").outcome, "cancelled");
        assert_nothing_is_left(&place);
        assert_eq!(processes("sleep 62.5"), Vec::<String>::new());
    }
    assert_eq!(left_to_sweep(&place), Vec::<PathBuf>::new());
}

#[test]
fn a_call_that_is_killed_at_any_moment_leaves_nothing_and_the_next_one_succeeds() {
    if !require("crun") {
        return;
    }
    let place = Place::new();
    // What differs from round to round is not cached; what a killed round finished may be.
    let chain = |round: usize| {
        let container = Chain::machine().then(&["with-env-variable", "--name", "ROUND", "--value", &round.to_string()]);
        (0..3).fold(container, |chain, n| chain.sh(&format!("echo $ROUND {n} >> /n; sleep 0.05"))).sh("cat /n").stdout()
    };
    let mut moment = 41;
    for round in 0..10 {
        // Any order will do; the same one in every run is easier to look into.
        moment = (moment * 73 + 29) % 600;
        let running = chain(round).spawn(&place);
        std::thread::sleep(Duration::from_millis(moment));
        running.signal("KILL");
        running.wait();
        assert_nothing_is_left(&place);
        let expect: String = (0..3).map(|n| format!("{round} {n}\n")).collect();
        assert_eq!(chain(round).run(&place).ok(), expect, "after a kill at {moment} ms");
    }
    assert_nothing_is_left(&place);
    assert_eq!(left_to_sweep(&place), Vec::<PathBuf>::new(), "a later run sweeps what killed ones left");
}

#[test]
fn what_other_users_of_a_container_left_goes_with_the_next_runs() {
    // Without a range there are no other users.
    if !require("crun") || std::env::var("E2E_RANGE").is_ok_and(|range| range == "no") {
        return;
    }
    let place = Place::new();
    let as_other = Chain::machine().then(&["with-user", "--user", "1000:1000"]);
    as_other.sh("mkdir -p /tmp/d/e; echo > /tmp/d/e/f; chmod 700 /tmp/d; exit 3").stdout().run(&place).fails(1);
    // The first of them finds what the failed one left, and the second finds what the first could not remove.
    for n in 0..2 {
        Chain::machine().sh(&format!("echo {n}; sleep 0.5")).stdout().run(&place).ok();
    }
    assert_eq!(left_to_sweep(&place), Vec::<PathBuf>::new());
    assert_eq!(std::fs::read_dir(place.path("store/trash-v1")).unwrap().count(), 0);
}

/// Returns what is in the temporary directories of a store: those of the processes that ended stay, empty, until the
/// next one sweeps.
fn left_to_sweep(place: &Place) -> Vec<PathBuf> {
    let entries = |path: PathBuf| {
        let entries = std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    entries(place.path("store/tmp-v1")).into_iter().flat_map(entries).collect()
}
