//! All commands and options, as data: parsing and help are made from it.

mod planning;

use super::{CommandSpec, OptionSpec, Takes};

pub(crate) use planning::{GRAPH, PLAN, WATCH};

const MODULE: OptionSpec = OptionSpec {
    long: "module",
    short: Some('m'),
    value: Takes::One("MODULE"),
    help: "a directory with a `host.toml`, or a `.wasm` file; searched for upwards from here if not given",
};

const JSON: OptionSpec = OptionSpec { long: "json", short: None, value: Takes::Nothing, help: "print JSON" };

const QUIET: OptionSpec =
    OptionSpec { long: "quiet", short: Some('q'), value: Takes::Nothing, help: "show no progress, only what is wrong" };

const ARG: OptionSpec = OptionSpec {
    long: "arg",
    short: None,
    value: Takes::One("[STAGE.]NAME=VALUE"),
    help: "give a parameter a value, as its flag would: of one stage, or of every one that has it; can be repeated",
};

/// The options of `host call`, which may stand before the stage and after it.
pub(crate) static CALL_OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        long: "output",
        short: Some('o'),
        value: Takes::One("PATH"),
        help: "write the result to PATH; a container as an image to NAME.tar, oci:DIR, docker-daemon:NAME or docker://NAME",
    },
    ARG,
    JSON,
    OptionSpec {
        long: "allow",
        short: None,
        value: Takes::One("POWER"),
        help: "grant a power: machine, sources, effects or secret-access; can be repeated",
    },
    OptionSpec { long: "no-network", short: None, value: Takes::Nothing, help: "let no command reach the network" },
    OptionSpec { long: "no-cache", short: None, value: Takes::Nothing, help: "use no results of other runs" },
    OptionSpec {
        long: "jobs",
        short: Some('j'),
        value: Takes::One("N"),
        help: "run at most N commands at the same time; as many as there are processors if not given",
    },
    OptionSpec {
        long: "timeout",
        short: None,
        value: Takes::One("TIME"),
        help: "kill each command after TIME: seconds, or as in 500ms, 90s, 10m, 2h",
    },
    OptionSpec {
        long: "engine",
        short: None,
        value: Takes::One("NAME"),
        help: "where commands run: embedded, docker or docker-classic; `host engine` says which is used",
    },
    OptionSpec {
        long: "explain",
        short: None,
        value: Takes::Maybe("json"),
        help: "show for each vertex whether it ran, and why",
    },
    OptionSpec {
        long: "events",
        short: None,
        value: Takes::One("FILE"),
        help: "write what happens to each vertex to FILE, a line of JSON each",
    },
    OptionSpec { long: "progress", short: None, value: Takes::One("HOW"), help: "auto, plain, tty or none" },
    QUIET,
    OptionSpec {
        long: "verbose",
        short: Some('v'),
        value: Takes::Nothing,
        help: "show what commands print, and what was cached",
    },
];

/// `host call`
pub(crate) static CALL: CommandSpec = CommandSpec {
    name: "call",
    usage: "[-m MODULE] STAGE [--FLAG VALUE]... [METHOD [--FLAG VALUE]...]...",
    summary: "Calls a stage, and methods of what it returns",
    about: "The flags come from the stage's parameters: `host call STAGE --help` shows them.
A METHOD is one of the result's, as in `file --path app contents`; its flags are its parameters.
Data goes to standard output, everything else to standard error.",
    options: &[MODULE],
    run_options: CALL_OPTIONS,
    examples: &[
        ("host call build --src . -o out", "builds the source here and writes the result to `out`"),
        ("host call build --src . file --path app size", "prints the size of one file of the result"),
        ("host call -m tools.wasm check --token env:TOKEN", "hands a variable over as a secret"),
        ("host call build --help", "shows the flags of a stage"),
    ],
};

/// The options of a run: those of a call without `--output`.
static RUN_OPTIONS: &[OptionSpec] = CALL_OPTIONS.split_at(1).1;

/// `host run`
pub(crate) static RUN: CommandSpec = CommandSpec {
    name: "run",
    usage: "[-m MODULE] [STAGE]... | FILE.wasm [ARGS]...",
    summary: "Runs stages with all that they need, or a program",
    about: "Without a STAGE it runs the leaves of the stage graph: the stages whose results no other stage takes.
Stages that nothing orders run side by side; what several need is evaluated once.
A FILE.wasm is run as a program: words behind it are its own, and its exit code is that of `host`.",
    options: &[
        MODULE,
        OptionSpec {
            long: "keep-going",
            short: Some('k'),
            value: Takes::Nothing,
            help: "when a stage fails, go on with all that does not need it",
        },
        OptionSpec {
            long: "only-changed-since",
            short: None,
            value: Takes::One("REF"),
            help: "run only the stages that are given something that changed since a commit, says git",
        },
        OptionSpec {
            long: "output",
            short: Some('o'),
            value: Takes::One("DIRECTORY"),
            help: "write what each stage makes to DIRECTORY/STAGE",
        },
    ],
    run_options: RUN_OPTIONS,
    examples: &[
        ("host run", "runs the whole pipeline of the module here"),
        ("host run test lint -k", "runs two stages, and ends neither when the other fails"),
        ("host run --arg src=. -o out", "gives all stages their source, and writes what they make"),
        ("host run --only-changed-since origin/main", "runs what a branch changes"),
        ("host run pipeline.wasm --fast", "runs a program with an argument"),
    ],
};

