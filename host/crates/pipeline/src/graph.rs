//! The graph of stages, with the sources of their parameters.

use std::collections::{HashMap, HashSet};

use api::json::kebab;
use api::{CustomType, Type, Value};
use module::{ApiFunction, Policy, Position};

/// The number of a stage in its graph.
pub type StageId = usize;

/// The stages of a pipeline, in this order: functions of the module, constructors of its objects, stages of the
/// manifest.
#[derive(Debug, Clone)]
pub struct StageGraph {
    pub(crate) stages: Vec<Stage>,
    pub(crate) names: HashMap<String, StageId>,
}

/// A stage: a function with the sources of its arguments, or a part of the value that another stage makes.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The name in kebab case. No other stage has it.
    pub name: String,
    /// The description in the manifest.
    pub description: Option<String>,
    /// The body of the stage.
    pub body: StageBody,
    /// The type of the result; none if the stage makes nothing.
    pub result: Option<Type>,
    /// The parameters in the order of the function.
    pub params: Vec<Param>,
    /// The variables of every container that it begins with.
    pub env: Vec<(String, String)>,
    /// The policy for failures and timeouts.
    pub policy: Policy,
    /// Whether the stage is a check; none if the manifest does not say.
    pub is_check: Option<bool>,
    /// Whether it makes a custom object and does nothing else.
    pub is_constructor: bool,
    /// The position in the manifest; none if the manifest does not mention the stage.
    pub position: Option<Position>,
}

/// The body of a stage: a call of a function, or the value of another stage.
#[derive(Debug, Clone)]
pub enum StageBody {
    /// The stage calls a function.
    Call {
        /// The alias of the dependency that has the function; none for the module itself.
        dependency: Option<String>,
        /// The name of the function in the component: `check`, or `[constructor]linter`.
        function: String,
    },
    /// The stage is the value of another stage, or a part of it.
    From(Link),
}

/// A parameter of a stage.
#[derive(Debug, Clone)]
pub struct Param {
    /// The name in kebab case.
    pub name: String,
    /// The type of the parameter.
    pub ty: Type,
    /// The source of its value.
    pub source: Source,
    /// The ignore patterns of the manifest, for a directory that is given by its path.
    pub exclude: Vec<String>,
}

/// The source of a parameter's value.
#[derive(Debug, Clone)]
pub enum Source {
    /// The value is given by a flag of the caller.
    Given(Value),
    /// The value is set in `args` of the manifest.
    Set(Value),
    /// The value is made by another stage.
    Link(Link),
    /// The value is a list, and other stages make items of it.
    List(Vec<Input>),
    /// The value is a default of the manifest.
    Default(Value),
    /// There is no value, and the type needs none.
    Omitted,
    /// There is no value, and the type needs one. The text is the reason why the stage of that name does not fit, if
    /// there is such a stage.
    Missing(Option<String>),
}

/// The value that another stage makes, or a part of it.
#[derive(Debug, Clone)]
pub struct Link {
    /// The stage that makes the value.
    pub stage: StageId,
    /// The methods that are called on the value, each on the result of the one before it.
    pub steps: Vec<LinkStep>,
    /// The way in which the stages were linked.
    pub how: How,
}

/// The way in which two stages were linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The parameter has the name of the stage.
    ByName,
    /// The manifest has an expression for the parameter.
    ByManifest,
}

/// A call of a method.
#[derive(Debug, Clone)]
pub struct LinkStep {
    /// The method that is called.
    pub method: Method,
    /// The arguments without the object, one for each parameter.
    pub args: Vec<Input>,
}

/// A value that the manifest writes, or that other stages make.
#[derive(Debug, Clone)]
pub enum Input {
    /// The value is known.
    Value(Value),
    /// The value is made by another stage.
    Link(Link),
    /// An option that has this value.
    Some(Box<Input>),
    /// A list of these items.
    List(Vec<Input>),
}

