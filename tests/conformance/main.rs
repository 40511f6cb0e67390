//! Every backend against every behaviour of the crate `conformance`.
//!
//! A test is a behaviour on a backend, as in `embedded-root::exec::standard-output-is-byte-exact`.
//! `docs/conformance.md` has the table; `UPDATE_CONFORMANCE=1` writes it.

#![allow(clippy::print_stderr, reason = "a test says what it lacks")]

mod backends;
mod page;
mod registry;
mod user;

use std::process::ExitCode;
use std::sync::Arc;

use conformance::Behaviour;
use libtest_mimic::{Arguments, Failed, Trial};

use backends::{Subject, Target};

/// How many tests run at the same time unless the caller says: most of them wait for a container.
const N_THREADS: usize = 4;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        // Zones are this program again.
        Some(backend_embedded::zone::ARGUMENT) => return backend_embedded::zone_main(),
        Some(user::ARGUMENT) => return user::worker(),
        _ => {}
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(N_THREADS);
    let mut trials = Vec::new();
    if !page::is_updated() {
        trials.push(Trial::test("docs::the-page-has-every-behaviour", || page::compare().map_err(Failed::from)));
    }
    for target in Target::ALL {
        match target.available() {
            Ok(()) => trials.extend(trials_of(target)),
            Err(reason) => trials.push(absent(target, reason)),
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    registry::stop();
    if page::is_updated()
        && let Err(error) = page::write()
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
            page::note(target, &behaviour, seen.as_ref().ok());
            seen.map(drop).map_err(Failed::from)
        })
    };
    conformance::all().into_iter().map(trial).collect()
}

/// Says that a backend cannot be tested here; a failure where everything is required.
fn absent(target: Target, reason: String) -> Trial {
    let is_required = target.is_required();
    Trial::test(format!("{}::is-there", target.name()), move || {
        if is_required {
            return Err(Failed::from(format!("it is required and missing: {reason}")));
        }
        eprintln!("skipped: {}: {reason}", target.name());
        Ok(())
    })
}
