//! What a step sees and leaves.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use engine::ExecStatus;
use testkit::is_root;
use zone::{After, MountSpec, RootSpec, SecretBytes, Stdin, UserSpec, Zone, ZoneConfig, ZoneError};

use crate::harness::{Base, Ground, helper, run, tree};

const OK: ExecStatus = ExecStatus::Exited { code: 0 };
const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn a_command_prints_and_leaves_an_empty_upper() {
    let ground = Ground::new().await;
    let ran = ground.run(&ground.base.sh("echo out; echo err >&2")).await;
    assert_eq!(ran.reply.status, OK);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("out\n", "err\n"));
    assert_eq!(tree(&ran.upper), NOTHING);
}

#[tokio::test]
async fn what_a_command_writes_is_in_the_upper() {
    let ground = Ground::new().await;
    let ran = ground.run(&ground.base.sh("mkdir -p /a/b; echo x > /a/b/c; rm /bin/wc; echo y > /etc/new")).await;
    assert_eq!(ran.reply.status, OK, "{}", ran.stderr);
    assert_eq!(tree(&ran.upper), ["a", "a/b", "a/b/c", "bin", "bin/wc", "etc", "etc/new"]);
    assert_eq!(ran.upper.join("bin/wc").symlink_metadata().unwrap().rdev(), 0);
}

#[tokio::test]
async fn each_end_of_a_command_is_told_exactly() {
    let ground = Ground::new().await;
    let check = async |args: &[&str], status: ExecStatus, stderr: &str| {
        let ran = ground.run(&ground.base.step(args)).await;
        assert_eq!((ran.reply.status, ran.stderr.as_str()), (status, stderr), "{args:?}");
    };
    check(&["sh", "-c", "exit 7"], ExecStatus::Exited { code: 7 }, "").await;
    check(&["sh", "-c", "exit 137"], ExecStatus::Exited { code: 137 }, "").await;
    check(&["sh", "-c", "kill -9 $$"], ExecStatus::Killed { signal: 9 }, "").await;
    check(&["sh", "-c", "kill -15 $$"], ExecStatus::Killed { signal: 15 }, "").await;
    check(&["nope"], ExecStatus::Exited { code: 127 }, "nope: command not found\n").await;
    check(&["/no/such"], ExecStatus::Exited { code: 127 }, "/no/such: no such file\n").await;
    check(&["/etc"], ExecStatus::Exited { code: 126 }, "/etc: permission denied\n").await;
}

#[tokio::test]
async fn a_step_cannot_forge_how_it_ended() {
    let ground = Ground::new().await;
    let script = "printf '\\0\\0\\0\\0' > /proc/1/fd/3; printf '\\0\\0\\0\\0' > /proc/$PPID/fd/3; exit 5";
    let ran = ground.run(&ground.base.sh(script)).await;
    assert_eq!(ran.reply.status, ExecStatus::Exited { code: 5 }, "{}", ran.stderr);
}

#[tokio::test]
async fn a_root_may_have_a_file_of_the_name_of_process_1() {
    let ground = Ground::new().await;
    for name in [".init", "dev/.init"] {
        let path = ground.base.path().join("busybox").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "not a program").unwrap();
    }
    assert_eq!(ground.output("cat /.init").await, "not a program");
}

#[tokio::test]
async fn the_number_that_names_nobody_is_refused() {
    let ground = Ground::new().await;
    let [uid, gid, groups] = [(u32::MAX, 0, vec![]), (0, u32::MAX, vec![]), (0, 0, vec![u32::MAX])];
    for (uid, gid, groups) in [uid, gid, groups] {
        let mut spec = ground.base.sh("id -u");
        spec.user = UserSpec { uid, gid, groups };
        let error = ground.refused(&spec).await;
        assert_eq!(error.to_string(), "4294967295 is not the number of a user or a group");
    }
}

#[tokio::test]
async fn a_process_left_behind_ends_with_the_command() {
    let ground = Ground::new().await;
    let started = std::time::Instant::now();
    let ran = ground.run(&ground.base.sh("sleep 30 & (sleep 30 &) ; echo done")).await;
    assert_eq!((ran.reply.status, ran.stdout.as_str()), (OK, "done\n"));
    assert!(started.elapsed().as_secs() < 10);
}

