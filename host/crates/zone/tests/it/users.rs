//! Runs the other tests again as ordinary users.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use testkit::is_root;

use crate::harness::helper;
use crate::outside::Outside;

/// A user that has a range in `/etc/subuid`.
const WITH_RANGE: &str = "zonetester";

/// A user that has none, and no name either.
const WITHOUT_RANGE: &str = "61999";

/// Runs the tests that `filter` chooses, with options for `setpriv`. `before` is a command of root's in the mount
/// namespace of the tests.
fn run_as(user: &str, before: &str, filter: &[&str], options: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let copy = |from: &Path, name: &str| {
        let to = directory.path().join(name);
        std::fs::copy(from, &to).unwrap();
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o755)).unwrap();
        to
    };
    let tests = copy(&std::env::current_exe().unwrap(), "tests");
    let helper = copy(&helper(), "helper");
    let ids = Command::new("id").args(["-u", user]).output().unwrap();
    let uid = String::from_utf8(ids.stdout).unwrap().trim().to_owned();
    let uid = if uid.is_empty() { user.to_owned() } else { uid };
    let outside = Outside::make();
    // Distributions let everybody make links of their own, but not all machines for tests do.
    let tun = directory.path().join("tun");
    let script =
        format!("{before}; mknod -m 666 \"$0\" c 10 200 && mount --bind \"$0\" /dev/net/tun; exec setpriv \"$@\"");
    // Root has run what needs root.
    let required = std::env::var("REQUIRE").unwrap_or_default();
    let required: Vec<&str> = required.split(',').filter(|name| *name != "root").collect();
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script])
        .arg(tun)
        .args(["--reuid", &uid, "--regid", &uid, "--clear-groups"])
        .args(options)
        .arg("--")
        .arg(tests)
        .args(["--skip", "users::"])
        .args(filter)
        .env("ZONE_HELPER", helper)
        .env("TMPDIR", directory.path())
        .env("REQUIRE", required.join(","))
        .envs(outside.as_ref().map(Outside::variable))
        .current_dir("/")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("test result: ok"), "{printed}");
}

#[test]
fn it_works_for_a_user_with_a_range_of_users() {
    if !is_root() {
        return;
    }
    let exists = Command::new("id").arg(WITH_RANGE).output().unwrap().status.success();
    if !exists {
        // It gets a range in /etc/subuid and /etc/subgid by default.
        assert!(Command::new("useradd").args(["--no-create-home", WITH_RANGE]).status().unwrap().success());
    }
    run_as(WITH_RANGE, "true", &[], &[]);
}

#[test]
fn it_works_for_a_user_without_a_range() {
    if is_root() {
        run_as(WITHOUT_RANGE, "true", &[], &[]);
    }
}

#[test]
fn where_parts_of_sys_are_hidden_from_a_user_no_step_sees_the_interfaces_of_the_machine() {
    if is_root() {
        run_as(WITHOUT_RANGE, "mount -t tmpfs none /sys/kernel", &["hardening::no_interface_of_the_machine"], &[]);
    }
}

#[test]
fn it_works_for_root_who_may_not_mount() {
    if is_root() {
        let options = ["--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"];
        // What fills a disk mounts one before.
        run_as("0", "true", &["basics::", "--skip", "fills_the_disk"], &options);
    }
}
