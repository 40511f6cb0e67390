//! A worker that is asked again and again: a line in, the seconds that it took out.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::children;

/// The side of who asks.
pub(crate) struct Lane {
    child: Child,
    /// None once the worker is to end.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Lane {
    /// Starts a worker. It ends when the lane is dropped.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = children::start(command)?;
        let (requests, answers) = (child.stdin.take(), child.stdout.take());
        let answers = BufReader::new(answers.context("a worker has no output")?);
        Ok(Self { child, requests, answers })
    }

    /// Has something done and returns how long it took, in seconds.
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
        // It has nothing to lose.
        let _ = self.child.wait();
        children::ended(self.child.id());
    }
}

/// The side of the worker: answers until nobody asks any more.
pub(super) fn serve(mut answer: impl FnMut(&str) -> Result<f64>) -> Result<()> {
    let mut stdout = std::io::stdout();
    for request in std::io::stdin().lines() {
        writeln!(stdout, "{}", answer(request?.trim())?)?;
        stdout.flush()?;
    }
    Ok(())
}
