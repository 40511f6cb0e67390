//! The powers that a module can ask for.

use std::fmt;
use std::str::FromStr;

/// A power: an interface of `pipeline:api` that a caller must grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Power {
    /// The power to use the tools that are installed on this machine.
    Machine,
    /// The power to fetch from the network.
    Sources,
    /// The power to change files of the caller and to publish to registries.
    Effects,
    /// The power to read secrets.
    SecretAccess,
}

/// A text that is not the name of a power.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a power: the powers are machine, sources, effects and secret-access")]
pub struct UnknownPower {
    text: String,
}

impl Power {
    /// All powers that exist.
    pub const ALL: &[Self] = &[Self::Machine, Self::Sources, Self::Effects, Self::SecretAccess];

    /// Returns the name of the interface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Sources => "sources",
            Self::Effects => "effects",
            Self::SecretAccess => "secret-access",
        }
    }
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Power {
    type Err = UnknownPower;

    fn from_str(text: &str) -> Result<Self, UnknownPower> {
        let power = Self::ALL.iter().copied().find(|power| power.as_str() == text);
        power.ok_or_else(|| UnknownPower { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_reads_back_what_it_wrote() {
        for power in Power::ALL {
            assert_eq!(power.to_string().parse(), Ok(*power));
        }
        assert!("Machine".parse::<Power>().unwrap_err().to_string().starts_with("`Machine` is not a power"));
    }
}
