//! Docker as one session reaches it: asked who it is when something is needed of it, and not before.

use engine::{Caps, Failure};
use graph::Platform;
use tokio::sync::OnceCell;

use crate::buildkit::BuildKit;
use crate::connection::Connection;
use crate::facts::{self, Facts};
use crate::images::TreeImages;

/// The way to a Docker, which need not be there as long as nothing goes it.
pub(crate) struct Link {
    connection: Connection,
    reached: OnceCell<Reached>,
}

/// A Docker that answered.
pub(crate) struct Reached {
    facts: Facts,
    pub(crate) buildkit: BuildKit,
    pub(crate) images: TreeImages,
}

impl Link {
    /// Makes a link that has not asked Docker for anything yet.
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, reached: OnceCell::new() }
    }

    /// Returns Docker; the first time, asks it who it is.
    ///
    /// # Errors
    /// `Environment` if it cannot be reached, is too old, or has no BuildKit; the next call asks again.
    pub(crate) async fn get(&self) -> Result<&Reached, Failure> {
        self.reached.get_or_try_init(|| Reached::new(&self.connection)).await
    }

    /// Returns what can be done with it, as far as that is known.
    pub(crate) fn caps(&self) -> Caps {
        self.reached.get().map_or_else(facts::caps_unasked, |reached| reached.facts.caps())
    }
}

impl Reached {
    async fn new(connection: &Connection) -> Result<Self, Failure> {
        let facts = Facts::of(connection).await?;
        let Some(reach) = facts.buildkit else {
            return Err(Failure::environment(
                format!("Docker {} at `{}` has no BuildKit", facts.version, facts.address),
                Some("use `--engine docker-classic` or `--engine embedded`"),
            ));
        };
        Ok(Self {
            images: TreeImages::new(connection.clone(), facts.platform.clone()),
            buildkit: BuildKit::new(connection.clone(), reach),
            facts,
        })
    }

    /// Returns what commands run on.
    pub(crate) fn platform(&self) -> &Platform {
        &self.facts.platform
    }
}
