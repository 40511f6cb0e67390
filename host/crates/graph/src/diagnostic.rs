//! The fault behind an error, and the way out.

/// The party at fault. The list is closed: every error that reaches a person names one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// The caller: a wrong flag, path or manifest.
    User,
    /// The author of the stage function, or of the command that it runs.
    Function,
    /// The machine: a missing tool, a full disk, a missing permission.
    Environment,
    /// This program: the error is a bug in it.
    Bug,
}

/// Returns whether an error of the system says that a disk is full, or that the quota of the user is used up.
#[must_use]
pub fn is_no_space(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

/// The hint for a full disk of which nothing more is known.
pub const NO_SPACE_HINT: &str = "free some space on that disk";

/// An error that can reach a person: it says who is at fault and what to do.
pub trait Diagnostic: std::error::Error {
    /// Returns the party at fault.
    fn blame(&self) -> Blame;

    /// Returns the way out, if there is one, as a sentence without a full stop.
    fn hint(&self) -> Option<String> {
        None
    }
}

impl<D: Diagnostic + ?Sized> Diagnostic for &D {
    fn blame(&self) -> Blame {
        (**self).blame()
    }

    fn hint(&self) -> Option<String> {
        (**self).hint()
    }
}
