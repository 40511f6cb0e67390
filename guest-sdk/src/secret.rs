//! Secrets, which stages can pass to commands and cannot read.

use crate::bindings::api::secret as raw;
use crate::handle::handle;

handle! {
    /// A secret that the caller of the stage provides.
    ///
    /// A stage can pass it to a command. It can read the value only with the power
    /// [`secret_access`](crate::secret_access). The value is not part of any digest or cache key,
    /// and is replaced by `***` in the output of commands.
    ///
    /// ```no_run
    /// use guest_sdk::prelude::*;
    ///
    /// fn upload(app: &File, token: &Secret) -> Result<String> {
    ///     machine::rootfs()
    ///         .with_file("/work/app", app)
    ///         .with_secret_variable("TOKEN", token)
    ///         .with_exec(["sh", "-c", "curl -H \"Authorization: $TOKEN\" -T /work/app https://example.com/app"])
    ///         .stdout()
    /// }
    /// ```
    Secret = raw::Secret
}

impl Secret {
    /// Returns the name of the secret: the name of the flag that provided it.
    pub fn name(&self) -> String {
        self.0.name()
    }
}
