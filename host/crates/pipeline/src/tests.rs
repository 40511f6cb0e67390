//! Tests of linking: text in, text out.

mod errors;
mod links;
mod random;
mod signatures;
mod support;

pub(crate) use support::linked;
