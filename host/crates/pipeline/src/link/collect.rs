//! Collects the stages: functions of the module, constructors of its objects, and stages of the manifest.

use api::json::kebab;
use api::{Signature, Type};
use module::{CallTarget, Expression, Ignore, Policy, StageEntry, StageWork};

use super::linker::{Linker, is_name_of};
use crate::error::{LinkError, LinkProblem};
use crate::graph::{How, Link, Param, Source, Stage, StageBody, StageId};
use crate::library::{ModuleTypes, takes_directories};

impl<'a> Linker<'a> {
    /// Makes all stages. The sources of their parameters come later.
    pub(super) fn collect(&mut self, entries: &'a [StageEntry]) -> Result<(), LinkError> {
        for (signature, is_constructor) in self.library.own.iter().flat_map(callable) {
            self.add(called(&signature.name, None, signature, is_constructor), None);
        }
        for entry in entries {
            match &entry.work {
                StageWork::Own => self.set_up(entry)?,
                StageWork::Call(target) => {
                    let (signature, is_constructor) = self.find_function(target)?;
                    let stage = called(&kebab(&entry.name), target.dependency.clone(), signature, is_constructor);
                    self.add_entry(stage, entry)?;
                }
                StageWork::From(_) => self.add_entry(part(&kebab(&entry.name), self.stages.len()), entry)?,
            }
        }
        self.find_wholes()
    }

    /// Adds a stage of the manifest.
    fn add_entry(&mut self, stage: Stage, entry: &'a StageEntry) -> Result<(), LinkError> {
        if let Some(&other) = self.names.get(&stage.name) {
            let problem = LinkProblem::Ambiguous { stage: stage.name, other: self.stages[other].position };
            return Err(self.error(entry.position, problem));
        }
        self.add(stage, Some(entry));
        Ok(())
    }

    /// Applies an entry of the manifest to a stage that is a function of the module.
    fn set_up(&mut self, entry: &'a StageEntry) -> Result<(), LinkError> {
        let Some(&id) = self.names.get(&kebab(&entry.name)) else {
            let stage = entry.name.clone();
            let problem = match &self.library.own {
                None => LinkProblem::NoCode { stage },
                Some(own) => LinkProblem::UnknownFunction { function: stage, dependency: None, known: names(own) },
            };
            return Err(self.error(entry.position, problem));
        };
        if self.entries[id].is_some() {
            let problem = LinkProblem::Ambiguous { stage: kebab(&entry.name), other: self.stages[id].position };
            return Err(self.error(entry.position, problem));
        }
        self.entries[id] = Some(entry);
        describe(&mut self.stages[id], entry);
        Ok(())
    }

    fn add(&mut self, mut stage: Stage, entry: Option<&'a StageEntry>) {
        if let Some(entry) = entry {
            describe(&mut stage, entry);
        }
        self.names.insert(stage.name.clone(), self.stages.len());
        self.has_known_result.push(matches!(stage.body, StageBody::Call { .. }));
        self.stages.push(stage);
        self.entries.push(entry);
    }

    fn find_function(&self, target: &CallTarget) -> Result<(&'a Signature, bool), LinkError> {
        let module = match &target.dependency {
            None => self.library.own.as_ref(),
            Some(alias) => Some(self.library.dependencies.get(alias).ok_or_else(|| {
                let known = self.library.dependencies.keys().cloned().collect();
                self.error(target.position, LinkProblem::UnknownDependency { alias: alias.clone(), known })
            })?),
        };
        let name = kebab(&target.function);
        let Some(module) = module else {
            return Err(self.error(target.position, LinkProblem::NoCode { stage: target.function.clone() }));
        };
        callable(module).find(|(signature, _)| signature.name == name).ok_or_else(|| {
            let (function, dependency) = (target.function.clone(), target.dependency.clone());
            self.error(target.position, LinkProblem::UnknownFunction { function, dependency, known: names(module) })
        })
    }

    /// Finds the stages that others are parts of, when all stages have names.
    fn find_wholes(&mut self) -> Result<(), LinkError> {
        for id in 0..self.stages.len() {
            if let Some(StageEntry { work: StageWork::From(expression), .. }) = self.entries[id] {
                let whole = self.find_stage(expression)?;
                self.stages[id].body = StageBody::From(Link { stage: whole, steps: Vec::new(), how: How::ByManifest });
            }
        }
        Ok(())
    }

    /// Finds the stage that an expression begins with.
    pub(super) fn find_stage(&self, expression: &Expression) -> Result<StageId, LinkError> {
        let found = self.names.get(&expression.stage).or_else(|| self.names.get(&kebab(&expression.stage)));
        found.copied().ok_or_else(|| {
            let known = self.stages.iter().map(|stage| stage.name.clone()).collect();
            let (stage, text) = (expression.stage.clone(), expression.text.clone());
            self.error(expression.position, LinkProblem::UnknownStage { stage, text, known })
        })
    }
}

/// Returns everything that can be a stage: functions, and constructors of objects (`true`).
fn callable(module: &ModuleTypes) -> impl Iterator<Item = (&Signature, bool)> {
    let constructors = module.objects.iter().filter_map(|object| object.constructor.as_ref());
    module.stages.iter().map(|stage| (stage, false)).chain(constructors.map(|constructor| (constructor, true)))
}

fn names(module: &ModuleTypes) -> Vec<String> {
    callable(module).map(|(signature, _)| signature.name.clone()).collect()
}

/// Makes the stage of a function.
fn called(name: &str, dependency: Option<String>, signature: &Signature, is_constructor: bool) -> Stage {
    let function = match is_constructor {
        true => format!("[constructor]{}", signature.name),
        false => signature.name.clone(),
    };
    let param = |(name, ty): &(String, Type)| Param {
        name: name.clone(),
        ty: ty.clone(),
        source: Source::Missing(None),
        exclude: Vec::new(),
    };
    Stage {
        result: signature.result.clone(),
        params: signature.params.iter().map(param).collect(),
        is_constructor,
        ..bare(name, StageBody::Call { dependency, function })
    }
}

/// Makes a stage that is a part of another one. It links to itself until the other stage is found.
fn part(name: &str, id: StageId) -> Stage {
    bare(name, StageBody::From(Link { stage: id, steps: Vec::new(), how: How::ByManifest }))
}

fn bare(name: &str, body: StageBody) -> Stage {
    Stage {
        name: name.to_owned(),
        description: None,
        body,
        result: None,
        params: Vec::new(),
        env: Vec::new(),
        policy: Policy::default(),
        is_check: None,
        is_constructor: false,
        position: None,
    }
}

/// Takes over the description, variables, policy and ignore patterns of an entry.
fn describe(stage: &mut Stage, entry: &StageEntry) {
    stage.description.clone_from(&entry.description);
    stage.env.clone_from(&entry.env);
    stage.policy = entry.policy;
    stage.is_check = entry.is_check;
    stage.position = Some(entry.position);
    for param in stage.params.iter_mut().filter(|param| takes_directories(&param.ty)) {
        param.exclude = exclude(param, &entry.ignore);
    }
}

/// Returns the ignore patterns for a parameter: its own, and those for all directories.
fn exclude(param: &Param, ignore: &[Ignore]) -> Vec<String> {
    let is_for = |ignore: &&Ignore| ignore.param.as_ref().is_none_or(|name| is_name_of(name, &param.name));
    ignore.iter().filter(is_for).flat_map(|ignore| ignore.patterns.iter().cloned()).collect()
}
