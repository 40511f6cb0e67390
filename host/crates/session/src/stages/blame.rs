//! The stage behind a failure: a stage may fail because another one made an object that fails.

use std::sync::Arc;

use api::Caller;
use engine::{ExecRecord, Failure};
use pipeline::{StageBody, StageId};

use super::{Pipeline, message_of};
use crate::answers::readable;

impl Pipeline {
    /// Returns the stage that is behind the failure of a stage, with that failure.
    pub(super) fn culprit(&self, id: StageId, failure: Failure) -> (StageId, Failure) {
        let (mut culprit, mut failure) = (id, failure);
        // Each step goes to a stage that feeds the one before.
        for _ in self.graph.stages() {
            let Some(cause) = self.cause(culprit, &failure) else { break };
            (culprit, failure) = cause;
        }
        (culprit, failure)
    }

    /// Returns the other stage that made a stage fail, with its failure.
    fn cause(&self, id: StageId, failure: &Failure) -> Option<(StageId, Failure)> {
        let passed_on = self.passed_on(id, failure);
        let asked_for = passed_on.as_ref().unwrap_or(failure);
        let owner = match asked_for {
            Failure::Exec(exec) => self.session.options.origins.of(exec.vertex),
            _ => None,
        };
        if let Some(owner) = owner {
            let is_exact = |stage| self.kept_origin(stage).is_some_and(|origin| Arc::ptr_eq(&origin, &owner));
            let is_same = |stage| self.function_of(stage).as_deref() == Some(&*owner.function);
            let caller = self.nearest(id, is_exact).or_else(|| self.nearest(id, is_same));
            return caller.filter(|caller| *caller != id).map(|caller| (caller, asked_for.clone()));
        }
        let memory = self.memory.lock();
        self.graph.feeders(id).into_iter().find_map(|feeder| {
            let failed = memory.get(&feeder)?.failure.as_ref()?;
            let is_it = failure.to_string() == failed.to_string() || is_passed_on(failure, failed);
            is_it.then(|| (feeder, failed.clone()))
        })
    }

    /// Returns the origin of the commands of a stage.
    pub(super) fn origin(&self, id: StageId) -> Option<Arc<Caller>> {
        let (function, stage) = (self.function_of(id)?.into(), self.graph.stage(id).name.as_str().into());
        let mut memory = self.memory.lock();
        let origin = &mut memory.entry(id).or_default().origin;
        Some(Arc::clone(origin.get_or_insert_with(|| Arc::new(Caller { function, stage: Some(stage) }))))
    }

    fn kept_origin(&self, id: StageId) -> Option<Arc<Caller>> {
        self.memory.lock().get(&id)?.origin.clone()
    }

    /// Returns the failure that the function of a stage was told of and passes on.
    fn passed_on(&self, id: StageId, failure: &Failure) -> Option<Failure> {
        let memory = self.memory.lock();
        memory.get(&id)?.seen_failures.iter().rev().find(|seen| is_passed_on(failure, seen)).cloned()
    }

    /// Returns the function that asked for the failed command, with its module, as in `shop.build`.
    pub(super) fn asking(&self, id: StageId, failure: &Failure) -> Option<String> {
        let passed_on = self.passed_on(id, failure);
        let origin = match passed_on.as_ref().unwrap_or(failure) {
            Failure::Exec(exec) => self.session.options.origins.of(exec.vertex),
            _ => None,
        };
        origin.map_or_else(|| self.function_of(id), |origin| Some(origin.function.to_string()))
    }

    /// Returns the function of a stage with its module; none if the stage is a part of another one.
    pub(super) fn function_of(&self, id: StageId) -> Option<String> {
        let StageBody::Call { dependency, function } = &self.graph.stage(id).body else { return None };
        let modules = self.session.modules();
        let module = match dependency {
            None => 0,
            Some(alias) => modules.dependency(0, alias)?,
        };
        Some(format!("{}.{}", modules.loaded.get(module)?.name, readable(function)))
    }

    /// Finds the nearest stage for which `is_it` holds: the stage itself, then those that feed it, and so on.
    fn nearest(&self, id: StageId, is_it: impl Fn(StageId) -> bool) -> Option<StageId> {
        let mut seen = vec![id];
        let mut n_looked_at = 0;
        while let Some(&stage) = seen.get(n_looked_at) {
            if is_it(stage) {
                return Some(stage);
            }
            n_looked_at += 1;
            for feeder in self.graph.feeders(stage) {
                if !seen.contains(&feeder) {
                    seen.push(feeder);
                }
            }
        }
        None
    }
}

/// Returns whether a function passed on in its answer a failure that it was told of.
fn is_passed_on(answered: &Failure, seen: &Failure) -> bool {
    let Failure::Stage(answered) = answered else { return false };
    let is_same_command = match (seen, &answered.exec) {
        (Failure::Exec(seen), Some(exec)) => **exec == ExecRecord::from(&**seen),
        _ => false,
    };
    let message = message_of(seen);
    is_same_command || (!message.is_empty() && answered.message.contains(&message))
}
