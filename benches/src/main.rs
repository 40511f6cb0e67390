//! Measures the figures of the project, each together with its reference in the same run.
//!
//! `cargo run --release -p bench -- [--json] [--strict] [FIGURE...]`; `docs/benchmarks.md` says what
//! each figure measures.
//!
//! [`figures`] has the list, [`measure`] runs two things alternately and returns their medians, [`setup`] finds or
//! builds what a figure needs, and [`report`] prints the results. Code that is measured without the command line runs
//! in a [`worker`], which is this binary in a process of its own, so that no figure depends on the memory of another.

mod children;
mod figures;
mod measure;
mod report;
mod setup;
mod worker;

use std::process::ExitCode;

use anyhow::Result;

use figures::{FIGURES, Figure};
use report::{Form, Row};
use setup::{Bench, Missing};

/// The exit code for wrong arguments.
const USAGE: u8 = 2;
/// The exit code for a goal that was missed, with `--strict`.
const MISSED: u8 = 1;
/// The exit code for a program that is not installed.
const ENVIRONMENT: u8 = 4;
/// The exit code for a figure that could not be measured.
const BUG: u8 = 70;
/// The exit code after SIGINT or SIGTERM.
pub(crate) const STOPPED: u8 = 130;

/// The parsed arguments.
struct Args {
    form: Form,
    is_strict: bool,
    figures: Vec<&'static Figure>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let first = args.first().map(String::as_str);
    if first == Some(worker::ZONE) {
        return worker::zone();
    }
    if first == Some(worker::ARGUMENT) {
        return done(worker::main(&args[1..]).map(|()| ExitCode::SUCCESS));
    }
    match parse(&args) {
        Ok(Some(args)) => done(run(&args)),
        Ok(None) => {
            say(&usage());
            ExitCode::SUCCESS
        }
        Err(message) => {
            say(&format!("error: {message}\n\n{}", usage()));
            ExitCode::from(USAGE)
        }
    }
}

/// Parses the arguments; returns none for `--help`.
fn parse(args: &[String]) -> Result<Option<Args>, String> {
    let mut parsed = Args { form: Form::Table, is_strict: false, figures: Vec::new() };
    for arg in args {
        match arg.as_str() {
            "--json" => parsed.form = Form::Json,
            "--strict" => parsed.is_strict = true,
            "--help" | "-h" => return Ok(None),
            // Cargo passes it to every program that it runs as a benchmark.
            "--bench" => {}
            flag if flag.starts_with('-') => return Err(format!("there is no option `{flag}`")),
            name => {
                let found = FIGURES.iter().find(|figure| figure.name == name);
                parsed.figures.push(found.ok_or_else(|| format!("there is no figure `{name}`"))?);
            }
        }
    }
    if parsed.figures.is_empty() {
        parsed.figures.extend(FIGURES);
    }
    Ok(Some(parsed))
}

fn usage() -> String {
    let mut text = "usage: bench [--json] [--strict] [FIGURE...]\n\n  --json    one object a line\n  \
                    --strict  exit 1 if a goal is missed\n\nfigures, all unless named:\n"
        .to_owned();
    for figure in FIGURES {
        text.push_str(&format!("  {:<23} {}\n", figure.name, figure.about));
    }
    text
}

/// Measures the figures and prints them. It goes on after a figure that cannot be measured.
fn run(args: &Args) -> Result<ExitCode> {
    children::stop_on_signals()?;
    let bench = Bench::new()?;
    let mut rows: Vec<Row> = Vec::new();
    let mut code = 0;
    for figure in &args.figures {
        if children::is_stopped() {
            code = STOPPED;
            break;
        }
        say(&format!("measuring {}", figure.name));
        match (figure.measure)(&bench) {
            Ok(measured) => {
                for row in measured {
                    if let Form::Json = args.form {
                        print(&row.to_json());
                    }
                    rows.push(row);
                }
            }
            // The figures that were measured before are printed.
            Err(_) if children::is_stopped() => {
                code = STOPPED;
                break;
            }
            Err(error) => {
                say(&format!("error: cannot measure `{}`: {error:#}", figure.name));
                let is_missing = error.chain().any(|cause| cause.is::<Missing>());
                code = if is_missing && code != BUG { ENVIRONMENT } else { BUG };
            }
        }
    }
    if let Form::Table = args.form {
        print(&report::table(&rows));
    }
    if code == 0 && args.is_strict && rows.iter().any(|row| !row.is_met()) {
        code = MISSED;
    }
    Ok(ExitCode::from(code))
}

fn done(result: Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        say(&format!("error: {error:#}"));
        ExitCode::from(BUG)
    })
}

#[expect(clippy::print_stdout, reason = "figures are this program's data")]
fn print(text: &str) {
    println!("{}", text.trim_end());
}

/// Prints a message to standard error.
#[expect(clippy::print_stderr, reason = "this program has a terminal")]
pub(crate) fn say(text: &str) {
    eprintln!("{}", text.trim_end());
}
