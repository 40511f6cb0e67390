//! The commands of a container.

use std::borrow::Borrow;

use super::{Container, raw};
use crate::handle::{handle, strings};

impl Container {
    /// Adds a command that runs in the container as it is at this point. Equal commands in equal
    /// containers run at most once.
    ///
    /// The macro [`args!`](crate::args) makes a list of words from values of different types.
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// # fn make(container: Container, jobs: u32) -> Container {
    /// container.with_exec(["./configure"]).with_exec(args!["make", "-j", jobs])
    /// # }
    /// ```
    pub fn with_exec(&self, args: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.with_exec(&strings(args)))
    }

    /// Does the same as [`with_exec`](Self::with_exec), with options.
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// # fn check(container: Container) -> Container {
    /// container.with_exec_options(["make", "check"], ExecOptions::new().timeout_seconds(600).without_network())
    /// # }
    /// ```
    pub fn with_exec_options(
        &self,
        args: impl IntoIterator<Item: AsRef<str>>,
        options: impl Borrow<ExecOptions>,
    ) -> Self {
        Self(self.0.with_exec_options(&strings(args), &options.borrow().0))
    }

    /// Adds the default arguments of the container as a command.
    pub fn with_default_exec(&self) -> Self {
        Self(self.0.with_exec(&[]))
    }
}

handle! {
    /// Options for [`Container::with_exec_options`].
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// /// Returns whether this machine has a C compiler.
    /// fn has_compiler() -> Result<bool> {
    ///     let asked = machine::rootfs().with_exec_options(["sh", "-c", "command -v cc"], ExecOptions::new().any_code());
    ///     Ok(asked.exit_code()? == 0)
    /// }
    /// ```
    ExecOptions = raw::ExecOptions
}

impl Default for ExecOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl ExecOptions {
    /// Gives no input, expects the exit code 0, uses the cache, and allows the network if the run
    /// does.
    pub fn new() -> Self {
        Self(raw::ExecOptions::new())
    }

    /// Sets the text of the standard input, which is empty by default.
    pub fn stdin(self, text: impl AsRef<str>) -> Self {
        Self(self.0.with_stdin(text.as_ref()))
    }

    /// Reads the standard input from a file of the container. If there is none, evaluating the
    /// result fails with `not-found`. It cannot be combined with [`stdin`](Self::stdin).
    pub fn redirect_stdin(self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_redirect_stdin(path.as_ref()))
    }

    /// Also writes the standard output to this file of the container, with secrets replaced. The
    /// path is relative to the working directory.
    pub fn redirect_stdout(self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_redirect_stdout(path.as_ref()))
    }

    /// Also writes the standard error to this file of the container, with secrets replaced. The
    /// path is relative to the working directory.
    pub fn redirect_stderr(self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_redirect_stderr(path.as_ref()))
    }

    /// Sets the exit codes that are not a failure.
    pub fn expected_codes(self, codes: impl IntoIterator<Item = i32>) -> Self {
        Self(self.0.with_expected_codes(&codes.into_iter().collect::<Vec<_>>()))
    }

    /// Accepts every exit code.
    pub fn any_code(self) -> Self {
        Self(self.0.with_any_code())
    }

    /// Kills the command after this number of seconds. The error code is then `timeout`.
    pub fn timeout_seconds(self, seconds: u32) -> Self {
        Self(self.0.with_timeout_seconds(seconds))
    }

    /// Runs the command without a network.
    pub fn without_network(self) -> Self {
        Self(self.0.without_network())
    }

    /// Keeps the command from gaining privileges: `sudo` and other set-user-ID programs do nothing
    /// for it.
    pub fn without_new_privileges(self) -> Self {
        Self(self.0.without_new_privileges())
    }

    /// Runs the command in every run, even if its result is known.
    pub fn without_cache(self) -> Self {
        Self(self.0.without_cache())
    }

    /// Puts the entrypoint of the container before the arguments.
    pub fn use_entrypoint(self) -> Self {
        Self(self.0.use_entrypoint())
    }

    /// Replaces `$NAME` and `${NAME}` in the arguments by the variables of the container, and `$$`
    /// by `$`. If a secret variable is used, evaluating the result fails with `invalid-argument`.
    pub fn expand(self) -> Self {
        Self(self.0.expand())
    }

    /// Limits the memory, in bytes. If the command uses more, the error code is `out-of-memory`.
    pub fn memory_limit_bytes(self, bytes: u64) -> Self {
        Self(self.0.with_memory_limit(bytes))
    }

    /// Limits the number of processes and threads.
    pub fn process_limit(self, processes: u32) -> Self {
        Self(self.0.with_process_limit(processes))
    }

    /// Limits the processor time, in thousandths of a processor: 1500 is one and a half processors.
    pub fn cpu_limit_millis(self, millis: u32) -> Self {
        Self(self.0.with_cpu_limit(millis))
    }
}
