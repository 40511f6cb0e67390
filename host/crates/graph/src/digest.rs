//! Digests, and the hasher that makes them.

use std::fmt;
use std::str::FromStr;

/// A text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a digest: it takes `blake3:` and 64 lowercase hex digits")]
pub struct DigestError {
    text: String,
}

macro_rules! digest_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// A value is always well formed: it comes from hashing or from parsing text. It is written as `blake3:` and
        /// 64 lowercase hex digits.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Makes a digest of the 32 bytes of a hash, for example when it is read back from a store.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// Returns the 32 bytes of the digest.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Returns the digest as 64 hex digits.
            #[must_use]
            pub fn to_hex(&self) -> String {
                blake3::Hash::from(self.0).to_hex().to_string()
            }

            /// Returns the first 12 hex digits. They are for people: they do not identify anything.
            #[must_use]
            pub fn short(&self) -> String {
                let mut hex = self.to_hex();
                hex.truncate(12);
                hex
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "blake3:{}", self.to_hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl FromStr for $name {
            type Err = DigestError;

            fn from_str(text: &str) -> Result<Self, DigestError> {
                let error = || DigestError { text: text.to_owned() };
                let hex = text.strip_prefix("blake3:").ok_or_else(error)?;
                if hex.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    return Err(error());
                }
                let hash = blake3::Hash::from_hex(hex).map_err(|_| error())?;
                Ok(Self(*hash.as_bytes()))
            }
        }
    };
}

digest_type! {
    /// The identity of a definition: an operation and the definitions of its inputs.
    DefinitionDigest
}
digest_type! {
    /// The key of a result in the cache: an operation and the contents of its inputs. Runs with equal keys share the
    /// result.
    CacheKey
}
digest_type! {
    /// The identity of bytes: of a file, or of a tree of files.
    ContentDigest
}

digest_type! {
    /// The identity of the value of a secret for one store: a hash with the key of the store. Without the key it tells
    /// nothing about the value.
    SecretDigest
}

impl SecretDigest {
    /// Returns the digest of a value with the key of a store.
    #[must_use]
    pub fn of(key: &[u8; 32], value: &[u8]) -> Self {
        Self(*blake3::keyed_hash(key, value).as_bytes())
    }
}

impl ContentDigest {
    /// Returns the digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

/// Hashes typed fields without ambiguity: the length of each field comes before the field.
#[derive(Clone)]
pub struct KeyHasher {
    inner: blake3::Hasher,
    n_bytes: u64,
}

impl KeyHasher {
    /// Starts a hash in its own domain, as in `"exec/1"`. The number goes up when the meaning of the fields changes.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        let mut hasher = Self { inner: blake3::Hasher::new(), n_bytes: 0 };
        hasher.text(domain);
        hasher
    }

    /// Adds bytes, preceded by their number.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.inner.update(&(bytes.len() as u64).to_le_bytes());
        self.inner.update(bytes);
        self.n_bytes += size_of::<u64>() as u64 + bytes.len() as u64;
    }

    /// Adds a text, preceded by its length in bytes.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Adds a number of fixed width.
    pub fn number(&mut self, number: u64) {
        self.inner.update(&number.to_le_bytes());
        self.n_bytes += size_of::<u64>() as u64;
    }

    /// Returns the number of bytes that were hashed so far.
    #[must_use]
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Adds a boolean as a number.
    pub fn flag(&mut self, flag: bool) {
        self.number(u64::from(flag));
    }

    /// Adds a value that may be absent.
    pub fn option<T>(&mut self, value: Option<T>, add: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            add(self, value);
        }
    }

    /// Adds a list: its length, then each item.
    pub fn list<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut add: impl FnMut(&mut Self, T)) {
        self.number(items.len() as u64);
        for item in items {
            add(self, item);
        }
    }

    /// Returns the hash as the identity of a definition.
    #[must_use]
    pub fn definition(&self) -> DefinitionDigest {
        DefinitionDigest(*self.inner.finalize().as_bytes())
    }

    /// Returns the hash as a cache key.
    #[must_use]
    pub fn cache_key(&self) -> CacheKey {
        CacheKey(*self.inner.finalize().as_bytes())
    }

    /// Returns the hash as the identity of contents.
    #[must_use]
    pub fn content(&self) -> ContentDigest {
        ContentDigest(*self.inner.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_what_it_wrote() {
        let digest = ContentDigest::of(b"hello");
        assert_eq!(digest.to_string().parse::<ContentDigest>().unwrap(), digest);
    }

    #[test]
    fn only_the_canonical_text_is_a_digest() {
        let good = ContentDigest::of(b"").to_string();
        for bad in
            ["", "blake3:", "sha256:00", &good[..good.len() - 1], &good.to_uppercase(), &good.replace("blake3:", "")]
        {
            assert!(bad.parse::<ContentDigest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn neighbouring_fields_do_not_run_together() {
        let key = |fields: &[&str]| {
            let mut hasher = KeyHasher::new("t");
            hasher.list(fields.iter(), |h, f| h.text(f));
            hasher.cache_key()
        };
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["a"]), key(&["a", ""]));
    }
}
