//! From the errors of reading and changing trees to failures with the code that says what kind of mistake it is.

use engine::{Failure, FailureCode, chain};
use graph::Diagnostic as _;
use store::{EditError, ReadError};

/// Makes a failure of a read.
pub fn read_failure(error: ReadError) -> Failure {
    let code = match error {
        ReadError::NotFound { .. } => FailureCode::NotFound,
        ReadError::NotAFile { .. } => FailureCode::NotAFile,
        ReadError::NotADirectory { .. } => FailureCode::NotADirectory,
        ReadError::LinkLoop { .. } => FailureCode::InvalidPath,
        _ => return Failure::of(error),
    };
    Failure::Invalid { code, message: chain(&error), hint: error.hint() }
}

/// Makes a failure of a change of a tree.
pub fn edit_failure(error: EditError) -> Failure {
    match error {
        EditError::Read(error) => read_failure(error),
        EditError::NoMatch { .. } => {
            Failure::Invalid { code: FailureCode::NotFound, message: chain(&error), hint: error.hint() }
        }
        _ => Failure::of(error),
    }
}
