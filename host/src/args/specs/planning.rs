//! Commands that tell what would be done, and the one that does it again.

use super::{ARG, CALL_OPTIONS, JSON, MODULE, QUIET};
use crate::args::{CommandSpec, OptionSpec, Takes};

const ALLOW: OptionSpec = OptionSpec {
    long: "allow",
    short: None,
    value: Takes::One("POWER"),
    help: "grant a power: machine, sources, effects or secret-access; can be repeated",
};

const ENGINE: OptionSpec = OptionSpec {
    long: "engine",
    short: None,
    value: Takes::One("NAME"),
    help: "the engine that would be used: embedded, docker or docker-classic",
};

/// `host plan`
pub(crate) static PLAN: CommandSpec = CommandSpec {
    name: "plan",
    usage: "[-m MODULE] [STAGE]...",
    summary: "Shows what `host run` would execute, and why, and executes nothing",
    about:
        "Functions are called, directories are hashed and results of other runs are found; images are looked up at their
registries. No command runs and nothing is fetched or written. Of a function that needs the result of a
command that would run, the plan has what comes before.",
    options: &[
        MODULE,
        ARG,
        JSON,
        ALLOW,
        OptionSpec {
            long: "no-network",
            short: None,
            value: Takes::Nothing,
            help: "plan a run whose commands reach no network",
        },
        OptionSpec {
            long: "no-cache",
            short: None,
            value: Takes::Nothing,
            help: "plan a run that uses no results of other runs",
        },
        ENGINE,
        OptionSpec {
            long: "events",
            short: None,
            value: Takes::One("FILE"),
            help: "write what is known of each vertex to FILE, a line of JSON each",
        },
        QUIET,
    ],
    run_options: &[],
    examples: &[
        ("host plan", "shows what `host run` would execute here"),
        ("host plan test --arg src=. --json", "shows for programs what one stage needs"),
    ],
};

/// `host graph`
pub(crate) static GRAPH: CommandSpec = CommandSpec {
    name: "graph",
    usage: "[-m MODULE] [STAGE]...",
    summary: "Draws the stages of a module, and what feeds what",
    about: "With a STAGE it draws that, and all that feeds it. Nothing is run; with `--ops` functions are called, as by `host plan`.",
    options: &[
        MODULE,
        ARG,
        OptionSpec {
            long: "format",
            short: None,
            value: Takes::One("FORMAT"),
            help: "dot, mermaid, svg or json; by the ending of `--output`, or mermaid, if not given",
        },
        OptionSpec { long: "output", short: Some('o'), value: Takes::One("FILE"), help: "write the drawing to FILE" },
        OptionSpec {
            long: "ops",
            short: None,
            value: Takes::Nothing,
            help: "also draw the operations that the functions ask for",
        },
        ALLOW,
        ENGINE,
        QUIET,
    ],
    run_options: &[],
    examples: &[
        ("host graph", "draws the pipeline of the module here, for Markdown"),
        ("host graph pack -o pack.svg", "draws what one stage needs, as a picture"),
        ("host graph --ops --format dot | dot -Tpng > ops.png", "draws commands and files, too"),
    ],
};

/// `host watch`
pub(crate) static WATCH: CommandSpec = CommandSpec {
    name: "watch",
    usage: "[-m MODULE] STAGE [--FLAG VALUE]... [METHOD [--FLAG VALUE]...]...",
    summary: "Calls a stage, and again whenever something that it needs changes",
    about: "It takes what `host call` takes. It watches the files and directories that are given to the stage and to those that feed it,
and the sources of the module and its dependencies, which are built again. Ctrl-C ends it.",
    options: &[MODULE],
    run_options: CALL_OPTIONS,
    examples: &[
        ("host watch test --src .", "tests the source here after each change"),
        ("host watch build -o out", "keeps `out` up to date"),
    ],
};
