//! Limits for work on trees.
//!
//! A tree of a few rows can have more paths than can ever be visited, because equal directories are stored once. So
//! everything that visits paths counts them in a [`Budget`], which also notices that the run was cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use graph::{Blame, Diagnostic};

/// The number of directories in each other that a tree may have, unless another one is set.
pub(crate) const MAX_DEPTH: usize = 4096;

/// The limits for one operation on trees, such as a search, a copy or an export.
#[derive(Clone)]
pub struct Limits {
    /// The number of entries that are visited.
    pub max_entries: u64,
    /// The number of bytes that are written as files: by an export, or by laying out a directory for a command.
    pub max_bytes: u64,
    /// The number of results that are returned.
    pub max_results: u64,
    /// The number of bytes of the results, and of a text in which something is replaced.
    pub max_result_bytes: u64,
    /// The number of directories in each other.
    pub max_depth: usize,
    /// Returns whether the run was cancelled; none if it cannot be.
    pub is_cancelled: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_entries: 10_000_000,
            max_bytes: 64 << 30,
            max_results: 1_000_000,
            max_result_bytes: 256 << 20,
            max_depth: MAX_DEPTH,
            is_cancelled: None,
        }
    }
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Limits({} entries, {} bytes)", self.max_entries, self.max_bytes)
    }
}

/// Why work on trees was stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// The work exceeds a limit.
    #[error("{what} {limit}{unit}")]
    Exceeded {
        /// What exceeds the limit, as the begin of a sentence that the limit ends.
        what: &'static str,
        /// The value of the limit, in `unit`.
        limit: u64,
        /// The unit of the limit.
        unit: &'static str,
        /// The option that sets the limit.
        option: &'static str,
    },
    /// The run was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl Diagnostic for BudgetError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Exceeded { option, .. } => {
                Some(format!("leave out what is not needed, or raise the limit with `{option}`"))
            }
            Self::Cancelled => None,
        }
    }
}

/// What one operation has left of its limits. Threads can share it.
pub(crate) struct Budget {
    limits: Limits,
    n_entries: AtomicU64,
    n_bytes: AtomicU64,
    n_results: AtomicU64,
    n_result_bytes: AtomicU64,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        let zero = || AtomicU64::new(0);
        Self { limits: limits.clone(), n_entries: zero(), n_bytes: zero(), n_results: zero(), n_result_bytes: zero() }
    }

    /// Counts an entry that is visited, in a directory that is `depth` directories below the first one.
    pub(crate) fn entry(&self, depth: usize) -> Result<(), BudgetError> {
        self.check_depth(depth)?;
        let n = add(&self.n_entries, 1);
        if n > self.limits.max_entries {
            return Err(self.too_many_entries());
        }
        // A look at the flag takes longer than most visits.
        if n.is_multiple_of(1024) { self.check() } else { Ok(()) }
    }

    /// Returns an error if a directory is too deep.
    pub(crate) fn check_depth(&self, depth: usize) -> Result<(), BudgetError> {
        if depth <= self.limits.max_depth {
            return Ok(());
        }
        let (what, limit) = ("the directories are in each other more often than", self.limits.max_depth as u64);
        Err(BudgetError::Exceeded { what, limit, unit: "", option: "--max-depth" })
    }

    fn too_many_entries(&self) -> BudgetError {
        let what = "the number of files and directories to visit is more than";
        BudgetError::Exceeded { what, limit: self.limits.max_entries, unit: "", option: "--max-entries" }
    }

    /// Returns an error if so many more entries and bytes exceed a limit. They are not counted.
    pub(crate) fn check_more(&self, n_entries: u64, n_bytes: u64) -> Result<(), BudgetError> {
        if self.n_entries.load(Ordering::Relaxed).saturating_add(n_entries) > self.limits.max_entries {
            return Err(self.too_many_entries());
        }
        if self.n_bytes.load(Ordering::Relaxed).saturating_add(n_bytes) > self.limits.max_bytes {
            return Err(self.too_many_bytes());
        }
        Ok(())
    }

    fn too_many_bytes(&self) -> BudgetError {
        let what = "the size of all files together is more than";
        BudgetError::Exceeded { what, limit: self.limits.max_bytes, unit: " bytes", option: "--max-bytes" }
    }

    /// Counts bytes that are written as a file.
    pub(crate) fn bytes(&self, n: u64) -> Result<(), BudgetError> {
        if add(&self.n_bytes, n) <= self.limits.max_bytes { Ok(()) } else { Err(self.too_many_bytes()) }
    }

    /// Counts a result of `n_bytes`.
    pub(crate) fn result(&self, n_bytes: u64) -> Result<(), BudgetError> {
        if add(&self.n_results, 1) > self.limits.max_results {
            let (what, limit) = ("the number of results is more than", self.limits.max_results);
            return Err(BudgetError::Exceeded { what, limit, unit: "", option: "--max-results" });
        }
        self.result_bytes(n_bytes)
    }

    /// Counts bytes of results.
    pub(crate) fn result_bytes(&self, n: u64) -> Result<(), BudgetError> {
        if add(&self.n_result_bytes, n) <= self.limits.max_result_bytes {
            return Ok(());
        }
        let (what, limit) = ("the size of the result is more than", self.limits.max_result_bytes);
        Err(BudgetError::Exceeded { what, limit, unit: " bytes", option: "--max-result-bytes" })
    }

    /// Returns an error if the run was cancelled.
    pub(crate) fn check(&self) -> Result<(), BudgetError> {
        match self.limits.is_cancelled.as_ref().is_some_and(|is_cancelled| is_cancelled()) {
            true => Err(BudgetError::Cancelled),
            false => Ok(()),
        }
    }
}

/// Adds to a counter, and returns the sum, which does not overflow.
fn add(counter: &AtomicU64, n: u64) -> u64 {
    let before = counter.load(Ordering::Relaxed);
    if before.checked_add(n).is_none() {
        return u64::MAX;
    }
    counter.fetch_add(n, Ordering::Relaxed).saturating_add(n)
}

#[cfg(test)]
mod deep_tests;
#[cfg(test)]
mod tests;
