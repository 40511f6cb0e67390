//! Docker: the one that is named, or one of our own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::at_end::AtEnd;
use super::{Missing, program};
use crate::measure;

/// Debian's package.
const PACKAGE: &str = "docker.io";

/// Debian's client, which has BuildKit in it; newer ones need a plugin for it.
const CLIENT: &str = "/usr/bin/docker";

/// A daemon and a client for it.
pub(crate) struct Docker {
    /// For `DOCKER_HOST`.
    pub(crate) address: String,
    client: PathBuf,
    /// Ends the daemon, if it is ours.
    _end: Option<AtEnd>,
}

impl Docker {
    /// Uses the daemon at an address.
    pub(super) fn at(address: String) -> Result<Self> {
        Ok(Self { address, client: client()?, _end: None })
    }

    /// Starts a daemon that has its files in a directory.
    pub(super) fn start(repository: &Path, directory: &Path) -> Result<Self> {
        // The script would install what is missing.
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

    /// Returns a command of the client. Builds are those of BuildKit.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.client);
        command.args(args).env("DOCKER_HOST", &self.address).env("DOCKER_BUILDKIT", "1");
        command.env_remove("DOCKER_CONTEXT");
        command
    }

    /// Removes an image, if it is there.
    pub(crate) fn remove(&self, image: &str) {
        // It need not be there; what else can go wrong, the next command tells.
        let _ = measure::output(&mut self.command(&["rmi", "--force", image]));
    }
}

/// Finds a client that can build with BuildKit.
fn client() -> Result<PathBuf> {
    let candidates = [Some(PathBuf::from(CLIENT)), program("docker", PACKAGE).ok()];
    let mut usable = candidates.into_iter().flatten().filter(|client| {
        // Without BuildKit it does not even show the help.
        measure::output(Command::new(client).args(["build", "--help"]).env("DOCKER_BUILDKIT", "1")).is_ok()
    });
    usable.next().ok_or_else(|| {
        let how =
            format!("install it with `apt-get install {PACKAGE}`, or the plugin buildx for the one that is there");
        Missing::new("a `docker` that builds with BuildKit", how).into()
    })
}
