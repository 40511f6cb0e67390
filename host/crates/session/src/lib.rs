//! One run: stages called, what they return evaluated, secrets and powers handed out.
//!
//! A [`Session`] ties the rooms together. A running function asks for things through
//! `api::Bridge`, which the session implements over a `backend::Backend`; neither the runtime nor
//! the backend knows the other. Secrets live here and nowhere else: guests and vertices carry
//! names.
//!
//! Stage calls are plain calls in this version; linking them into the graph comes on top of
//! [`Session::call`].

mod export;
mod secrets;
mod session;

pub use secrets::{SecretSource, Secrets};
pub use session::{LoadedModule, LogSink, Session, SessionOptions};
