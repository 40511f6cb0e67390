//! Runs every behaviour of the crate `conformance` on every engine.
//!
//! The name of a test is an engine and a behaviour, as in `embedded-root::exec::standard-output-is-byte-exact`.
//! In the end the results are compared with `docs/conformance.md`; `UPDATE_CONFORMANCE=1` writes the page.

#![allow(clippy::print_stderr, reason = "a test reports what it lacks")]

mod engines;
mod page;
mod registry;
mod user;

use std::process::ExitCode;
use std::sync::Arc;

use conformance::Behaviour;
use libtest_mimic::{Arguments, Failed, Trial};

use engines::{DOCKER, Subject, Target};

/// The number of tests at the same time unless the caller gives one. Most of them wait for a container.
const N_THREADS: usize = 4;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        // A zone is this program again.
        Some(zone::ARGUMENT) => return engine_embedded::zone_main(),
        Some(user::ARGUMENT) => return user::worker(),
        _ => {}
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(N_THREADS);
    let mut trials = page::tests();
    for target in Target::ALL {
        match target.missing() {
            None => trials.extend(trials_of(target)),
            Some(tool) => trials.push(skipped(target, tool)),
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    registry::stop();
    if !arguments.list
        && let Err(error) = page::settle()
    {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

fn trials_of(target: Target) -> Vec<Trial> {
    let subject = Arc::new(Subject::new(target));
    let trial = |behaviour: Behaviour| {
        let subject = Arc::clone(&subject);
        let name = format!("{}::{}", target.name(), behaviour.id());
        Trial::test(name, move || {
            let seen = subject.check(&behaviour);
            if let Ok(verdict) = &seen {
                page::note(target, &behaviour, verdict);
            }
            seen.map(drop).map_err(Failed::from)
        })
    };
    conformance::all().into_iter().map(trial).collect()
}

/// Reports that an engine cannot be tested on this machine, which is a failure where the tool is required.
fn skipped(target: Target, tool: &'static str) -> Trial {
    Trial::test(format!("{}::skipped", target.name()), move || {
        let _ = if tool == DOCKER { testkit::docker_address().is_some() } else { testkit::require(tool) };
        eprintln!("skipped: {} needs `{tool}`", target.name());
        Ok(())
    })
}
