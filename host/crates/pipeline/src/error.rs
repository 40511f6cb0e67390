//! The reasons why stages cannot be linked or called.

use std::path::PathBuf;

use api::Type;
use graph::{Blame, Diagnostic};
use module::{Position, near, suggestion};

/// The limit on the number of names in a hint.
const MAX_LISTED: usize = 24;

/// The reason why stages cannot be linked or called.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The manifest has a mistake.
    #[error("`{}:{}:{}`: {problem}", path.display(), position.line, position.column)]
    Manifest {
        /// The path of the manifest.
        path: PathBuf,
        /// The position of the mistake in the manifest.
        position: Position,
        /// The mistake in the manifest.
        problem: Box<LinkProblem>,
    },
    /// Stages that are asked for need each other.
    #[error("stage `{stage}` needs itself: `{path}`")]
    Cycle {
        /// The name of one of the stages.
        stage: String,
        /// The stages and parameters on the cycle, as in `build.test <- test.build <- build`.
        path: String,
        /// A parameter on the cycle that a flag or the manifest can give a value.
        param: Option<String>,
    },
    /// A stage that is asked for has parameters without a value.
    #[error("stage `{stage}` needs {}{}", listed(params), reasons(params))]
    Missing {
        /// The name of the stage.
        stage: String,
        /// The parameters that have no value.
        params: Vec<MissingParam>,
        /// The way from the stage that was asked for to this one, as in `test.build <- build`; none if they are the
        /// same.
        path: Option<String>,
    },
}

/// A parameter that needs a value and has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingParam {
    /// The name of the parameter.
    pub name: String,
    /// The type of the parameter.
    pub ty: Type,
    /// The reason why the stage of that name does not fit, if there is such a stage.
    pub why: Option<String>,
    /// The names of stages that make its type and have a similar name.
    pub near: Vec<String>,
}

/// A mistake in a manifest.
#[derive(Debug, thiserror::Error)]
pub enum LinkProblem {
    /// Two stages have the same name.
    #[error("stage `{stage}` exists twice: {} and here", other.map_or("as a function of the module".to_owned(),
        |position| format!("at {}:{}", position.line, position.column)))]
    Ambiguous {
        /// The name of both stages.
        stage: String,
        /// The position of the other stage; none if it is a function of the module.
        other: Option<Position>,
    },
    /// A stage calls a function of its module, and the module has no code.
    #[error("stage `{stage}` calls a function of the module, which has no code")]
    NoCode {
        /// The name of the stage or of the function.
        stage: String,
    },
    /// A stage calls a dependency that is not declared.
    #[error("there is no dependency `{alias}`")]
    UnknownDependency {
        /// The alias in the manifest.
        alias: String,
        /// The aliases that are declared.
        known: Vec<String>,
    },
    /// A stage calls a function that the module does not have.
    #[error("{} has no function `{function}`",
        dependency.as_ref().map_or("the module".to_owned(), |alias| format!("dependency `{alias}`")))]
    UnknownFunction {
        /// The name of the function in the manifest.
        function: String,
        /// The alias of the dependency; none for the module itself.
        dependency: Option<String>,
        /// The names of the functions that exist.
        known: Vec<String>,
    },
    /// An expression begins with a stage that does not exist.
    #[error("there is no stage `{stage}`, with which `{text}` begins")]
    UnknownStage {
        /// The name of the stage in the expression.
        stage: String,
        /// The text of the expression.
        text: String,
        /// The names of the stages that exist.
        known: Vec<String>,
    },
    /// The manifest sets a parameter that the function does not have.
    #[error("stage `{stage}` has no parameter `{param}`")]
    UnknownParam {
        /// The name of the stage.
        stage: String,
        /// The name of the parameter in the manifest.
        param: String,
        /// The names of the parameters that exist.
        known: Vec<String>,
    },
    /// The manifest has ignore patterns for a parameter that is not a directory.
    #[error("parameter `{param}` of stage `{stage}` takes `{ty}`, of which nothing can be ignored")]
    NotADirectory {
        /// The name of the stage.
        stage: String,
        /// The name of the parameter.
        param: String,
        /// The type of the parameter.
        ty: Type,
    },
    /// A literal is not a value of the parameter's type.
    #[error("parameter `{param}` of stage `{stage}` takes `{ty}`: {problem}")]
    Literal {
        /// The name of the stage.
        stage: String,
        /// The name of the parameter.
        param: String,
        /// The type of the parameter.
        ty: Type,
        /// The problem of the literal.
        problem: String,
    },
    /// An expression makes another type than the parameter takes.
    #[error("`{path}`: it makes {}, and the parameter takes `{expected}`", shown(found.as_ref()))]
    IllTyped {
        /// The link, as in `test.build <- build`.
        path: String,
        /// The type of the parameter.
        expected: Type,
        /// The type that the expression makes; none if it makes nothing.
        found: Option<Type>,
    },
    /// An expression calls a method on a value that has no methods.
    #[error("{before} makes {}, which has no method `{method}`", shown(made.as_ref()))]
    NoMethods {
        /// The part of the expression before the method, as in ``stage `build` ``.
        before: String,
        /// The type that this part makes; none if it makes nothing.
        made: Option<Type>,
        /// The name of the method in the expression.
        method: String,
    },
    /// An expression calls a method that the object does not have.
    #[error("a {object} has no method `{method}`")]
    UnknownMethod {
        /// The type of the object.
        object: String,
        /// The name of the method in the expression.
        method: String,
        /// The names of the methods that exist.
        known: Vec<String>,
    },
    /// An expression has a text or another literal for a parameter that takes an object.
    #[error("method `{method}` takes `{param}: {ty}`, and no text is one")]
    NotCallable {
        /// The name of the method.
        method: String,
        /// The name of the parameter.
        param: String,
        /// The type of the parameter.
        ty: Type,
    },
    /// An expression has more or fewer arguments than the method has parameters.
    #[error("method `{method}` takes ({}), and {} given", takes.join(", "),
        match n_given { 0 => "nothing is".to_owned(), 1 => "1 argument is".to_owned(), n => format!("{n} arguments are") })]
    ArgumentCount {
        /// The name of the method.
        method: String,
        /// The parameters of the method.
        takes: Vec<String>,
        /// The number of arguments in the expression.
        n_given: usize,
    },
    /// An argument has another type than the method takes.
    #[error("`{param}` of method `{method}` takes `{ty}`: {problem}")]
    Argument {
        /// The name of the method.
        method: String,
        /// The name of the parameter.
        param: String,
        /// The type of the parameter.
        ty: Type,
        /// The problem of the argument.
        problem: String,
    },
}

