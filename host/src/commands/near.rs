//! Commands that other tools have: what does the same here, or why nothing does.

use module::near;

use super::ENTRIES;
use crate::report::Report;

/// Words that people type, each with the way out.
const KNOWN: &[(&[&str], &str)] = &[
    (&["list", "ls", "stages", "tasks", "targets"], "`host functions` lists the stages of a module"),
    (
        &["exec", "sh", "bash"],
        "commands run in the containers that stages describe: `host call STAGE` calls a stage, and \
         `host call STAGE with-exec --args ... stdout` runs a command in a container that it returns",
    ),
    (
        &["shell", "terminal", "attach"],
        "host opens no terminal in a container in this version; `host call STAGE with-exec --args ... stdout` runs a \
         command in a container that a stage returns",
    ),
    (
        &["login", "logout", "auth"],
        "host uses the credentials of Docker: `docker login REGISTRY` stores them in `~/.docker/config.json`",
    ),
    (
        &["logs", "log"],
        "`-v` of `host call` and `host run` shows what commands print, and `--events FILE` writes what happened",
    ),
    (&["completion", "complete", "autocomplete"], "`host completions bash`, `zsh` or `fish` prints a script"),
    (&["version"], "`host --version` shows it"),
    (&["new", "create"], "`host init DIRECTORY` makes a module"),
    (&["compile", "make"], "`host build` builds a module; `host run` runs its stages"),
    (&["test", "verify", "lint"], "`host check` runs the checks of a module; `host call STAGE` calls a stage"),
    (&["clean", "prune", "gc", "clear"], "`host cache clear` empties the store"),
    (&["show", "describe", "query", "info"], "`host inspect` shows what a module may do, `host functions` its stages"),
    (&["push", "publish"], "`host call STAGE -o docker://NAME` pushes the container that a stage returns"),
    (&["pull", "fetch"], "host fetches an image when a stage needs it"),
    (&["install", "add", "get"], "name a dependency under `[dependencies]` in `host.toml`"),
    (&["dev", "serve"], "`host watch STAGE` calls a stage again after each change"),
    (&["explain", "why"], "`host plan` shows what would run and why; `--explain` of `host call` shows what did"),
    (&["engines", "backend", "status"], "`host engine` shows where commands run, and why there"),
];

/// Returns the error for a command that does not exist, with what to type instead.
pub(super) fn unknown_command(name: &str) -> Report {
    let report = Report::usage(format!("there is no command `{name}`"));
    let names = || ENTRIES.iter().map(|entry| entry.name);
    let lower = name.to_lowercase();
    let known = KNOWN.iter().find(|(words, _)| words.contains(&lower.as_str()));
    let near: Vec<String> = near(name, names()).iter().map(|name| format!("`{name}`")).collect();
    match (known, near.as_slice()) {
        (Some((_, way_out)), _) => report.with_hint(*way_out),
        (None, []) => report.with_hint(format!("the commands are {}", names().collect::<Vec<_>>().join(", "))),
        (None, near) => report.with_hint(format!("did you mean {}?", near.join(" or "))),
    }
    .with_usage("host COMMAND [OPTIONS]")
}
