//! `host completions`

use clap::{Arg, Command};

use super::complete::{SHELLS, VARIABLE, shell};
use crate::args::{Hinted, Parsed, WORDS};
use crate::config::Config;
use crate::context::{Context, Entry};
use crate::exit::ExitStatus;
use crate::report::{Report, Result};
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry = Entry {
    name: "completions",
    summary: "Prints a script that makes a shell complete commands, stages and flags",
    define,
    run,
};

fn define(command: Command) -> Command {
    command
        .before_help(about(
            "The script asks `host` what can be typed next: commands, options, and the stages, flags and enum values \
             of the module here. Nothing is built or run for that.",
        ))
        .arg(
            Arg::new(WORDS)
                .value_name("SHELL")
                .value_parser(Hinted::new(SHELLS.iter().copied()))
                .help("The shell that the script is for"),
        )
        .after_help(examples(&[
            ("source <(host completions bash)", "completes in this bash; as a line of `~/.bashrc`, in every one"),
            ("source <(host completions zsh)", "the same for zsh, behind `compinit` in `~/.zshrc`"),
            ("host completions fish > ~/.config/fish/completions/host.fish", "the same for fish"),
        ]))
}

fn run(parsed: &Parsed, context: Context<'_>) -> Result<ExitStatus> {
    let usage = "host completions SHELL";
    let Some(name) = parsed.words.first() else {
        return Err(Report::usage("`host completions` needs a shell")
            .with_hint(format!("it knows {}", SHELLS.join(", ")))
            .with_usage(usage));
    };
    let Some(shell) = shell(name) else {
        return Err(Report::usage(format!("there are no completions for the shell `{name}`"))
            .with_hint(module::suggestion(name, SHELLS, "it knows"))
            .with_usage(usage));
    };
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, "host", "host", &completer(context.config), &mut script)
        .map_err(|error| Report::bug(format!("cannot write the script for {name}: {error}")))?;
    context.io.print_bytes(&script);
    Ok(ExitStatus::Done)
}

/// Returns how the script starts this program: by its name if the `PATH` finds it, else by its path.
fn completer(config: &Config) -> String {
    let found = config.find_program("host").and_then(|path| path.canonicalize().ok());
    match &config.program {
        Some(program) if found != program.canonicalize().ok() => program.display().to_string(),
        _ => "host".to_owned(),
    }
}
