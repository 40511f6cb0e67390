//! Why stages cannot be linked, or cannot be called.

use std::path::PathBuf;

use api::Type;
use graph::{Blame, Diagnostic};
use module::{Place, near, suggestion};

/// How many names a hint lists.
const MAX_LISTED: usize = 24;

/// Why stages cannot be linked, or cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The manifest says something that cannot be.
    #[error("`{}:{}:{}`: {problem}", path.display(), place.line, place.column)]
    Manifest {
        /// Which manifest.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What is wrong.
        problem: Box<LinkProblem>,
    },
    /// Stages that are asked for need each other.
    #[error("stage `{stage}` needs itself: `{path}`")]
    Cycle {
        /// One of the stages.
        stage: String,
        /// As in `build.test <- test.build <- build`.
        path: String,
        /// A parameter on the path that a flag or the manifest can give a value.
        param: Option<String>,
    },
    /// A stage that is asked for lacks arguments.
    #[error("stage `{stage}` needs {}{}", listed(params), reasons(params))]
    Missing {
        /// The stage.
        stage: String,
        /// What it lacks.
        params: Vec<MissingParam>,
        /// What needs the stage, as in `test.build <- build`; none if it was asked for itself.
        path: Option<String>,
    },
}

/// A parameter that needs a value and has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingParam {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Why the stage of that name, if there is one, does not fit.
    pub why: Option<String>,
    /// Stages that make its type and nearly have its name.
    pub near: Vec<String>,
}

/// What is wrong in a manifest.
#[derive(Debug, thiserror::Error)]
pub enum LinkProblem {
    /// Two stages have one name.
    #[error("stage `{stage}` exists twice: {} and here", other.map_or("as a function of the module".to_owned(),
        |place| format!("at {}:{}", place.line, place.column)))]
    Ambiguous {
        /// The name.
        stage: String,
        /// Where the other one is; none if it is a function of the module.
        other: Option<Place>,
    },
    /// A function of a module that has none.
    #[error("stage `{stage}` calls a function of the module, which has no code")]
    NoCode {
        /// The stage, or the function.
        stage: String,
    },
    /// A dependency that is not declared.
    #[error("there is no dependency `{alias}`")]
    UnknownDependency {
        /// What was written.
        alias: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A function that the module does not have.
    #[error("{} has no function `{function}`",
        dependency.as_ref().map_or("the module".to_owned(), |alias| format!("dependency `{alias}`")))]
    UnknownFunction {
        /// What was written.
        function: String,
        /// Which dependency does not have it; none for the module itself.
        dependency: Option<String>,
        /// Those that it has.
        known: Vec<String>,
    },
    /// An expression over a stage that does not exist.
    #[error("there is no stage `{stage}`, with which `{text}` begins")]
    UnknownStage {
        /// What was written.
        stage: String,
        /// The expression.
        text: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A parameter that the function does not have.
    #[error("stage `{stage}` has no parameter `{param}`")]
    UnknownParam {
        /// The stage.
        stage: String,
        /// What was written.
        param: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// Patterns for what is not a directory.
    #[error("parameter `{param}` of stage `{stage}` takes `{ty}`, of which nothing can be ignored")]
    NotADirectory {
        /// The stage.
        stage: String,
        /// The parameter.
        param: String,
        /// What it takes.
        ty: Type,
    },
    /// A literal that is no value of the parameter's type.
    #[error("parameter `{param}` of stage `{stage}` takes `{ty}`: {problem}")]
    Literal {
        /// The stage.
        stage: String,
        /// The parameter.
        param: String,
        /// What it takes.
        ty: Type,
        /// What is wrong with the literal.
        problem: String,
    },
    /// An expression that makes another type than the parameter takes.
    #[error("`{path}`: it makes {}, and the parameter takes `{expected}`", shown(found.as_ref()))]
    IllTyped {
        /// As in `test.build <- build`.
        path: String,
        /// What the parameter takes.
        expected: Type,
        /// What the expression makes; none if nothing.
        found: Option<Type>,
    },
    /// A method on what has none.
    #[error("{before} makes {}, which has no method `{method}`", shown(made.as_ref()))]
    NoMethods {
        /// What makes it, as in ``stage `build` ``.
        before: String,
        /// What it makes; none if nothing.
        made: Option<Type>,
        /// What was written.
        method: String,
    },
    /// A method that the object does not have.
    #[error("a {object} has no method `{method}`")]
    UnknownMethod {
        /// The object's type.
        object: String,
        /// What was written.
        method: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// A method that takes what an expression cannot write.
    #[error("method `{method}` takes `{param}: {ty}`, which an expression cannot write")]
    NotCallable {
        /// The method.
        method: String,
        /// The parameter.
        param: String,
        /// What it takes.
        ty: Type,
    },
    /// More or fewer arguments than a method has parameters.
    #[error("method `{method}` takes ({}), and {} given", takes.join(", "),
        match n_given { 0 => "nothing is".to_owned(), 1 => "1 argument is".to_owned(), n => format!("{n} arguments are") })]
    ArgumentCount {
        /// The method.
        method: String,
        /// Its parameters.
        takes: Vec<String>,
        /// How many were written.
        n_given: usize,
    },
    /// An argument of another type than the method takes.
    #[error("`{param}` of method `{method}` takes `{ty}`: {problem}")]
    Argument {
        /// The method.
        method: String,
        /// The parameter.
        param: String,
        /// What it takes.
        ty: Type,
        /// What is wrong with the argument.
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
            Self::Cycle { param: None, .. } => Some("let one of them begin with a stage that calls a function".into()),
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
            Self::UnknownStage { stage, known, .. } => Some(meant(stage, known, "stages")),
            Self::UnknownParam { param, known, .. } => Some(meant(param, known, "it has")),
            Self::UnknownMethod { method, known, .. } => Some(meant(method, known, "it has")),
            Self::NotADirectory { .. } => Some("`ignore` is for parameters that take a directory".into()),
            Self::NoMethods { .. } => {
                Some("a method is called on a container, a directory, a file or another object".into())
            }
            Self::NotCallable { .. } => Some("a function of a module can call it".into()),
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