#[tokio::test]
async fn the_command_sees_only_its_own_environment_and_descriptors() {
    let ground = Ground::new().await;
    let mut spec = ground.base.sh("env | grep -v '^PWD=' | grep -v '^SHLVL=' | grep -v ^PATH=; ls /proc/self/fd");
    spec.secret_env.push(("TOKEN".to_owned(), SecretBytes(b"hunter2".to_vec())));
    spec.env.push(("HOME".to_owned(), "/root".to_owned()));
    let ran = ground.run(&spec).await;
    assert_eq!(ran.stdout, "HOME=/root\nTOKEN=hunter2\n0\n1\n2\n3\n", "{}", ran.stderr);
}

#[tokio::test]
async fn the_working_directory_is_made_and_stays() {
    let ground = Ground::new().await;
    let mut spec = ground.base.sh("realpath .; touch here");
    spec.cwd = "/src/app".to_owned();
    let ran = ground.run(&spec).await;
    assert_eq!(ran.stdout, "/src/app\n");
    assert_eq!(tree(&ran.upper), ["src", "src/app", "src/app/here"]);
}

#[tokio::test]
async fn the_host_name_is_everywhere() {
    let ground = Ground::new().await;
    let mut spec =
        ground.base.sh("hostname; cat /etc/hostname; grep build /etc/hosts; ip addr show lo | grep -c 'inet 127'");
    spec.hostname = "build".to_owned();
    let ran = ground.run(&spec).await;
    assert_eq!(ran.stdout, "build\nbuild\n127.0.1.1\tbuild\n1\n", "{}", ran.stderr);
    assert_eq!(tree(&ran.upper), NOTHING);
}

#[tokio::test]
async fn standard_input_is_empty_bytes_or_a_file() {
    let ground = Ground::new().await;
    let mut spec = ground.base.sh("cat; echo .");
    assert_eq!(ground.run(&spec).await.stdout, ".\n");
    spec = ground.base.sh("cat; echo .");
    spec.stdin = Stdin::Bytes(SecretBytes(vec![b'x'; 300_000]));
    assert_eq!(ground.run(&spec).await.stdout.len(), 300_002);
    spec = ground.base.sh("head -c 4");
    spec.stdin = Stdin::File("/bin/busybox".to_owned());
    assert_eq!(ground.run(&spec).await.stdout, "\u{7f}ELF");
    spec = ground.base.sh("cat");
    spec.stdin = Stdin::File("/none".to_owned());
    let error = ground.refused(&spec).await;
    assert_eq!(error.to_string(), "cannot read the standard input from `/none`: nothing is there");
}

#[tokio::test]
async fn output_is_redirected_and_still_captured() {
    let ground = Ground::new().await;
    let mut spec = ground.base.sh("seq 1 20000; echo err >&2");
    spec.cwd = "/work".to_owned();
    spec.redirect_stdout = Some("out.txt".to_owned());
    spec.redirect_stderr = Some("/mnt/cache/err.txt".to_owned());
    let cache = ground.base.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    spec.mounts.push(MountSpec::Bind { source: cache.clone(), path: "/mnt/cache".to_owned(), is_read_only: false });
    let ran = ground.run(&spec).await;
    assert_eq!((ran.stdout.lines().count(), ran.stderr.as_str()), (20_000, "err\n"));
    assert_eq!(std::fs::read_to_string(ran.upper.join("work/out.txt")).unwrap(), ran.stdout);
    assert_eq!(std::fs::read_to_string(cache.join("err.txt")).unwrap(), "err\n");
    assert_eq!(tree(&ran.upper), ["work", "work/out.txt"]);
}

#[tokio::test]
async fn output_that_its_file_cannot_take_is_an_error_and_never_half_a_file() {
    const ROOM: u64 = 4 * 4096;
    let ground = Ground::new().await;
    for n_pages in 1..=8 {
        for is_stderr in [false, true] {
            let n_bytes = n_pages * 4096;
            let mut spec = ground.base.sh(&format!("head -c {n_bytes} /dev/zero >&{}", 1 + i32::from(is_stderr)));
            spec.mounts.push(MountSpec::Tmpfs { path: "/small".to_owned(), size_bytes: Some(ROOM), mode: 0o755 });
            let redirect = if is_stderr { &mut spec.redirect_stderr } else { &mut spec.redirect_stdout };
            *redirect = Some("/small/out".to_owned());
            let ran = run(&ground.zone, &spec).await.map(|ran| ran.reply.status).map_err(|error| error.to_string());
            let expect = match n_bytes <= ROOM {
                true => Ok(ExecStatus::Exited { code: 0 }),
                false => {
                    Err("cannot write the output to `/small/out`: No space left on device (os error 28)".to_owned())
                }
            };
            assert_eq!(ran, expect, "{n_bytes}");
        }
    }
}

