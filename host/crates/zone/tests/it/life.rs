//! How steps and zones end.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use engine::ExecStatus;
use graph::{Blame, Diagnostic as _};
use tokio_util::sync::CancellationToken;
use zone::{Zone, ZoneConfig, ZoneError};

use crate::harness::{Base, Ground, helper, run, run_until};

/// The time after which a wait fails, so that a process that never ends is found.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns a number of seconds to sleep that names a process on the whole machine.
fn marker() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    format!("77{}", std::hash::RandomState::new().build_hasher().finish() % 1_000_000_000)
}

/// Returns how many processes have this in their command line.
fn n_processes(marker: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(marker)).count()
}

/// Waits until a condition holds.
fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until a process runs that has this in its command line.
async fn until_runs(marker: &str) {
    while n_processes(marker) == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_with_all_it_started() {
    let ground = Ground::new().await;
    let marker = marker();
    let mut spec = ground.base.sh(&format!("echo begun; (sleep {marker} &); trap '' TERM; sleep {marker}"));
    spec.timeout = Some(Duration::from_secs(2));
    let ran = ground.run(&spec).await;
    assert_eq!(ran.reply.status, ExecStatus::TimedOut { after_ms: 2000 });
    assert_eq!(ran.stdout, "begun\n");
    assert_eq!(n_processes(&marker), 0);
}

#[tokio::test]
async fn a_cancelled_command_is_gone_when_the_call_returns() {
    let ground = Ground::new().await;
    let marker = marker();
    for delay in [0, 1, 2, 3, 4, 6, 10, 100] {
        let spec = ground.base.sh(&format!("sleep {marker}"));
        let cancel = CancellationToken::new();
        let later = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            cancel.cancel();
        };
        let (ran, ()) = tokio::join!(run_until(&ground.zone, &spec, &cancel), later);
        assert_eq!(ran.unwrap().reply.status, ExecStatus::Cancelled);
        assert_eq!(n_processes(&marker), 0);
    }
    assert_eq!(ground.output("echo still here").await, "still here\n");
}

#[tokio::test]
async fn a_command_whose_future_is_dropped_ends() {
    let ground = Ground::new().await;
    let marker = marker();
    let spec = ground.base.sh(&format!("while true; do echo loud; done; sleep {marker}"));
    tokio::select! {
        _ = ground.run(&spec) => unreachable!("it has no end"),
        () = until_runs(&marker) => {}
    }
    wait_for("it still runs", || n_processes(&marker) == 0);
    tokio::select! {
        _ = ground.zone.call("sleep", b"") => unreachable!("it takes a minute"),
        () = tokio::time::sleep(Duration::from_millis(50)) => {}
    }
    assert_eq!(ground.output("echo still here").await, "still here\n");
}

#[tokio::test]
async fn when_the_zone_dies_calls_say_so_and_the_next_zone_works() {
    let base = Base::new();
    let zone = Zone::start(base.config()).await.unwrap();
    let marker = marker();
    let spec = base.sh(&format!("sleep {marker}"));
    let kill = async {
        until_runs(&marker).await;
        let pid = rustix::process::Pid::from_raw(zone.supervisor_pid().cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    };
    let (ran, ()) = tokio::join!(run(&zone, &spec), kill);
    let error = ran.err().unwrap();
    assert!(matches!(error, ZoneError::Died { .. }), "{error}");
    assert_eq!(error.to_string(), "the zone died (signal: 9 (SIGKILL))");
    assert_eq!(error.blame(), Blame::Environment);
    assert!(!zone.is_alive());
    assert!(matches!(run(&zone, &base.sh("true")).await, Err(ZoneError::Died { .. })));
    wait_for("it still runs", || n_processes(&marker) == 0);
    let zone = Zone::start(base.config()).await.unwrap();
    assert_eq!(run(&zone, &base.sh("echo again")).await.unwrap().stdout, "again\n");
}

/// Returns the groups of the zone with this supervisor: for version 1, one for processes and one for devices.
fn groups(supervisor: u32) -> Vec<PathBuf> {
    let name = format!("host-zone-{supervisor}-");
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    let below = |hierarchy: &&str| {
        let lines = own.lines().find_map(|line| line.split_once(&format!(":{hierarchy}:/")));
        format!("{hierarchy}/{}", lines.map_or("", |(_, group)| group))
    };
    let mut places: Vec<String> = ["memory", "pids", "cpu", "devices"].iter().map(below).collect();
    places.extend(is_version_2().then(String::new));
    let entries = |place: String| std::fs::read_dir(Path::new("/sys/fs/cgroup").join(place)).into_iter().flatten();
    let paths = places.into_iter().flat_map(entries).flatten().map(|entry| entry.path());
    paths.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(&name)).collect()
}

