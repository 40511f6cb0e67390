//! Long-running containers that other containers talk to.

use crate::Result;
use crate::bindings::api::service as raw;
use crate::handle::handle;

handle! {
    /// A container that is started when it is needed and stopped after its last user.
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
    /// Returns the name under which containers that are bound to it reach it.
    pub fn hostname(&self) -> String {
        self.0.hostname()
    }

    /// The same service under a name of its own.
    pub fn with_hostname(&self, hostname: impl AsRef<str>) -> Self {
        Self(self.0.with_hostname(hostname.as_ref()))
    }

    /// Starts it and waits until its exposed ports accept connections.
    pub fn up(&self) -> Result<()> {
        Ok(self.0.up()?)
    }

    /// Returns `hostname:port` of its first exposed port.
    pub fn endpoint(&self) -> Result<String> {
        Ok(self.0.endpoint(None, None)?)
    }

    /// Returns `hostname:port`, with `scheme://` before it if one is given; the first
    /// exposed port unless one is named.
    pub fn endpoint_of(&self, port: Option<u16>, scheme: Option<&str>) -> Result<String> {
        Ok(self.0.endpoint(port, scheme)?)
    }

    /// Stops it.
    pub fn stop(&self) -> Result<()> {
        Ok(self.0.stop()?)
    }
}