/// Puts the store on a file system with so much room, and runs a script in a step: the store, the room, the program,
/// the root file system, and the script.
const ON_A_SMALL_DISK: &str = "mount -t tmpfs -o size=$1 none $0 && mkdir $0/upper $0/work && \
    exec $2 $0 $0/upper $0/work $3 \"$4\"";

#[test]
fn a_command_that_fills_the_disk_has_no_result_whatever_it_says() {
    if !is_root() {
        return;
    }
    let run = |room: &str, script: &str| {
        let base = Base::new();
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", ON_A_SMALL_DISK]).arg(base.store()).arg(room).arg(helper());
        let output = command.arg(base.path().join("busybox")).arg(script).output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let full = "the disk was full when the command ended: No space left on device (os error 28)\n\
                free some space on the disk of the store\n";
    for script in ["head -c 9000000 /dev/zero > /f 2>/dev/null; true", "head -c 9000000 /dev/zero > /f 2>/dev/null"] {
        assert_eq!(run("4m", script), (Some(1), full.to_owned()));
        assert_eq!(run("12m", script), (Some(0), String::new()));
    }
}

#[tokio::test]
async fn all_mounts_work_and_leave_nothing_in_the_upper() {
    let ground = Ground::new().await;
    let base = ground.base.path();
    for name in ["layer", "cache"] {
        std::fs::create_dir(base.join(name)).unwrap();
        std::fs::write(base.join(name).join("file"), name).unwrap();
    }
    let (upper, work) = ground.base.uppers();
    let mut spec = ground.base.sh(
        "cat /src/file /cache/file /ro/file /one /deep/down/secret; echo new > /src/new; echo new > /cache/new; \
         (echo no > /ro/new) 2>/dev/null || echo refused; echo t > /tmp/t; stat -c %a /tmp /deep/down/secret; \
         cat /src/sub/deeper/file; echo",
    );
    let path = |path: &str| path.to_owned();
    spec.mounts = vec![
        MountSpec::Overlay {
            lowers: vec![base.join("layer")],
            upper: Some(upper.clone()),
            work: Some(work),
            path: path("/src"),
        },
        MountSpec::Bind { source: base.join("cache"), path: path("/cache"), is_read_only: false },
        MountSpec::Overlay { lowers: vec![base.join("layer")], upper: None, work: None, path: path("/ro") },
        MountSpec::BindFile { source: base.join("cache/file"), path: path("/one"), is_read_only: true },
        MountSpec::Tmpfs { path: path("/tmp"), size_bytes: Some(1 << 20), mode: 0o1777 },
        MountSpec::SecretFile {
            path: path("/deep/down/secret"),
            contents: SecretBytes(b"s3cret".to_vec()),
            mode: 0o400,
            uid: 0,
            gid: 0,
        },
        MountSpec::Bind { source: base.join("layer"), path: path("/src/sub/deeper"), is_read_only: true },
    ];
    let ran = ground.run(&spec).await;
    assert_eq!(ran.stdout, "layercachelayercaches3cretrefused\n1777\n400\nlayer\n", "{}", ran.stderr);
    assert_eq!(tree(&ran.upper), NOTHING);
    assert_eq!(tree(&upper), ["new"]);
    assert_eq!(tree(&base.join("cache")), ["file", "new"]);
    assert_eq!(tree(&base.join("layer")), ["file"]);
}

#[tokio::test]
async fn a_mountpoint_behind_a_link_stays_inside_of_the_root() {
    let ground = Ground::new().await;
    let busybox = ground.base.path().join("busybox");
    std::fs::create_dir_all(busybox.join("real")).unwrap();
    symlink("/real", busybox.join("link")).unwrap();
    symlink("../../../../gone", busybox.join("out")).unwrap();
    let mut spec = ground.base.sh("ls /real /gone; cat /real/in/file /gone/in/file");
    for (n, at) in ["/link/in", "/out/in"].into_iter().enumerate() {
        let source = ground.base.path().join(format!("source{n}"));
        std::fs::create_dir(&source).unwrap();
        std::fs::write(source.join("file"), format!("{n}\n")).unwrap();
        spec.mounts.push(MountSpec::Bind { source, path: at.to_owned(), is_read_only: false });
    }
    let ran = ground.run(&spec).await;
    assert_eq!(ran.stdout, "/gone:\nin\n\n/real:\nin\n0\n1\n", "{}", ran.stderr);
    assert_eq!(tree(&ran.upper), NOTHING);
    assert!(!PathBuf::from("/gone").exists());
}

#[tokio::test]
async fn a_mount_that_cannot_be_is_refused_with_a_sentence() {
    let ground = Ground::new().await;
    let check = async |mount: MountSpec, expect: &str| {
        let mut spec = ground.base.sh("true");
        spec.mounts.push(mount);
        let error = ground.refused(&spec).await;
        assert_eq!(error.to_string(), expect);
        assert!(matches!(error, ZoneError::Spec { .. }));
    };
    let bind =
        |source: &str, path: &str| MountSpec::Bind { source: source.into(), path: path.to_owned(), is_read_only: true };
    check(bind("/no/such", "/x"), "`/no/such` of this machine does not exist").await;
    check(bind("/usr", "/bin/busybox"), "cannot mount a directory at `/bin/busybox`: a file is there").await;
    check(bind("/usr", "x"), "`x` is not an absolute path").await;
    check(bind("/usr", "/"), "cannot mount at `/`: it is the root").await;
    let tmpfs = MountSpec::BindFile { source: "/bin/busybox".into(), path: "/bin".to_owned(), is_read_only: true };
    check(tmpfs, "cannot mount a file at `/bin`: a directory is there").await;
}

#[tokio::test]
async fn the_machine_can_be_seen_read_only() {
    let ground = Ground::new().await;
    let lower = ground.base.path().join("machine");
    std::fs::create_dir(&lower).unwrap();
    for name in ["bin", "lib", "lib64", "sbin"] {
        symlink(format!("usr/{name}"), lower.join(name)).unwrap();
    }
    let (upper, work) = ground.base.uppers();
    let mut spec =
        ground.base.step(&["bash", "-c", "touch /usr/x 2>&1 | cut -d: -f3; ls -d /usr/bin /home 2>/dev/null"]);
    spec.root =
        RootSpec { lowers: vec![lower], upper, work, read_only_binds: vec![("/usr".into(), "/usr".to_owned())] };
    let ran = ground.run(&spec).await;
    assert_eq!(ran.stdout, " Read-only file system\n/usr/bin\n", "{}", ran.stderr);
    assert_eq!(tree(&ran.upper), NOTHING);
}

#[tokio::test]
async fn layers_are_stacked_up_to_three_hundred() {
    for is_old_mount_forced in [false, true] {
        let base = Base::new();
        let zone = Zone::start(ZoneConfig { is_old_mount_forced, ..base.config() }).await.unwrap();
        let mut spec = base.sh("cat /top; ls /layers | wc -l; echo x > /new; rm /top");
        for n in 0..299 {
            let layer = base.store().join(format!("layer{n}"));
            std::fs::create_dir_all(layer.join("layers")).unwrap();
            std::fs::write(layer.join("top"), format!("{n}\n")).unwrap();
            std::fs::write(layer.join(format!("layers/{n}")), "").unwrap();
            spec.root.lowers.push(layer);
        }
        let ran = run(&zone, &spec).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(ran.stdout, "298\n299\n", "{}", ran.stderr);
        assert_eq!(tree(&ran.upper), ["new", "top"]);
        spec.root.lowers.push(base.store());
        assert_eq!(run(&zone, &spec).await.err().unwrap().to_string(), "301 layers are more than 300");
    }
}

/// Returns whether files in memory can have the marks of an overlay, which came with Linux 6.6.
fn has_marks_in_memory() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(6), Some(6))
}

