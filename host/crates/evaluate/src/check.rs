//! Refuses what no engine can evaluate, before anything is made for it.

use engine::{Failure, FailureCode};
use graph::{ExecOp, FailOp, Op, Platform, SourceOp};

/// Returns the failure of an operation that has no value with any engine: a mistake that was made into a vertex, or a
/// source that this version does not have.
#[must_use]
pub fn never(op: &Op) -> Option<Failure> {
    match op {
        Op::Fail(FailOp { code, message }) => {
            let code = FailureCode::parse(code).unwrap_or(FailureCode::Custom);
            Some(Failure::invalid(code, message))
        }
        Op::Source(SourceOp::Git { .. } | SourceOp::Http { .. }) => {
            let message = format!("source `{}` is not available in this version", op.describe());
            Some(Failure::invalid(FailureCode::Unavailable, message))
        }
        _ => None,
    }
}

/// Refuses a command that no machine can run.
///
/// # Errors
/// `InvalidArgument` for a word with a NUL byte in it.
pub fn command(op: &ExecOp) -> Result<(), Failure> {
    let env = op.env.entries();
    let words = op.args.iter().map(String::as_str).chain(env.iter().flat_map(|(name, value)| [*name, *value]));
    if let Some(word) = words.into_iter().find(|word| word.contains('\0')) {
        let message = format!("argument or variable {word:?} has a NUL byte, which no command can get");
        return Err(Failure::invalid(FailureCode::InvalidArgument, message));
    }
    Ok(())
}

/// Refuses a command of another platform. `place` says where commands run, as in `on this machine`.
///
/// # Errors
/// `Unavailable`.
pub fn platform(op: &ExecOp, machine: &Platform, place: &str) -> Result<(), Failure> {
    if (&op.platform.os, &op.platform.architecture) == (&machine.os, &machine.architecture) {
        return Ok(());
    }
    let message = format!("platform `{}` cannot be run {place}, which is `{machine}`", op.platform);
    Err(Failure::invalid(FailureCode::Unavailable, message))
}

/// Makes the failure of an engine whose commands run on another machine's files, where the directories of this machine
/// are asked for.
#[must_use]
pub fn machine_refused() -> Failure {
    Failure::Invalid {
        code: FailureCode::Incapable,
        message: "the directories of this machine cannot be used with Docker".to_owned(),
        hint: Some("use `--engine embedded`, or start from an image".to_owned()),
    }
}

/// Makes the failure of an evaluation that ended without a result, which only a panic can be the reason of.
#[must_use]
pub fn lost(op: &Op) -> Failure {
    Failure::bug(format!("evaluation of `{}` ended without a result", op.describe()))
}
