//! The cage of a command: what it cannot do.

use engine::ExecStatus;
use testkit::is_root;
use zone::{MountSpec, RootSpec, SecretBytes, UserSpec};

use crate::harness::{Ground, tree};

#[tokio::test]
async fn a_command_has_dockers_capabilities_and_a_filter() {
    let ground = Ground::new().await;
    let script = "grep -E '^(Cap(Bnd|Eff|Inh|Amb)|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'";
    let expect = "CapInh:0000000000000000\nCapEff:00000000a80425fb\nCapBnd:00000000a80425fb\n\
                  CapAmb:0000000000000000\nNoNewPrivs:0\nSeccomp:2\n";
    assert_eq!(ground.output(script).await, expect);
    let mut spec = ground.base.sh(script);
    spec.gains_privileges = false;
    let ran = ground.run(&spec).await;
    assert_eq!(ran.stdout, expect.replace("NoNewPrivs:0", "NoNewPrivs:1"), "{}", ran.stderr);
}

/// A call by its number, its arguments, and the number of the error that it must give; 0 for none.
#[cfg(target_arch = "x86_64")]
const CALLS: &[(&str, &str, i32)] = &[
    // Without the filter each of these works, or fails otherwise.
    ("unshare, new user namespace", "272, 0x10000000", libc::EPERM),
    ("keyctl, id of the session keyring", "250, 0, -3, 0", libc::EPERM),
    ("mount", "165, 0, 0, 0, 0, 0", libc::EPERM),
    ("open_tree", "428, -100, 0, 0", libc::EPERM),
    ("bpf", "321, 9999, 0, 0", libc::EPERM),
    ("perf_event_open", "298, 0, 0, 0, 0, 0", libc::EPERM),
    ("io_uring_setup", "425, 1, 0", libc::EPERM),
    ("userfaultfd", "323, -1", libc::EPERM),
    ("clone, new user namespace", "56, 0x10000000, 0, 0, 0, 0", libc::EPERM),
    ("socket, AF_ALG", "41, 38, 5, 0", libc::EPERM),
    ("socket, AF_VSOCK", "41, 40, 1, 0", libc::EPERM),
    ("personality, no randomness", "135, 0x40000", libc::EPERM),
    ("clone3", "435, 0, 0", libc::ENOSYS),
    ("a call of the future", "700, 0", libc::ENOSYS),
    ("a call of x32", "0x40000027", libc::ENOSYS),
    // As Docker does on kernels since 4.8.
    ("ptrace, trace me", "101, 0, 0, 0, 0", 0),
    ("socket, AF_UNIX", "41, 1, 1, 0", 0),
    ("socket, AF_NETLINK", "41, 16, 3, 0", 0),
    ("personality, ask", "135, 0xffffffff", 0),
    ("getpid", "39", 0),
];

#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn calls_are_let_through_and_refused_as_by_docker() {
    let ground = Ground::new().await;
    let mut script = String::new();
    for (name, call, _) in CALLS {
        script.push_str(&format!("$! = 0; syscall({call}); printf \"%s: %d\\n\", '{name}', $!+0;\n"));
    }
    let expect: String = CALLS.iter().map(|(name, _, errno)| format!("{name}: {errno}\n")).collect();
    let lower = ground.base.path().join("machine");
    std::fs::create_dir(&lower).unwrap();
    for name in ["bin", "lib", "lib64"] {
        std::os::unix::fs::symlink(format!("usr/{name}"), lower.join(name)).unwrap();
    }
    let (upper, work) = ground.base.uppers();
    let mut spec = ground.base.step(&["/usr/bin/perl", "-e", &script]);
    spec.root =
        RootSpec { lowers: vec![lower], upper, work, read_only_binds: vec![("/usr".into(), "/usr".to_owned())] };
    let ran = ground.run(&spec).await;
    assert_eq!(ran.stdout, expect, "{}", ran.stderr);
}

#[tokio::test]
async fn devices_are_usable_and_cannot_be_made_or_changed() {
    let ground = Ground::new().await;
    let script = "echo x > /dev/null && head -c 4 /dev/zero | wc -c; ls /dev; \
        chmod 777 /dev/null 2>/dev/null || echo fixed; \
        mknod /disk b 254 0 2>/dev/null; mknod /dev/disk b 254 0 2>/dev/null; \
        (head -c 1 /disk /dev/disk > /dev/null) 2>/dev/null || echo closed; test -w /dev/shm && echo shm";
    let names = "core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero";
    assert_eq!(ground.output(script).await, format!("4\n{names}\nfixed\nclosed\nshm\n"));
}

