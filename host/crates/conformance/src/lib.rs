//! The behaviour that every engine must have: one suite for the trait `engine::Engine`.
//!
//! A [`Behaviour`] is a sentence and a function that checks it on one engine. The function works with the objects of the
//! package `pipeline:api`, through the same table of methods as stages and the command line. An engine that cannot do
//! something says so in its `caps`; then the suite expects a failure with the code `unavailable` instead.
//!
//! The expected behaviour is that of Docker and BuildKit as their users know them, or that of Dagger where these have
//! no counterpart. A comment above a behaviour names the source where it is not obvious, and says "our own decision"
//! where this project differs on purpose.
//!
//! The crate is for tests only: it panics where the machine lacks something, and it depends on no engine.

mod answer;
mod arg;
mod base;
mod behaviour;
mod behaviours;
mod case;
mod handle;
pub mod images;
mod session;
mod suite;

pub use answer::{Answer, Outcome, Wrong, holds, same, text};
pub use arg::{Arg, Case as EnumCase};
pub use behaviour::{Behaviour, Need, Run, Verdict};
pub use behaviours::all;
pub use case::Case;
pub use handle::Handle;
pub use session::{Session, SessionOptions};
pub use suite::{Open, Suite};
