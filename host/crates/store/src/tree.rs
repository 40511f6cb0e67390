//! Trees: directories that are named by their digests.
//!
//! A tree is the digest of the [`node::Node`] of its root. The digest covers names, kinds, contents, permission
//! bits, owners and targets of links; it does not cover times, see [`node::Mtime`]. The root has a mode and an
//! owner of its own ([`node::Node::root`]), which are `0755 0:0` unless they were set. A directory that is taken
//! out of another tree keeps its mode and owner as the root of its own tree.

pub(crate) mod combine;
pub(crate) mod copy;
pub(crate) mod deep;
pub(crate) mod edit;
pub(crate) mod node;
pub(crate) mod owner;
pub(crate) mod pattern;
pub(crate) mod read;
pub(crate) mod resolve;
pub(crate) mod rewrite;
pub(crate) mod search;

#[cfg(test)]
pub(crate) mod tests;
