//! Services: containers that run while other containers use them.

use crate::Result;
use crate::bindings::api::service as raw;
use crate::handle::handle;

handle! {
    /// A container that starts when it is needed, and stops after its last user.
    ///
    /// ```no_run
    /// use guest_sdk::prelude::*;
    ///
    /// fn integration_test(database: &Service, tests: &Container) -> Result<String> {
    ///     tests.with_service_binding("db", database).with_exec(["./test", "--database", "db:5432"]).stdout()
    /// }
    /// ```
    Service = raw::Service
}

impl Service {
    /// Returns the host name under which containers reach the service.
    pub fn hostname(&self) -> String {
        self.0.hostname()
    }

    /// Returns the same service under this host name.
    pub fn with_hostname(&self, hostname: impl AsRef<str>) -> Self {
        Self(self.0.with_hostname(hostname.as_ref()))
    }

    /// Starts the service and waits until its exposed ports accept connections.
    pub fn up(&self) -> Result<()> {
        Ok(self.0.up()?)
    }

    /// Returns the address `hostname:port` of the first exposed port.
    pub fn endpoint(&self) -> Result<String> {
        Ok(self.0.endpoint(None, None)?)
    }

    /// Returns the address `hostname:port`, preceded by `scheme://` if `scheme` is given. Without
    /// `port`, it is the first exposed port.
    pub fn endpoint_of(&self, port: Option<u16>, scheme: Option<&str>) -> Result<String> {
        Ok(self.0.endpoint(port, scheme)?)
    }

    /// Stops the service.
    pub fn stop(&self) -> Result<()> {
        Ok(self.0.stop()?)
    }
}
