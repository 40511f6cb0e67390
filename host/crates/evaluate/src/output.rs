//! What a command prints: secrets replaced, kept, and passed on as it arrives.

use std::sync::{Mutex, PoisonError};

use engine::{Event, EventSink, ExecResult, Failure, OutputRef, OutputStream, Redactor};
use graph::DefinitionDigest;
use store::Store;
use tokio_util::sync::CancellationToken;

/// Tells the session what happens to one command while it runs.
#[derive(Clone)]
pub struct Report {
    vertex: DefinitionDigest,
    events: EventSink,
}

/// Takes the output of one command: replaces secrets in it, passes it on and keeps it.
pub struct Output {
    report: Report,
    /// The most bytes of a stream that are kept.
    limit_bytes: usize,
    /// Stops the command.
    stop: CancellationToken,
    state: Mutex<State>,
}

struct State {
    stdout: Stream,
    stderr: Stream,
    combined: Vec<u8>,
}

struct Stream {
    redactor: Redactor,
    bytes: Vec<u8>,
    is_full: bool,
}

/// What a command printed, secrets replaced.
#[derive(Debug, Default)]
pub struct Printed {
    /// All of standard output.
    pub stdout: Vec<u8>,
    /// All of standard error.
    pub stderr: Vec<u8>,
    /// Both, in the order in which they arrived.
    pub combined: Vec<u8>,
    /// Whether more than the limit came, and the rest was thrown away.
    pub is_cut: bool,
}

impl Report {
    /// Makes a report of a vertex that sends its events there.
    #[must_use]
    pub fn new(vertex: DefinitionDigest, events: EventSink) -> Self {
        Self { vertex, events }
    }

    /// Passes on what the command printed. Secrets in it are replaced already.
    pub fn printed(&self, stream: OutputStream, bytes: &[u8]) {
        if !bytes.is_empty() {
            (self.events)(Event::Output { vertex: self.vertex, stream, bytes: bytes.into() });
        }
    }

    /// Passes on something that a person should know, in one sentence.
    pub fn warn(&self, message: String) {
        (self.events)(Event::Warning { message });
    }
}

impl Output {
    /// Makes a collector that replaces these secrets. It triggers `stop` when a stream exceeds `limit_bytes`: a command
    /// that prints without end would never end.
    #[must_use]
    pub fn new(report: Report, secrets: &[Vec<u8>], limit_bytes: usize, stop: CancellationToken) -> Self {
        let stream =
            || Stream { redactor: Redactor::new(secrets.iter().map(Vec::as_slice)), bytes: Vec::new(), is_full: false };
        let state = Mutex::new(State { stdout: stream(), stderr: stream(), combined: Vec::new() });
        Self { report, limit_bytes, stop, state }
    }

    /// Takes what arrived on a stream.
    pub fn push(&self, stream: OutputStream, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = state.stream(stream).redactor.push(bytes);
        self.keep(&mut state, stream, &shown);
    }

    /// Ends both streams and returns what was printed.
    pub fn finish(&self) -> Printed {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            let rest = state.stream(stream).redactor.finish();
            self.keep(&mut state, stream, &rest);
        }
        Printed {
            is_cut: state.stdout.is_full || state.stderr.is_full,
            stdout: std::mem::take(&mut state.stdout.bytes),
            stderr: std::mem::take(&mut state.stderr.bytes),
            combined: std::mem::take(&mut state.combined),
        }
    }

    fn keep(&self, state: &mut State, stream: OutputStream, shown: &[u8]) {
        if shown.is_empty() {
            return;
        }
        let target = state.stream(stream);
        if target.bytes.len() + shown.len() > self.limit_bytes {
            target.is_full = true;
            self.stop.cancel();
            return;
        }
        target.bytes.extend_from_slice(shown);
        state.combined.extend_from_slice(shown);
        self.report.printed(stream, shown);
    }
}

impl Printed {
    /// Keeps it in the store, as what a command left that exited with this code.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn store(&self, store: &Store, exit_code: i32) -> Result<ExecResult, Failure> {
        let keep = |bytes: &[u8]| -> Result<OutputRef, Failure> {
            let digest = store.put_blob(bytes).map_err(Failure::of)?;
            Ok(OutputRef { digest, size_bytes: bytes.len() as u64 })
        };
        let (stdout, stderr) = (keep(&self.stdout)?, keep(&self.stderr)?);
        Ok(ExecResult { exit_code, stdout, stderr, combined: keep(&self.combined)? })
    }
}

impl State {
    fn stream(&mut self, stream: OutputStream) -> &mut Stream {
        match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_kept_apart_and_together_without_secrets() {
        let report = Report::new(graph::Vertex::scratch().digest(), std::sync::Arc::new(|_| ()));
        let output = Output::new(report, &[b"hunter2".to_vec()], 100, CancellationToken::new());
        output.push(OutputStream::Stdout, b"a hun");
        output.push(OutputStream::Stderr, b"oops\n");
        output.push(OutputStream::Stdout, b"ter2\n");
        let printed = output.finish();
        assert_eq!(printed.stdout, b"a ***\n");
        assert_eq!(printed.stderr, b"oops\n");
        assert_eq!(printed.combined, b"a oops\n***\n");
    }

    #[test]
    fn a_command_that_prints_too_much_is_stopped() {
        let report = Report::new(graph::Vertex::scratch().digest(), std::sync::Arc::new(|_| ()));
        let stop = CancellationToken::new();
        let output = Output::new(report, &[], 400, stop.clone());
        let chunk = [b'x'; 100];
        for n_chunks in 1..=5 {
            assert!(!stop.is_cancelled(), "stopped after {} bytes", (n_chunks - 1) * chunk.len());
            output.push(OutputStream::Stderr, &chunk);
        }
        assert!(stop.is_cancelled());
        let printed = output.finish();
        assert!(printed.is_cut);
        assert_eq!(printed.stderr.len(), 400);
    }
}