fn shown(ty: Option<&Type>) -> String {
    ty.map_or("nothing".to_owned(), |ty| format!("`{ty}`"))
}

fn listed(params: &[MissingParam]) -> String {
    let params: Vec<String> = params.iter().map(|param| format!("`{}` ({})", param.name, param.ty)).collect();
    params.join(" and ")
}

fn reasons(params: &[MissingParam]) -> String {
    params.iter().filter_map(|param| param.why.as_ref()).map(|why| format!("; {why}")).collect()
}

impl Diagnostic for LinkError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Manifest { problem, .. } => problem.hint(),
            Self::Cycle { param: Some(param), .. } => {
                Some(format!("give `{param}` a value by its flag or by `args` in the manifest"))
            }
            Self::Cycle { param: None, .. } => {
                Some("take one of them out of the expression of the one before it".into())
            }
            Self::Missing { stage, params, path } => missing_hint(stage, params, path.as_deref()),
        }
    }
}

fn missing_hint(stage: &str, params: &[MissingParam], path: Option<&str>) -> Option<String> {
    let param = params.first()?;
    if let Some(near) = param.near.first() {
        return Some(format!(
            "stage `{near}` makes one: `args = {{ {} = {{ from = \"{near}\" }} }}` under `[stages.{stage}]` links it",
            param.name
        ));
    }
    let args: Vec<String> = params.iter().map(|param| format!("`--arg {stage}.{}=VALUE`", param.name)).collect();
    let needed = path.map(|path| format!("; `{path}` needs it")).unwrap_or_default();
    Some(format!("give it by {}, or by `args` under `[stages.{stage}]` in the manifest{needed}", args.join(" and ")))
}

impl LinkProblem {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Ambiguous { .. } => {
                Some("give one of them another name; without `call` and `from` it sets up the function".into())
            }
            Self::NoCode { .. } => {
                Some("let it `call` a function of a dependency, or be a part of another stage by `from`".into())
            }
            Self::UnknownDependency { alias, known } => Some(meant(alias, known, "`[dependencies]` has")),
            Self::UnknownFunction { function, known, .. } => Some(meant(function, known, "it has")),
            Self::UnknownStage { stage, text, known } if stage == text => {
                Some(meant(stage, known, "a text needs quotes, and the stages are"))
            }
            Self::UnknownStage { stage, known, .. } => Some(meant(stage, known, "stages")),
            Self::UnknownParam { param, known, .. } => Some(meant(param, known, "it has")),
            Self::UnknownMethod { method, known, .. } => Some(meant(method, known, "it has")),
            Self::NotADirectory { .. } => Some("`ignore` is for parameters that take a directory".into()),
            Self::NoMethods { .. } => {
                Some("a method is called on a container, a directory, a file or another object".into())
            }
            Self::NotCallable { .. } => {
                Some("give it what a stage makes, by the name of the stage: `with-file(\"NOTES.md\", notes)`".into())
            }
            Self::Literal { .. } | Self::IllTyped { .. } | Self::ArgumentCount { .. } | Self::Argument { .. } => None,
        }
    }
}

/// Says what may have been meant; of very many names it lists none.
fn meant(name: &str, known: &[String], there_is: &str) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    if known.len() > MAX_LISTED && near(name, known.iter().copied()).is_empty() {
        return format!("{there_is}: {}, and {} more", known[..MAX_LISTED].join(", "), known.len() - MAX_LISTED);
    }
    suggestion(name, &known, there_is)
}
