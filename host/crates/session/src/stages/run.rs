//! Running several stages with all that they need.

use std::sync::Arc;

use api::Value;
use backend::Failure;
use pipeline::StageId;
use tokio::task::JoinSet;

use super::Pipeline;

/// How stages are run.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunOptions {
    /// Goes on with what does not need a stage that failed.
    pub is_keeping_going: bool,
}

/// How a stage that was asked for ended.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It was evaluated.
    Done(Value),
    /// It failed.
    Failed {
        /// The stage whose function asked for what failed: the stage itself, or one that it needs.
        culprit: StageId,
        /// Why.
        failure: Failure,
    },
    /// It was not finished when another one failed.
    Stopped,
}

impl Pipeline {
    /// Evaluates stages, side by side, and returns how each ended, in the order in which they were asked for.
    ///
    /// What they need of each other is evaluated once.
    pub async fn run_all(self: &Arc<Self>, wanted: &[StageId], options: RunOptions) -> Vec<Verdict> {
        let mut verdicts: Vec<Verdict> = wanted.iter().map(|_| Verdict::Stopped).collect();
        let mut tasks = JoinSet::new();
        for (index, &id) in wanted.iter().enumerate() {
            let this = Arc::clone(self);
            tasks.spawn(async move { (index, this.evaluate(id).await) });
        }
        while let Some(ended) = tasks.join_next().await {
            let Ok((index, ended)) = ended else { continue };
            let verdict = match ended {
                Ok(value) => Verdict::Done(value),
                Err(failure) => self.verdict(wanted[index], failure),
            };
            let is_end = matches!(&verdict, Verdict::Failed { culprit, .. } if !self.is_failure_allowed(*culprit));
            verdicts[index] = verdict;
            if is_end && !options.is_keeping_going {
                break;
            }
        }
        // Whoever still works is not waited for: nobody wants it any more.
        tasks.shutdown().await;
        verdicts
    }

    /// Returns whether the manifest allows a stage to fail.
    #[must_use]
    pub fn is_failure_allowed(&self, id: StageId) -> bool {
        self.graph.stage(id).policy.is_failure_allowed
    }

    async fn evaluate(self: &Arc<Self>, id: StageId) -> Result<Value, Failure> {
        let value = self.once(id).await?;
        self.session.until_cancelled(self.evaluated(value)).await
    }

    fn verdict(&self, id: StageId, failure: Failure) -> Verdict {
        Verdict::Failed { culprit: self.culprit(&failure).unwrap_or(id), failure }
    }

    /// Returns the stage whose function asked for what failed, if it is one of this graph.
    fn culprit(&self, failure: &Failure) -> Option<StageId> {
        match failure {
            Failure::Exec(exec) => {
                let origin = self.session.options.origins.of(exec.vertex)?;
                self.stage_of(origin.split_once('.').map_or(&*origin, |(_, function)| function))
            }
            Failure::Stage(stage) => self.stage_of(&stage.stage),
            _ => None,
        }
    }

    /// Finds the stage of a name, or else the only one that calls a function of that name.
    fn stage_of(&self, function: &str) -> Option<StageId> {
        self.graph.find(function).or_else(|| {
            let calls = |work: &pipeline::Work| match work {
                pipeline::Work::Call { function: called, .. } => called == function,
                pipeline::Work::From(_) => false,
            };
            let mut callers = (0..self.graph.stages().len()).filter(|id| calls(&self.graph.stage(*id).work));
            callers.next().filter(|_| callers.next().is_none())
        })
    }
}
