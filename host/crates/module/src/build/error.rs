//! The reasons why a module cannot be built.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use graph::{Blame, Diagnostic};

use crate::cargo::TARGET;
use crate::fs::FsError;
use crate::manifest::Language;

/// The reason why a module could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The module is written in a language that this version does not build.
    #[error("module `{module}` is written in {}, and `host build` builds Rust, Python, JavaScript and TypeScript in this version", language.as_str())]
    Language {
        /// The name of the module.
        module: String,
        /// The language of the module.
        language: Language,
    },
    /// The manifest names a component that another tool makes.
    #[error("module `{module}` names the component `{}`, which another tool makes", component.display())]
    Prebuilt {
        /// The name of the module.
        module: String,
        /// The path of the component.
        component: PathBuf,
    },
    /// The module has no code: it is made of the functions of other modules.
    #[error("module `{module}` has no code of its own")]
    NoCode {
        /// The name of the module.
        module: String,
    },
    /// The directory has no `Cargo.toml`.
    #[error("module `{module}` has no `Cargo.toml`")]
    NoCrate {
        /// The name of the module.
        module: String,
    },
    /// Cargo cannot be run.
    #[error("cannot run `{}`", cargo.display())]
    NoCargo {
        /// The path of cargo.
        cargo: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The standard library for the target is not installed.
    #[error("the Rust target `{TARGET}` is not installed")]
    NoTarget,
    /// The compiler refused the module, and told the reason.
    #[error("cargo could not build module `{module}`")]
    Compile {
        /// The name of the module.
        module: String,
    },
    /// The crate makes no component.
    #[error("the crate of module `{module}` makes no `.wasm` file")]
    NoArtifact {
        /// The name of the module.
        module: String,
    },
    /// The command in the key `build` failed, and told the reason.
    #[error("the command `{command}`, which builds module `{module}`, {}", end_of(*status))]
    Command {
        /// The name of the module.
        module: String,
        /// The command in the manifest.
        command: String,
        /// How the command ended.
        status: ExitStatus,
    },
    /// The program in the key `build` is not on this machine.
    #[error("`{program}`, which builds module `{module}`, was not found")]
    NoProgram {
        /// The name of the module.
        module: String,
        /// The name of the program.
        program: String,
    },
    /// There is no shell to run the command in the key `build`.
    #[error("cannot run `sh`, which runs the command that builds module `{module}`")]
    NoShell {
        /// The name of the module.
        module: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A source that the manifest names does not exist.
    #[error("a file or directory in `sources` of module `{module}` does not exist")]
    NoSource {
        /// The name of the module.
        module: String,
        /// The error, which names the path.
        source: FsError,
    },
    /// The command in the key `build` does not make the component.
    #[error("the command `{command}` does not make the component `{}` of module `{module}`", component.display())]
    NoComponent {
        /// The name of the module.
        module: String,
        /// The command in the manifest.
        command: String,
        /// The path of the component.
        component: PathBuf,
    },
    /// A tool that the language needs is not on this machine.
    #[error("`{tool}`, which builds modules in {}, was not found", language.as_str())]
    NoTool {
        /// The name of the tool.
        tool: String,
        /// The language that needs it.
        language: Language,
        /// The command that installs it.
        install: String,
    },
    /// The sources have mistakes, which were told.
    #[error("the sources of module `{module}` have {}", count(*n_mistakes, "mistake"))]
    Sources {
        /// The name of the module.
        module: String,
        /// The number of mistakes.
        n_mistakes: usize,
    },
    /// The sources describe an interface that cannot be one.
    #[error("the interface of module `{module}` is not valid: {reason}")]
    Interface {
        /// The name of the module.
        module: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A tool of the language failed, and told the reason.
    #[error("`{tool}` could not build module `{module}`")]
    Tool {
        /// The name of the module.
        module: String,
        /// The name of the tool.
        tool: &'static str,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FsError),
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("a {what}") } else { format!("{n} {what}s") }
}

fn end_of(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exited with code {code}"),
        None => format!("was ended by {status}"),
    }
}

impl Diagnostic for BuildError {
    fn blame(&self) -> Blame {
        match self {
            Self::Language { .. }
            | Self::Prebuilt { .. }
            | Self::NoCode { .. }
            | Self::NoCrate { .. }
            | Self::NoSource { .. } => Blame::User,
            Self::NoCargo { .. }
            | Self::NoTarget
            | Self::NoProgram { .. }
            | Self::NoShell { .. }
            | Self::NoTool { .. } => Blame::Environment,
            Self::Compile { .. }
            | Self::NoArtifact { .. }
            | Self::Command { .. }
            | Self::NoComponent { .. }
            | Self::Sources { .. }
            | Self::Interface { .. }
            | Self::Tool { .. } => Blame::Function,
            Self::File(error) => error.blame(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Language { module, language } => Some(format!(
                "add `component = \"{module}.wasm\"` to `host.toml`, and the command that makes it: `build = \"{}\"`",
                language.example(module)
            )),
            Self::Prebuilt { .. } => Some("add the command that makes it to `host.toml`: `build = \"COMMAND\"`".into()),
            Self::NoCode { .. } => {
                Some("build the modules of its `[dependencies]`, or add `language` to `host.toml`".into())
            }
            Self::NoCrate { .. } => Some("`host init` makes one".into()),
            Self::NoCargo { .. } => {
                Some("install Rust with `curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh`".into())
            }
            Self::NoTarget => Some(format!("install it with `rustup target add {TARGET}`")),
            Self::Compile { .. } | Self::NoShell { .. } | Self::Sources { .. } | Self::Interface { .. } => None,
            Self::Tool { .. } => Some("`host doctor` says whether the tools of the language are recent enough".into()),
            Self::NoTool { install, .. } => Some(format!("install it with `{install}`")),
            Self::Command { .. } => Some("`build` in `host.toml` is run by `sh` in the directory of the module".into()),
            Self::NoProgram { .. } => Some("install it, or add its directory to `PATH`".into()),
            Self::NoSource { .. } => Some("paths in `sources` are relative to `host.toml`".into()),
            Self::NoComponent { .. } => Some("`component` in `host.toml` names the file that `build` writes".into()),
            Self::NoArtifact { .. } => Some("add `crate-type = [\"cdylib\"]` to `[lib]` in `Cargo.toml`".into()),
            Self::File(error) => error.hint(),
        }
    }
}
