//! Where the program writes: data to standard output, talk to standard error.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the program writes.
pub struct Io {
    /// Data only.
    pub stdout: Box<dyn Write + Send>,
    /// Everything that is said to people.
    pub stderr: Stderr,
    /// Why data could not be written.
    lost: Option<io::Error>,
}

/// Standard error, shared by whoever has something to say.
#[derive(Clone)]
pub struct Stderr {
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    is_terminal: bool,
}

impl Io {
    /// The streams of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let is_terminal = io::stderr().is_terminal();
        Self::new(Box::new(io::stdout()), Stderr::new(Box::new(io::stderr()), is_terminal))
    }

    /// Writes to these.
    #[must_use]
    pub fn new(stdout: Box<dyn Write + Send>, stderr: Stderr) -> Self {
        Self { stdout, stderr, lost: None }
    }

    /// Writes a line of data. A reader that has gone away is no error: it has seen enough.
    pub fn print(&mut self, line: &str) {
        self.print_bytes(line.as_bytes());
        self.print_bytes(b"\n");
    }

    /// Writes data as it is.
    pub fn print_bytes(&mut self, bytes: &[u8]) {
        let written = self.stdout.write_all(bytes);
        self.note(written);
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// If data was lost on the way, as on a full disk.
    pub fn finish(&mut self) -> io::Result<()> {
        let flushed = self.stdout.flush();
        self.note(flushed);
        self.lost.take().map_or(Ok(()), Err)
    }

    fn note(&mut self, written: io::Result<()>) {
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.lost.get_or_insert(error);
        }
    }

    /// Says a line to people.
    pub fn say(&self, line: &str) {
        self.stderr.line(line);
    }
}

impl Stderr {
    /// Writes to `writer`.
    #[must_use]
    pub fn new(writer: Box<dyn Write + Send>, is_terminal: bool) -> Self {
        Self { writer: Arc::new(Mutex::new(writer)), is_terminal }
    }

    /// Returns whether a person sees it at once.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes a line.
    pub fn line(&self, line: &str) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody can be told that nobody can be told anything.
        let _ = writer.write_all(format!("{line}\n").as_bytes());
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