/// A method of an object.
#[derive(Debug, Clone)]
pub enum Method {
    /// A method of an object of `pipeline:api`.
    Api(&'static ApiFunction),
    /// A method of a custom object.
    Custom {
        /// The type of the object.
        object: CustomType,
        /// The name of the method in the component: `[method]linter.check`.
        function: String,
        /// The type of the result; none if the method returns nothing.
        result: Option<Type>,
    },
}

impl Method {
    /// Returns the name of the method, as in `with-exec`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Api(function) => &function.name,
            Self::Custom { function, .. } => function.rsplit('.').next().unwrap_or(function),
        }
    }

    /// Returns the type of the result; none if the method returns nothing.
    #[must_use]
    pub fn result(&self) -> Option<&Type> {
        match self {
            Self::Api(function) => function.signature.result.as_ref(),
            Self::Custom { result, .. } => result.as_ref(),
        }
    }
}

impl Link {
    /// Adds this link, and those in the arguments of its methods.
    fn add_to<'l>(&'l self, links: &mut Vec<&'l Self>) {
        links.push(self);
        self.steps.iter().flat_map(|step| &step.args).for_each(|input| input.add_to(links));
    }
}

impl Input {
    /// Adds the links of the value.
    fn add_to<'l>(&'l self, links: &mut Vec<&'l Link>) {
        match self {
            Self::Value(_) => {}
            Self::Link(link) => link.add_to(links),
            Self::Some(input) => input.add_to(links),
            Self::List(items) => items.iter().for_each(|item| item.add_to(links)),
        }
    }
}

impl Param {
    /// Returns the links that feed the parameter.
    fn links(&self) -> Vec<&Link> {
        let mut links = Vec::new();
        match &self.source {
            Source::Link(link) => link.add_to(&mut links),
            Source::List(items) => items.iter().for_each(|item| item.add_to(&mut links)),
            _ => {}
        }
        links
    }
}

impl Stage {
    /// Returns the links to other stages, each with the parameter that it feeds. There is no parameter if the stage
    /// itself is made of others.
    pub(crate) fn links(&self) -> impl Iterator<Item = (Option<&Param>, &Link)> {
        let mut whole = Vec::new();
        if let StageBody::From(link) = &self.body {
            link.add_to(&mut whole);
        }
        let params =
            self.params.iter().flat_map(|param| param.links().into_iter().map(move |link| (Some(param), link)));
        whole.into_iter().map(|link| (None, link)).chain(params)
    }
}

impl StageGraph {
    /// Finds a stage by its name. The name may be in any case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<StageId> {
        self.names.get(name).or_else(|| self.names.get(&kebab(name))).copied()
    }

    /// Returns a stage.
    ///
    /// # Panics
    /// Panics if `id` is not of this graph.
    #[must_use]
    pub fn stage(&self, id: StageId) -> &Stage {
        &self.stages[id]
    }

    /// Returns all stages. The id of a stage is its position.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Gives a parameter a value. It wins over every other source.
    ///
    /// # Panics
    /// Panics if `id` is not of this graph, or if the stage has no such parameter.
    pub fn give(&mut self, id: StageId, param: usize, value: Value) {
        self.stages[id].params[param].source = Source::Given(value);
    }

    /// Returns the stages that feed a stage, each once, in the order of its parameters.
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

    /// Returns the stages that feed a stage, directly or through others, the nearest first. The stage itself is none of
    /// them.
    #[must_use]
    pub fn all_feeders(&self, id: StageId) -> Vec<StageId> {
        let (mut found, mut seen, mut at) = (vec![id], HashSet::from([id]), 0);
        while let Some(&stage) = found.get(at) {
            found.extend(self.feeders(stage).into_iter().filter(|feeder| seen.insert(*feeder)));
            at += 1;
        }
        found.split_off(1)
    }

    /// Returns the shortest way from a stage to one that it needs, as in `pack <- test <- build`.
    ///
    /// # Panics
    /// Panics if a stage is not of this graph.
    #[must_use]
    pub fn way(&self, from: StageId, to: StageId) -> String {
        let mut seen = vec![(from, 0)];
        let mut at = 0;
        while let Some(&(stage, _)) = seen.get(at).filter(|(stage, _)| *stage != to) {
            for feeder in self.feeders(stage) {
                if !seen.iter().any(|(known, _)| *known == feeder) {
                    seen.push((feeder, at));
                }
            }
            at += 1;
        }
        let mut names = Vec::new();
        while let Some(&(stage, parent)) = seen.get(at) {
            names.push(self.stage(stage).name.as_str());
            if at == 0 {
                break;
            }
            at = parent;
        }
        names.reverse();
        names.join(" <- ")
    }

    /// Returns the stages that feed no other stage, without constructors.
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
