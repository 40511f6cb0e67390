//! Stages, and where the values of their parameters come from.

use std::collections::HashMap;

use api::json::kebab;
use api::{CustomType, Type, Value};
use module::{ApiFunction, Place, Policy};

/// The number of a stage in its graph.
pub type StageId = usize;

/// The stages of a pipeline in the order: functions of the module, constructors of its objects,
/// stages of the manifest.
#[derive(Debug, Clone)]
pub struct StageGraph {
    pub(crate) stages: Vec<Stage>,
    pub(crate) names: HashMap<String, StageId>,
}

/// A function with what is known of its arguments, or a part of what another stage makes.
#[derive(Debug, Clone)]
pub struct Stage {
    /// In kebab case; no other stage has it.
    pub name: String,
    /// What the manifest says of it.
    pub description: Option<String>,
    /// What it does.
    pub work: Work,
    /// None if it makes nothing.
    pub result: Option<Type>,
    /// In the order of the function.
    pub params: Vec<Param>,
    /// Variables of every container that it begins with.
    pub env: Vec<(String, String)>,
    /// What happens when it fails, or takes too long.
    pub policy: Policy,
    /// Whether it makes a custom object and does nothing else.
    pub is_constructor: bool,
    /// Where the manifest has it; none if it does not mention it.
    pub place: Option<Place>,
}

/// What a stage does.
#[derive(Debug, Clone)]
pub enum Work {
    /// It calls a function.
    Call {
        /// The alias of the dependency that has it; none for the module itself.
        dependency: Option<String>,
        /// As components name it: `check`, or `[constructor]linter`.
        function: String,
    },
    /// It is what another stage makes, or a part of that.
    From(Link),
}

/// A parameter of a stage.
#[derive(Debug, Clone)]
pub struct Param {
    /// In kebab case.
    pub name: String,
    /// What it takes.
    pub ty: Type,
    /// Where its value comes from.
    pub source: Source,
    /// Patterns of the manifest: what is left out of a directory that is given by path.
    pub exclude: Vec<String>,
}

/// Where the value of a parameter comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A flag of the caller.
    Given(Value),
    /// `args` of the manifest.
    Set(Value),
    /// Another stage.
    Link(Link),
    /// `defaults` of the manifest.
    Default(Value),
    /// Nothing, which its type allows.
    Omitted,
    /// Nothing, and its type requires a value. The text says why the stage of that name, if there
    /// is one, does not fit.
    Missing(Option<String>),
}

/// What another stage makes, or a part of that.
#[derive(Debug, Clone)]
pub struct Link {
    /// The stage that makes it.
    pub stage: StageId,
    /// Methods called on that, one on what the one before it returns.
    pub steps: Vec<LinkStep>,
    /// Who linked it.
    pub how: How,
}

/// Who linked two stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The parameter has the name of the stage.
    ByName,
    /// The manifest says so.
    ByManifest,
}

/// A call of a method.
#[derive(Debug, Clone)]
pub struct LinkStep {
    /// Which one.
    pub method: Method,
    /// Without the object; one for each parameter.
    pub args: Vec<Value>,
}

/// A method of an object.
#[derive(Debug, Clone)]
pub enum Method {
    /// Of an object of `pipeline:api`.
    Api(&'static ApiFunction),
    /// Of a custom object.
    Custom {
        /// The object's type.
        object: CustomType,
        /// As components name it: `[method]linter.check`.
        function: String,
        /// None if it returns nothing.
        result: Option<Type>,
    },
}

impl Method {
    /// Returns its own name, as in `with-exec`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Api(function) => &function.name,
            Self::Custom { function, .. } => function.rsplit('.').next().unwrap_or(function),
        }
    }

    /// Returns the type of what it returns; none if that is nothing.
    #[must_use]
    pub fn result(&self) -> Option<&Type> {
        match self {
            Self::Api(function) => function.signature.result.as_ref(),
            Self::Custom { result, .. } => result.as_ref(),
        }
    }
}

impl Param {
    /// Returns the stage that feeds it, if one does.
    #[must_use]
    pub const fn link(&self) -> Option<&Link> {
        match &self.source {
            Source::Link(link) => Some(link),
            _ => None,
        }
    }
}

impl Stage {
    /// Returns what other stages make for it: each link with the parameter that takes it, which
    /// none does where the stage itself is a part of another.
    pub(crate) fn links(&self) -> impl Iterator<Item = (Option<&Param>, &Link)> {
        let whole = match &self.work {
            Work::From(link) => Some((None, link)),
            Work::Call { .. } => None,
        };
        whole.into_iter().chain(self.params.iter().filter_map(|param| Some((Some(param), param.link()?))))
    }
}

impl StageGraph {
    /// Finds a stage by its name, in whatever case it is written.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<StageId> {
        self.names.get(name).or_else(|| self.names.get(&kebab(name))).copied()
    }

    /// Returns a stage.
    ///
    /// # Panics
    /// If `id` is of another graph.
    #[must_use]
    pub fn stage(&self, id: StageId) -> &Stage {
        &self.stages[id]
    }

    /// Returns all stages; the id of each is its position.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Gives a parameter a value, which beats all else.
    ///
    /// # Panics
    /// If `id` is of another graph, or the stage has no such parameter.
    pub fn give(&mut self, id: StageId, param: usize, value: Value) {
        self.stages[id].params[param].source = Source::Given(value);
    }

    /// Returns the stages that make something for a stage, each once, in the order of its
    /// parameters.
    #[must_use]
    pub fn feeders(&self, id: StageId) -> Vec<StageId> {
        let mut feeders = Vec::new();
        for (_, link) in self.stage(id).links() {
            if !feeders.contains(&link.stage) {
                feeders.push(link.stage);
            }
        }
        feeders
    }

    /// Returns the stages that make nothing for another stage, without constructors.
    #[must_use]
    pub fn leaves(&self) -> Vec<StageId> {
        let mut is_taken = vec![false; self.stages.len()];
        for (_, link) in self.stages.iter().flat_map(Stage::links) {
            is_taken[link.stage] = true;
        }
        let is_leaf = |id: &StageId| !is_taken[*id] && !self.stages[*id].is_constructor;
        (0..self.stages.len()).filter(is_leaf).collect()
    }

    /// Returns the parameters of a stage that need a value and have none.
    #[must_use]
    pub fn missing(&self, id: StageId) -> Vec<&Param> {
        self.stage(id).params.iter().filter(|param| matches!(param.source, Source::Missing(_))).collect()
    }
}
