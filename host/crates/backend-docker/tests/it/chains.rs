//! Commands one after the other: files, output, failures, reuse.

use std::time::{Duration, Instant};

use backend::{Backend as _, ExecStatus, Failure, OutputStream};
use backend_docker::DockerSettings;
use graph::{Expect, Mount, MountKind, Reuse, SecretName, Stdin};

use crate::harness::{Settings, base, command, docker, exec, file, open, open_with, output, path, scratch, sh, unique};

#[tokio::test]
async fn a_chain_leaves_the_files_of_all_its_steps_and_nothing_else() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let before = session.list(&base()).await;
    let one = sh(&base(), &format!("echo {} > /bin/unique; rm /bin/unique; mkdir -m 2750 /d; echo a > /d/a", unique()));
    let two = sh(&one, "chmod 4711 /d/a; ln -s /nowhere /d/link; echo out; echo err >&2; rm /bin/date");
    assert_eq!(session.stdout(&two).await, "out\n");
    let expect =
        before.replace("\nbin/date 777 7", "").replace("\netc/ ", "\nd/ 2750 0\nd/a 4711 2\nd/link 777 8\netc/ ");
    assert_eq!(session.list(&two).await, expect);
    assert_eq!(session.printed(OutputStream::Stderr), "err\n");
    assert_eq!(session.outcomes(), ["Ran never-ran", "Ran never-ran"]);
}

#[tokio::test]
async fn a_failure_tells_how_the_command_ended_and_what_it_printed() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    for (script, status, tail) in [
        ("echo oops >&2; exit 7", ExecStatus::Exited { code: 7 }, "oops"),
        ("kill -9 $$", ExecStatus::Killed { signal: 9 }, ""),
        ("no-such-program", ExecStatus::Exited { code: 127 }, "sh: no-such-program: not found"),
    ] {
        let failure = session.run(&sh(&base(), script)).await.unwrap_err();
        let Failure::Exec(failure) = failure else { panic!("{script}: {failure:?}") };
        assert_eq!((failure.status, failure.stderr_tail.as_str()), (status, tail), "{script}");
    }
    assert!(!session.printed(OutputStream::Stderr).contains('\x1e'), "the shim's last line is not shown");
    let mut op = command("");
    op.args = vec!["nowhere".into()];
    let Err(Failure::Exec(failure)) = session.run(&exec(op, vec![base()])).await else { panic!("it ran") };
    assert_eq!(failure.to_string(), "command `nowhere` was not found (exit code 127)");
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_stopped() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let mut op = command("echo before; sleep 1000");
    op.timeout = Some(Duration::from_millis(300));
    let Err(Failure::Exec(failure)) = session.run(&exec(op, vec![base()])).await else { panic!("it ended") };
    assert_eq!(failure.status, ExecStatus::TimedOut { after_ms: 300 });
    assert_eq!(failure.stdout_tail, "before");
}

#[tokio::test]
async fn what_ran_is_not_run_again_and_docker_is_not_asked() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let id = unique();
    let step = sh(&sh(&base(), &format!("echo {id} > /id")), "cat /id");
    assert_eq!(open(&docker, dir.path()).await.stdout(&step).await, format!("{id}\n"));
    let again = open(&docker, dir.path()).await;
    assert_eq!(again.stdout(&step).await, format!("{id}\n"));
    assert_eq!(again.outcomes(), ["Cached hit", "Cached hit"]);
    // There need not be one, as long as everything is known.
    let nowhere = DockerSettings { host: Some("unix:///nowhere/docker.sock".into()), ..DockerSettings::default() };
    let without = open(&nowhere, dir.path()).await;
    assert_eq!(without.stdout(&step).await, format!("{id}\n"));
    let failure = without.run(&sh(&step, ":")).await.unwrap_err();
    assert!(failure.to_string().contains("`unix:///nowhere/docker.sock` is not there"), "{failure}");
    // Another store knows nothing, and Docker does.
    let other = tempfile::tempdir().unwrap();
    let other = open(&docker, other.path()).await;
    assert_eq!(other.stdout(&step).await, format!("{id}\n"));
    assert_eq!(other.outcomes(), ["Cached hit", "Cached hit"]);
}

#[tokio::test]
async fn a_run_without_the_cache_renews_what_later_runs_use() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let step = sh(&base(), &format!("echo {}; cat /proc/sys/kernel/random/uuid", unique()));
    let first = open(&docker, dir.path()).await.stdout(&step).await;
    let fresh = Settings { is_cache_used: false, ..Settings::default() };
    let second = open_with(&docker, dir.path(), fresh).await.stdout(&step).await;
    assert_ne!(first, second);
    assert_eq!(open(&docker, dir.path()).await.stdout(&step).await, second);
}

#[tokio::test]
async fn a_command_that_forbids_reuse_runs_once_in_every_run() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut op = command("cat /proc/sys/kernel/random/uuid > /id; cat /id");
    op.reuse = Reuse::Never;
    let made = exec(op, vec![base()]);
    let (left, right) = (sh(&made, "cat /id; : left"), sh(&made, "cat /id; : right"));
    let session = open(&docker, dir.path()).await;
    let first = session.stdout(&left).await;
    // Another run, in the meantime, runs it anew.
    assert_ne!(open(&docker, dir.path()).await.stdout(&left).await, first);
    assert_eq!(session.stdout(&right).await, first);
    // What fails after it takes nothing of it away.
    let session = open(&docker, dir.path()).await;
    session.run(&sh(&made, "false")).await.unwrap_err();
    let first = session.printed(OutputStream::Stdout);
    assert_eq!(session.stdout(&sh(&made, "cat /id")).await, first);
}

