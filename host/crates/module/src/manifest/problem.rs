//! Why a manifest cannot be used.

use std::path::PathBuf;

use graph::{Blame, Diagnostic};

use super::keys::Keys;
use super::names::POWERS;
use super::types::Language;
use crate::fs::FsError;
use crate::near::suggestion;

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It cannot be read.
    #[error(transparent)]
    Read(FsError),
    /// Something in it is wrong.
    #[error("`{}:{line}:{column}`: {problem}", path.display())]
    At {
        /// Which manifest.
        path: PathBuf,
        /// Counts from 1.
        line: usize,
        /// Counts characters from 1.
        column: usize,
        /// What is wrong.
        problem: ManifestProblem,
    },
}

/// What is wrong in a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestProblem {
    /// It is not TOML.
    #[error("{0}")]
    Syntax(String),
    /// There is no such key.
    #[error("there is no key `{key}` in {}", of.of)]
    UnknownKey {
        /// The key.
        key: String,
        /// What there is.
        of: &'static Keys,
    },
    /// A key that must be there is not.
    #[error("the key `{0}` is missing")]
    MissingKey(&'static str),
    /// Two keys that say the same, or of which one has no meaning beside the other.
    #[error("`{key}` cannot be given beside `{beside}`")]
    Excluded {
        /// The one.
        key: &'static str,
        /// The other.
        beside: &'static str,
    },
    /// A value of another type.
    #[error("`{key}` takes {expected}, not {found}")]
    WrongType {
        /// The key.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A name with other characters.
    #[error("`{name}` cannot be the name of {of}: it takes lowercase letters, digits and single hyphens")]
    Name {
        /// As in `a module`.
        of: &'static str,
        /// The name.
        name: String,
    },
    /// An alias that means something else.
    #[error("`{0}` cannot be the name of a dependency: it stands for the package `pipeline:api`")]
    Reserved(String),
    /// Not the name of a parameter.
    #[error("`{0}` cannot be the name of a parameter: it takes letters, digits and single hyphens")]
    Param(String),
    /// A parameter in both tables, or in kebab case and in snake case.
    #[error("the parameter `{0}` is given twice")]
    ParamTwice(String),
    /// Not the name of a variable.
    #[error("`{0}` cannot be a variable: it takes a name without `=`, and a value without a null character")]
    Variable(String),
    /// A version that is none.
    #[error("`{0}` is not a version: it takes three numbers, as in `0.1.0`")]
    Version(String),
    /// A language that nobody knows.
    #[error("`{0}` is not a language")]
    Language(String),
    /// A power that does not exist.
    #[error("`{0}` is not a power")]
    Power(String),
    /// A path that leads to nothing.
    #[error("`{0}` takes a path, and this is empty")]
    EmptyPath(&'static str),
    /// A component that is no `.wasm` file.
    #[error("`component` takes a `.wasm` file, not `{0}`")]
    NotWasm(String),
    /// Not a function.
    #[error("`call` takes a function as in `build`, or one of a dependency as in `lint.check`, not `{0}`")]
    Call(String),
    /// A dependency that the manifest does not have.
    #[error("there is no dependency `{alias}`")]
    NoDependency {
        /// What was asked for.
        alias: String,
        /// What there is.
        aliases: Vec<String>,
    },
    /// A function of a module without code.
    #[error("stage `{stage}` calls function `{function}` of a module without code")]
    NoCode {
        /// Which stage.
        stage: String,
        /// What it calls.
        function: String,
    },
    /// An expression that cannot be read.
    #[error("{message} in the expression `{text}`")]
    Expression {
        /// The whole of it.
        text: String,
        /// What is wrong at the place.
        message: String,
    },
    /// Not a time.
    #[error("`timeout` takes a time as in `90`, `500ms`, `10m` or `2h`, not `{0}`")]
    Time(String),
    /// Not a number of times.
    #[error("`retry` takes a number from 0 to {max}, not `{0}`", max = u32::MAX)]
    Count(String),
    /// A value that no parameter takes.
    #[error("{0} cannot be an argument")]
    Literal(String),
}

impl Diagnostic for ManifestError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read(error) => error.blame(),
            Self::At { .. } => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.hint(),
            Self::At { problem, .. } => problem.hint(),
        }
    }
}

impl ManifestProblem {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownKey { key, of } => suggestion(key, of.names, &format!("{} has", of.of)),
            Self::MissingKey("language") => {
                "add `language = \"rust\"`, or `component = \"PATH.wasm\"` for a component made by another tool".into()
            }
            Self::MissingKey("path") => "add `path = \"DIRECTORY\"` or `component = \"FILE.wasm\"`".into(),
            Self::MissingKey(key) => format!("add `{key} = \"...\"`"),
            Self::Excluded { key: "component", .. } => "keep one of them: each names the module".into(),
            Self::Excluded { key, beside } => {
                format!("remove `{key}`, or `{beside}`: an expression is evaluated, and no function is called for it")
            }
            Self::Language(name) => {
                let names: Vec<&str> = Language::ALL.iter().map(|(name, _)| *name).collect();
                suggestion(name, &names, "languages")
            }
            Self::Power(name) => suggestion(name, POWERS, "powers"),
            Self::Call(text) if text.contains('(') => "`from` takes an expression".into(),
            Self::NoDependency { alias, aliases } if aliases.is_empty() => {
                format!("add `{alias} = \"PATH\"` to `[dependencies]`")
            }
            Self::NoDependency { alias, aliases } => {
                let aliases: Vec<&str> = aliases.iter().map(String::as_str).collect();
                suggestion(alias, &aliases, "the manifest has the dependencies")
            }
            Self::NoCode { .. } => {
                "add `language` or `component` to the manifest, or let the stage `call` a function of a dependency"
                    .into()
            }
            Self::Expression { .. } => "an expression is a stage and methods, as in `build.file(\"app\")`".into(),
            Self::ParamTwice(_) => "keep one of them: `args` are taken before `defaults`, and `a_b` is `a-b`".into(),
            Self::Literal(_) => "write it as a string, if the parameter takes one".into(),
            Self::Syntax(_)
            | Self::WrongType { .. }
            | Self::Name { .. }
            | Self::Reserved(_)
            | Self::Param(_)
            | Self::Variable(_)
            | Self::Version(_)
            | Self::EmptyPath(_)
            | Self::NotWasm(_)
            | Self::Call(_)
            | Self::Time(_)
            | Self::Count(_) => return None,
        })
    }
}
