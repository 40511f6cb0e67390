//! The output of guests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::report;
use crate::trap::Stop;

/// The number of bytes that a guest may write at once. It asks again after each write.
const PERMIT_BYTES: usize = 64 * 1024;

/// Takes output of a guest while the guest runs. Standard error comes in whole lines.
pub type ByteSink = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// The output of a guest: the lines of both streams, in the order in which they ended.
#[derive(Clone)]
pub(crate) struct Output {
    shared: Arc<Shared>,
}

struct Shared {
    lines: Mutex<Lines>,
    sink: Mutex<Option<ByteSink>>,
    /// Takes the standard output of a program as it is written.
    stdout: Option<ByteSink>,
    limit_bytes: u64,
}

#[derive(Default)]
struct Lines {
    /// The lines that have ended.
    kept: Vec<u8>,
    /// The unfinished line of each stream.
    partial: [Vec<u8>; 2],
    n_bytes: u64,
    /// Whether the runtime of the guest's language has panicked. What follows is about that runtime.
    is_over: bool,
}

/// An output stream of the guest.
#[derive(Debug, Clone, Copy)]
enum Stream {
    Stdout,
    Stderr,
}

impl Lines {
    fn partial(&mut self, stream: Stream) -> &mut Vec<u8> {
        let [stdout, stderr] = &mut self.partial;
        match stream {
            Stream::Stdout => stdout,
            Stream::Stderr => stderr,
        }
    }

    /// Adds bytes of a stream, and returns the lines that they end.
    fn add(&mut self, stream: Stream, bytes: &[u8]) -> Vec<u8> {
        self.n_bytes += bytes.len() as u64;
        let partial = self.partial(stream);
        partial.extend_from_slice(bytes);
        let end = partial.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let ended: Vec<u8> = partial.drain(..end).collect();
        self.kept.extend_from_slice(&ended);
        ended
    }

    /// Returns of lines that have ended those that people are told.
    fn told(&mut self, lines: &[u8]) -> Vec<u8> {
        let mut told = Vec::new();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            if !self.is_over && report::begins_panic_of_runtime(&String::from_utf8_lossy(line)) {
                self.is_over = true;
                // A panic begins with an empty line.
                if told == b"\n" || told.ends_with(b"\n\n") {
                    told.pop();
                }
            }
            if !self.is_over {
                told.extend_from_slice(line);
            }
        }
        told
    }

    /// Ends the unfinished lines and returns them.
    fn finish(&mut self) -> Vec<u8> {
        let mut ended = Vec::new();
        for partial in &mut self.partial {
            if !partial.is_empty() {
                ended.append(partial);
                ended.push(b'\n');
            }
        }
        self.kept.extend_from_slice(&ended);
        ended
    }
}

impl Output {
    /// Makes an output that keeps at most `limit_bytes` and passes lines on to a sink.
    pub(crate) fn new(limit_bytes: u64, sink: Option<ByteSink>) -> Self {
        let sink = Mutex::new(sink);
        Self { shared: Arc::new(Shared { lines: Mutex::default(), sink, stdout: None, limit_bytes }) }
    }

    /// Makes an output that passes standard output on as it is written, without a limit, and treats standard error
    /// like [`new`](Self::new).
    pub(crate) fn of_program(limit_bytes: u64, stdout: ByteSink, sink: Option<ByteSink>) -> Self {
        let sink = Mutex::new(sink);
        Self { shared: Arc::new(Shared { lines: Mutex::default(), sink, stdout: Some(stdout), limit_bytes }) }
    }