#[tokio::test]
async fn users_environment_input_and_redirects_are_as_asked_for() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let mut op = command("id -u; id -g; echo $HOME $A $PWD; cat");
    op.user = Some("app".into());
    op.env = vec![("A".into(), "1".into())];
    op.cwd = path("work/deep");
    op.stdin = Stdin::Text("input".into());
    op.redirect_stdout = Some(path("work/deep/out"));
    op.expect = Expect::Any;
    let expect = "1000\n1001\n/home/app 1 /work/deep\ninput";
    let home = file(&base(), "work/deep/keep", b"", 0o644, Some("app"));
    let home = sh(&home, "chown 1000 /work/deep");
    let step = exec(op, vec![home]);
    assert_eq!(session.stdout(&step).await, expect);
    let solved = session.run(&step).await.unwrap();
    assert_eq!(session.docker.read(&solved.snapshot, &path("work/deep/out"), 0, 100).await.unwrap(), expect.as_bytes());
}

#[tokio::test]
async fn mounts_are_there_while_the_command_runs_and_leave_nothing() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let given = file(&file(&scratch(), "a", b"A", 0o640, Some("7:8")), "sub/b", b"B", 0o600, None);
    let bind = |at: &str, input, output| Mount { path: path(at), kind: MountKind::Bind { input, output, owner: None } };
    let mut op = command(&format!(
        "cat /mnt/in/a; stat -c '%u:%g %a' /mnt/in/a; cat /one; echo new > /out/new; rm /out/a; touch /t/x; stat -c %a /t; : {}",
        unique()
    ));
    op.mounts = vec![
        bind("mnt/in", 1, None),
        bind("one", 2, None),
        bind("out", 1, Some(1)),
        Mount { path: path("t"), kind: MountKind::Tmpfs { size_bytes: None, mode: 0o700 } },
    ];
    let step = exec(op, vec![base(), given.clone(), given.edge.clone().at(path("sub/b"))]);
    assert_eq!(session.stdout(&step).await, "A7:8 640\nB700\n");
    assert_eq!(session.list(&step).await, session.list(&base()).await);
    assert_eq!(session.list(&output(&step, 1)).await, "new 644 4\nsub/ 755 0\nsub/b 600 1");
}

#[tokio::test]
async fn a_volume_keeps_what_commands_wrote() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let key = unique();
    let with = |script: &str| {
        let mut op = command(script);
        let kind = MountKind::Cache { key: key.clone(), sharing: graph::CacheSharing::Locked, owner: None, seed: None };
        op.mounts = vec![Mount { path: path("cache"), kind }];
        exec(op, vec![base()])
    };
    assert_eq!(session.stdout(&with("ls /cache; echo x > /cache/x")).await, "");
    assert_eq!(session.stdout(&with("ls /cache")).await, "x\n");
}

#[tokio::test]
async fn secrets_reach_commands_and_nothing_else() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { secrets: vec![("pw", "hunter2-value")], ..Settings::default() };
    let session = open_with(&docker, dir.path(), settings).await;
    let mut op = command(&format!("echo $PW ${{#PW}}; cat /run/pw; stat -c '%a %u' /run/pw; : {}", unique()));
    op.secret_env = vec![("PW".into(), SecretName("pw".into()))];
    let kind = MountKind::Secret { name: SecretName("pw".into()), owner: Some("1000".into()), mode: 0o440 };
    op.mounts = vec![Mount { path: path("run/pw"), kind }];
    let step = exec(op, vec![base()]);
    assert_eq!(session.stdout(&step).await, "*** 13\n***440 1000\n");
    assert_eq!(session.printed(OutputStream::Stdout), "*** 13\n***440 1000\n");
    assert_eq!(session.list(&step).await, session.list(&base()).await);
}

#[tokio::test]
async fn a_tree_that_is_sent_and_fetched_is_the_same_tree() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let mut tree = base();
    for (n, (mode, owner)) in [(0o4755, "1:2"), (0o2644, "0:3"), (0o000, "1000"), (0o1777, "5:5")].iter().enumerate() {
        tree = file(&tree, &format!("d{n}/f"), n.to_string().as_bytes(), *mode, Some(owner));
    }
    let before = session.run(&tree).await.unwrap();
    let after = session.run(&sh(&tree, ":")).await.unwrap();
    let root = path("/");
    assert_eq!(
        session.docker.digest(&before.snapshot, &root).await.unwrap(),
        session.docker.digest(&after.snapshot, &root).await.unwrap()
    );
}

#[tokio::test]
async fn a_run_that_is_cancelled_stops_its_commands() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let step = sh(&base(), &format!("echo {}; sleep 1000", unique()));
    let began = Instant::now();
    let cancel = async {
        while session.printed(OutputStream::Stdout).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        session.cancel.cancel();
    };
    let (solved, ()) = tokio::join!(session.run(&step), cancel);
    assert!(matches!(solved, Err(Failure::Cancelled)), "{solved:?}");
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(session.outcomes(), ["Cancelled never-ran"]);
}

#[tokio::test]
async fn output_of_megabytes_is_whole() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let printed = session.stdout(&sh(&base(), "seq 1 700000")).await;
    assert_eq!(printed.lines().count(), 700_000);
    let failed = sh(&base(), "seq 1 700000; exit 1");
    let Err(Failure::Exec(failure)) = session.run(&failed).await else { panic!("it did not fail") };
    assert!(failure.stdout_tail.ends_with("\n699999\n700000"), "{}", &failure.stdout_tail[..100]);
    assert!(failure.stdout_tail.starts_with("[omitting "), "{}", &failure.stdout_tail[..100]);
}
