//! The engines that run commands with Docker.
//!
//! There are two. [`Docker`] gives whole graphs to the BuildKit in Docker, as LLB. [`classic`] makes an
//! `evaluate::Evaluator` whose commands run in containers, for every Docker, also one without BuildKit.
//!
//! Nothing of Docker's types is seen from outside. What both have in common is [`connection`], the images of Docker in
//! `images`, and the shim that starts commands, whose flags are made by `step`.

mod buildkit;
mod classic;
mod connection;
mod facts;
mod images;
mod llb;
mod step;

pub use buildkit::Reach;
pub use classic::{ContainerRunner, classic};
pub use connection::settings::{DockerMode, DockerSettings};
pub use facts::{Facts, probe};
pub use images::LocalImages;
pub use llb::Docker;