#[tokio::test]
async fn an_upper_in_memory_is_copied_with_everything() {
    let base = Base::new();
    let config = ZoneConfig { is_upper_forced_to_memory: true, ..base.config() };
    let zone = Zone::start(config).await.unwrap();
    assert!(zone.caps().is_upper_in_memory);
    // Only from Linux 6.6 on, directories of a lower layer can be removed there.
    let (removed, remove) = match has_marks_in_memory() {
        true => ("busybox/old/in", "rm -r /old"),
        false => ("busybox/older", "true"),
    };
    std::fs::create_dir_all(base.path().join(removed)).unwrap();
    let mut spec = base.sh(&format!(
        "rm /bin/wc; {remove}; mkdir /old; echo x > /old/file; ln /old/file /old/same; ln -s file /old/link; \
         chmod 640 /old/file; touch -d @981158400 /old/file; mkdir /mnt; echo m > /mnt/x; stat -c %a /"
    ));
    std::fs::set_permissions(&spec.root.upper, std::fs::Permissions::from_mode(0o751)).unwrap();
    spec.after = Some(After {
        name: "list".to_owned(),
        payload: spec.root.upper.to_string_lossy().into_owned().into(),
        codes: None,
    });
    let ran = run(&zone, &spec).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((ran.reply.status, ran.stdout.as_str(), ran.stderr.as_str()), (OK, "751\n", ""));
    let listed = String::from_utf8(ran.reply.after.unwrap().unwrap()).unwrap();
    let expect = "d 755 0:0 bin\nd 755 0:0 mnt\nd 755 0:0 old\nf 640 0:0 old/file\nf 640 0:0 old/same\n\
                  f 644 0:0 mnt/x\nl 777 0:0 old/link\nw 0 0:0 bin/wc";
    assert_eq!(listed, expect);
    let (file, same) = (ran.upper.join("old/file").metadata().unwrap(), ran.upper.join("old/same").metadata().unwrap());
    assert_eq!(file.ino(), same.ino());
    assert_eq!(file.mtime(), 981_158_400);
    // The directory that replaced another hides what was in it.
    let mut next = base.sh("ls /old /bin/wc 2>/dev/null");
    next.root.lowers.push(ran.upper);
    assert_eq!(run(&zone, &next).await.unwrap().stdout, "/old:\nfile\nlink\nsame\n");
}

