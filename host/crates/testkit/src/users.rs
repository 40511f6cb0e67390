//! Tests that are run again as an ordinary user.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::{Scratch, binary, guest};

/// A user that this machine does not know, so that `/etc/subuid` has only the range of the test.
pub const UID: &str = "54321";

/// Runs the tests of this program again as a user, without those of modules `users`, in a mount namespace with another
/// `/etc/subuid`. The user has a name there, which `newuidmap` needs.
///
/// # Panics
/// If a test fails, or the program cannot be run.
pub fn run_as_user(range: &str, args: &[&str]) {
    let scratch = Scratch::new();
    let (home, guests) = (scratch.path("home"), scratch.path("guests"));
    let allow = |path: &Path, mode: u32| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::create_dir(&home).unwrap();
    std::fs::create_dir(&guests).unwrap();
    allow(&scratch.path(""), 0o755);
    allow(&home, 0o777);
    let copy = |from: &Path, to: &Path| {
        std::fs::copy(from, to).unwrap();
        allow(to, 0o755);
    };
    let (tests, host) = (scratch.path("tests"), scratch.path("host"));
    copy(&std::env::current_exe().unwrap(), &tests);
    copy(binary(), &host);
    for entry in std::fs::read_dir(guest("steps").parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|extension| extension == "wasm") {
            copy(&entry.path(), &guests.join(entry.file_name()));
        }
    }
    let ranges = scratch.path("ranges");
    std::fs::write(&ranges, range).unwrap();
    allow(&ranges, 0o644);
    let names = scratch.path("names");
    let known = std::fs::read_to_string("/etc/passwd").unwrap();
    std::fs::write(&names, format!("{known}e2e-user:x:{UID}:{UID}::/:/bin/sh\n")).unwrap();
    allow(&names, 0o644);
    let script = format!(
        "mount --bind {0} /etc/subuid && mount --bind {0} /etc/subgid && mount --bind {1} /etc/passwd && \
         exec setpriv --reuid {UID} --regid {UID} --clear-groups -- \"$@\"",
        ranges.display(),
        names.display()
    );
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script, "sh"])
        .arg(&tests)
        .args(["--skip", "users::"])
        .args(args)
        .env("HOST_BIN", host)
        .env("HOST_GUESTS", guests)
        .env("CARGO_TARGET_DIR", &home)
        // The tests that need root run as root.
        .env("REQUIRE", "crun,wasm32-wasip2")
        .env("HOME", &home)
        .env("E2E_RANGE", if range.is_empty() { "no" } else { "yes" })
        .current_dir("/")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("test result: ok"), "{printed}");
}
