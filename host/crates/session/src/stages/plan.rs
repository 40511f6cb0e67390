//! What a stage would do.

use std::sync::Arc;

use backend::Failure;
use graph::Edge;
use pipeline::StageId;

use super::{Pipeline, collect_edges};

/// What is known of a stage.
#[derive(Debug)]
pub struct Planned {
    /// What it makes, as far as its function returned.
    pub made: Vec<Edge>,
    /// `Planned` if something would be executed, else why the stage fails.
    pub ended: Result<(), Failure>,
}

impl Pipeline {
    /// Calls the function of a stage after those that it needs, which are best planned before; with `is_wanted` asks for
    /// all that it makes, too. Of use over a backend that executes nothing, whose events then tell what would be.
    pub async fn plan(self: &Arc<Self>, id: StageId, is_wanted: bool) -> Planned {
        let mut made = Vec::new();
        let known = async {
            let value = self.once_here(id).await?;
            let value = api::force(&self.session.own_bridge(), value).await?;
            collect_edges(&value, &mut made);
            if is_wanted && !made.is_empty() {
                self.session.options.backend.solve(&made).await?;
            }
            Ok(())
        };
        let ended = self.session.until_cancelled(known).await;
        if ended.is_err() {
            // What a failure left under way is told of before this returns.
            self.session.options.backend.settle().await;
        }
        Planned { made, ended }
    }
}
