//! The engine that needs no daemon: commands run in namespaces of this machine.
//!
//! [`embedded`] makes an `evaluate::Evaluator` over [`ZoneRunner`], whose commands run in the [`zone`]: a helper process
//! with namespaces of its own, in which crun starts containers over an overlay of layers.
//!
//! A tree is laid out as layers, directories in the format of overlayfs. What a command writes is one more layer, which
//! is read back as a tree and laid under the commands that come after.

mod checks;
mod command;
mod layers;
mod layout;
mod maintenance;
mod runner;
mod zones;

use std::process::ExitCode;

use engine::{Caps, Failure, SessionIo};
use evaluate::Evaluator;
use store::Store;
use zone::{Zone, ZoneConfig};

pub use ::zone;
pub use checks::check_layers;
pub use runner::ZoneRunner;

/// Makes the engine of a session. Must be called inside a tokio runtime. The zone is started by the first command that
/// needs it.
#[must_use]
pub fn embedded(store: Store, io: SessionIo, zone: ZoneConfig) -> Evaluator<ZoneRunner> {
    let runner = ZoneRunner::new(store.clone(), &io, zone);
    Evaluator::new(store, io, runner)
}

/// Returns what the engine can do on this machine. Starts a zone to know it.
///
/// # Errors
/// If no command could be run.
pub async fn probe(zone: ZoneConfig) -> Result<Caps, Failure> {
    let zone = Zone::start(zone).await.map_err(Failure::of)?;
    Ok(runner::caps_of(Some(zone.caps())))
}

/// What the zone can be asked to do besides running commands.
const FUNCTIONS: &[(&str, zone::ZoneFunction)] = &[
    (checks::NAME, checks::check),
    (command::collect::NAME, command::collect::ingest),
    (layers::NAME, layers::unpack),
    (layout::NAME, layout::write),
    (layout::RENAME, layout::rename),
    (maintenance::NAME, maintenance::empty_trash),
];

/// Runs the zone. A program calls this when its first argument is [`zone::ARGUMENT`], before anything else.
#[must_use]
pub fn zone_main() -> ExitCode {
    zone::main(FUNCTIONS)
}
