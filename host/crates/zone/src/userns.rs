//! The user namespace of an ordinary user's zone.

use std::path::Path;
use std::process::{Command, Stdio};

use super::fault::Fault;

/// A range of numbers that a user may use in its namespaces. Source: `subuid(5)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub first: u32,
    pub count: u32,
}

/// How many users exist in a container; what images expect.
const N_USERS: u32 = 65_536;

/// Returns whether this process may mount file systems, which root of a container mostly may not.
pub(super) fn may_mount() -> bool {
    use rustix::thread::{CapabilitySet, capabilities};
    capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_ADMIN))
}

/// Gives the namespace of a process its users, and returns whether it has all of them.
pub(super) fn map(pid: i32) -> Result<bool, Fault> {
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let write = |name: &str, text: String| {
        std::fs::write(format!("/proc/{pid}/{name}"), text)
            .map_err(|error| Fault::system(format!("cannot write /proc/{pid}/{name}"), error))
    };
    // Root of a container may give its namespace all users that it has itself.
    let all = || format!("0 0 {N_USERS}\n");
    if uid == 0 && !may_mount() && write("uid_map", all()).is_ok() && write("gid_map", all()).is_ok() {
        return Ok(true);
    }
    let users = find_range(Path::new("/etc/subuid"), uid);
    let groups = find_range(Path::new("/etc/subgid"), uid);
    if let (Some(users), Some(groups)) = (users, groups)
        && map_by_helper(pid, (uid, users), (gid, groups))
    {
        return Ok(true);
    }
    write("uid_map", format!("0 {uid} 1\n"))?;
    write("setgroups", "deny".to_owned())?;
    write("gid_map", format!("0 {gid} 1\n"))?;
    Ok(false)
}

fn map_by_helper(pid: i32, (uid, users): (u32, Range), (gid, groups): (u32, Range)) -> bool {
    let start = |program: &str, own: u32, range: Range| {
        let numbers = [0, own, 1, 1, range.first, range.count.min(N_USERS)].map(|number| number.to_string());
        // Its set-user-id bit makes it find its way; it needs no environment.
        Command::new(program)
            .env_clear()
            .env("PATH", "/usr/bin:/usr/local/bin:/bin")
            .arg(pid.to_string())
            .args(numbers)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    };
    let find = |program: &str| {
        let places = ["/usr/bin", "/usr/local/bin", "/bin", "/run/wrappers/bin"];
        places.iter().map(|place| format!("{place}/{program}")).find(|path| Path::new(path).exists())
    };
    let (Some(newuidmap), Some(newgidmap)) = (find("newuidmap"), find("newgidmap")) else { return false };
    // At the same time: each takes a millisecond.
    let (for_users, for_groups) = (start(&newuidmap, uid, users), start(&newgidmap, gid, groups));
    let done = |child: std::io::Result<std::process::Child>| {
        child.and_then(|mut child| child.wait()).is_ok_and(|status| status.success())
    };
    // Both are waited for, whatever the first says.
    let (users_done, groups_done) = (done(for_users), done(for_groups));
    users_done && groups_done
}

/// Returns the range of a user in a file like `/etc/subuid`, by number or by name.
fn find_range(file: &Path, uid: u32) -> Option<Range> {
    let text = std::fs::read_to_string(file).ok()?;
    let name = std::fs::read_to_string("/etc/passwd").ok().and_then(|passwd| find_name(&passwd, uid));
    parse_range(&text, uid, name.as_deref())
}

fn find_name(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

fn parse_range(text: &str, uid: u32, name: Option<&str>) -> Option<Range> {
    let number = uid.to_string();
    text.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let who = fields.next()?;
        if who != number && Some(who) != name {
            return None;
        }
        let range = Range { first: fields.next()?.parse().ok()?, count: fields.next()?.parse().ok()? };
        // A shorter one lacks users that images use, `nobody` among them.
        (range.count >= 1000).then_some(range)
    })
}

/// Says what switches user namespaces off here.
pub(super) fn explain(error: &std::io::Error) -> Fault {
    let setting = |name: &str| {
        std::fs::read_to_string(Path::new("/proc/sys").join(name)).ok().map(|value| value.trim().to_owned())
    };
    explain_with(error, setting)
}

fn explain_with(error: &std::io::Error, setting: impl Fn(&str) -> Option<String>) -> Fault {
    let refused =
        |cause: &str, remedy: &str| Fault::UserNamespaces { cause: cause.to_owned(), remedy: remedy.to_owned() };
    if setting("user/max_user_namespaces").as_deref() == Some("0") {
        return refused(
            "the setting user.max_user_namespaces is 0",
            "run `sudo sysctl -w user.max_user_namespaces=15000`, or use another engine",
        );
    }
    if setting("kernel/unprivileged_userns_clone").as_deref() == Some("0") {
        return refused(
            "the setting kernel.unprivileged_userns_clone is 0",
            "run `sudo sysctl -w kernel.unprivileged_userns_clone=1`, or use another engine",
        );
    }
    if setting("kernel/apparmor_restrict_unprivileged_userns").as_deref() == Some("1") {
        return refused(
            "AppArmor forbids it, the setting kernel.apparmor_restrict_unprivileged_userns is 1",
            "run `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or use another engine",
        );
    }
    Fault::UserNamespaces { cause: format!("the system refuses: {error}"), remedy: container_remedy().to_owned() }
}

/// Returns what lets the users of a container make user namespaces, by what started the container.
fn container_remedy() -> &'static str {
    "inside of a container, start that one with `--security-opt seccomp=unconfined --security-opt \
     systempaths=unconfined` (Docker), `--security-opt unmask=ALL` (Podman), `privileged = true` in the runner's \
     `config.toml` (GitLab), `options: --security-opt seccomp=unconfined --security-opt systempaths=unconfined` under \
     `container` (GitHub), or `securityContext: {privileged: true}` (Kubernetes); or use another engine"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_found_by_number_and_by_name() {
        let text = "root:1:2\nann:100000:65536\n1001:200000:65536\nbob:1:10\n";
        let range = |first| Some(Range { first, count: 65_536 });
        assert_eq!(parse_range(text, 1000, Some("ann")), range(100_000));
        assert_eq!(parse_range(text, 1001, None), range(200_000));
        assert_eq!(parse_range(text, 1002, Some("bob")), None);
        assert_eq!(find_name("root:x:0:0::/:\nann:x:1000:1000::/:\n", 1000), Some("ann".to_owned()));
    }

    #[test]
    fn each_switch_is_named_with_the_command_that_changes_it() {
        let error = std::io::Error::from_raw_os_error(libc::EPERM);
        for name in ["user.max_user_namespaces", "kernel.unprivileged_userns_clone"] {
            let fault = explain_with(&error, |asked| (asked.replace('/', ".") == name).then(|| "0".to_owned()));
            let Fault::UserNamespaces { cause, remedy } = fault else { panic!("{fault:?}") };
            assert!(cause.contains(name), "{cause}");
            assert!(remedy.contains(&format!("sysctl -w {name}=")), "{remedy}");
        }
        let fault = explain_with(&error, |_| None);
        assert_eq!(fault.to_string(), "the system refuses: Operation not permitted (os error 1)");
    }
}
