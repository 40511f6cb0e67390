//! From the errors of store and zone to the words of the contract.

use std::error::Error;

use backend::{Failure, FailureCode};
use graph::{Blame, Diagnostic};
use store::{EditError, ReadError};

/// Makes a failure of an error by its blame.
pub fn failure(error: &dyn Diagnostic) -> Failure {
    let (message, hint) = (chain_of(error), error.hint());
    match error.blame() {
        Blame::User | Blame::Function => Failure::Invalid { code: FailureCode::InvalidArgument, message, hint },
        Blame::Environment => Failure::Environment { message, hint },
        Blame::Bug => Failure::Bug { message },
    }
}

/// Joins a message with those of its causes, each once.
pub fn chain(error: &dyn Error) -> String {
    with_causes(error.to_string(), error.source())
}

fn chain_of(error: &dyn Diagnostic) -> String {
    with_causes(error.to_string(), error.source())
}

fn with_causes(mut message: String, mut source: Option<&dyn Error>) -> String {
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.ends_with(&text) {
            message = format!("{message}: {text}");
        }
        source = cause.source();
    }
    message
}

/// Makes a failure of a read, with the code that says what kind of mistake it is.
pub fn read_failure(error: &ReadError) -> Failure {
    let code = match error {
        ReadError::NotFound { .. } => FailureCode::NotFound,
        ReadError::NotAFile { .. } => FailureCode::NotAFile,
        ReadError::NotADirectory { .. } => FailureCode::NotADirectory,
        ReadError::LinkLoop { .. } => FailureCode::InvalidPath,
        _ => return failure(error),
    };
    Failure::Invalid { code, message: chain_of(error), hint: error.hint() }
}

/// Makes a failure of a change of a tree.
pub fn edit_failure(error: &EditError) -> Failure {
    match error {
        EditError::Read(error) => read_failure(error),
        EditError::NoMatch { .. } => {
            Failure::Invalid { code: FailureCode::NotFound, message: chain_of(error), hint: error.hint() }
        }
        _ => failure(error),
    }
}
