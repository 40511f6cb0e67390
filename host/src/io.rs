//! Where the program writes: data to standard output, everything that is said to people to standard error.
//!
//! Nothing reaches a terminal but through a [`Filter`].

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::builder::StyledStr;
use terminal::Filter;

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
    /// Stands before a terminal; data for anything else stays as it is.
    filter: Option<Filter>,
    /// The first error that lost data.
    lost: Option<io::Error>,
}

/// Standard error. Clones write to the same stream.
#[derive(Clone)]
pub struct Stderr {
    inner: Arc<Mutex<StderrInner>>,
    is_terminal: bool,
    is_colored: bool,
}

struct StderrInner {
    writer: Box<dyn Write + Send>,
    filter: Filter,
}

impl Io {
    /// Returns the streams of this process. Text for people is coloured where a stream is a terminal and `config`
    /// allows it.
    #[must_use]
    pub fn of_process(config: &Config) -> Self {
        let is_colored = config.is_color_allowed && !config.is_terminal_dumb;
        let mut io = Self::new(Box::new(io::stdout()), Stderr::new(Box::new(io::stderr()), io::stderr().is_terminal()));
        io.stdout.show_on(io::stdout().is_terminal(), is_colored);
        io.stderr.color(io.stderr.is_terminal && is_colored);
        io
    }

    /// Writes to these streams, without colours.
    #[must_use]
    pub fn new(stdout: Box<dyn Write + Send>, stderr: Stderr) -> Self {
        let inner = Arc::new(Mutex::new(StdoutInner { writer: stdout, filter: None, lost: None }));
        Self { stdout: Stdout { inner, is_terminal: false, is_colored: false }, stderr }
    }

    /// Writes a line of data. It is no error if the reader has closed the stream.
    pub fn print(&mut self, line: &str) {
        self.print_bytes(line.as_bytes());
        self.print_bytes(b"\n");
    }

    /// Writes data: as it is, but for what a terminal would obey.
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

    /// Writes to a terminal, or to something else.
    fn show_on(&mut self, is_terminal: bool, is_color_allowed: bool) {
        self.is_terminal = is_terminal;
        self.is_colored = is_terminal && is_color_allowed;
        self.lock().filter = is_terminal.then(|| Filter::new(self.is_colored));
    }

    /// Writes data, and flushes it if `is_flushed` is set. The data stays as it is, but for what a terminal would obey.
    /// [`Io::finish`] returns the first error.
    pub fn write(&self, bytes: &[u8], is_flushed: bool) {
        let mut inner = self.lock();
        let StdoutInner { writer, filter, .. } = &mut *inner;
        let written = match filter {
            Some(filter) => writer.write_all(filter.push(bytes).as_bytes()),
            None => writer.write_all(bytes),
        };
        let written = if is_flushed { written.and_then(|()| writer.flush()) } else { written };
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
        let inner = StderrInner { writer, filter: Filter::new(false) };
        Self { inner: Arc::new(Mutex::new(inner)), is_terminal, is_colored: false }
    }

    fn color(&mut self, is_colored: bool) {
        self.is_colored = is_colored;
        self.lock().filter = Filter::new(is_colored);
    }

    /// Returns whether standard error is a terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Returns whether colours are shown.
    pub(crate) fn is_colored(&self) -> bool {
        self.is_colored
    }

    /// Writes a line.
    pub fn line(&self, line: &str) {
        self.lines(format!("{line}\n").as_bytes());
    }

    /// Writes lines, without what a terminal would obey.
    pub fn lines(&self, lines: &[u8]) {
        // There is no other stream to say it on that this one cannot be written.
        let _ = self.lock().show(lines);
    }

    fn lock(&self) -> MutexGuard<'_, StderrInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StderrInner {
    fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        let shown = self.filter.push(bytes);
        self.writer.write_all(shown.as_bytes())
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().show(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer whose bytes the test reads.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Writes the same hostile text to both streams, and compares what arrives.
    fn check(is_terminal: bool, is_color_allowed: bool, stdout: &str, stderr: &str) {
        const HOSTILE: &str = "\u{1b}[2J\u{1b}[31mred\u{1b}[0m\u{7}";
        let (out, err) = (Kept::default(), Kept::default());
        let mut io = Io::new(Box::new(out.clone()), Stderr::new(Box::new(err.clone()), is_terminal));
        io.stdout.show_on(is_terminal, is_color_allowed);
        io.stderr.color(is_terminal && is_color_allowed);
        io.print(HOSTILE);
        io.say(HOSTILE);
        io.report(&Report::usage(HOSTILE));
        io.stderr.write_all(HOSTILE.as_bytes()).unwrap();
        let text = |kept: Kept| String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!((text(out).as_str(), text(err).as_str()), (stdout, stderr));
    }

    #[test]
    fn a_terminal_is_shown_text_and_colours_and_everything_else_gets_data_as_it_is() {
        let plain = "red\nerror: red\nred";
        check(false, true, "\u{1b}[2J\u{1b}[31mred\u{1b}[0m\u{7}\n", plain);
        check(true, false, "red\n", plain);
        let red = "\u{1b}[31mred\u{1b}[0m";
        let label = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m";
        check(true, true, &format!("{red}\n"), &format!("{red}\n{label} {red}\n{red}"));
    }
}
