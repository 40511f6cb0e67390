//! Requests to registries: those that succeed, and those that fail.

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
