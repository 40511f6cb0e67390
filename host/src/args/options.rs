//! Options that several commands have.

use clap::{Arg, ArgAction, Command, ValueHint};
use module::POWERS;

use super::{Hinted, WORDS};
use crate::styles::STYLES;

/// The engines that can be chosen.
pub(crate) const ENGINES: &[&str] = &["embedded", "docker", "docker-classic"];

/// The heading of the options of a run.
const RUN: &str = "Run options";

/// `-m MODULE`
pub(crate) fn module() -> Arg {
    value("module", "MODULE")
        .short('m')
        .value_hint(ValueHint::AnyPath)
        .help("Use the module in this directory or `.wasm` file [default: the nearest directory with a `host.toml`]")
}

/// A positional path that says the same as `-m`.
pub(crate) fn module_path() -> Arg {
    Arg::new("path")
        .value_name("MODULE")
        .value_hint(ValueHint::AnyPath)
        .conflicts_with("module")
        .help("The module, as `--module` takes it")
}

/// Positional names of stages.
pub(crate) fn stages(help: &'static str) -> Arg {
    Arg::new(WORDS).value_name("STAGE").num_args(0..).help(help)
}

/// The stage of `host call`, and all words behind it.
pub(crate) fn stage_and_rest() -> Arg {
    Arg::new(WORDS).value_name("STAGE").num_args(0..).trailing_var_arg(true).hide(true)
}

/// `--report`
pub(crate) fn report() -> Arg {
    value("report", "FILE").value_hint(ValueHint::FilePath).help("Write the outcomes to FILE as JUnit XML")
}

/// `--keep-going`
pub(crate) fn keep_going() -> Arg {
    switch("keep-going").short('k').help("When a stage fails, finish everything that does not need it")
}

/// `--strict`
pub(crate) fn strict() -> Arg {
    switch("strict").help("Fail if something was not run because it lacks a value [default in CI]")
}

/// `--json`
pub(crate) fn json() -> Arg {
    switch("json").help("Print JSON")
}

/// `-q`
pub(crate) fn quiet() -> Arg {
    switch("quiet").short('q').help("Show no progress, only warnings and errors")
}

/// `--arg`
pub(crate) fn arg() -> Arg {
    value("arg", "[STAGE.]NAME=VALUE")
        .action(ArgAction::Append)
        .help("Give a parameter a value: of one stage, or of every stage that has it; can be repeated")
}

/// `--allow`
pub(crate) fn allow() -> Arg {
    value("allow", "POWER")
        .action(ArgAction::Append)
        .value_parser(Hinted::new(POWERS.iter().copied()))
        .help("Grant the module a power; can be repeated")
}

/// `--engine`
pub(crate) fn engine() -> Arg {
    value("engine", "NAME")
        .value_parser(Hinted::new(ENGINES.iter().copied()))
        .help("Choose the engine that runs commands; `host engine` shows which is used otherwise")
}

/// `--no-network`
pub(crate) fn no_network() -> Arg {
    switch("no-network").help("Let no command use the network")
}

/// `--no-cache`
pub(crate) fn no_cache() -> Arg {
    switch("no-cache").help("Use no results of earlier runs")
}

/// `--events`
pub(crate) fn events() -> Arg {
    value("events", "FILE")
        .value_hint(ValueHint::FilePath)
        .help("Write an event for each operation to FILE, one JSON object per line")
}

/// `-o` with this placeholder and help.
pub(crate) fn output(placeholder: &'static str, help: &'static str) -> Arg {
    value("output", placeholder).short('o').value_hint(ValueHint::AnyPath).help(help)
}

/// The `-o` of commands that call one stage.
pub(crate) fn call_output() -> Arg {
    output(
        "PATH",
        "Write the result to PATH; a container can go as an image to NAME.tar, oci:DIR, docker-daemon:NAME or \
         docker://NAME",
    )
}

/// The options of a run, without `--output`, which each command words for itself.
pub(crate) fn run() -> Vec<Arg> {
    let options = vec![
        arg(),
        json(),
        allow(),
        no_network(),
        no_cache(),
        value("jobs", "N")
            .short('j')
            .help("Run at most N commands at the same time [default: the number of processors]"),
        value("timeout", "TIME")
            .allow_negative_numbers(true)
            .help("Kill each command after TIME: seconds, or a number with a unit as in 500ms, 90s, 10m, 2h"),
        value("max-entries", "N").help("Let an operation on files visit at most N of them [default: 10000000]"),
        value("max-bytes", "N").help("Let an operation on files write at most N bytes [default: 64 GiB]"),
        value("max-results", "N").help("Let a search or a glob find at most N results [default: 1000000]"),
        value("max-result-bytes", "N")
            .help("Let the results of a search, a glob or a replacement have at most N bytes [default: 256 MiB]"),
        value("max-depth", "N").help("Let at most N directories be in each other [default: 4096]"),
        engine(),
        Arg::new("explain")
            .long("explain")
            .value_name("FORMAT")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("text")
            .value_parser(Hinted::new(["text", "json"]))
            .help("Show for each operation whether it ran, and why"),
        events(),
        value("progress", "HOW")
            .value_parser(Hinted::new(["auto", "plain", "tty", "none"]))
            .help("Choose how progress is shown"),
        quiet(),
        switch("verbose").short('v').help("Show what commands print, and which results were cached"),
    ];
    options.into_iter().map(|option| option.help_heading(RUN)).collect()
}

/// The options of `host call` that may stand before the stage and anywhere behind it.
pub(crate) fn call() -> Vec<Arg> {
    std::iter::once(call_output().help_heading(RUN)).chain(run()).collect()
}

/// An option with one value.
pub(crate) fn value(name: &'static str, placeholder: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(placeholder)
}

/// An option without a value.
pub(crate) fn switch(name: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue)
}

/// Sets what all commands have in common.
pub(crate) fn common(command: Command) -> Command {
    command
        .disable_help_subcommand(true)
        .args_override_self(true)
        .styles(STYLES)
        .help_template("{about}\n\n{usage-heading} {usage}\n\n{before-help}{all-args}{after-help}")
}
