//! The exit codes of the program. They are part of its interface and never change.

use graph::Blame;

/// The way in which the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// The run succeeded.
    Done,
    /// The pipeline failed: a command, a function, or the compiler of a module.
    Verdict,
    /// Wrong usage: a command, stage, flag, method or value that does not exist or does not fit.
    Usage,
    /// Wrong input: a path, module, manifest, component or secret that is missing or invalid.
    Input,
    /// The machine cannot do it: a tool is missing, the disk is full, or permission is denied.
    Environment,
    /// A bug in this program.
    Bug,
    /// Interrupted by Ctrl-C or a signal.
    Interrupted,
    /// A program of `host run FILE.wasm` ended with this exit code.
    Program(u8),
}

impl ExitStatus {
    /// All ways in which `host` itself ends, in the order of their codes.
    pub const ALL: &[Self] =
        &[Self::Done, Self::Verdict, Self::Usage, Self::Input, Self::Environment, Self::Bug, Self::Interrupted];

    /// Returns the code that the process exits with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Verdict => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Environment => 4,
            // Source: sysexits.h, EX_SOFTWARE.
            Self::Bug => 70,
            // Source: POSIX shells: 128 plus SIGINT.
            Self::Interrupted => 130,
            Self::Program(code) => code,
        }
    }

    /// Returns the meaning of the code in one line.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Verdict => "a command or a function failed",
            Self::Usage => "wrong usage: a command, a stage, a flag or its value",
            Self::Input => "wrong input: a path, a module, its manifest, a component, a secret",
            Self::Environment => "the machine cannot do it: a missing tool, a full disk, no permission",
            Self::Bug => "a bug in host",
            Self::Interrupted => "interrupted",
            Self::Program(_) => "the exit code of the program",
        }
    }
}

impl From<Blame> for ExitStatus {
    fn from(blame: Blame) -> Self {
        match blame {
            Blame::User => Self::Input,
            Blame::Function => Self::Verdict,
            Blame::Environment => Self::Environment,
            Blame::Bug => Self::Bug,
        }
    }
}
