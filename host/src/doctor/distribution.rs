//! Linux distributions and their commands to install packages.

/// A family of distributions with the same package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distribution {
    /// Debian, Ubuntu and distributions derived from them.
    Debian,
    /// Fedora, RHEL and distributions derived from them.
    Fedora,
    Arch,
    Alpine,
    Suse,
    /// Any other distribution.
    Other,
}

impl Distribution {
    /// Returns the distribution of the contents of `/etc/os-release`.
    ///
    /// Source: os-release(5), `ID` and `ID_LIKE`.
    pub(super) fn parse(os_release: &str) -> Self {
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

    /// Returns the command that installs `crun`.
    pub(super) fn install_crun(self) -> String {
        self.install("crun")
    }

    /// Returns the command that installs `newuidmap`.
    pub(super) fn install_newuidmap(self) -> String {
        self.install(match self {
            Self::Debian => "uidmap",
            Self::Alpine => "shadow-uidmap",
            Self::Fedora => "shadow-utils",
            Self::Suse | Self::Arch => "shadow",
            Self::Other => "newuidmap",
        })
    }

    fn install(self, package: &str) -> String {
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
