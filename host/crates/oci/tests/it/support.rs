//! What tests of registries share: a registry that misbehaves on demand, images for it, and a bench
//! that pulls from it and says what happened.

pub(crate) mod bench;
pub(crate) mod fake;
pub(crate) mod image;
mod serve;
