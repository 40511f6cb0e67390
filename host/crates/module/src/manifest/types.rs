//! What a manifest says, as values.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

/// What a module says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleManifest {
    /// In kebab case.
    pub name: String,
    /// Three numbers, as in `0.1.0`; a pre-release and build metadata may follow.
    pub version: String,
    /// What it is written in; not needed where `component` is given, nor for a pipeline without code.
    pub language: Option<Language>,
    /// One sentence.
    pub description: Option<String>,
    /// The powers granted when its directory is called; some of [`POWERS`](super::POWERS).
    pub allow: BTreeSet<String>,
    /// Whether commands may reach the network; they may unless it says `false`.
    pub network: bool,
    /// A component that some other tool makes, relative to the manifest.
    pub component: Option<PathBuf>,
    /// The modules that it uses, in the order of the file.
    pub dependencies: Vec<Dependency>,
    /// What it says of its stages, in the order of the file.
    pub stages: Vec<StageEntry>,
}

impl ModuleManifest {
    /// Returns whether the module has functions of its own, or is made of those of others alone.
    #[must_use]
    pub fn has_code(&self) -> bool {
        self.language.is_some() || self.component.is_some()
    }
}

/// What a module is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Built by `host build`.
    Rust,
    /// With componentize-py.
    Python,
    /// With componentize-qjs.
    JavaScript,
    /// Bundled, then as JavaScript.
    TypeScript,
    /// With wit-bindgen and the Go toolchain.
    Go,
    /// With wit-bindgen and clang.
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

    /// Returns the name as a manifest has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, language)| *language == self).map_or("", |(name, _)| name)
    }
}

/// Where something stands in a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Counts from 1.
    pub line: usize,
    /// Counts characters from 1.
    pub column: usize,
}

/// A module that this one uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// What this manifest calls it, in kebab case.
    pub alias: String,
    /// A directory with a manifest or a component, as written: relative to the manifest.
    pub path: PathBuf,
    /// What it gets of its importer's powers; all that the importer has if absent.
    pub allow: Option<BTreeSet<String>>,
    /// Where its alias stands.
    pub place: Place,
}

/// What a manifest says of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageEntry {
    /// In kebab case.
    pub name: String,
    /// Where its name stands.
    pub place: Place,
    /// One sentence; instead of what the function's author wrote.
    pub description: Option<String>,
    /// What it does.
    pub work: StageWork,
    /// Values of parameters, in the order of the file.
    pub args: Vec<Setting>,
    /// Values of parameters that nothing else gives.
    pub defaults: Vec<Setting>,
    /// What is left out of directories of the caller.
    pub ignore: Vec<Ignore>,
    /// Variables of every container that the stage begins with.
    pub env: Vec<(String, String)>,
    /// What is done when it fails.
    pub policy: Policy,
}

/// What a stage does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageWork {
    /// The module's own function of that name.
    Own,
    /// Another function.
    Call(CallTarget),
    /// It is a part of what other stages make.
    From(Expression),
}

/// The function that a stage calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallTarget {
    /// The alias of the module that has it; none for the module itself.
    pub dependency: Option<String>,
    /// A function, or an object whose constructor is called; in kebab case.
    pub function: String,
    /// Where it stands.
    pub place: Place,
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// In kebab case.
    pub param: String,
    /// Its value.
    pub argument: Argument,
    /// Where the parameter's name stands.
    pub place: Place,
}

/// What a parameter is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A value, or the text that stands for one.
    Literal(Value),
    /// What other stages make.
    From(Expression),
}

/// A stage, and the methods that lead from its result to a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// The stage's name, in kebab case.
    pub stage: String,
    /// The methods in order.
    pub steps: Vec<ExpressionStep>,
    /// As it is written.
    pub text: String,
    /// Where the stage's name stands.
    pub place: Place,
}

/// A method of an expression, and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionStep {
    /// In kebab case.
    pub method: String,
    /// In order.
    pub args: Vec<Value>,
}

/// Files that a stage does not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// The directory that this is about, in kebab case; all of them if absent.
    pub param: Option<String>,
    /// As in `*.o`.
    pub patterns: Vec<String>,
    /// Where the patterns stand.
    pub place: Place,
}

/// What is done when a stage fails or does not end. The default is none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// How often it is tried again.
    pub n_retries: u32,
    /// When it is stopped.
    pub timeout: Option<Duration>,
    /// Whether the run goes on and succeeds without it.
    pub is_failure_allowed: bool,
}
