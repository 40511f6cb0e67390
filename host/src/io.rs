//! Where the program writes: data to standard output, everything that is said to people to standard error.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::builder::StyledStr;

use crate::config::Config;
use crate::report::Report;

/// The streams that the program writes to.
pub struct Io {
    /// Takes data, and help that was asked for.
    pub stdout: Stdout,
    /// Takes everything that is said to people.
    pub stderr: Stderr,
}

/// Standard output. Clones write to the same stream.
#[derive(Clone)]
pub struct Stdout {
    inner: Arc<Mutex<StdoutInner>>,
    is_terminal: bool,
    is_colored: bool,
}

struct StdoutInner {
    writer: Box<dyn Write + Send>,
    /// The first error that lost data.
    lost: Option<io::Error>,
}

/// Standard error. Clones write to the same stream.
#[derive(Clone)]
pub struct Stderr {
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    is_terminal: bool,
    is_colored: bool,
}

impl Io {
    /// Returns the streams of this process. Text for people is coloured where a stream is a terminal and `config`
    /// allows it.
    #[must_use]
    pub fn of_process(config: &Config) -> Self {
        let is_colored = config.is_color_allowed && !config.is_terminal_dumb;
        let mut io = Self::new(Box::new(io::stdout()), Stderr::new(Box::new(io::stderr()), io::stderr().is_terminal()));
        io.stdout.is_terminal = io::stdout().is_terminal();
        io.stdout.is_colored = io.stdout.is_terminal && is_colored;
        io.stderr.is_colored = io.stderr.is_terminal && is_colored;
        io
    }

    /// Writes to these streams, without colours.
    #[must_use]
    pub fn new(stdout: Box<dyn Write + Send>, stderr: Stderr) -> Self {
        let inner = Arc::new(Mutex::new(StdoutInner { writer: stdout, lost: None }));
        Self { stdout: Stdout { inner, is_terminal: false, is_colored: false }, stderr }
    }

    /// Writes a line of data. It is no error if the reader has closed the stream.
    pub fn print(&mut self, line: &str) {
        self.print_bytes(line.as_bytes());
        self.print_bytes(b"\n");
    }

    /// Writes data as it is.
    pub fn print_bytes(&mut self, bytes: &[u8]) {
        self.stdout.write(bytes, false);
    }

    /// Flushes standard output.
    pub fn flush(&mut self) {
        self.stdout.write(&[], true);
    }

    /// Flushes standard output at the end of the program.
    ///
    /// # Errors
    /// If any data could not be written, for example because the disk is full.
    pub fn finish(&mut self) -> io::Result<()> {
        self.stdout.write(&[], true);
        self.stdout.lock().lost.take().map_or(Ok(()), Err)
    }

    /// Writes a line to standard error.
    pub fn say(&self, line: &str) {
        self.stderr.line(line);
    }

    /// Writes help to standard output.
    pub(crate) fn print_styled(&mut self, text: &StyledStr) {
        let shown = if self.stdout.is_colored { text.ansi().to_string() } else { text.to_string() };
        self.print(shown.trim_end());
    }

    /// Writes help to standard error.
    pub(crate) fn say_styled(&self, text: &StyledStr) {
        let shown = if self.stderr.is_colored { text.ansi().to_string() } else { text.to_string() };
        self.say(shown.trim_end());
    }

    /// Writes an error to standard error.
    pub(crate) fn report(&self, report: &Report) {
        self.say(&if self.stderr.is_colored { report.render_colored() } else { report.render() });
    }
}

impl Stdout {
    /// Returns whether standard output is a terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes data as it is, and flushes it if `is_flushed` is set. [`Io::finish`] returns the first error.
    pub fn write(&self, bytes: &[u8], is_flushed: bool) {
        let mut inner = self.lock();
        let written = inner.writer.write_all(bytes);
        let written = if is_flushed { written.and_then(|()| inner.writer.flush()) } else { written };
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            inner.lost.get_or_insert(error);
        }
    }

    fn lock(&self) -> MutexGuard<'_, StdoutInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stderr {
    /// Writes to `writer`, without colours. `is_terminal` decides whether progress is redrawn.
    #[must_use]
    pub fn new(writer: Box<dyn Write + Send>, is_terminal: bool) -> Self {
        Self { writer: Arc::new(Mutex::new(writer)), is_terminal, is_colored: false }
    }

    /// Returns whether standard error is a terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes a line.
    pub fn line(&self, line: &str) {
        self.lines(format!("{line}\n").as_bytes());
    }

    /// Writes lines as they are.
    pub fn lines(&self, lines: &[u8]) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // There is no other stream to say it on that this one cannot be written.
        let _ = writer.write_all(lines);
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}
