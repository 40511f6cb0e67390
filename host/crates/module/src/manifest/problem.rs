//! The mistakes in manifests, and their messages.

use std::path::PathBuf;

use graph::{Blame, Diagnostic};

use super::keys::Keys;
use super::names::POWERS;
use super::types::Language;
use crate::fs::FsError;
use crate::near::suggestion;

/// The reason why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(FsError),
    /// The manifest has a mistake.
    #[error("`{}:{line}:{column}`: {problem}", path.display())]
    At {
        /// The path of the manifest.
        path: PathBuf,
        /// The line of the mistake. The first line is 1.
        line: usize,
        /// The column of the mistake, in characters. The first column is 1.
        column: usize,
        /// The mistake in the manifest.
        problem: ManifestProblem,
    },
}

/// A mistake in a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestProblem {
    /// The text is not TOML.
    #[error("{0}")]
    Syntax(String),
    /// A table has an unknown key.
    #[error("there is no key `{key}` in {}", of.of)]
    UnknownKey {
        /// The name of the key.
        key: String,
        /// The keys that the table can have.
        of: &'static Keys,
    },
    /// A required key is missing.
    #[error("the key `{0}` is missing")]
    MissingKey(&'static str),
    /// Two keys exclude each other: they mean the same, or one has no meaning beside the other.
    #[error("`{key}` cannot be given beside `{beside}`")]
    Excluded {
        /// The key that is refused.
        key: &'static str,
        /// The key that excludes it.
        beside: &'static str,
    },
    /// A value has the wrong type.
    #[error("`{key}` takes {expected}, not {found}")]
    WrongType {
        /// The key of the value.
        key: String,
        /// The type that the key takes.
        expected: &'static str,
        /// The type of the value.
        found: &'static str,
    },
    /// A name has characters that are not allowed.
    #[error("`{name}` cannot be the name of {of}: it takes lowercase letters, digits and single hyphens")]
    Name {
        /// The kind of thing that is named, as in `a module`.
        of: &'static str,
        /// The name in the manifest.
        name: String,
    },
    /// An alias is a name that has another meaning.
    #[error("`{0}` cannot be the name of a dependency: it stands for the package `pipeline:api`")]
    Reserved(String),
    /// A key is not the name of a parameter.
    #[error("`{0}` cannot be the name of a parameter: it takes letters, digits and single hyphens")]
    Param(String),
    /// A parameter is set twice: in both tables, or in kebab case and in snake case.
    #[error("the parameter `{0}` is given twice")]
    ParamTwice(String),
    /// A key is not the name of an environment variable.
    #[error("`{0}` cannot be a variable: it takes a name without `=`, and a value without a null character")]
    Variable(String),
    /// A text is not a version.
    #[error("`{0}` is not a version: it takes three numbers, as in `0.1.0`")]
    Version(String),
    /// The language is unknown.
    #[error("`{0}` is not a language")]
    Language(String),
    /// A power does not exist.
    #[error("`{0}` is not a power")]
    Power(String),
    /// A path is empty.
    #[error("`{0}` takes a path, and this is empty")]
    EmptyPath(&'static str),
    /// The command that builds the module is empty.
    #[error("`build` takes a command, and this is empty")]
    EmptyCommand,
    /// The component is not a `.wasm` file.
    #[error("`component` takes a `.wasm` file, not `{0}`")]
    NotWasm(String),
    /// A text is not the name of a function.
    #[error(
        "`call` takes a function as in `build`, one of a dependency as in `lint.check`, or its set-up as in `lint.stages.check`, not `{0}`"
    )]
    Call(String),
    /// A stage calls a dependency that the manifest does not have.
    #[error("there is no dependency `{alias}`")]
    NoDependency {
        /// The alias in the stage.
        alias: String,
        /// The aliases of the dependencies.
        aliases: Vec<String>,
    },
    /// A stage calls a function of a module without code.
    #[error("stage `{stage}` calls function `{function}` of a module without code")]
    NoCode {
        /// The name of the stage.
        stage: String,
        /// The name of the function.
        function: String,
    },
    /// An expression has a syntax error.
    #[error("{message} in the expression `{text}`")]
    Expression {
        /// The text of the expression.
        text: String,
        /// The message about the error.
        message: String,
    },
    /// A text is not a duration.
    #[error("`timeout` takes a time as in `90`, `500ms`, `10m` or `2h`, not `{0}`")]
    Time(String),
    /// A number of retries is not allowed.
    #[error("`retry` takes a number from 0 to {max}, not `{0}`", max = u32::MAX)]
    Count(String),
    /// A value cannot be an argument of a parameter.
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
            Self::MissingKey("component") => "add `component = \"PATH.wasm\"`: the file that `build` makes".into(),
            Self::MissingKey("build") => "add `build = \"COMMAND\"`: the command that reads the `sources`".into(),
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
            | Self::EmptyCommand
            | Self::NotWasm(_)
            | Self::Call(_)
            | Self::Time(_)
            | Self::Count(_) => return None,
        })
    }
}
