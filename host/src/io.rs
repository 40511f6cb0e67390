//! Where the program writes: data to standard output, talk to standard error.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the program writes.
pub struct Io {
    /// Data only.
    pub stdout: Stdout,
    /// Everything that is said to people.
    pub stderr: Stderr,
}

/// Standard output, shared by whoever has data.
#[derive(Clone)]
pub struct Stdout {
    inner: Arc<Mutex<StdoutInner>>,
}

struct StdoutInner {
    writer: Box<dyn Write + Send>,
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
        let inner = Arc::new(Mutex::new(StdoutInner { writer: stdout, lost: None }));
        Self { stdout: Stdout { inner }, stderr }
    }

    /// Writes a line of data. A reader that has gone away is no error: it has seen enough.
    pub fn print(&mut self, line: &str) {
        self.print_bytes(line.as_bytes());
        self.print_bytes(b"\n");
    }

    /// Writes data as it is.
    pub fn print_bytes(&mut self, bytes: &[u8]) {
        self.stdout.write(bytes, false);
    }

    /// Lets a reader have what was written.
    pub fn flush(&mut self) {
        self.stdout.write(&[], true);
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// If data was lost on the way, as on a full disk.
    pub fn finish(&mut self) -> io::Result<()> {
        self.stdout.write(&[], true);
        self.stdout.lock().lost.take().map_or(Ok(()), Err)
    }

    /// Says a line to people.
    pub fn say(&self, line: &str) {
        self.stderr.line(line);
    }
}

impl Stdout {
    /// Writes data as it is; with `is_flushed`, so that a reader has it at once. What goes wrong is told at the end.
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
        self.lines(format!("{line}\n").as_bytes());
    }

    /// Writes lines as they are.
    pub fn lines(&self, lines: &[u8]) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody can be told that nobody can be told anything.
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
