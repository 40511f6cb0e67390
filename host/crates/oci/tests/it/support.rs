//! Support for tests of registries: a registry that misbehaves on demand, images for it, and a
//! bench that pulls from it and reports what happened.

pub(crate) mod bench;
pub(crate) mod fake;
pub(crate) mod image;
mod serve;
