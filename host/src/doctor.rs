//! `host doctor`: checks that this machine has what `host` needs.
//!
//! [`facts::Facts::gather`] looks at the machine, [`checks::checks`] judges, and this file prints the result.

mod checks;
mod facts;

use clap::Command;
use std::fmt::Write as _;

use checks::{Check, Verdict, checks};
use facts::Facts;

use crate::args::{Parsed, options};
use crate::context::{Context, Entry, is_json, print_json};
use crate::exit::ExitStatus;
use crate::report::Result;
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry =
    Entry { name: "doctor", summary: "Checks what is needed on this machine, and says how to get it", define, run };

fn define(command: Command) -> Command {
    command
        .before_help(about("The exit code is 4 if something that is needed is missing."))
        .arg(options::json())
        .after_help(examples(&[("host doctor", "checks this machine")]))
}

/// Checks the machine and shows what was found.
fn run(parsed: &Parsed, context: Context<'_>) -> Result<ExitStatus> {
    let checks = checks(&Facts::gather(context.config));
    if is_json(parsed) {
        print_json(context.io, &checks)?;
    } else {
        context.io.print(text(&checks).trim_end());
    }
    let is_missing = checks.iter().any(|check| check.verdict == Verdict::Missing);
    Ok(if is_missing { ExitStatus::Environment } else { ExitStatus::Done })
}

fn text(checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { name, verdict, found, fix } in checks {
        let mark = match verdict {
            Verdict::Good => "ok     ",
            Verdict::Advice => "note   ",
            Verdict::Missing => "MISSING",
        };
        let _ = writeln!(text, "{mark}  {name:18}  {found}");
        if let Some(fix) = fix {
            let _ = writeln!(text, "{:29}-> {fix}", "");
        }
    }
    let n_missing = checks.iter().filter(|check| check.verdict == Verdict::Missing).count();
    text.push_str(&match n_missing {
        0 => "\nEverything that is needed is there\n".to_owned(),
        1 => "\n1 thing that is needed is missing\n".to_owned(),
        n => format!("\n{n} things that are needed are missing\n"),
    });
    text
}

#[cfg(test)]
mod tests;
