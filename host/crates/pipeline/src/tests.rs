//! Linking, text in, text out.

mod errors;
mod links;
mod random;
mod signatures;
mod support;
