//! Runs a command when this program ends, even if it is killed.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};

/// Waits for the end of its standard input, and then runs its arguments.
const SCRIPT: &str = r#"cat >/dev/null; exec "$@""#;

/// A command that runs when this is dropped, or when this program is killed.
pub(super) struct AtEnd {
    waiter: Child,
}

impl AtEnd {
    /// Takes the program and the arguments from a command.
    pub(super) fn run(command: &Command) -> Result<Self> {
        let waiter = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A signal of the terminal must not end the waiting process.
            .process_group(0)
            .spawn()
            .context("cannot run `sh`")?;
        Ok(Self { waiter })
    }
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.waiter.stdin = None;
        // An error leaves nothing to do.
        let _ = self.waiter.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_run_when_it_is_dropped_and_not_before() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        let at_end = AtEnd::run(Command::new("touch").arg(&file)).unwrap();
        assert!(!file.exists());
        drop(at_end);
        assert!(file.exists());
    }
}
