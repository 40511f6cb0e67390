//! Trees: directories by digest.
//!
//! A tree is the digest of its root's [`node::Node`]. A node's digest covers names, kinds, contents, permission
//! bits, owners and link targets, not times; see [`node::Mtime`]. The root directory has a mode and
//! an owner of its own, `0755 0:0` unless something else was said ([`node::Node::root`]): a tree that is
//! selected out of another keeps those of the directory that it was.

pub(crate) mod combine;
pub(crate) mod copy;
pub(crate) mod deep;
pub(crate) mod edit;
pub(crate) mod node;
pub(crate) mod owner;
pub(crate) mod pattern;
pub(crate) mod read;
pub(crate) mod resolve;
pub(crate) mod search;

#[cfg(test)]
pub(crate) mod tests;
