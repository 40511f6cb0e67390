//! Whose fault an error is, and the way out.

/// Whose fault an error is. Closed: every error that reaches a person has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// Who called: a wrong flag, path, manifest.
    User,
    /// Who wrote the stage function or the command that it runs.
    Function,
    /// The machine: a missing tool, a full disk, no permission.
    Environment,
    /// This program.
    Bug,
}

/// What every error that can reach a person says besides its message.
pub trait Diagnostic: std::error::Error {
    /// Returns whose fault it is.
    fn blame(&self) -> Blame;

    /// Returns the way out, as a sentence without a full stop, where there is one.
    fn hint(&self) -> Option<String> {
        None
    }
}