/// Returns whether this machine has no control groups of version 1.
fn is_version_2() -> bool {
    Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
}

#[tokio::test]
async fn groups_go_with_their_zone_however_it_ends() {
    let base = Base::new();
    let zone = Zone::start(base.config()).await.unwrap();
    if !zone.caps().has_limits {
        return;
    }
    run(&zone, &base.sh("true")).await.unwrap();
    let supervisor = zone.supervisor_pid();
    let n_groups = if is_version_2() { 1 } else { 2 };
    assert_eq!(groups(supervisor).len(), n_groups);
    if is_version_2() {
        let limit = groups(supervisor)[0].join("own/pids.max");
        assert_eq!(std::fs::read_to_string(limit).unwrap(), "16384\n");
    }
    zone.stop().await;
    assert_eq!(groups(supervisor), Vec::<PathBuf>::new());

    let zone = Zone::start(base.config()).await.unwrap();
    run(&zone, &base.sh("true")).await.unwrap();
    let supervisor = zone.supervisor_pid();
    assert_eq!(groups(supervisor).len(), n_groups);
    let pid = rustix::process::Pid::from_raw(supervisor.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    wait_for("the groups are still there", || groups(supervisor).is_empty());
}

#[tokio::test]
async fn a_zone_that_is_dropped_or_stopped_takes_everything_along() {
    let ground = Ground::new().await;
    let marker = marker();
    let spec = ground.base.sh(&format!("sleep {marker}"));
    tokio::select! {
        _ = ground.run(&spec) => unreachable!("it takes a day"),
        () = until_runs(&marker) => {}
    }
    let supervisor = ground.zone.supervisor_pid();
    ground.zone.stop().await;
    assert_eq!(n_processes(&marker), 0);
    assert!(!Path::new(&format!("/proc/{supervisor}")).exists());
}

#[test]
fn a_killed_host_leaves_no_process_and_no_mount() {
    let base = Base::new();
    let marker = marker();
    let (upper, work) = base.uppers();
    let script = format!("echo ready; (sleep {marker} &); sleep {marker}");
    let mut host = Command::new(helper())
        .args([base.store(), upper, work, base.path().join("busybox"), script.into()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(host.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    wait_for("it never ran", || n_processes(&marker) > 2);
    host.kill().unwrap();
    host.wait().unwrap();
    let store = base.store().to_string_lossy().into_owned();
    wait_for("something is left", || n_processes(&store) + n_processes(&marker) == 0);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&store), "{mounts}");
    assert_eq!(crate::harness::tree(&base.store().join("zone-v1/mount")), [""; 0]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let output = runtime.block_on(async {
        let zone = Zone::start(base.config()).await.unwrap();
        run(&zone, &base.sh("echo again")).await.unwrap().stdout
    });
    assert_eq!(output, "again\n");
}

#[tokio::test]
async fn a_missing_tool_is_named_with_the_way_to_it() {
    let base = Base::new();
    let config = ZoneConfig { runtime: Some("/no/crun".into()), ..base.config() };
    let error = Zone::start(config).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no container runtime `/no/crun`");
    assert!(error.hint().unwrap().contains("install crun"), "{:?}", error.hint());
    let config = ZoneConfig { runtime: Some("/bin/true".into()), ..base.config() };
    let error = Zone::start(config).await.unwrap_err();
    assert_eq!(error.to_string(), "the container runtime `/bin/true` is not crun");
    let config = ZoneConfig { executable: "/no/host".into(), ..base.config() };
    let error = Zone::start(config).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot execute the zone helper `/no/host`");
}

#[test]
fn user_namespaces_that_are_switched_off_are_named() {
    // In a user namespace of its own the test can switch them off below it only.
    let base = Base::new();
    let (upper, work) = base.uppers();
    let output = Command::new("unshare")
        .args([
            "--user",
            "--map-current-user",
            "--keep-caps",
            "sh",
            "-c",
            "echo 0 > /proc/sys/user/max_user_namespaces; exec \"$0\" \"$@\"",
        ])
        .arg(helper())
        .args([base.store(), upper, work, base.path().join("busybox"), "true".into()])
        .env("ZONE_TEST_MODE", "user")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(printed.contains("the setting user.max_user_namespaces is 0"), "{printed}");
    assert!(printed.contains("sudo sysctl -w user.max_user_namespaces="), "{printed}");
}
