//! Tools of this machine that tests need.

use std::path::Path;
use std::process::Command;

/// The names that the variable `REQUIRE` may have, separated by commas.
const TOOLS: &[&str] = &[
    "busybox",
    "crun",
    "docker",
    "docker-registry",
    "iptables",
    "make",
    "newuidmap",
    "nftables",
    "node",
    "pasta",
    "python",
    "root",
    "slirp4netns",
    "wasm32-wasip2",
];

/// Returns whether a tool that a test needs is on this machine. The test prints that it is skipped, and passes, where
/// the tool is missing; where the variable `REQUIRE` names the tool, as in CI, the test fails.
///
/// # Panics
/// If the tool is required and missing, or if no tool has this name or one of those in `REQUIRE`.
#[must_use]
pub fn require(tool: &str) -> bool {
    assert!(TOOLS.contains(&tool), "there is no tool `{tool}` in the list of `testkit`");
    let found = is_there(tool);
    assert!(found || !is_required(tool), "`{tool}` is required and missing");
    if !found {
        eprintln!("skipped: `{tool}` is missing");
    }
    found
}

/// Returns the address of the Docker that tests share, as `DOCKER_HOST` has it: the variable `HOST_TEST_DOCKER`.
/// Without it a test is skipped, as by [`require`].
///
/// # Panics
/// If `docker` is required and the variable is not set.
#[must_use]
pub fn docker_address() -> Option<String> {
    let address = std::env::var("HOST_TEST_DOCKER").ok();
    assert!(address.is_some() || !is_required("docker"), "`docker` is required and HOST_TEST_DOCKER is not set");
    if address.is_none() {
        eprintln!("skipped: HOST_TEST_DOCKER is not set");
    }
    address
}

/// Returns whether a program is in one of the directories of `PATH`.
fn finds(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// Returns whether this process belongs to root.
#[must_use]
pub fn is_root() -> bool {
    // A thread of the process may be another user; the directory belongs to the one who started the process.
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// Runs a command that must succeed.
///
/// # Panics
/// If the command cannot be started or fails; with what it printed on standard error.
pub fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Returns whether a tool is on this machine; see [`require`].
#[must_use]
pub fn is_there(tool: &str) -> bool {
    match tool {
        "busybox" => Path::new("/bin/busybox").is_file(),
        "docker" => finds("docker") && (finds("dockerd") || Path::new("/usr/sbin/dockerd").is_file()),
        "iptables" | "nftables" => {
            let program = if tool == "nftables" { "nft" } else { tool };
            finds(program) || Path::new("/usr/sbin").join(program).is_file()
        }
        "node" => finds("node") && finds("npm"),
        "python" => finds("python3"),
        "root" => is_root(),
        // Guests that are there need no compiler.
        "wasm32-wasip2" if std::env::var_os("HOST_GUESTS").is_some() => true,
        "wasm32-wasip2" => {
            let libraries = Command::new("rustc").args(["--print", "target-libdir", "--target", tool]).output();
            libraries.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
        }
        program => finds(program),
    }
}

/// Returns whether `REQUIRE` names a tool.
fn is_required(tool: &str) -> bool {
    let required = std::env::var("REQUIRE").unwrap_or_default();
    let mut names = required.split(',').filter(|name| !name.is_empty());
    let unknown = names.clone().find(|name| !TOOLS.contains(name));
    assert!(unknown.is_none(), "REQUIRE names `{}`, which no test asks for", unknown.unwrap_or_default());
    names.any(|name| name == tool)
}
