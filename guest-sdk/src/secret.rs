//! Values that must not be seen.

use crate::bindings::api::secret as raw;
use crate::handle::handle;

handle! {
    /// A secret that the caller of the stage handed over.
    ///
    /// A stage can pass it on to a command but not read it, unless it has the power
    /// [`secret_access`](crate::secret_access). Its value takes part in no digest and no
    /// cache key, and is replaced by `***` in what commands print.
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
    /// Returns the name under which it was handed over.
    pub fn name(&self) -> String {
        self.0.name()
    }
}
