//! What a command prints: secrets replaced, kept, passed on as it arrives.

use std::sync::{Arc, Mutex, PoisonError};

use backend::{Event, EventSink, OutputStream, Redactor};
use graph::DefinitionDigest;

/// The most bytes of each stream that are kept. A command that prints more ends its evaluation:
/// whoever prints gigabytes wants a redirect to a file.
pub(crate) const MAX_BYTES: usize = 256 << 20;

/// Takes the output of one command.
pub(crate) struct Output {
    vertex: DefinitionDigest,
    events: EventSink,
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
pub(crate) struct Printed {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// In the order in which it arrived.
    pub(crate) combined: Vec<u8>,
    /// More than [`MAX_BYTES`] came, and the rest was thrown away.
    pub(crate) is_cut: bool,
}

impl Output {
    /// Makes a collector that replaces these secrets.
    pub(crate) fn new(vertex: DefinitionDigest, secrets: &[Vec<u8>], events: EventSink) -> Arc<Self> {
        let stream =
            || Stream { redactor: Redactor::new(secrets.iter().map(Vec::as_slice)), bytes: Vec::new(), is_full: false };
        let state = State { stdout: stream(), stderr: stream(), combined: Vec::new() };
        Arc::new(Self { vertex, events, state: Mutex::new(state) })
    }

    /// Takes what arrived on a stream.
    pub(crate) fn push(&self, stream: OutputStream, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = state.stream(stream).redactor.push(bytes);
        self.keep(&mut state, stream, &shown);
    }

    /// Ends both streams and returns what was printed.
    pub(crate) fn finish(&self) -> Printed {
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
        if target.bytes.len() + shown.len() > MAX_BYTES {
            target.is_full = true;
            return;
        }
        target.bytes.extend_from_slice(shown);
        state.combined.extend_from_slice(shown);
        (self.events)(Event::Output { vertex: self.vertex, stream, bytes: shown.into() });
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
        let output = Output::new(graph::Vertex::scratch().digest(), &[b"hunter2".to_vec()], Arc::new(|_| ()));
        output.push(OutputStream::Stdout, b"a hun");
        output.push(OutputStream::Stderr, b"oops\n");
        output.push(OutputStream::Stdout, b"ter2\n");
        let printed = output.finish();
        assert_eq!(printed.stdout, b"a ***\n");
        assert_eq!(printed.stderr, b"oops\n");
        assert_eq!(printed.combined, b"a oops\n***\n");
    }
}
