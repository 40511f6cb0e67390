//! Finds the control groups that a process may make further ones in.

use std::path::{Path, PathBuf};

use super::{CONTROLLERS, Controller};

/// The directories in which a zone makes its control groups.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// Whether the controllers are those of version 2.
    pub is_version_2: bool,
    /// The directory for each controller; in version 2 it is the same for all.
    pub controllers: Vec<(Controller, PathBuf)>,
    /// The directory of the devices of version 1.
    pub devices: Option<PathBuf>,
    /// The top of version 2, also where the controllers are those of version 1.
    pub unified: Option<PathBuf>,
}

/// A line of `/proc/self/mountinfo`.
struct Mount<'a> {
    root: &'a str,
    at: &'a str,
    kind: &'a str,
    options: &'a str,
}

/// Returns the places of a process, by its `mountinfo` and its `cgroup` in `/proc`.
pub(super) fn find(mountinfo: &str, own: &str, is_root: bool) -> Places {
    let mounts: Vec<Mount<'_>> = mountinfo.lines().filter_map(parse).collect();
    let version_1 = |name: &str| place_of_version_1(&mounts, own, name);
    let devices = version_1("devices");
    let unified = mounts.iter().find(|mount| mount.kind == "cgroup2").map(|mount| PathBuf::from(mount.at));
    let controllers: Vec<(Controller, PathBuf)> =
        CONTROLLERS.iter().filter_map(|(controller, name)| Some((*controller, version_1(name)?))).collect();
    if !controllers.is_empty() || unified.is_none() {
        return Places { is_version_2: false, controllers, devices, unified };
    }
    let controllers = unified.as_deref().map(|top| of_version_2(top, own, is_root)).unwrap_or_default();
    Places { is_version_2: true, controllers, devices, unified }
}

/// Source: `proc_pid_mountinfo(5)`: `36 35 98:0 /root /mountpoint options - type source superoptions`.
fn parse(line: &str) -> Option<Mount<'_>> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let mut after = after.split(' ');
    Some(Mount { root: before.next()?, at: before.next()?, kind: after.next()?, options: after.nth(1)? })
}

fn place_of_version_1(mounts: &[Mount<'_>], own: &str, name: &str) -> Option<PathBuf> {
    let has = |options: &str| options.split(',').any(|option| option == name);
    let mount = mounts.iter().find(|mount| mount.kind == "cgroup" && has(mount.options))?;
    let group = own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        has(fields.next()?).then(|| fields.next())?
    })?;
    let below = group.strip_prefix(mount.root).unwrap_or(group);
    Some(Path::new(mount.at).join(below.trim_start_matches('/')))
}

fn of_version_2(top: &Path, own: &str, is_root: bool) -> Vec<(Controller, PathBuf)> {
    let group = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
    let place = if is_root { top.to_owned() } else { top.join(group.trim_start_matches('/')) };
    let text = std::fs::read_to_string(place.join("cgroup.controllers")).unwrap_or_default();
    let has = |name: &str| text.split_whitespace().any(|has| has == name);
    CONTROLLERS.iter().filter(|(_, name)| has(name)).map(|(controller, _)| (*controller, place.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_of_version_1_are_found() {
        let mountinfo = "30 25 0:26 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n\
            31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
            33 25 0:29 /docker/1 /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n\
            32 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let own = "4:memory:/a/b\n1:cpu,cpuacct:/\n5:devices:/docker/1/x\n0::/\n";
        let expect = Places {
            is_version_2: false,
            controllers: vec![
                (Controller::Memory, "/sys/fs/cgroup/memory/a/b".into()),
                (Controller::Cpu, "/sys/fs/cgroup/cpu,cpuacct/".into()),
            ],
            devices: Some("/sys/fs/cgroup/devices/x".into()),
            unified: Some("/sys/fs/cgroup/unified".into()),
        };
        assert_eq!(find(mountinfo, own, true), expect);
    }

    #[test]
    fn a_machine_without_control_groups_has_no_places() {
        let expect = Places { is_version_2: false, controllers: Vec::new(), devices: None, unified: None };
        assert_eq!(find("30 25 8:1 / / rw - ext4 /dev/sda1 rw\n", "", true), expect);
    }
}
