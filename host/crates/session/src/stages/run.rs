//! Runs of several stages with everything that they need.

use std::sync::Arc;
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
        /// The time from the call of the culprit's function to the failure.
        took: Duration,
    },
    /// The stage was not finished when another one failed.
    Stopped,
}

impl Pipeline {
    /// Evaluates stages at the same time. Returns a verdict for each, in the order of `wanted`.
    ///
    /// A stage that several of them need is evaluated once.
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
                Ok(value) => Verdict::Done { value, took: self.memory.took(wanted[index]) },
                Err(failure) => self.verdict(wanted[index], failure),
            };
            let is_end = matches!(&verdict, Verdict::Failed { culprit, .. } if !self.is_failure_allowed(*culprit));
            verdicts[index] = verdict;
            if is_end && !options.is_keeping_going {
                break;
            }
        }
        // The remaining work is not waited for: nobody needs it any more.
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
        let (culprit, failure) = self.culprit(id, failure);
        let function = self.asking(culprit, &failure);
        Verdict::Failed { culprit, function, failure, took: self.memory.took(culprit) }
    }
}
