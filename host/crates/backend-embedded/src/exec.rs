//! Runs one command: gather, prepare, run, collect, record.
//!
//! - *gather* lays out the inputs and looks up users and secrets;
//! - *prepare* makes the step from the operation, without IO;
//! - *run* has the zone run it, with what it prints passed on;
//! - *collect* makes trees and layers of what it wrote;
//! - *record* (of the engine) writes the result down under its key.

mod collect;
mod gather;
mod output;
pub(crate) mod prepare;
mod user;
mod volumes;

use std::sync::Arc;

use backend::{Event, ExecFailure, ExecStatus, Failure, tail};
use graph::{ExecOp, Op, Vertex};
use tokio_util::sync::CancellationToken;

use crate::engine::{Engine, Found, Job};
use crate::value::Value;
use trees::failure::failure;
use zone::{ExecReply, ExecSpec, ZoneError};

pub(crate) use collect::{NAME, ingest};
use gather::Work;
use output::{Output, Printed};

/// Evaluates a command.
pub(crate) async fn evaluate(
    engine: &Arc<Engine>,
    vertex: &Arc<Vertex>,
    inputs: &[Value],
    job: &Job,
    cancel: CancellationToken,
) -> Result<(Value, Found), Failure> {
    let Op::Exec(op) = vertex.op() else { return Err(Failure::bug("this operation is no command")) };
    check(op)?;
    // One process at a time evaluates a key; whoever waited finds the result of the other.
    let _lock = match job.key {
        Some(key) if job.is_reusable() => {
            let lock = crate::locks::key(engine, key, &cancel).await?;
            if lock.has_waited
                && let Some(value) = engine.recorded(key)?
            {
                return Ok((value, Found::ByAnother));
            }
            Some(lock)
        }
        _ => None,
    };
    let mut work = gather::gather(engine, vertex, op, inputs).await?;
    let spec = prepare::prepare(op, engine.io.is_network_allowed, work.take_gathered()?);
    let output = Output::new(vertex.digest(), &work.secrets, Arc::clone(&engine.io.events));
    let reply = run(engine, &spec, &output, &cancel).await?;
    let printed = output.finish();
    let code = accept(vertex, op, &reply, &printed).inspect_err(|failure| {
        if let (Failure::Exec(failure), Some(cause)) = (failure, &reply.without_network) {
            // Whether it needed a way out is not known; that it failed is a reason to say that there was none.
            let command = graph::op::shell_words(&failure.args);
            let message = format!("`{command}` failed, and had no way out to the network: {cause}");
            (engine.io.events)(Event::Warning { message });
        }
    })?;
    let value = collect::collect(engine, work, reply, code, printed).await?;
    engine.record(vertex, job, &value)?;
    Ok((value, Found::Made))
}

/// Refuses what cannot be run, before anything is laid out.
fn check(op: &ExecOp) -> Result<(), Failure> {
    let refuse = |message: String| Err(Failure::invalid(backend::FailureCode::InvalidArgument, message));
    let machine = graph::Platform::of_this_machine();
    if op.platform.os != machine.os || op.platform.architecture != machine.architecture {
        let message = format!("platform `{}` cannot be run on this machine, which is `{machine}`", op.platform);
        return Err(Failure::invalid(backend::FailureCode::Unavailable, message));
    }
    let words = op.args.iter().chain(op.env.iter().flat_map(|(name, value)| [name, value]));
    if let Some(word) = words.into_iter().find(|word| word.contains('\0')) {
        return refuse(format!("argument or variable {word:?} has a NUL byte, which no command can get"));
    }
    Ok(())
}

async fn run(
    engine: &Engine,
    spec: &ExecSpec,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<ExecReply, Failure> {
    let zone = engine.zones.get().await?;
    let ran = zone.exec(spec, cancel, |stream, bytes| output.push(stream, bytes)).await;
    ran.map_err(|error| match error {
        ZoneError::Limits { .. } => {
            let (message, hint) = (error.to_string(), graph::Diagnostic::hint(&error));
            Failure::Invalid { code: backend::FailureCode::Incapable, message, hint }
        }
        error => failure(&error),
    })
}

/// Returns the exit code of a command that did what was expected.
fn accept(vertex: &Vertex, op: &ExecOp, reply: &ExecReply, printed: &Printed) -> Result<i32, Failure> {
    match reply.status {
        ExecStatus::Cancelled => return Err(Failure::Cancelled),
        ExecStatus::Exited { code } if op.expect.accepts(code) => {
            if printed.is_cut {
                let message = format!(
                    "command `{}` printed more than {} MiB",
                    graph::op::shell_words(&op.args),
                    output::MAX_BYTES >> 20
                );
                let hint = Some("redirect its output to a file".to_owned());
                return Err(Failure::Invalid { code: backend::FailureCode::InvalidArgument, message, hint });
            }
            return Ok(code);
        }
        ExecStatus::Exited { .. }
        | ExecStatus::Killed { .. }
        | ExecStatus::TimedOut { .. }
        | ExecStatus::OutOfMemory => {}
    }
    Err(Failure::Exec(Box::new(ExecFailure {
        vertex: vertex.digest(),
        args: op.args.clone(),
        status: reply.status,
        stdout_tail: tail(&printed.stdout),
        stderr_tail: tail(&printed.stderr),
    })))
}

impl Drop for Work {
    /// Leaves nothing behind, however the command ended.
    fn drop(&mut self) {
        self.remove();
    }
}
