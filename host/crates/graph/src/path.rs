//! Paths in a tree.

use std::fmt;

/// A normalised path in a tree. It is relative to the root of the tree and never leaves it.
///
/// The root is the empty path. No component is empty, `.` or `..`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct TreePath(String);

/// The reason why a text is not a path in a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path has more `..` than components before them.
    #[error("path `{path}` leaves its root")]
    LeavesRoot {
        /// The path as it was written.
        path: String,
    },
    /// The path contains a NUL byte.
    #[error("path {path:?} contains a NUL byte")]
    Nul {
        /// The path as it was written.
        path: String,
    },
    /// A component is longer than 255 bytes, which no file system accepts.
    #[error("path `{path}` has a component of more than 255 bytes")]
    LongComponent {
        /// The path as it was written.
        path: String,
    },
}

impl TreePath {
    /// Returns the path of the root.
    #[must_use]
    pub const fn root() -> Self {
        Self(String::new())
    }

    /// Parses a path from the root. A leading `/` makes no difference.
    ///
    /// # Errors
    /// Fails if `..` leaves the root, if there is a NUL byte, or if a component is longer than 255 bytes.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        Self::root().join(text)
    }

    /// Parses a path relative to this one. A path with a leading `/` is relative to the root.
    ///
    /// # Errors
    /// Fails like [`TreePath::parse`].
    pub fn join(&self, text: &str) -> Result<Self, PathError> {
        if text.contains('\0') {
            return Err(PathError::Nul { path: text.to_owned() });
        }
        let mut parts: Vec<&str> = if text.starts_with('/') { Vec::new() } else { self.components().collect() };
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    if parts.pop().is_none() {
                        return Err(PathError::LeavesRoot { path: text.to_owned() });
                    }
                }
                part if part.len() > 255 => return Err(PathError::LongComponent { path: text.to_owned() }),
                part => parts.push(part),
            }
        }
        Ok(Self(parts.join("/")))
    }

    /// Returns the path without a leading `/`; empty for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path with a leading `/`.
    #[must_use]
    pub fn to_absolute(&self) -> String {
        format!("/{}", self.0)
    }

    /// Returns whether the path is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the components, from the root downwards.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// Returns the last component; none for the root.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// Returns the path without its last component; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned())))
    }

    /// Returns the rest of the path below `base`: the root if both are equal, none if the path is not below `base`.
    #[must_use]
    pub fn below(&self, base: &Self) -> Option<Self> {
        if base.is_root() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(&base.0)?;
        match rest.strip_prefix('/') {
            Some(rest) => Some(Self(rest.to_owned())),
            None => rest.is_empty().then(Self::root),
        }
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`/{}`", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: &str, path: &str, expect: &str) {
        let base = TreePath::parse(base).unwrap();
        let got = base.join(path).map_or_else(|error| error.to_string(), |path| path.to_absolute());
        assert_eq!(got, expect, "{base} + {path}");
    }

    #[test]
    fn a_path_is_normalised_against_its_base() {
        check("/", "", "/");
        check("/", "a//b/./c/", "/a/b/c");
        check("/src", "x", "/src/x");
        check("/src", "/x", "/x");
        check("/src/lib", "../x", "/src/x");
        check("/src", "..", "/");
    }

    #[test]
    fn a_path_that_leaves_the_root_is_an_error_that_names_it() {
        check("/", "..", "path `..` leaves its root");
        check("/src", "../../etc/passwd", "path `../../etc/passwd` leaves its root");
        check("/src", "/../etc", "path `/../etc` leaves its root");
        check("/", "a/../../b", "path `a/../../b` leaves its root");
    }

    #[test]
    fn nul_bytes_and_long_names_are_errors() {
        check("/", "a\0b", "path \"a\\0b\" contains a NUL byte");
        let long = "x".repeat(256);
        check("/", &long, &format!("path `{long}` has a component of more than 255 bytes"));
    }

    #[test]
    fn below_takes_whole_components() {
        let below = |path: &str, base: &str| {
            TreePath::parse(path).unwrap().below(&TreePath::parse(base).unwrap()).map(|path| path.to_absolute())
        };
        assert_eq!(below("/a/b", "/a").as_deref(), Some("/b"));
        assert_eq!(below("/a", "/a").as_deref(), Some("/"));
        assert_eq!(below("/ab", "/a"), None);
        assert_eq!(below("/a/b", "/").as_deref(), Some("/a/b"));
    }
}
