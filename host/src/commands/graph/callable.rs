//! Finds the stages that can be called.

use pipeline::StageId;

use crate::call::Linked;
use crate::report::Result;

/// The stages that can be called.
pub(super) struct Callable {
    pub(super) stages: Vec<StageId>,
    /// These stages and the stages that feed them, in an order in which they can be evaluated.
    pub(super) order: Vec<StageId>,
    /// A line for each stage that cannot be called.
    pub(super) left_out: Vec<String>,
}

/// Returns those of the stages that can be called.
pub(super) fn callable(linked: &Linked, stages: Vec<StageId>) -> Result<Callable> {
    if let Ok(order) = linked.order(&stages) {
        return Ok(Callable { stages, order, left_out: Vec::new() });
    }
    let (mut called, mut left_out) = (Vec::new(), Vec::new());
    for stage in stages {
        match linked.order(&[stage]) {
            Ok(_) => called.push(stage),
            Err(report) => left_out.push(format!("not called: {}", report.message())),
        }
    }
    left_out.dedup();
    Ok(Callable { order: linked.order(&called)?, stages: called, left_out })
}
