//! How a command ended, and the failure that it is.

use backend::{ExecFailure, ExecResult, ExecStatus, Failure, FailureCode, OutputRef};
use graph::{ExecOp, Stdin, TreePath, Vertex};
use store::{Owned, Store};
use trees::failure::failure;

use crate::images::ingest::Directory;
use crate::step::trailer::{End, Trailer};

/// What Docker says of a container that has ended.
pub(crate) struct Ended {
    pub(crate) code: i64,
    /// The kernel ended something of it for lack of memory.
    pub(crate) is_out_of_memory: bool,
    /// Docker's own words, if it could not run it.
    pub(crate) error: String,
}

/// What the shim wrote of a command that did what was expected.
pub(crate) struct Left {
    pub(crate) exec: ExecResult,
    /// The mode and the owner of the root.
    pub(crate) root: Owned,
}

/// Makes the failure of a command that did not do what was expected; `after_ms` is its time-out.
pub(crate) fn refused(vertex: &Vertex, op: &ExecOp, ended: &Ended, trailer: Option<Trailer>, after_ms: u64) -> Failure {
    let exec = |status, stdout_tail, stderr_tail| {
        let (vertex, args) = (vertex.digest(), op.args.clone());
        Failure::Exec(Box::new(ExecFailure { vertex, args, status, stdout_tail, stderr_tail }))
    };
    let Some(trailer) = trailer else {
        if ended.is_out_of_memory {
            return exec(ExecStatus::OutOfMemory, String::new(), String::new());
        }
        let args = graph::op::shell_words(&op.args);
        let why = if ended.error.is_empty() { format!("it ended with {}", ended.code) } else { ended.error.clone() };
        return Failure::environment(
            format!("Docker could not run `{args}`: {why}"),
            Some("`--engine embedded` runs commands without Docker"),
        );
    };
    match trailer.end.status(after_ms) {
        Some(ExecStatus::Exited { .. } | ExecStatus::Killed { .. }) if ended.is_out_of_memory => {
            exec(ExecStatus::OutOfMemory, trailer.stdout, trailer.stderr)
        }
        Some(status) => exec(status, trailer.stdout, trailer.stderr),
        None => refusal(op, trailer.end),
    }
}

/// Makes the failure of a command that was not run, or whose output is not kept.
fn refusal(op: &ExecOp, end: End) -> Failure {
    let (user, group) = op.user.as_deref().unwrap_or_default().split_once(':').unwrap_or_else(|| {
        let user = op.user.as_deref().unwrap_or_default();
        (user, "")
    });
    let path = |path: Option<&TreePath>| path.map(TreePath::to_absolute).unwrap_or_default();
    let invalid = |message: String| Failure::invalid(FailureCode::InvalidArgument, message);
    match end {
        End::NoInput => {
            let from = if let Stdin::File(from) = &op.stdin { path(Some(from)) } else { String::new() };
            invalid(format!("cannot read the standard input from `{from}`: it is not a file"))
        }
        End::NoRedirect { is_stderr } => {
            let to = path(if is_stderr { op.redirect_stderr.as_ref() } else { op.redirect_stdout.as_ref() });
            invalid(format!("cannot write the output to `{to}`: it is a directory, or is in none"))
        }
        End::NoDirectory => Failure::invalid(
            FailureCode::NotADirectory,
            format!("the working directory `{}` is not a directory", op.cwd.to_absolute()),
        ),
        End::NoUser => invalid(format!("user `{user}` is not in the container's `/etc/passwd`")),
        End::NoGroup => invalid(format!("group `{group}` is not in the container's `/etc/group`")),
        End::NoSize => Failure::bug("Docker made a directory in memory that is larger than it was asked to"),
        _ => Failure::Invalid {
            code: FailureCode::InvalidArgument,
            message: format!("command `{}` printed more than 256 MiB", graph::op::shell_words(&op.args)),
            hint: Some("redirect its output to a file".to_owned()),
        },
    }
}

/// Reads what the shim wrote.
pub(crate) fn left(store: &Store, files: &Directory) -> Result<Left, Failure> {
    let missing = |name: &str| Failure::bug(format!("a command left no `{name}`"));
    let output = |name: &str| -> Result<OutputRef, Failure> {
        let digest = files.file(name).ok_or_else(|| missing(name))?;
        let (_, size_bytes, _) = store.open_blob(&digest).map_err(|error| failure(&error))?;
        Ok(OutputRef { digest, size_bytes })
    };
    let text = |name: &str| -> Result<String, Failure> {
        let bytes = store.read_blob(&output(name)?.digest).map_err(|error| failure(&error))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let roots = text("roots")?;
    let mut numbers = roots.split_whitespace().map_while(|number| number.parse().ok());
    let root = match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(mode), Some(uid), Some(gid)) => Owned { mode, uid, gid },
        _ => return Err(missing("roots")),
    };
    let exit_code = text("status")?.trim().parse().map_err(|_| missing("status"))?;
    let exec =
        ExecResult { exit_code, stdout: output("stdout")?, stderr: output("stderr")?, combined: output("combined")? };
    Ok(Left { exec, root })
}
