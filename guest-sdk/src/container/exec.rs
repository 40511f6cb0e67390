//! Commands that are run in a container.

use std::borrow::Borrow;

use super::{Container, raw};
use crate::handle::{handle, strings};

impl Container {
    /// With a command that is run, in the container as it is then. Equal commands on
    /// equal containers are run at most once.
    ///
    /// Words of different types are made alike by [`args!`](crate::args).
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

    /// Like [`with_exec`](Self::with_exec), with options.
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

    /// With its default arguments run as a command.
    pub fn with_default_exec(&self) -> Self {
        Self(self.0.with_exec(&[]))
    }
}

handle! {
    /// How a command is run by [`Container::with_exec_options`].
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// /// Whether the machine has a C compiler.
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
    /// No input, exit code 0 expected, cached, network as the run allows.
    pub fn new() -> Self {
        Self(raw::ExecOptions::new())
    }

    /// Text for its standard input, which is empty otherwise.
    pub fn stdin(self, text: impl AsRef<str>) -> Self {
        Self(self.0.with_stdin(text.as_ref()))
    }

    /// Takes its standard input from a file of the container; not together with
    /// [`stdin`](Self::stdin).
    pub fn redirect_stdin(self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_redirect_stdin(path.as_ref()))
    }

    /// Also writes its standard output to this path of the container.
    pub fn redirect_stdout(self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_redirect_stdout(path.as_ref()))
    }

    /// Also writes its standard error to this path of the container.
    pub fn redirect_stderr(self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_redirect_stderr(path.as_ref()))
    }

    /// The exit codes that are no failure.
    pub fn expected_codes(self, codes: impl IntoIterator<Item = i32>) -> Self {
        Self(self.0.with_expected_codes(&codes.into_iter().collect::<Vec<_>>()))
    }

    /// No exit code is a failure.
    pub fn any_code(self) -> Self {
        Self(self.0.with_any_code())
    }

    /// Kills it after this many seconds, with the error code `timeout`.
    pub fn timeout_seconds(self, seconds: u32) -> Self {
        Self(self.0.with_timeout_seconds(seconds))
    }

    /// Takes the network away from it.
    pub fn without_network(self) -> Self {
        Self(self.0.without_network())
    }

    /// Runs it on every run.
    pub fn without_cache(self) -> Self {
        Self(self.0.without_cache())
    }

    /// Puts the entrypoint before the arguments.
    pub fn use_entrypoint(self) -> Self {
        Self(self.0.use_entrypoint())
    }

    /// Expands `$NAME` and `${NAME}` in the arguments from the variables of the
    /// container; `$$` is a `$`.
    pub fn expand(self) -> Self {
        Self(self.0.expand())
    }

    /// The most memory, in bytes; above it the error code is `out-of-memory`.
    pub fn memory_limit_bytes(self, bytes: u64) -> Self {
        Self(self.0.with_memory_limit(bytes))
    }

    /// The most processes and threads.
    pub fn process_limit(self, processes: u32) -> Self {
        Self(self.0.with_process_limit(processes))
    }

    /// The most processor time, in thousandths of a processor.
    pub fn cpu_limit_millis(self, millis: u32) -> Self {
        Self(self.0.with_cpu_limit(millis))
    }
}
