//! The devices of the machine are out of reach.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use testkit::is_root;
use zone::{DeviceGuard, MountSpec, Zone, ZoneConfig};

use crate::harness::{Base, helper, run};

/// Makes a file for each device of the machine in each of these directories, and prints those that open.
const TRY_ALL: &str = "for at in '' /dev /dev/shm /tmpfs /cache; do \
    for device in $(ls /sys/dev/char /sys/dev/block | grep '^[0-9]'); do \
        for kind in b c; do \
            mknod $at/d $kind $(echo $device | tr : ' ') 2>/dev/null || continue; \
            (: < $at/d) 2>/dev/null && echo opened $kind $device in $at/; \
            rm $at/d; \
        done; \
    done; done; ls /sys/dev/char /sys/dev/block | grep -c '^[0-9]'";

fn devices_of_the_machine() -> Vec<String> {
    let entries = ["/sys/dev/char", "/sys/dev/block"].map(|list| std::fs::read_dir(list).unwrap());
    let names = entries.into_iter().flatten().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_step_opens_no_device_of_the_machine_that_it_made() {
    for devices in [DeviceGuard::Rules, DeviceGuard::MountsAlone] {
        let base = Base::new();
        let zone = Zone::start(ZoneConfig { devices, ..base.config() }).await.unwrap();
        let cache = base.path().join("cache");
        std::fs::create_dir(&cache).unwrap();
        let mut spec = base.sh(TRY_ALL);
        spec.mounts.push(MountSpec::Tmpfs { path: "/tmpfs".to_owned(), size_bytes: None, mode: 0o755 });
        spec.mounts.push(MountSpec::Bind { source: cache, path: "/cache".to_owned(), is_read_only: false });
        let ran = run(&zone, &spec).await.unwrap();
        let n_devices = devices_of_the_machine().len();
        assert!(n_devices > 5, "{n_devices}");
        assert_eq!(ran.stdout, format!("{n_devices}\n"), "{devices:?} {}", ran.stderr);
    }
}

#[tokio::test]
async fn no_mount_of_a_step_lets_devices_be_opened_but_those_that_are_devices() {
    let base = Base::new();
    let zone = Zone::start(base.config()).await.unwrap();
    let script = "grep -v nodev /proc/self/mountinfo | cut -d ' ' -f 5 | grep -v '^/proc/' | grep -v '^/sys/'";
    let ran = run(&zone, &base.sh(script)).await.unwrap();
    let names = ["full", "null", "pts", "random", "tty", "urandom", "zero"];
    let expect: BTreeSet<String> = names.iter().map(|name| format!("/dev/{name}")).collect();
    assert_eq!(ran.stdout.lines().map(str::to_owned).collect::<BTreeSet<_>>(), expect, "{}", ran.stderr);
}

#[tokio::test]
async fn rules_of_the_kernel_hold_where_a_mount_lets_devices_be_opened() {
    if !is_root() {
        return;
    }
    const USABLE: [&str; 8] = ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2"];
    let machine = devices_of_the_machine();
    let usable: BTreeSet<String> =
        USABLE.iter().filter(|name| machine.iter().any(|has| has == *name)).map(|name| format!("c {name}")).collect();
    let has_version_2 = std::fs::read_to_string("/proc/self/mountinfo").unwrap().contains(" - cgroup2 ");
    let guards = [DeviceGuard::Rules].into_iter().chain(has_version_2.then_some(DeviceGuard::RulesOfVersion2));
    for devices in guards {
        let base = Base::new();
        let zone = Zone::start(ZoneConfig { devices, ..base.config() }).await.unwrap();
        assert!(zone.caps().has_device_rules);
        let opened = zone.call("devices", base.path().to_str().unwrap().as_bytes()).await.unwrap();
        let opened: BTreeSet<String> = String::from_utf8(opened).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(opened, usable, "{devices:?}");
    }
}

/// Runs a step in a zone of a process that cannot reach control groups. Returns its exit code and what it printed.
fn run_without_groups(variable: Option<&str>) -> (Option<i32>, String) {
    let base = Base::new();
    let (upper, work) = base.uppers();
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", "mount -t tmpfs none /sys/fs/cgroup && exec \"$0\" \"$@\""])
        .arg(helper())
        .args([base.store(), upper, work, base.path().join("busybox"), "echo ran".into()])
        .envs(variable.map(|name| (name, "1")))
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
}

#[test]
fn without_rules_root_runs_steps_only_if_it_says_so() {
    if !is_root() || !Path::new("/sys/fs/cgroup").exists() {
        return;
    }
    let (code, printed) = run_without_groups(None);
    assert_eq!(code, Some(1), "{printed}");
    let expect = "steps as root cannot be kept from the devices of this machine: there is no control group for it \
                  that can be written\nrun as an ordinary user, or";
    assert!(printed.starts_with(expect), "{printed}");
    assert_eq!(run_without_groups(Some("ZONE_TEST_MOUNTS_ALONE")), (Some(0), "ran\n".to_owned()));
}
