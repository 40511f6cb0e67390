//! Evaluates graphs with Docker.

mod buildkit;
mod classic;
mod connection;
mod events;
mod facts;
mod images;
mod llb;
mod step;

pub use buildkit::Reach;
pub use classic::DockerClassic;
pub use connection::settings::{DockerMode, DockerSettings};
pub use facts::{Facts, probe};
pub use images::LocalImages;
pub use llb::Docker;
