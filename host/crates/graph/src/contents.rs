//! The contents of files that an operation makes.

use std::sync::Arc;

use crate::digest::ContentDigest;

/// The contents of a file: the bytes themselves, or the name under which the store has them.
#[derive(Debug, Clone)]
pub enum Contents {
    /// The bytes themselves, in memory.
    Bytes(Arc<[u8]>),
    /// A blob of the store.
    Stored {
        /// The digest of the bytes.
        digest: ContentDigest,
        /// The number of bytes.
        size_bytes: u64,
    },
}

impl Contents {
    /// The number of bytes from which on contents are kept in the store and not in memory.
    pub const STORED_FROM_BYTES: usize = 64 << 10;

    /// Returns the digest of the bytes, wherever they are.
    #[must_use]
    pub fn digest(&self) -> ContentDigest {
        match self {
            Self::Bytes(bytes) => ContentDigest::of(bytes),
            Self::Stored { digest, .. } => *digest,
        }
    }

    /// Returns the number of bytes that are in memory.
    #[must_use]
    pub fn n_bytes_kept(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stored { .. } => 0,
        }
    }
}

/// Contents are equal if the bytes are, wherever they are.
impl PartialEq for Contents {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Eq for Contents {}

impl From<&[u8]> for Contents {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl<const N: usize> From<&[u8; N]> for Contents {
    fn from(bytes: &[u8; N]) -> Self {
        bytes.as_slice().into()
    }
}

impl From<Vec<u8>> for Contents {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<&str> for Contents {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_the_same_wherever_they_are() {
        let stored = Contents::Stored { digest: ContentDigest::of(b"abc"), size_bytes: 3 };
        assert_eq!(stored, Contents::from("abc"));
        assert_ne!(stored, Contents::from("abd"));
        assert_eq!((stored.n_bytes_kept(), Contents::from("abc").n_bytes_kept()), (0, 3));
    }
}
