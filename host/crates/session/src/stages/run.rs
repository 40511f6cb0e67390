//! Runs of several stages with everything that they need.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use api::Value;
use engine::Failure;
use pipeline::StageId;
use tokio::task::JoinSet;

use super::Pipeline;

/// Options of a run of stages.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunOptions {
    /// Whether a failure leaves the stages running that do not need the failed one.
    pub is_keeping_going: bool,
}

/// The verdict on a stage that was asked for.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The stage was evaluated.
    Done {
        /// The value that the stage makes.
        value: Value,
        /// The time from the call of its function to the end of its evaluation.
        took: Duration,
    },
    /// The stage failed.
    Failed {
        /// The stage that is behind the failure: this one, or one that it needs.
        culprit: StageId,
        /// The function that asked for the failed command, with its module, as in `shop.build`; none if no function
        /// did.
        function: Option<String>,
        /// The failure of that stage.
        failure: Failure,
        /// The report of the wanted stage, if it failed because of a case in it.
        report: Option<Value>,
        /// The time from the call of the culprit's function to the failure.
        took: Duration,
    },
    /// The stage was not finished when another one failed.
    Stopped,
}

impl Pipeline {
    /// Evaluates stages at the same time. Returns a verdict for each, in the order of `wanted`.
    ///
    /// A stage that several of them need is evaluated once. When a failure stops the others, a stage that has changed
    /// something outside of the run goes on to its end, and a stage that needs the failed one counts as failed by it.
    pub async fn run_all(self: &Arc<Self>, wanted: &[StageId], options: RunOptions) -> Vec<Verdict> {
        let mut verdicts: Vec<Verdict> = wanted.iter().map(|_| Verdict::Stopped).collect();
        let (mut tasks, mut handles) = (JoinSet::new(), Vec::new());
        for (index, &id) in wanted.iter().enumerate() {
            let this = Arc::clone(self);
            handles.push(tasks.spawn(async move { (index, this.evaluate(id).await) }));
        }
        // The stages that go on although another one failed.
        let mut going_on: Option<HashSet<StageId>> = None;
        while let Some(ended) = tasks.join_next().await {
            // A task that was stopped has no answer.
            let Ok((index, ended)) = ended else { continue };
            let verdict = match ended {
                Ok(value) => Verdict::Done { value, took: self.memory.took(wanted[index]) },
                // It was stopped before it changed anything.
                Err(Failure::Cancelled) if going_on.is_some() => continue,
                Err(failure) => self.verdict(wanted[index], failure),
            };
            let is_end = matches!(&verdict, Verdict::Failed { culprit, .. } if !self.is_failure_allowed(*culprit));
            verdicts[index] = verdict;
            if is_end && !options.is_keeping_going && going_on.is_none() {
                let kept = going_on.insert(self.with_effects());
                let stopped = wanted.iter().zip(&handles).filter(|(id, _)| !kept.contains(id));
                stopped.for_each(|(_, handle)| handle.abort());
            }
        }
        if let Some(going_on) = going_on {
            self.finish(going_on).await;
            match self.session.options.cancel.is_cancelled() {
                true => self.interrupt(wanted, &mut verdicts),
                false => self.blame_stopped(wanted, &mut verdicts),
            }
        }
        verdicts
    }

    /// Lets no stage begin to change anything outside of the run, and returns those that have.
    fn with_effects(&self) -> HashSet<StageId> {
        let begun = self.session.effects.stop();
        let stages = 0..self.graph.stages().len();
        let functions: Vec<_> = stages.map(|id| self.function_of(id)).collect();
        // A function of a dependency may have been called by any stage.
        let is_any = begun.iter().any(|begun| !functions.iter().flatten().any(|function| **function == **begun));
        let has_begun =
            |function: &Option<String>| function.as_deref().is_some_and(|function| begun.contains(function));
        let functions = functions.iter().enumerate();
        functions.filter(|(_, function)| is_any || has_begun(function)).map(|(id, _)| id).collect()
    }

    /// Waits for the stages that go on, also if only others were asked for.
    async fn finish(&self, going_on: HashSet<StageId>) {
        for id in going_on {
            let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
            if let Some(begun) = begun {
                // Its failure is told if it was asked for.
                let _ = self.session.until_cancelled(begun).await;
            }
        }
    }

    /// Counts the stages that did not succeed as interrupted, because the run was interrupted while they were stopped.
    fn interrupt(&self, wanted: &[StageId], verdicts: &mut [Verdict]) {
        for (&id, verdict) in wanted.iter().zip(verdicts) {
            if !matches!(verdict, Verdict::Done { .. }) {
                *verdict = self.verdict(id, Failure::Cancelled);
            }
        }
    }

    /// Gives each stopped stage that needs a failed one the failure of that one, so that the verdicts do not depend on
    /// which of them was noticed first.
    fn blame_stopped(&self, wanted: &[StageId], verdicts: &mut [Verdict]) {
        let failed = verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Failed { culprit, function, failure, took, .. } => {
                let (function, failure) = (function.clone(), failure.clone());
                let verdict = Verdict::Failed { culprit: *culprit, function, failure, report: None, took: *took };
                Some((*culprit, verdict))
            }
            Verdict::Done { .. } | Verdict::Stopped => None,
        });
        let failed: Vec<_> = failed.collect();
        for (&id, verdict) in wanted.iter().zip(verdicts) {
            if matches!(verdict, Verdict::Stopped)
                && let Ok(needed) = self.graph.order(&[id])
                && let Some((_, blamed)) = failed.iter().find(|(culprit, _)| needed.contains(culprit))
            {
                *verdict = blamed.clone();
            }
        }
    }

    /// Returns whether the manifest allows a stage to fail.
    #[must_use]
    pub fn is_failure_allowed(&self, id: StageId) -> bool {
        self.graph.stage(id).policy.is_failure_allowed
    }

    async fn evaluate(self: &Arc<Self>, id: StageId) -> Result<Value, Failure> {
        let value = self.once(id).await?;
        self.session.until_cancelled(self.evaluated(id, value)).await
    }

    fn verdict(&self, id: StageId, failure: Failure) -> Verdict {
        let (culprit, failure) = self.culprit(id, failure);
        let function = self.asking(culprit, &failure);
        let report = if culprit == id { self.report(id) } else { None };
        Verdict::Failed { culprit, function, failure, report, took: self.memory.took(culprit) }
    }
}
