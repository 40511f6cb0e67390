//! The engine over trees: evaluates graphs whose every value is a tree of the store.
//!
//! [`Evaluator`] implements `engine::Engine`. It computes keys, finds and records results, explains why something
//! runs, does operations on trees, unpacks images, and reads trees. It does not know how a command is run: that is the
//! business of a [`Runner`], of which there is one for each place where commands can run. What is added to the engine
//! is therefore written once, here, and not once for every place.
//!
//! Read [`runner`] first, which says what a runner is given and what it gives back. The function that evaluates one
//! vertex is in `evaluation`.
//!
//! An engine that does not keep its values in the store, such as Docker's BuildKit, is not built on [`Evaluator`]. It
//! shares what does not depend on that: [`check`], [`Refusal`], [`Announcer`], and `trees::Trees::operation`.

mod announce;
mod changes;
pub mod check;
pub mod command;
mod ended;
mod evaluation;
mod evaluator;
mod gather;
mod graphs;
mod images;
mod locks;
mod output;
mod results;
pub mod runner;
pub mod secrets;
mod user;
mod value;
mod volumes;

pub use announce::{Announcer, Began, outcome_of, vertex_event};
pub use command::{CacheMount, Command, Mount, Mounted};
pub use ended::{Ended, Refusal, exec_failure};
pub use evaluator::Evaluator;
pub use output::{Output, Printed, Report};
pub use runner::{LayerFault, NewLayer, Runner, UnpackedLayer, unpack_warnings};
pub use user::User;
pub use value::Tree;
pub use volumes::{OpenVolume, in_lock_order, open_volume};
