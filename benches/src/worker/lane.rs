//! A worker that answers requests: it reads a line for each request, and writes the seconds that the request took.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::children;

/// The side that sends requests.
pub(crate) struct Lane {
    child: Child,
    /// None when the worker has to end.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Lane {
    /// Starts a worker, which ends when the lane is dropped.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = children::start(command)?;
        let (requests, answers) = (child.stdin.take(), child.stdout.take());
        let answers = BufReader::new(answers.context("a worker has no output")?);
        Ok(Self { child, requests, answers })
    }

    /// Sends a request, and returns the seconds that it took.
    pub(crate) fn ask(&mut self, request: &str) -> Result<f64> {
        let mut answer = String::new();
        if let Some(requests) = &mut self.requests {
            writeln!(requests, "{request}").context("a worker is gone")?;
            self.answers.read_line(&mut answer).context("a worker is gone")?;
        }
        if answer.is_empty() {
            bail!("a worker ended; what it said is above");
        }
        answer.trim().parse().with_context(|| format!("a worker answered {answer:?}"))
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.requests = None;
        // The worker has no data to save.
        let _ = self.child.wait();
        children::ended(self.child.id());
    }
}

/// The side of the worker: answers requests until there are no more.
pub(super) fn serve(mut answer: impl FnMut(&str) -> Result<f64>) -> Result<()> {
    let mut stdout = std::io::stdout();
    for request in std::io::stdin().lines() {
        writeln!(stdout, "{}", answer(request?.trim())?)?;
        stdout.flush()?;
    }
    Ok(())
}
