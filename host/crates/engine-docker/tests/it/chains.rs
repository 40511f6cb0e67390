//! Chains of commands through BuildKit: what the engine keeps of them, in this run and in others.
//!
//! What every engine has to do is shown by the conformance suite.

use std::time::{Duration, Instant};

use engine::{Failure, OutputStream};
use engine_docker::DockerSettings;
use graph::Reuse;

use crate::harness::{Settings, base, command, docker, exec, file, open, open_with, path, sh, unique};

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
    // Another store knows nothing, and Docker does. BuildKit does not look in its cache while a test beside this one
    // uses the same base since it was made first, and runs the commands again.
    let began = Instant::now();
    loop {
        let other = tempfile::tempdir().unwrap();
        let other = open(&docker, other.path()).await;
        assert_eq!(other.stdout(&step).await, format!("{id}\n"));
        let outcomes = other.outcomes();
        if outcomes == ["Cached hit", "Cached hit"] {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{outcomes:?}");
    }
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
