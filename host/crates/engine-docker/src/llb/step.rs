//! A command of a graph as LLB, with what is known of its result.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use engine::Reason;
use graph::{CacheKey, ExecOp, Op, Reuse, Vertex};

use super::definition::Llb;
use crate::step::Record;

/// A command that was asked for.
pub(crate) struct Step {
    pub(crate) vertex: Arc<Vertex>,
    pub(crate) llb: Llb,
    /// Which output of it has what the command printed.
    pub(crate) output: i64,
    /// What its result is found by in other runs; none if it must not be.
    pub(crate) key: Option<CacheKey>,
    /// Where its generation is written down once it has run.
    pub(crate) generation: Option<(CacheKey, String)>,
    /// Why it runs, if it does.
    pub(crate) reason: Reason,
    /// Somebody tells what happens to it.
    pub(crate) is_told: AtomicBool,
    record: Mutex<Option<Arc<Record>>>,
}

impl Step {
    pub(crate) fn new(
        vertex: Arc<Vertex>,
        llb: Llb,
        output: i64,
        key: Option<CacheKey>,
        generation: Option<(CacheKey, String)>,
        reason: Reason,
        record: Option<Record>,
    ) -> Self {
        let record = Mutex::new(record.map(Arc::new));
        Self { vertex, llb, output, key, generation, reason, is_told: AtomicBool::new(false), record }
    }

    /// Returns what is known, if it ran now or before.
    pub(crate) fn record(&self) -> Option<Arc<Record>> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_record(&self, record: Record) {
        *self.record.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(record));
    }

    /// Returns whether its result is for this run alone, in which it must not run again.
    pub(crate) fn forbids_reuse(&self) -> bool {
        self.op().is_some_and(|op| op.reuse == Reuse::Never)
    }

    pub(crate) fn op(&self) -> Option<&ExecOp> {
        if let Op::Exec(op) = self.vertex.op() { Some(op) } else { None }
    }
}