#[tokio::test]
async fn the_kernels_files_are_masked_or_read_only() {
    let ground = Ground::new().await;
    let script = "cat /proc/kcore 2>/dev/null | head -c 1 | wc -c; (echo 1 > /proc/sys/kernel/core_pattern) 2>/dev/null || echo no; \
        (echo 1 > /sys/kernel/uevent_helper) 2>/dev/null || echo no; (echo x > /proc/sysrq-trigger) 2>/dev/null || echo no; \
        ls /sys/firmware | wc -l; ls /sys/fs/cgroup 2>/dev/null | wc -l; mount -t tmpfs x /etc 2>/dev/null || echo no; \
        umount /proc 2>/dev/null || echo no; ls /sys/class/net; ps > /dev/shm/ps; wc -l < /dev/shm/ps";
    // The last: a head line, and the processes init, sh and ps.
    assert_eq!(ground.output(script).await, "0\nno\nno\nno\n0\n0\nno\nno\nlo\n4\n");
}

#[tokio::test]
async fn no_interface_of_the_machine_is_in_a_step() {
    let ground = Ground::new().await;
    // A `/sys` that is hidden around here is empty in a step, and one of its own has the loopback interface.
    let expect = if ground.zone.caps().has_sysfs { "lo\n" } else { "" };
    assert_eq!(ground.output("ls /sys/class/net 2>/dev/null || true").await, expect);
    assert_eq!(ground.zone.caps().has_sysfs, std::fs::read_dir("/sys/kernel").unwrap().next().is_some());
}

#[tokio::test]
async fn a_secret_is_on_no_disk_and_in_no_command_line() {
    let ground = Ground::new().await;
    let marker = format!("s3cret-{}", std::process::id());
    let mut spec = ground.base.sh("cat /run/token; echo; echo $TOKEN; touch /started; sleep 0.3");
    spec.secret_env.push(("TOKEN".to_owned(), SecretBytes(marker.clone().into_bytes())));
    spec.mounts.push(MountSpec::SecretFile {
        path: "/run/token".to_owned(),
        contents: SecretBytes(marker.clone().into_bytes()),
        mode: 0o400,
        uid: 0,
        gid: 0,
    });
    let upper = spec.root.upper.clone();
    let search = async {
        while !upper.join("started").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&line).contains(&marker), "{:?}", entry.path());
        }
        for path in tree(&ground.base.store()) {
            let bytes = std::fs::read(ground.base.store().join(&path)).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&bytes).contains(&marker), "{path}");
        }
    };
    let (ran, ()) = tokio::join!(ground.run(&spec), search);
    assert_eq!(ran.stdout, format!("{marker}\n{marker}\n"), "{}", ran.stderr);
    assert!(!format!("{spec:?}").contains(&marker));
    assert_eq!(tree(&ran.upper), ["started"]);
}

#[tokio::test]
async fn a_secret_is_read_by_its_owner_only() {
    let ground = Ground::new().await;
    if !ground.zone.caps().has_owners {
        return;
    }
    let secret = |name: &str, uid| MountSpec::SecretFile {
        path: format!("/{name}"),
        contents: SecretBytes(name.as_bytes().to_vec()),
        mode: 0o400,
        uid,
        gid: 0,
    };
    let mut spec = ground.base.sh("cat /mine; cat /yours 2>/dev/null || echo ' refused'");
    spec.user = UserSpec { uid: 1000, gid: 1000, groups: Vec::new() };
    spec.mounts = vec![secret("mine", 1000), secret("yours", 0)];
    assert_eq!(ground.run(&spec).await.stdout, "mine refused\n");
}

#[tokio::test]
async fn the_processes_of_an_ordinary_user_are_limited_without_control_groups() {
    let ground = Ground::new().await;
    if !ground.zone.caps().is_user_namespace {
        return;
    }
    let script = "grep 'Max processes' /proc/self/limits | tr -s ' ' | cut -d ' ' -f 3,4";
    assert_eq!(ground.output(script).await, "16384 16384\n");
}

#[tokio::test]
async fn limits_hold_or_are_refused() {
    let ground = Ground::new().await;
    let mut spec = ground
        .base
        .sh("head -c 200000000 /dev/zero > /dev/shm/big; x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo ${#x}");
    spec.limits.memory_bytes = Some(32 << 20);
    if !ground.zone.caps().has_limits {
        let error = ground.refused(&spec).await;
        assert_eq!(error.to_string(), "cannot limit memory: this user has no control group for it");
        return;
    }
    assert_eq!(ground.run(&spec).await.reply.status, ExecStatus::OutOfMemory);
    // The same slot without that limit, and nothing left of the kill.
    let mut spec = ground.base.sh("x=$(head -c 40000000 /dev/zero | tr '\\0' x); echo ${#x}");
    spec.limits.memory_bytes = Some(1 << 30);
    spec.limits.cpu_millis = Some(1500);
    assert_eq!(ground.run(&spec).await.stdout, "40000000\n");
    let mut spec = ground.base.sh("for n in $(seq 20); do sleep 1 & done");
    spec.limits.n_pids = Some(10);
    let ran = ground.run(&spec).await;
    assert!(ran.stderr.contains("fork"), "{}", ran.stderr);
    assert!(is_root());
}
