//! `host run FILE.wasm`: runs a program that holds a whole pipeline.

use std::sync::Arc;

use crate::args::Options;
use crate::commands::modules;
use crate::commands::options::CallOptions;
use crate::commands::running::{Setup, with_run};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::platform::ByteSink;
use crate::progress::Style;
use crate::report::{Report, Result};

/// Options that make no sense for a program.
const OF_STAGES: &[&str] = &["module", "arg", "keep-going", "only-changed-since", "output", "json"];

/// Runs a program, and returns its own exit code.
pub(super) fn run(file: &str, args: Vec<String>, options: &Options, mut context: Context<'_>) -> Result<ExitStatus> {
    if let Some(option) = OF_STAGES.iter().find(|option| options.has(option)) {
        return Err(Report::usage(format!("option `--{option}` is about stages, and `{file}` is run as a program"))
            .with_hint("options behind the file belong to the program"));
    }
    let mut call = CallOptions::parse(options, context.config, context.io.stderr.is_terminal())?;
    if call.style == Style::Tree {
        // The output of the program and the redrawn tree would share lines.
        call.style = Style::Plain;
    }
    let opened = modules::open_module(modules::find_at(file, &context)?, call.is_quiet, &mut context)?;
    if !opened.component.is_program() {
        let stages: Vec<&str> = opened.component.stages().iter().map(|stage| stage.name.as_str()).collect();
        return Err(Report::usage(format!("`{file}` is no program: it has the stages {}", stages.join(", ")))
            .with_hint(format!("`host run -m {file} [STAGE]...` runs its stages")));
    }
    let (stdout, stderr) = (context.io.stdout.clone(), context.io.stderr.clone());
    let stdout: ByteSink = Arc::new(move |bytes| stdout.write(bytes, true));
    let stderr: ByteSink = Arc::new(move |bytes| stderr.lines(bytes));
    let setup = Setup { opened: &opened, options, call: &call, secrets: Vec::new(), title: &opened.name() };
    let code = with_run(setup, &context, |run, _| run.program(args, stdout, stderr))?;
    // A code that no process can return is a failure.
    Ok(ExitStatus::Program(u8::try_from(code).unwrap_or(u8::MAX)))
}
