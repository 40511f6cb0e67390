//! Plans: the work that a stage would do.

use std::sync::Arc;

use engine::Failure;
use graph::Edge;
use pipeline::StageId;

use super::Pipeline;

/// The plan of a stage.
#[derive(Debug)]
pub struct Planned {
    /// The edges that the stage makes, as far as its function returned.
    pub made: Vec<Edge>,
    /// `Planned` if something would be executed; otherwise the failure of the stage.
    pub ended: Result<(), Failure>,
}

impl Pipeline {
    /// Calls the function of a stage. The stages that it needs should be planned before. With `is_wanted`, everything
    /// that the stage makes is asked for, too. This is for engines that execute nothing: their events tell what would
    /// run.
    pub async fn plan(self: &Arc<Self>, id: StageId, is_wanted: bool) -> Planned {
        let mut made = Vec::new();
        let known = async {
            let value = self.once_here(id).await?;
            made = self.edges(id, value).await?.1;
            if is_wanted && !made.is_empty() {
                self.session.options.engine.solve(&made).await?;
            }
            Ok(())
        };
        let ended = self.session.until_cancelled(known).await;
        if ended.is_err() {
            // The events of work that a failure left running are told before this returns.
            self.session.options.engine.settle().await;
        }
        Planned { made, ended }
    }
}
