//! Paths in the order of trees.

use std::cmp::Ordering;

/// The path of an entry, without a leading `/`. Paths are ordered component by component, so that everything in a
/// directory follows the directory immediately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryPath(pub(super) Vec<u8>);

impl PartialOrd for EntryPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EntryPath {
    fn cmp(&self, other: &Self) -> Ordering {
        // As if `/` were the lowest byte, which is the same as to compare components.
        let key = |byte: &u8| if *byte == b'/' { 0 } else { u16::from(*byte) + 1 };
        self.0.iter().map(key).cmp(other.0.iter().map(key))
    }
}

/// Returns the path of a name in a directory.
pub(super) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() }
}

/// Returns the path of the directory and the name in it.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// Returns whether a path is in a directory.
pub(super) fn is_below(path: &[u8], directory: &[u8]) -> bool {
    directory.is_empty() || (path.starts_with(directory) && path.get(directory.len()) == Some(&b'/'))
}
