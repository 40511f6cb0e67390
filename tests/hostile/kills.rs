//! Runs that are killed at random moments: the next one is right, and nothing is left.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::{Scratch, guest, require};

use crate::bounds;
use crate::verdict::{Random, Tally, Verdict, number};
use crate::warm;

/// Returns a call with three steps, whose last prints what the others wrote, and that writes a directory.
fn pipeline(scratch: &Scratch, round: usize) -> (Command, String) {
    let mut command = scratch.command(["call", "-q", "--no-network", "--allow", "machine", "-m"]);
    command.arg(guest("pipelines")).arg("machine");
    for n in 0..2 {
        let script = format!("mkdir -p /out/{n}; echo {round} {n} >> /out/n; head -c 300000 /dev/zero > /out/{n}/f");
        command.args(["with-exec", "--args", &serde_json::json!(["sh", "-c", script]).to_string()]);
    }
    let script = r#"["sh", "-c", "cat /out/n; find /out -type f -size +290k | wc -l"]"#;
    command.args(["with-exec", "--args", script, "stdout"]);
    (command, format!("{round} 0\n{round} 1\n2\n"))
}

/// Waits until the zone of a killed run is gone. Returns what is left after a minute.
fn left_of_the_zone(scratch: &Scratch) -> Option<String> {
    let store = scratch.path("store").display().to_string();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.path());
        let of_store = |file: PathBuf| {
            let text = std::fs::read(file).unwrap_or_default();
            String::from_utf8_lossy(&text).contains(&store)
        };
        let left: Vec<String> = processes
            .filter(|process| of_store(process.join("mountinfo")) || of_store(process.join("cmdline")))
            .map(|process| process.display().to_string())
            .collect();
        if left.is_empty() {
            return None;
        }
        if Instant::now() > deadline {
            return Some(left.join(" "));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the files in temporary directories of a store.
fn left_in_the_store(scratch: &Scratch) -> Vec<PathBuf> {
    let entries = |path: PathBuf| {
        let entries = std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    entries(scratch.path("store/tmp-v1")).into_iter().flat_map(entries).collect()
}

#[test]
fn a_run_that_is_killed_leaves_nothing_and_the_next_one_is_right() {
    if !require("crun") || !require("wasm32-wasip2") {
        return;
    }
    let scratch = warm::scratch("pipelines", &["empty", "rootfs", "digest"]);
    let n_kills = number(40, 300);
    let mut random = Random::new(14);
    let mut tally = Tally::new("kills");
    // No run takes longer than the first, and a kill after the end of a run is none.
    let first = Instant::now();
    let (mut command, expect) = pipeline(&scratch, usize::MAX);
    assert_eq!(bounds::run(&mut command).stdout, expect);
    let mut longest = first.elapsed();
    let (mut round, mut killed) = (0, 0);
    while killed < n_kills {
        round += 1;
        assert!(round < 20 * n_kills, "the runs end before they are killed");
        let moment = Duration::from_micros(random.below(longest.as_micros() as usize) as u64);
        let (mut command, expect) = pipeline(&scratch, round);
        let started = Instant::now();
        let mut running = bounds::start(&mut command);
        std::thread::sleep(moment);
        running.kill();
        if running.wait().code.is_some() {
            longest = longest.min(started.elapsed());
            continue;
        }
        killed += 1;
        let left = left_of_the_zone(&scratch);
        let again = bounds::run(&mut pipeline(&scratch, round).0);
        let verdict = match left {
            Some(left) => Verdict::wrong(format!("processes are left: {left}")),
            None if (again.code, &again.stdout) != (Some(0), &expect) => Verdict::wrong(format!("{again:?}")),
            None => Verdict::Healed,
        };
        tally.add(format!("kill {killed} after {moment:?}"), verdict);
    }
    let left = left_in_the_store(&scratch);
    let is_clean = if left.is_empty() { Verdict::Right } else { Verdict::wrong(format!("{left:?}")) };
    tally.add("what is left in the store", is_clean);
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    assert!(!mounts.contains(&scratch.path("store").display().to_string()), "{mounts}");
    tally.finish(n_kills);
}
