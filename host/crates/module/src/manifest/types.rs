//! The contents of a manifest as values.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

/// The manifest of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleManifest {
    /// The name in kebab case.
    pub name: String,
    /// The version: three numbers, as in `0.1.0`. A pre-release and build metadata may follow.
    pub version: String,
    /// The language of the module. It is not needed with `component`, nor for a pipeline without code.
    pub language: Option<Language>,
    /// A description in one sentence.
    pub description: Option<String>,
    /// The powers that the module gets when its directory is called. [`POWERS`](super::POWERS) lists all powers.
    pub allow: BTreeSet<String>,
    /// Whether commands may use the network. They may, unless the manifest says `false`.
    pub network: bool,
    /// Whether commands may gain privileges, as by `sudo`. They may, unless the manifest says `false`.
    pub new_privileges: bool,
    /// The path of a component that another tool makes, relative to the manifest.
    pub component: Option<PathBuf>,
    /// The command that makes the component, for a shell in the directory of the manifest.
    pub build: Option<String>,
    /// The files and directories that `build` reads, relative to the manifest; the whole directory if there are none.
    pub sources: Vec<PathBuf>,
    /// The dependencies in the order of the file.
    pub dependencies: Vec<Dependency>,
    /// The stages in the order of the file.
    pub stages: Vec<StageEntry>,
}

impl ModuleManifest {
    /// Returns whether the module has functions of its own. Without them it is made only of functions of other
    /// modules.
    #[must_use]
    pub fn has_code(&self) -> bool {
        self.language.is_some() || self.component.is_some()
    }
}

/// The language of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Rust: `host build` builds the module.
    Rust,
    /// Python, with componentize-py.
    Python,
    /// JavaScript, with componentize-qjs.
    JavaScript,
    /// TypeScript: it is bundled and then built like JavaScript.
    TypeScript,
    /// Go, with wit-bindgen and the Go toolchain.
    Go,
    /// C, with wit-bindgen and clang.
    C,
}

impl Language {
    pub(crate) const ALL: &[(&str, Self)] = &[
        ("rust", Self::Rust),
        ("python", Self::Python),
        ("javascript", Self::JavaScript),
        ("typescript", Self::TypeScript),
        ("go", Self::Go),
        ("c", Self::C),
    ];

    /// Returns a command that makes the component `NAME.wasm` of a module, as an example.
    pub(crate) fn example(self, name: &str) -> String {
        match self {
            Self::Python => format!("componentize-py -d wit componentize app -o {name}.wasm"),
            Self::JavaScript | Self::TypeScript => {
                format!("componentize-qjs --wit wit --js app.js --sync --opt-size -o {name}.wasm")
            }
            Self::Rust | Self::Go | Self::C => "make".to_owned(),
        }
    }

    /// Returns the name of the language in a manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, language)| *language == self).map_or("", |(name, _)| name)
    }
}

/// A position in a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line. The first line is 1.
    pub line: usize,
    /// The column, in characters. The first column is 1.
    pub column: usize,
}

/// A module that this one depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The name that this manifest gives it, in kebab case.
    pub alias: String,
    /// The path of a directory with a manifest, or of a component, as it is written: relative to the manifest.
    pub path: PathBuf,
    /// The powers of its importer that it gets; all of them if there is none.
    pub allow: Option<BTreeSet<String>>,
    /// The position of the alias.
    pub position: Position,
}

/// The entry of a stage in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageEntry {
    /// The name in kebab case.
    pub name: String,
    /// The position of the name.
    pub position: Position,
    /// A description in one sentence. It replaces the one of the function's author.
    pub description: Option<String>,
    /// The work of the stage.
    pub work: StageWork,
    /// The values of parameters, in the order of the file.
    pub args: Vec<Setting>,
    /// The values of parameters that have no other source.
    pub defaults: Vec<Setting>,
    /// The entries that are left out of the caller's directories.
    pub ignore: Vec<Ignore>,
    /// The variables of every container that the stage begins with.
    pub env: Vec<(String, String)>,
    /// The policy for failures and timeouts.
    pub policy: Policy,
    /// Whether the stage is a check; none if the manifest does not say.
    pub is_check: Option<bool>,
}

/// The work of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageWork {
    /// The stage calls the module's own function of the same name.
    Own,
    /// The stage calls another function.
    Call(CallTarget),
    /// The stage is a part of the value of another stage.
    From(Expression),
}

/// The function that a stage calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallTarget {
    /// The alias of the dependency that has the function; none for the module itself.
    pub dependency: Option<String>,
    /// The name of a function, or of an object whose constructor is called, in kebab case.
    pub function: String,
    /// Whether `function` is a stage of the dependency's manifest, whose set-up is taken over. After
    /// [`resolve`](crate::resolve) no target is.
    pub is_set_up: bool,
    /// The position of the text in the manifest.
    pub position: Position,
}

/// The setting of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The name of the parameter in kebab case.
    pub param: String,
    /// The argument for the parameter.
    pub argument: Argument,
    /// The directory that paths in the argument are relative to; that of the manifest if there is none.
    pub base: Option<PathBuf>,
    /// The position of the parameter's name.
    pub position: Position,
}

/// The argument for a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A literal: a value, or a text that means one.
    Literal(Value),
    /// An expression over other stages.
    From(Expression),
    /// A list with an expression in it.
    List(Vec<Argument>),
}

impl Argument {
    /// Makes a list, which is a literal if all of its items are.
    pub(crate) fn list(items: Vec<Self>) -> Self {
        let literals: Option<Vec<Value>> = items
            .iter()
            .map(|item| match item {
                Self::Literal(value) => Some(value.clone()),
                Self::From(_) | Self::List(_) => None,
            })
            .collect();
        literals.map_or(Self::List(items), |literals| Self::Literal(Value::Array(literals)))
    }
}

/// A stage, and the methods that lead from its value to a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// The name of the stage in kebab case.
    pub stage: String,
    /// The methods in order.
    pub steps: Vec<ExpressionStep>,
    /// The text in the manifest.
    pub text: String,
    /// The position of the stage's name.
    pub position: Position,
}

/// A method in an expression, with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionStep {
    /// The name of the method in kebab case.
    pub method: String,
    /// The arguments in order.
    pub args: Vec<Argument>,
}

/// The entries of directories that a stage does not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// The parameter of the directory, in kebab case; all directories if there is none.
    pub param: Option<String>,
    /// The patterns of the entries, as in `*.o`.
    pub patterns: Vec<String>,
    /// The position of the patterns.
    pub position: Position,
}

/// The policy of a stage for failures and timeouts. By default there are no retries and no timeout, and no failure is
/// allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// The number of retries after a failure.
    pub n_retries: u32,
    /// The time after which the stage is stopped.
    pub timeout: Option<Duration>,
    /// Whether the run goes on, and succeeds, without the stage.
    pub is_failure_allowed: bool,
}
