//! The commands that install what is missing.

use std::path::Path;

/// Returns the command that installs crun on the distribution that an `os-release` names.
pub(super) fn install_hint(os_release: &Path) -> String {
    let text = std::fs::read_to_string(os_release).unwrap_or_default();
    let ids: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|ids| ids.trim_matches('"').split_whitespace())
        .collect();
    let command = ids.iter().find_map(|id| match *id {
        "debian" | "ubuntu" => Some("apt-get install crun"),
        "fedora" | "rhel" | "centos" => Some("dnf install crun"),
        "arch" => Some("pacman -S crun"),
        "alpine" => Some("apk add crun"),
        "suse" | "opensuse" => Some("zypper install crun"),
        _ => None,
    });
    command.map_or_else(
        || "install crun with the system's package manager".to_owned(),
        |command| format!("run `{command}`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_the_package_manager_of_the_distribution() {
        let directory = tempfile::tempdir().unwrap();
        let check = |text: &str, expect: &str| {
            let file = directory.path().join("os-release");
            std::fs::write(&file, text).unwrap();
            assert_eq!(install_hint(&file), expect);
        };
        check("ID=debian\n", "run `apt-get install crun`");
        check("NAME=x\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "run `apt-get install crun`");
        check("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "run `dnf install crun`");
        check("", "install crun with the system's package manager");
    }
}
