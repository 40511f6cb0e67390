//! A run: it calls stages, evaluates their results, and hands out secrets and powers.
//!
//! A [`Session`] connects the other crates. A running function asks for things through `api::Bridge`, which the
//! session implements on top of the trait of engines, `engine::Engine`. Neither the runtime nor the engine knows the
//! other. The values of secrets are here and nowhere else: guests and vertices have only names.
//!
//! A function is called once in a run for the same arguments, and a function that makes an object is called only when
//! something needs the object. [`Pipeline`] runs the stages of a linked graph. [`Modules`] has the modules that a run
//! calls.

mod answers;
mod bridge;
mod calls;
mod effects;
mod events;
mod export;
mod modules;
mod objects;
mod once;
pub mod record;
mod secrets;
mod session;
mod stages;

pub use events::{StageEvent, StageOutcome, StageSink};
pub use modules::{DependencySpec, ModuleError, ModuleSpec, Modules};
pub use secrets::{SecretSource, Secrets};
pub use session::{LogSink, Session, SessionOptions};
pub use stages::Pipeline;
pub use stages::plan::Planned;
pub use stages::run::{RunOptions, Verdict};
