//! Docker: the daemon at `DOCKER_HOST`, or one that is started here.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::at_end::AtEnd;
use super::{Missing, program};
use crate::measure;

/// The Debian package with the daemon and the client.
const PACKAGE: &str = "docker.io";

/// The client of Debian, which can build with BuildKit. Newer clients need a plugin for that.
const CLIENT: &str = "/usr/bin/docker";

/// A daemon, and a client for it.
pub(crate) struct Docker {
    /// The value for `DOCKER_HOST`.
    pub(crate) address: String,
    client: PathBuf,
    /// Ends the daemon if it was started here.
    _end: Option<AtEnd>,
}

impl Docker {
    /// Uses the daemon at an address.
    pub(super) fn at(address: String) -> Result<Self> {
        Ok(Self { address, client: client()?, _end: None })
    }

    /// Starts a daemon with its files in a directory.
    pub(super) fn start(repository: &Path, directory: &Path) -> Result<Self> {
        // The script would install a missing daemon.
        program("dockerd", PACKAGE)?;
        let client = client()?;
        let script = |verb: &str| {
            let mut command = Command::new(repository.join("scripts/docker"));
            command.arg(verb).arg(directory);
            command
        };
        let end = AtEnd::run(&script("stop"))?;
        let address = measure::output(&mut script("start"))?.trim().to_owned();
        Ok(Self { address, client, _end: Some(end) })
    }

    /// Returns a command of the client, which builds with BuildKit.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.client);
        command.args(args).env("DOCKER_HOST", &self.address).env("DOCKER_BUILDKIT", "1");
        command.env_remove("DOCKER_CONTEXT");
        command
    }

    /// Removes an image if it exists.
    pub(crate) fn remove(&self, image: &str) {
        // The image may be missing. Any other fault shows in the next command.
        let _ = measure::output(&mut self.command(&["rmi", "--force", image]));
    }
}

/// Finds a client that can build with BuildKit.
fn client() -> Result<PathBuf> {
    let candidates = [Some(PathBuf::from(CLIENT)), program("docker", PACKAGE).ok()];
    let mut usable = candidates.into_iter().flatten().filter(|client| {
        // A client without BuildKit fails at this.
        measure::output(Command::new(client).args(["build", "--help"]).env("DOCKER_BUILDKIT", "1")).is_ok()
    });
    usable.next().ok_or_else(|| {
        let how =
            format!("install it with `apt-get install {PACKAGE}`, or the plugin buildx for the one that is there");
        Missing::new("a `docker` that builds with BuildKit", how).into()
    })
}