#[tokio::test]
async fn a_function_runs_after_a_step_and_by_itself() {
    let ground = Ground::new().await;
    let mut spec = ground.base.sh("mkdir /d; echo x > /d/f; exit $(cat)");
    let payload = spec.root.upper.to_string_lossy().into_owned().into_bytes();
    spec.stdin = Stdin::Bytes(SecretBytes(b"0".to_vec()));
    spec.after = Some(After { name: "list".to_owned(), payload, codes: Some(vec![0]) });
    let ran = ground.run(&spec).await;
    assert_eq!(ran.reply.after, Some(Ok(b"d 755 0:0 d\nf 644 0:0 d/f".to_vec())));
    let mut failing = ground.base.sh("exit 1");
    failing.after = spec.after.clone();
    assert_eq!(ground.run(&failing).await.reply.after, None);

    let large = vec![7; 3_000_000];
    assert_eq!(ground.zone.call("echo", &large).await.unwrap(), large);
    assert_eq!(ground.zone.call("fail", b"because").await.unwrap_err().to_string(), "because");
    assert_eq!(ground.zone.call("none", b"").await.unwrap_err().to_string(), "no function `none` in the zone");
    let panicked = ground.zone.call("panic", b"").await.unwrap_err().to_string();
    assert!(panicked.contains("as was asked"), "{panicked}");
    assert!(ground.zone.is_alive());
}

#[tokio::test]
async fn another_user_has_its_groups_and_no_power() {
    let ground = Ground::new().await;
    let mut spec = ground.base.sh("id -u; id -g; id -G; grep CapEff /proc/self/status; echo x > /dev/stdout; touch /x 2>/dev/null || echo refused");
    spec.user = UserSpec { uid: 1234, gid: 1235, groups: vec![7, 8] };
    if !ground.zone.caps().has_owners {
        let error = ground.refused(&spec).await.to_string();
        assert!(error.starts_with("user 1234:1235 does not exist in containers here"), "{error}");
        return;
    }
    std::fs::write(spec.root.upper.join("mine"), "").unwrap();
    let ran = ground.run(&spec).await;
    assert_eq!(ran.stdout, "1234\n1235\n1235 7 8\nCapEff:\t0000000000000000\nx\nrefused\n", "{}", ran.stderr);
}

