//! How a command ended, and the failure that this is.

use engine::{ExecFailure, ExecResult, ExecStatus, Failure, FailureCode};
use graph::{ExecOp, Stdin, TreePath, Vertex};

use crate::value::Tree;

/// How a command ended.
#[derive(Debug)]
pub enum Ended<F> {
    /// It exited with a code that is expected.
    Done {
        /// What it left besides files.
        exec: ExecResult,
        /// What became of the trees that it could write to, in the order of
        /// [`Command::writable`](crate::Command::writable).
        trees: Vec<Tree<F>>,
    },
    /// It ended in another way.
    Failed {
        /// How it ended.
        status: ExecStatus,
        /// The end of its standard output, secrets replaced; see `engine::tail`.
        stdout_tail: String,
        /// The end of its standard error, secrets replaced.
        stderr_tail: String,
    },
    /// It was not run, or its output is not kept.
    Refused(Refusal),
}

/// Why a command was not run, or why its output is not kept. What was asked for is to blame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Its standard input is not a file.
    Input,
    /// Its standard input is a file that is not there.
    NoInput,
    /// Its working directory is not a directory.
    Directory,
    /// Its user is not in the container's `/etc/passwd`.
    User,
    /// Its group is not in the container's `/etc/group`.
    Group,
    /// A file that was to get its output cannot be written.
    Redirect {
        /// Whether it was to get standard error.
        is_stderr: bool,
    },
    /// It printed more than is kept.
    Flood {
        /// The most bytes of a stream that are kept.
        limit_bytes: usize,
    },
}

impl Refusal {
    /// Makes the failure of a command.
    #[must_use]
    pub fn failure(&self, op: &ExecOp) -> Failure {
        let invalid = |message: String| Failure::invalid(FailureCode::InvalidArgument, message);
        let path = |path: Option<&TreePath>| path.map(TreePath::to_absolute).unwrap_or_default();
        let user = op.user.as_deref().unwrap_or("0");
        match self {
            Self::Input | Self::NoInput => {
                let from = if let Stdin::File(from) = &op.stdin { path(Some(from)) } else { String::new() };
                let (code, why) = match self {
                    Self::NoInput => (FailureCode::NotFound, "nothing is there"),
                    _ => (FailureCode::InvalidArgument, "it is not a file"),
                };
                Failure::invalid(code, format!("cannot read the standard input from `{from}`: {why}"))
            }
            Self::Directory => {
                let message = format!("the working directory `{}` is not a directory", op.cwd.to_absolute());
                Failure::invalid(FailureCode::NotADirectory, message)
            }
            Self::User => {
                let name = user.split(':').next().unwrap_or_default();
                invalid(format!("user `{name}` is not in the container's `/etc/passwd`"))
            }
            Self::Group => {
                let name = user.split_once(':').map_or("", |(_, group)| group);
                invalid(format!("group `{name}` is not in the container's `/etc/group`"))
            }
            Self::Redirect { is_stderr } => {
                let to = path(if *is_stderr { op.redirect_stderr.as_ref() } else { op.redirect_stdout.as_ref() });
                invalid(format!("cannot write the output to `{to}`: it is a directory, or is in none"))
            }
            Self::Flood { limit_bytes } => Failure::Invalid {
                code: FailureCode::InvalidArgument,
                message: format!(
                    "command `{}` printed more than {}",
                    graph::op::shell_words(&op.args),
                    size(*limit_bytes)
                ),
                hint: Some("redirect its output to a file".to_owned()),
            },
        }
    }
}

/// Writes a number of bytes, in MiB if there is no rest.
fn size(n_bytes: usize) -> String {
    match n_bytes % (1 << 20) {
        0 => format!("{} MiB", n_bytes >> 20),
        _ => format!("{n_bytes} bytes"),
    }
}

/// Makes the failure of a command that did not do what was expected.
#[must_use]
pub fn exec_failure(
    vertex: &Vertex,
    op: &ExecOp,
    status: ExecStatus,
    stdout_tail: String,
    stderr_tail: String,
) -> Failure {
    if status == ExecStatus::Cancelled {
        return Failure::Cancelled;
    }
    let (vertex, args) = (vertex.digest(), op.args.clone());
    Failure::Exec(Box::new(ExecFailure { vertex, args, status, stdout_tail, stderr_tail }))
}

#[cfg(test)]
mod tests {
    use graph::{Expect, Limits, Pairs, Platform, Reuse};

    use super::*;

    fn op() -> ExecOp {
        ExecOp {
            args: vec!["make".into()],
            env: Pairs::default(),
            volatile_env: Pairs::default(),
            secret_env: Vec::new(),
            cwd: TreePath::parse("src").unwrap(),
            user: Some("app:staff".into()),
            platform: Platform::of_this_machine(),
            mounts: Vec::new(),
            stdin: Stdin::File(TreePath::parse("in").unwrap()),
            redirect_stdout: Some(TreePath::parse("out").unwrap()),
            redirect_stderr: Some(TreePath::parse("err").unwrap()),
            expect: Expect::Any,
            timeout: None,
            network: false,
            reuse: Reuse::Allowed,
            limits: Limits::default(),
            new_privileges: true,
        }
    }

    #[test]
    fn every_refusal_names_what_was_asked_for() {
        let check = |refusal: Refusal, expect: &str| assert_eq!(refusal.failure(&op()).to_string(), expect);
        check(Refusal::Input, "cannot read the standard input from `/in`: it is not a file");
        check(Refusal::NoInput, "cannot read the standard input from `/in`: nothing is there");
        check(Refusal::Directory, "the working directory `/src` is not a directory");
        check(Refusal::User, "user `app` is not in the container's `/etc/passwd`");
        check(Refusal::Group, "group `staff` is not in the container's `/etc/group`");
        let redirect = |is_stderr| Refusal::Redirect { is_stderr };
        check(redirect(false), "cannot write the output to `/out`: it is a directory, or is in none");
        check(redirect(true), "cannot write the output to `/err`: it is a directory, or is in none");
        let flood = |limit_bytes| Refusal::Flood { limit_bytes };
        check(flood(engine::MAX_OUTPUT_BYTES), "command `make` printed more than 256 MiB");
        check(flood(70_000), "command `make` printed more than 70000 bytes");
    }
}