    /// Continues as the output of another call of the same instance: everything printed from now on belongs to that
    /// call.
    pub(crate) fn pass_to(&self, call: &Self) {
        *self.sink() = call.sink().clone();
        *self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner) = Lines::default();
    }

    fn sink(&self) -> MutexGuard<'_, Option<ByteSink>> {
        self.shared.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, stream: Stream, bytes: &[u8]) -> Result<(), Stop> {
        if let (Stream::Stdout, Some(stdout)) = (stream, &self.shared.stdout) {
            stdout(bytes);
            return Ok(());
        }
        let (ended, n_bytes) = {
            let mut lines = self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = lines.add(stream, bytes);
            (lines.told(&ended), lines.n_bytes)
        };
        self.pass_on(&ended);
        if n_bytes > self.shared.limit_bytes { Err(Stop::TooMuchOutput) } else { Ok(()) }
    }

    /// Ends the last line and returns everything that was kept.
    pub(crate) fn finish(&self) -> Vec<u8> {
        let (ended, kept) = {
            let mut lines = self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = lines.finish();
            (lines.told(&ended), std::mem::take(&mut lines.kept))
        };
        self.pass_on(&ended);
        kept
    }

    fn pass_on(&self, lines: &[u8]) {
        let sink = self.sink().clone().filter(|_| !lines.is_empty());
        if let Some(sink) = sink {
            sink(lines);
        }
    }

    /// Returns the stream that WASI uses for standard output.
    pub(crate) fn stdout(&self) -> Printer {
        Printer { output: self.clone(), stream: Stream::Stdout }
    }

    /// Returns the stream that WASI uses for standard error.
    pub(crate) fn stderr(&self) -> Printer {
        Printer { output: self.clone(), stream: Stream::Stderr }
    }
}

/// One output stream of a guest.
#[derive(Clone)]
pub(crate) struct Printer {
    output: Output,
    stream: Stream,
}

impl IsTerminal for Printer {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printer {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this stream, and the linker does not have WASI 0.3.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Printer {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for Printer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.output.write(self.stream, &bytes).map_err(|stop| StreamError::Trap(wasmtime::Error::new(stop)))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_two_streams_do_not_mix_and_arrive_when_they_end() {
        let heard = Arc::new(Mutex::new(Vec::<String>::new()));
        let sink: ByteSink = {
            let heard = Arc::clone(&heard);
            Arc::new(move |bytes| heard.lock().unwrap().push(String::from_utf8_lossy(bytes).into_owned()))
        };
        let output = Output::new(100, Some(sink));
        output.write(Stream::Stderr, b"one ").unwrap();
        output.write(Stream::Stdout, b"out\nmore").unwrap();
        output.write(Stream::Stderr, b"line\n").unwrap();
        assert_eq!(output.finish(), b"out\none line\nmore\n");
        assert_eq!(*heard.lock().unwrap(), ["out\n", "one line\n", "more\n"]);
    }

    #[test]
    fn the_panic_of_a_runtime_is_kept_and_not_told() {
        let heard = Arc::new(Mutex::new(String::new()));
        let sink: ByteSink = {
            let heard = Arc::clone(&heard);
            Arc::new(move |bytes| heard.lock().unwrap().push_str(&String::from_utf8_lossy(bytes)))
        };
        let output = Output::new(1000, Some(sink));
        let panic = "\nthread '<unnamed>' (1) panicked at runtime/src/lib.rs:7:5:\ncalled `Result::unwrap()`\n";
        for part in ["ValueError: x\n", panic, "note: no backtrace\nrest"] {
            output.write(Stream::Stderr, part.as_bytes()).unwrap();
        }
        assert!(output.finish().ends_with(b"note: no backtrace\nrest\n"));
        assert_eq!(*heard.lock().unwrap(), "ValueError: x\n");
        // The panic of a guest in Rust is its own.
        let own = Lines::default().told(b"thread 'main' (1) panicked at src/lib.rs:7:5:\n");
        assert!(!own.is_empty());
    }

    #[test]
    fn too_much_output_is_an_error() {
        let output = Output::new(3, None);
        output.write(Stream::Stderr, b"abc").unwrap();
        assert!(matches!(output.write(Stream::Stdout, b"d"), Err(Stop::TooMuchOutput)));
    }

    #[test]
    fn an_instance_prints_for_the_call_that_it_is_in() {
        let said = Arc::new(Mutex::new(String::new()));
        let sink = |call: &'static str| -> ByteSink {
            let said = Arc::clone(&said);
            Arc::new(move |bytes| {
                let line = format!("{call}: {}", String::from_utf8_lossy(bytes));
                said.lock().unwrap().push_str(&line);
            })
        };
        let instance = Output::new(10, Some(sink("first")));
        instance.write(Stream::Stderr, b"12345678\n").unwrap();
        assert_eq!(instance.finish(), b"12345678\n");
        instance.pass_to(&Output::new(10, Some(sink("second"))));
        instance.write(Stream::Stderr, b"abcdefgh\n").unwrap();
        assert_eq!(instance.finish(), b"abcdefgh\n");
        assert_eq!(*said.lock().unwrap(), "first: 12345678\nsecond: abcdefgh\n");
    }
}
