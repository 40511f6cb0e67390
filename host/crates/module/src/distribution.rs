//! Linux distributions and their commands to install packages.

use std::fs;

/// A family of distributions with the same package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Debian, Ubuntu and distributions derived from them.
    Debian,
    /// Fedora, RHEL and distributions derived from them.
    Fedora,
    /// Arch Linux and distributions derived from it.
    Arch,
    /// Alpine Linux and distributions derived from it.
    Alpine,
    /// SUSE and openSUSE.
    Suse,
    /// Any other distribution.
    Other,
}

impl Distribution {
    /// Returns the distribution of this machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::parse(&fs::read_to_string("/etc/os-release").unwrap_or_default())
    }

    /// Returns the distribution of the contents of `/etc/os-release`.
    ///
    /// Source: os-release(5), `ID` and `ID_LIKE`.
    #[must_use]
    pub fn parse(os_release: &str) -> Self {
        let value = |key: &str| {
            let line = os_release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_default().trim_matches('"').to_owned()
        };
        let names = format!("{} {}", value("ID"), value("ID_LIKE"));
        names
            .split_whitespace()
            .find_map(|name| match name {
                "debian" | "ubuntu" => Some(Self::Debian),
                "fedora" | "rhel" | "centos" => Some(Self::Fedora),
                "arch" => Some(Self::Arch),
                "alpine" => Some(Self::Alpine),
                "suse" | "opensuse" => Some(Self::Suse),
                _ => None,
            })
            .unwrap_or(Self::Other)
    }

    /// Returns the command that installs `newuidmap`.
    #[must_use]
    pub fn install_newuidmap(self) -> String {
        self.install(match self {
            Self::Debian => "uidmap",
            Self::Alpine => "shadow-uidmap",
            Self::Fedora => "shadow-utils",
            Self::Suse | Self::Arch => "shadow",
            Self::Other => "newuidmap",
        })
    }

    /// Returns the command that installs a package.
    #[must_use]
    pub fn install(self, package: &str) -> String {
        match self {
            Self::Debian => format!("sudo apt-get install -y {package}"),
            Self::Fedora => format!("sudo dnf install -y {package}"),
            Self::Arch => format!("sudo pacman -S --noconfirm {package}"),
            Self::Alpine => format!("sudo apk add {package}"),
            Self::Suse => format!("sudo zypper install -y {package}"),
            Self::Other => format!("install `{package}` with the package manager of this system"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_told_from_their_os_release() {
        let check = |text: &str, expect: Distribution| assert_eq!(Distribution::parse(text), expect);
        check("ID=debian\n", Distribution::Debian);
        check("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", Distribution::Debian);
        check("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", Distribution::Fedora);
        check("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", Distribution::Suse);
        check("", Distribution::Other);
    }
}
