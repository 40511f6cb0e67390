//! Measures a hardened step in a running zone against a bare `crun run` of the same root, turn about.
//!
//! `cargo run --release -p zone --example step [ROUNDS]`, as root (both) or as an ordinary
//! user (the zone only). Needs busybox-static. The zone's step mounts and unmounts an overlay and has
//! a network of its own, the seccomp filter, masked paths and pid 1; the bare one is what `crun spec` writes.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use zone::{ExecSpec, Limits, Network, NetworkConfig, RootSpec, Uplink, Zone, ZoneConfig};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let first = args.next();
    if first.as_deref() == Some(zone::ARGUMENT) {
        return zone::main(&[]);
    }
    let is_root = rustix::process::geteuid().is_root();
    if is_root && std::env::var_os("STEP_UNSHARED").is_none() {
        // crun refuses machines with both versions of control groups.
        let script = "mountpoint -q /sys/fs/cgroup/unified && umount /sys/fs/cgroup/unified; exec \"$0\" \"$@\"";
        let status = Command::new("unshare")
            .args(["--mount", "sh", "-c", script])
            .arg(std::env::current_exe().expect("it is running"))
            .args(first)
            .env("STEP_UNSHARED", "1")
            .status();
        return if status.is_ok_and(|status| status.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let n_rounds = first.and_then(|text| text.parse().ok()).unwrap_or(50);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be made").block_on(measure(n_rounds, is_root));
    ExitCode::SUCCESS
}

async fn measure(n_rounds: usize, is_root: bool) {
    let base = tempfile::tempdir().expect("a directory can be made");
    let base = base.path();
    let bundle = base.join("bundle");
    let rootfs = bundle.join("rootfs");
    std::fs::create_dir_all(rootfs.join("bin")).expect("a directory can be made");
    for name in ["true", "sleep"] {
        std::fs::copy("/bin/busybox", rootfs.join("bin").join(name)).expect("busybox-static is installed");
    }
    let store = base.join("store");
    std::fs::create_dir(&store).expect("a directory can be made");
    if is_root {
        write_bare_spec(&bundle);
    }

    for (name, network) in networks() {
        let mut starts = Vec::new();
        for _ in 0..10 {
            let started = Instant::now();
            let config = ZoneConfig { network: network.clone(), ..ZoneConfig::new(&store) };
            let zone = Zone::start(config).await.expect("a zone starts");
            starts.push(started.elapsed());
            zone.stop().await;
        }
        print(&format!("start, {name}"), &mut starts);
    }
    let zone = Zone::start(ZoneConfig::new(&store)).await.expect("a zone starts");
    let (mut bare, mut plain, mut limited, mut outside) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..n_rounds {
        if is_root {
            bare.push(bare_step(&bundle, round));
        }
        plain.push(zone_step(&zone, &step(&store, &rootfs, &format!("plain{round}"))).await);
        let spec = ExecSpec { network: Network::Outside, ..step(&store, &rootfs, &format!("outside{round}")) };
        outside.push(zone_step(&zone, &spec).await);
        if zone.caps().has_limits {
            let limits = Limits { memory_bytes: Some(1 << 30), n_pids: Some(1000), cpu_millis: Some(2000) };
            let spec = ExecSpec { limits, ..step(&store, &rootfs, &format!("limited{round}")) };
            limited.push(zone_step(&zone, &spec).await);
        }
    }
    print("bare crun run", &mut bare);
    print("step in the zone", &mut plain);
    print("step with limits", &mut limited);
    print("step with network", &mut outside);
    if let (Some(bare), Some(plain)) = (median(&mut bare), median(&mut plain)) {
        say(&format!("{:<20} {:.2}", "ratio", plain.as_secs_f64() / bare.as_secs_f64()));
    }
    at_once(zone, &store, &rootfs).await;
}

/// The ways to reach the network that can be tried.
fn networks() -> Vec<(String, Option<NetworkConfig>)> {
    let with = |uplink| Some(NetworkConfig { uplinks: vec![uplink], ..NetworkConfig::default() });
    let uplinks = [Uplink::Veth, Uplink::Pasta, Uplink::Slirp4netns].map(|uplink| (uplink.to_string(), with(uplink)));
    std::iter::once(("no network".to_owned(), None)).chain(uplinks).collect()
}

/// Measures 20 steps at once that sleep for half a second.
async fn at_once(zone: Zone, store: &Path, rootfs: &Path) {
    let zone = std::sync::Arc::new(zone);
    for network in [Network::None, Network::Outside] {
        let mut took = Vec::new();
        for round in 0..5 {
            let mut steps = tokio::task::JoinSet::new();
            let started = Instant::now();
            for n in 0..20 {
                let mut spec = step(store, rootfs, &format!("sleep{network:?}{round}-{n}"));
                (spec.network, spec.args) = (network, vec!["/bin/sleep".to_owned(), "0.5".to_owned()]);
                let zone = std::sync::Arc::clone(&zone);
                steps.spawn(async move { zone_step(&zone, &spec).await });
            }
            steps.join_all().await;
            took.push(started.elapsed());
        }
        print(&format!("20 at once, {network:?}"), &mut took);
    }
}

fn step(store: &Path, rootfs: &Path, name: &str) -> ExecSpec {
    let (upper, work) = (store.join(format!("upper-{name}")), store.join(format!("work-{name}")));
    std::fs::create_dir(&upper).expect("a directory can be made");
    std::fs::create_dir(&work).expect("a directory can be made");
    let root = RootSpec { lowers: vec![rootfs.to_owned()], upper, work, read_only_binds: Vec::new() };
    ExecSpec::new(root, ["/bin/true"])
}

async fn zone_step(zone: &Zone, spec: &ExecSpec) -> Duration {
    let started = Instant::now();
    let reply = zone.exec(spec, &CancellationToken::new(), |_, _| {}).await.expect("the step runs");
    let took = started.elapsed();
    assert_eq!(reply.status, engine::ExecStatus::Exited { code: 0 });
    took
}

fn bare_step(bundle: &Path, round: usize) -> Duration {
    let started = Instant::now();
    let status = Command::new("crun")
        .args(["--cgroup-manager=disabled", "run", "--bundle"])
        .arg(bundle)
        .arg(format!("bare-{}-{round}", std::process::id()))
        .stdin(Stdio::null())
        .status();
    let took = started.elapsed();
    assert!(status.is_ok_and(|status| status.success()));
    took
}

/// Writes what `crun spec` does, with `/bin/true` instead of a shell on a terminal.
fn write_bare_spec(bundle: &Path) {
    let made = Command::new("crun").arg("spec").current_dir(bundle).status();
    assert!(made.is_ok_and(|status| status.success()));
    let file = bundle.join("config.json");
    let text = std::fs::read_to_string(&file).expect("crun wrote it");
    let text = text.replace("\"terminal\": true", "\"terminal\": false").replace("\"sh\"", "\"/bin/true\"");
    std::fs::write(&file, text).expect("the file can be written");
}

fn median(durations: &mut [Duration]) -> Option<Duration> {
    durations.sort();
    durations.get(durations.len() / 2).copied()
}

fn print(name: &str, durations: &mut [Duration]) {
    let Some(median) = median(durations) else { return };
    let ms = |duration: &Duration| duration.as_secs_f64() * 1000.0;
    let (best, worst) = (durations.first().map_or(0.0, ms), durations.last().map_or(0.0, ms));
    say(&format!(
        "{name:<20} median {:6.2} ms   best {best:6.2}   worst {worst:6.2}   n={}",
        ms(&median),
        durations.len()
    ));
}

#[expect(clippy::print_stdout, reason = "this is a program")]
fn say(line: &str) {
    println!("{line}");
}
