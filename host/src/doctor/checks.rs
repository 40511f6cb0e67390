//! Judges the facts about a machine: what is missing, and how to get it.

use module::{LanguageTools, TARGET};

use super::facts::{Cgroup, Facts, NamespaceProblem};

/// The free space that a store should have: enough for an image or two and the results of a build.
const ENOUGH_BYTES: u64 = 2 << 30;

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    /// The version, path or state that was found.
    pub(super) found: String,
    /// The command that installs or improves it; none if nothing needs to be done.
    pub(super) fix: Option<String>,
}

/// The verdict of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// Everything is in order.
    Good,
    /// `host` works without it, with a limitation.
    Advice,
    /// `host` does not work without it.
    Missing,
}

use Verdict::{Advice, Good, Missing};
use terminal::bytes;

/// Judges the facts about a machine.
pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let mut checks =
        vec![crun(facts), overlay(facts), user_namespaces(facts), cgroup(facts), cargo(facts), target(facts)];
    checks.extend(facts.languages.iter().map(language));
    checks.push(store(facts));
    if !facts.is_root {
        checks.insert(3, newuidmap(facts));
    }
    checks.extend(other_hosts(facts));
    checks
}

fn check(name: &'static str, verdict: Verdict, found: impl Into<String>, fix: Option<String>) -> Check {
    Check { name, verdict, found: found.into(), fix }
}

fn crun(facts: &Facts) -> Check {
    match &facts.crun {
        Some((path, version)) => check("crun", Good, format!("{version} ({})", path.display()), None),
        None => check("crun", Missing, "not found on the PATH", Some(facts.distribution.install("crun"))),
    }
}

fn overlay(facts: &Facts) -> Check {
    let kernel = &facts.kernel;
    // Source: Linux 5.11, overlayfs in user namespaces.
    let is_recent = facts.may_mount || version(kernel) >= (5, 11);
    match (facts.has_overlay, is_recent) {
        (true, true) => check("overlayfs", Good, format!("Linux {kernel}"), None),
        (true, false) => check(
            "overlayfs",
            Missing,
            format!("Linux {kernel} has it for root only"),
            Some("use Linux 5.11 or newer, or run as root".to_owned()),
        ),
        (false, _) => check(
            "overlayfs",
            Missing,
            format!("Linux {kernel} does not have it"),
            Some("sudo modprobe overlay".to_owned()),
        ),
    }
}

fn user_namespaces(facts: &Facts) -> Check {
    let name = "user namespaces";
    let Some(problem) = facts.user_namespaces else { return check(name, Good, "can be made", None) };
    let (found, fix) = match problem {
        NamespaceProblem::SwitchedOff => {
            ("user.max_user_namespaces is 0", "sudo sysctl -w user.max_user_namespaces=15000")
        }
        NamespaceProblem::Unprivileged => {
            ("kernel.unprivileged_userns_clone is 0", "sudo sysctl -w kernel.unprivileged_userns_clone=1")
        }
        NamespaceProblem::AppArmor => {
            ("AppArmor refuses them", "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
        }
        NamespaceProblem::Refused => (
            "refused, as in many containers",
            "start the container with the flags of docs/ci.md, or run on the machine itself",
        ),
    };
    check(name, if facts.may_mount { Advice } else { Missing }, found, Some(fix.to_owned()))
}

fn newuidmap(facts: &Facts) -> Check {
    let name = "newuidmap";
    let (uid, user) = &facts.user;
    let Some(user) = user else {
        // `newuidmap` refuses users without a name.
        return check(
            name,
            Advice,
            format!("the user {uid} has no name on this machine: all files in containers belong to one user"),
            Some(format!("give it one: sudo useradd --uid {uid} NAME")),
        );
    };
    match (&facts.newuidmap, facts.has_subordinate_ids) {
        (Some(path), true) => check(name, Good, path.display().to_string(), None),
        (None, _) => check(
            name,
            Advice,
            "not found: all files in containers belong to one user",
            Some(facts.distribution.install_newuidmap()),
        ),
        (Some(_), false) => check(
            name,
            Advice,
            format!(
                "`/etc/subuid` or `/etc/subgid` does not have `{user}`: all files in containers belong to one user"
            ),
            Some(format!("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}")),
        ),
    }
}

fn cgroup(facts: &Facts) -> Check {
    match facts.cgroup {
        Cgroup::V2 => check("cgroup", Good, "version 2", None),
        Cgroup::Hybrid => check("cgroup", Good, "version 1 with 2 beside it", None),
        Cgroup::V1 => check("cgroup", Good, "version 1", None),
        Cgroup::Absent => check("cgroup", Advice, "none: limits on memory and processes cannot be set", None),
    }
}

fn cargo(facts: &Facts) -> Check {
    match &facts.cargo {
        Some((path, version)) => check("cargo", Good, format!("{version} ({})", path.display()), None),
        None => check(
            "cargo",
            Advice,
            "not found: modules in Rust cannot be built",
            Some("curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh".to_owned()),
        ),
    }
}

fn target(facts: &Facts) -> Check {
    let fix = || Some(format!("rustup target add {TARGET}"));
    match facts.has_wasm_target {
        Some(true) => check(TARGET, Good, "installed", None),
        Some(false) => check(TARGET, Advice, "not installed: modules in Rust cannot be built", fix()),
        None => check(TARGET, Advice, "not known without a Rust compiler", None),
    }
}

fn language(tools: &LanguageTools) -> Check {
    let verdict = if tools.fix.is_some() { Advice } else { Good };
    check(tools.language, verdict, tools.found.clone(), tools.fix.clone())
}

fn store(facts: &Facts) -> Check {
    let store = &facts.store;
    let (path, kind, free) = (store.path.display(), store.file_system, bytes(store.free_bytes));
    let found = format!("{path} ({kind}, {free} free)");
    if !store.is_writable {
        let fix = format!("set HOST_STORE to a directory that you can write, or run `sudo chown $USER {path}`");
        return check("store", Missing, format!("{path} cannot be written"), Some(fix));
    }
    match kind {
        "nfs" | "9p" | "fuse" => check(
            "store",
            Missing,
            format!("{found}: overlays do not work there"),
            Some("set HOST_STORE to a directory on a local disk".to_owned()),
        ),
        "overlay" => check(
            "store",
            Advice,
            format!("{found}: what a step writes has to fit into memory"),
            Some("set HOST_STORE to a directory on a disk".to_owned()),
        ),
        _ if store.free_bytes < ENOUGH_BYTES => {
            check("store", Advice, format!("{found}: little room"), Some("host cache clear".to_owned()))
        }
        _ => check("store", Good, found, None),
    }
}

fn other_hosts(facts: &Facts) -> Option<Check> {
    let first = facts.other_hosts.first()?;
    let found = format!("`{}` is another program of this name, and comes first on the PATH", first.display());
    let fix = match facts.program.as_deref().and_then(|program| program.parent()) {
        Some(directory) => format!("put it first: export PATH=\"{}:$PATH\"", directory.display()),
        None => "put the directory of this program first on the PATH".to_owned(),
    };
    Some(check("name", Advice, found, Some(fix)))
}

/// Returns the first two numbers of a kernel release such as `6.1.0-13-amd64`.
fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(['.', '-']).map_while(|number| number.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
