//! Many runs at the same time, beside a collector that removes all that it may.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use testkit::{Scratch, guest, require};

use crate::bounds;
use crate::verdict::{Tally, Verdict, number};
use crate::warm;

/// How many processes run at the same time.
const N_PROCESSES: usize = 32;

/// Returns a call with two steps. Four processes ask for the same ones.
fn pipeline(scratch: &Scratch, round: usize, process: usize) -> (Command, String) {
    let kind = process / 4;
    let mut command = scratch.command(["call", "-q", "--no-network", "--allow", "machine", "-m"]);
    command.arg(guest("pipelines")).arg("machine");
    for script in [
        format!("mkdir /d; echo {round} > /d/round; sleep 0.1"),
        format!("echo {kind} > /d/kind; sleep 0.1"),
        "cat /d/round /d/kind; ls -d /bin".to_owned(),
    ] {
        command.args(["with-exec", "--args", &serde_json::json!(["sh", "-c", script]).to_string()]);
    }
    command.arg("stdout");
    (command, format!("{round}\n{kind}\n/bin\n"))
}

#[test]
fn runs_beside_a_collector_are_right() {
    if !require("crun") || !require("wasm32-wasip2") {
        return;
    }
    let scratch = warm::scratch("pipelines", &["empty", "rootfs", "digest"]);
    let mut tally = Tally::new("runs beside a collector");
    let (mut command, expect) = pipeline(&scratch, 0, 0);
    assert_eq!(bounds::run(&mut command).stdout, expect);
    for round in 1..=number(1, 10) {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let collector = scope.spawn(|| {
                let mut n_failed = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let cleared = bounds::run(&mut scratch.command(["cache", "clear"]));
                    n_failed += usize::from(cleared.code != Some(0));
                }
                n_failed
            });
            let started: Vec<_> = (0..N_PROCESSES)
                .map(|process| {
                    let (mut command, expect) = pipeline(&scratch, round, process);
                    (process, bounds::start(&mut command), expect)
                })
                .collect();
            for (process, running, expect) in started {
                let answer = running.wait();
                let is_right = (answer.code, &answer.stdout) == (Some(0), &expect);
                let verdict = if is_right { Verdict::Right } else { Verdict::wrong(format!("{answer:?}")) };
                tally.add(format!("process {process} of round {round}"), verdict);
            }
            is_over.store(true, Ordering::Relaxed);
            assert_eq!(collector.join().unwrap(), 0, "the collector failed");
        });
        let (mut command, expect) = pipeline(&scratch, round, 5);
        assert_eq!(bounds::run(&mut command).stdout, expect, "what is kept is wrong");
    }
    tally.finish(N_PROCESSES);
}
