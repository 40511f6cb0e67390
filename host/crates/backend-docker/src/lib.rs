//! Evaluates graphs with Docker.

mod archive;
mod buildkit;
mod classic;
mod connection;
mod context;
mod dial;
mod docker;
mod engine;
mod events;
mod facts;
mod images;
mod ingest;
mod link;
mod llb;
mod lower;
mod run;
mod secrets;
mod settings;
mod step;
mod trailer;
mod value;
mod watch;

pub use buildkit::Reach;
pub use classic::DockerClassic;
pub use docker::Docker;
pub use facts::{Facts, probe};
pub use images::LocalImages;
pub use settings::{DockerMode, DockerSettings};
