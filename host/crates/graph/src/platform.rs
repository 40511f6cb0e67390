//! Platforms, with the names that OCI uses.

use std::fmt;
use std::str::FromStr;

/// An operating system, an architecture and, for some architectures, a variant.
///
/// Source: OCI image-spec 1.1, `image-index.md`, "platform".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Platform {
    /// The operating system, as in `linux`.
    pub os: String,
    /// The architecture under Go's name for it, as in `amd64`.
    pub architecture: String,
    /// The variant of the architecture, as in `v7`.
    pub variant: Option<String>,
}

/// A text that does not name a known platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a platform: unknown operating system or architecture; `linux/amd64` is one")]
pub struct PlatformError {
    text: String,
}

const SYSTEMS: [&str; 4] = ["linux", "windows", "darwin", "freebsd"];
const ARCHITECTURES: [&str; 11] =
    ["amd64", "arm64", "arm", "386", "riscv64", "ppc64le", "s390x", "loong64", "mips64le", "mips64", "wasm"];

impl Platform {
    /// Returns the platform that this program was compiled for.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            "powerpc64" => "ppc64le",
            "loongarch64" => "loong64",
            other => other,
        };
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: None }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let error = || PlatformError { text: text.to_owned() };
        let mut parts = text.split('/');
        let (os, architecture) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let architecture = match architecture {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let variant = parts.next().map(str::to_owned);
        if !SYSTEMS.contains(&os) || !ARCHITECTURES.contains(&architecture) || parts.next().is_some() {
            return Err(error());
        }
        Ok(Self { os: os.to_owned(), architecture: architecture.to_owned(), variant })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_reads_back_and_a_strange_one_is_refused() {
        assert_eq!("linux/arm/v7".parse::<Platform>().unwrap().to_string(), "linux/arm/v7");
        assert_eq!("linux/x86_64".parse::<Platform>().unwrap().to_string(), "linux/amd64");
        for bad in ["", "linux", "beos/amd64", "linux/6502", "linux/arm/v7/x"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }
}
