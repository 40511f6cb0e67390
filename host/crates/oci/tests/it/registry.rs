//! Registries: the way that works, and the many that do not.

mod auth;
mod blobs;
mod credentials;
mod manifests;
mod platforms;
mod push;
mod real;
mod statuses;
mod tls;
mod works;
