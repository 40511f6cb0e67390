//! What every backend must do: one suite for the trait `backend::Backend`.
//!
//! A [`Behaviour`] is a sentence and how it is seen, through the objects of the package
//! `pipeline:api` and the one table of their methods, as stages and the command line use them. The
//! same behaviours are run against every backend; what a backend cannot do it says in its `caps`, and
//! then a failure with the code `unavailable` is expected instead of the behaviour.
//!
//! Sources of what is expected: Docker and BuildKit as their users know them, Dagger's tests and
//! answers (see `docs/conformance.md`), and this project's own decisions where it differs.
//!
//! For tests only: it panics where the machine lacks something, and depends on no backend.

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
