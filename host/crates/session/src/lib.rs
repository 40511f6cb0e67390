//! One run: stages called, what they return evaluated, secrets and powers handed out.
//!
//! A [`Session`] ties the rooms together. A running function asks for things through
//! `api::Bridge`, which the session implements over a `backend::Backend`; neither the runtime nor
//! the backend knows the other. Secrets live here and nowhere else: guests and vertices carry
//! names.
//!
//! Functions are called once a run for the same arguments (`calls`), and one that makes an object only when something
//! needs that object. [`Pipeline`] runs the stages of a linked graph; [`Modules`] are what they call.

mod answers;
mod bridge;
mod calls;
mod events;
mod export;
mod modules;
mod objects;
mod once;
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
