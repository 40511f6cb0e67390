//! Which stages can be called.

use pipeline::StageId;

use crate::call::Linked;
use crate::report::Result;

/// Stages that can be called, and what they need.
pub(super) struct Callable {
    pub(super) stages: Vec<StageId>,
    /// These with all that feeds them, what feeds others first.
    pub(super) order: Vec<StageId>,
    /// A line for each stage that cannot be called.
    pub(super) left_out: Vec<String>,
}

/// Finds those of these stages that can be called, with what they need.
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