/// `host check`
pub(crate) static CHECK: CommandSpec = CommandSpec {
    name: "check",
    usage: "[-m MODULE] [STAGE]...",
    summary: "Runs the checks of a module, and counts what passed",
    about: "A check is a stage that makes nothing, a string or a report; without a STAGE all are run whose arguments are there.
It fails if the stage does, or if a case of its report did; then the exit code is 1.",
    options: &[
        MODULE,
        OptionSpec {
            long: "fail-fast",
            short: None,
            value: Takes::Nothing,
            help: "stop all others when a stage fails; without it all run to their end",
        },
        OptionSpec {
            long: "report",
            short: None,
            value: Takes::One("FILE"),
            help: "write the outcomes to FILE, as JUnit's XML",
        },
    ],
    run_options: RUN_OPTIONS,
    examples: &[
        ("host check", "runs all checks of the module here"),
        ("host check lint --report junit.xml", "runs one, and writes a report for other tools"),
    ],
};

/// `host functions`
pub(crate) static FUNCTIONS: CommandSpec = CommandSpec {
    name: "functions",
    usage: "[-m MODULE] [--json]",
    summary: "Lists the stages of a module",
    about: "",
    options: &[MODULE, JSON, QUIET],
    run_options: &[],
    examples: &[("host functions", "lists the stages of the module here")],
};

/// `host init`
pub(crate) static INIT: CommandSpec = CommandSpec {
    name: "init",
    usage: "[DIRECTORY] [--name NAME] [--sdk PATH]",
    summary: "Makes a new module in Rust",
    about: "Writes `host.toml`, `Cargo.toml`, `src/lib.rs` and `.gitignore`; overwrites nothing.",
    options: &[
        OptionSpec {
            long: "name",
            short: None,
            value: Takes::One("NAME"),
            help: "the module's name; that of the directory if not given",
        },
        OptionSpec {
            long: "sdk",
            short: None,
            value: Takes::One("PATH"),
            help: "the directory of the guest SDK; the one that belongs to this program if not given",
        },
    ],
    run_options: &[],
    examples: &[("host init pipeline", "makes the module `pipeline` in a directory of that name")],
};

/// `host build`
pub(crate) static BUILD: CommandSpec = CommandSpec {
    name: "build",
    usage: "[-m MODULE] [--json]",
    summary: "Builds a module's component and embeds its documentation",
    about: "The component goes to `target/host/NAME.wasm` of the module, or of `$CARGO_TARGET_DIR`.
`host call` builds by itself when a source is newer.",
    options: &[MODULE, JSON, QUIET],
    run_options: &[],
    examples: &[("host build -m ci", "builds the module in the directory `ci`")],
};

/// `host wit`
pub(crate) static WIT: CommandSpec = CommandSpec {
    name: "wit",
    usage: "[-m MODULE] [--json]",
    summary: "Writes the WIT that a module imports, for the tools of its language",
    about: "Into `wit/deps` of the module: the package `pipeline:api`, and the interface of each dependency.
What is no longer needed there is removed; files that you wrote stay.",
    options: &[MODULE, JSON, QUIET],
    run_options: &[],
    examples: &[("host wit -m report", "writes it for the module in the directory `report`")],
};

/// `host inspect`
pub(crate) static INSPECT: CommandSpec = CommandSpec {
    name: "inspect",
    usage: "[-m MODULE] [--json]",
    summary: "Shows what a module imports, exports and may do",
    about: "Nothing of the module is run.",
    options: &[MODULE, JSON, QUIET],
    run_options: &[],
    examples: &[("host inspect -m tools.wasm", "shows the powers of a component before it is called")],
};

/// `host engine`
pub(crate) static ENGINE: CommandSpec = CommandSpec {
    name: "engine",
    usage: "[--engine NAME] [--json]",
    summary: "Shows where commands run, why there, and what that can do",
    about: "",
    options: &[
        OptionSpec {
            long: "engine",
            short: None,
            value: Takes::One("NAME"),
            help: "what would be, if this one were asked for",
        },
        JSON,
    ],
    run_options: &[],
    examples: &[("host engine", "shows which engine `host call` uses here")],
};

/// `host cache`
pub(crate) static CACHE: CommandSpec = CommandSpec {
    name: "cache",
    usage: "[size|list|clear] [--json]",
    summary: "Shows or empties the store",
    about: "",
    options: &[JSON],
    run_options: &[],
    examples: &[
        ("host cache", "prints how much the store takes"),
        ("host cache list", "lists what it holds, the largest first"),
        ("host cache clear", "empties it"),
    ],
};

/// `host doctor`
pub(crate) static DOCTOR: CommandSpec = CommandSpec {
    name: "doctor",
    usage: "[--json]",
    summary: "Checks what is needed on this machine, and says how to get it",
    about: "Exits with code 4 if something that is needed is missing.",
    options: &[JSON],
    run_options: &[],
    examples: &[("host doctor", "checks this machine")],
};

/// All commands, in the order of the help.
pub(crate) static COMMANDS: &[&CommandSpec] =
    &[&CALL, &RUN, &CHECK, &PLAN, &GRAPH, &WATCH, &FUNCTIONS, &INIT, &BUILD, &WIT, &INSPECT, &ENGINE, &CACHE, &DOCTOR];
