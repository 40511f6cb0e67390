//! One command: the place where it runs, the step of the zone that it is, and what it wrote.

pub(crate) mod collect;
pub(crate) mod mounts;
pub(crate) mod prepare;
mod volumes;