#[tokio::test]
async fn owners_are_kept_where_there_are_any() {
    let ground = Ground::new().await;
    let mut spec = ground.base.sh("echo x > /x; chown 1234:5 /x");
    spec.after = Some(After {
        name: "list".to_owned(),
        payload: spec.root.upper.to_string_lossy().into_owned().into(),
        codes: None,
    });
    let ran = ground.run(&spec).await;
    let listed = String::from_utf8(ran.reply.after.unwrap().unwrap()).unwrap();
    if ground.zone.caps().has_owners {
        assert_eq!(listed, "f 644 1234:5 x", "{}", ran.stderr);
    } else {
        assert_eq!(listed, "f 644 0:0 x");
        assert!(ran.stderr.contains("Invalid argument"), "{}", ran.stderr);
    }
    let expect = if is_root() { (1234, 5) } else { (ran.upper.join("x").metadata().unwrap().uid(), 0) };
    assert_eq!(ran.upper.join("x").metadata().unwrap().uid(), expect.0);
}

#[tokio::test]
async fn steps_leave_nothing_in_the_zone() {
    for is_upper_forced_to_memory in [false, true] {
        let base = Base::new();
        let zone = Zone::start(ZoneConfig { is_upper_forced_to_memory, ..base.config() }).await.unwrap();
        for script in ["true", "exit 1", "sleep 5"] {
            let mut spec = base.sh(script);
            spec.timeout = Some(std::time::Duration::from_millis(100));
            spec.mounts.push(MountSpec::Tmpfs { path: "/a/b".to_owned(), size_bytes: None, mode: 0o755 });
            run(&zone, &spec).await.unwrap_or_else(|error| panic!("{error}"));
        }
        let memory = base.store().join("zone-v1/mount").to_string_lossy().into_owned();
        let listed = String::from_utf8(zone.call("list", memory.as_bytes()).await.unwrap()).unwrap();
        let names: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').nth(3)).collect();
        let rest: Vec<&&str> =
            names.iter().filter(|name| !name.starts_with("devices") && !name.starts_with("slots")).collect();
        assert_eq!(rest, [&"crun", &"removals"], "{listed}");
        let mounts = zone.call("mounts", b"").await.unwrap();
        let mounts = String::from_utf8(mounts).unwrap();
        assert_eq!(mounts.matches("zone-v1/mount").count(), 7, "{mounts}");
    }
}

#[tokio::test]
async fn many_steps_run_at_the_same_time() {
    let ground = Ground::new().await;
    let specs: Vec<_> = (0..20).map(|n| ground.base.sh(&format!("echo {n} > /n; cat /n"))).collect();
    let ran = futures_join(specs.iter().map(|spec| ground.run(spec))).await;
    for (n, ran) in ran.into_iter().enumerate() {
        assert_eq!(ran.stdout, format!("{n}\n"), "{}", ran.stderr);
    }
}

/// Drives futures at the same time.
async fn futures_join<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Makes an empty file in a layer that stands for a whiteout, as a store on an overlay has it.
fn mark_removed(layer: &Path, path: &str) {
    let flags = rustix::fs::XattrFlags::empty();
    std::fs::write(layer.join(path), "").unwrap();
    rustix::fs::setxattr(layer.join(path), "user.overlay.removed", b"y", flags).unwrap();
    for directory in [layer.join(path).parent().unwrap(), layer] {
        rustix::fs::setxattr(directory, "user.overlay.removals", b"y", flags).unwrap();
    }
}

#[tokio::test]
async fn what_a_layer_removes_without_whiteouts_is_gone() {
    let ground = Ground::new().await;
    let (low, high) = (ground.base.path().join("low"), ground.base.path().join("high"));
    std::fs::create_dir_all(low.join("d/inner")).unwrap();
    std::fs::create_dir_all(high.join("d")).unwrap();
    for file in ["top", "d/gone", "d/kept", "d/inner/x"] {
        std::fs::write(low.join(file), file).unwrap();
    }
    for path in ["top", "d/gone", "d/inner"] {
        mark_removed(&high, path);
    }
    std::fs::write(high.join("d/new"), "").unwrap();
    std::fs::set_permissions(high.join("d"), std::fs::Permissions::from_mode(0o751)).unwrap();
    for script in [
        "ls /d; test ! -e /top; stat -c %a /d; cat /d/gone 2>/dev/null; mkdir /d/inner && ls /d/inner",
        // A directory can be removed whose entries are in layers, some of them removed.
        "rm -r /d && mkdir /d && ls /d; echo kept; echo new; echo 751",
    ] {
        let mut spec = ground.base.sh(script);
        spec.root.lowers.extend([low.clone(), high.clone()]);
        let ran = ground.run(&spec).await;
        assert_eq!(ran.stderr, "", "{script}");
        let mut lines: Vec<&str> = ran.stdout.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["751", "kept", "new"], "{script}");
    }
}
