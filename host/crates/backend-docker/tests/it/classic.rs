//! Docker without BuildKit: the same graphs through containers that are created, run and committed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use backend::{
    Backend as _, Event, ExecStatus, Failure, FailureCode, Outcome, OutputStream, SecretProvider, SessionIo, Solved,
};
use backend_docker::{DockerClassic, DockerSettings};
use graph::{CacheSharing, Expect, Limits, Mount, MountKind, SecretName, Selection, Stdin};
use store::Store;
use tokio_util::sync::CancellationToken;

use crate::harness::{base, command, docker, exec, file, output, path, scratch, sh, unique};

/// A session over the engine.
struct Session {
    docker: DockerClassic,
    events: Arc<Mutex<Vec<Event>>>,
    cancel: CancellationToken,
}

struct Secrets(BTreeMap<&'static str, &'static str>);

impl SecretProvider for Secrets {
    fn value(&self, name: &SecretName) -> Result<Vec<u8>, Failure> {
        let found = self.0.get(name.0.as_str()).map(|value| value.as_bytes().to_vec());
        found.ok_or_else(|| Failure::invalid(FailureCode::NotFound, format!("secret `{}` is not there", name.0)))
    }
}

async fn open(docker: &DockerSettings, store: &Path) -> Session {
    let events = Arc::new(Mutex::new(Vec::new()));
    let (sink, cancel) = (Arc::clone(&events), CancellationToken::new());
    let io = SessionIo {
        events: Arc::new(move |event| sink.lock().unwrap().push(event)),
        secrets: Arc::new(Secrets([("pw", "hunter2-value")].into())),
        cancel: cancel.clone(),
        n_jobs: 4,
        is_cache_used: true,
        timeout: None,
        is_network_allowed: false,
        images: backend::ImageAccess::default(),
        store: store.to_owned(),
        is_dry: false,
    };
    let docker = DockerClassic::connect(docker, Store::open(store).unwrap(), io).await.unwrap();
    Session { docker, events, cancel }
}

impl Session {
    async fn run(&self, selection: &Selection) -> Result<Solved, Failure> {
        Ok(self.docker.solve(std::slice::from_ref(&selection.edge)).await?.remove(0))
    }

    async fn stdout(&self, selection: &Selection) -> String {
        let exec = self.run(selection).await.unwrap().exec.expect("it is a command");
        String::from_utf8(self.docker.output(&exec.stdout).await.unwrap()).unwrap()
    }

    /// Returns everything in a tree: a line an entry.
    async fn list(&self, selection: &Selection) -> String {
        let solved = self.run(selection).await.unwrap();
        let mut lines = Vec::new();
        for found in self.docker.glob(&solved.snapshot, &selection.path, "**").await.unwrap() {
            let at = selection.path.join(&found).unwrap();
            let stat = self.docker.stat(&solved.snapshot, &at).await.unwrap();
            lines.push(format!("{found} {:o} {}", stat.mode, stat.size_bytes));
        }
        lines.join("\n")
    }

    fn printed(&self, wanted: OutputStream) -> String {
        let events = self.events.lock().unwrap();
        let bytes = events.iter().filter_map(|event| match event {
            Event::Output { stream, bytes, .. } if *stream == wanted => Some(bytes.to_vec()),
            _ => None,
        });
        String::from_utf8_lossy(&bytes.flatten().collect::<Vec<u8>>()).into_owned()
    }

    /// Returns how commands ended.
    fn outcomes(&self) -> Vec<Outcome> {
        let events = self.events.lock().unwrap();
        let ended = events.iter().filter_map(|event| match event {
            Event::Finished { vertex, outcome, .. } if vertex.name.starts_with("exec") => Some(outcome.clone()),
            _ => None,
        });
        ended.collect()
    }
}

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
    assert_eq!(session.outcomes(), [Outcome::Ran, Outcome::Ran]);
    let again = open(&docker, dir.path()).await;
    assert_eq!(again.stdout(&two).await, "out\n");
    assert_eq!(again.outcomes(), [Outcome::Cached, Outcome::Cached]);
}

#[tokio::test]
async fn what_one_command_had_the_next_has_not() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let mut op = command(&format!("touch /made-{}", unique()));
    op.env = vec![("A".into(), "1".into())];
    op.user = Some("0".into());
    let kind = MountKind::Tmpfs { size_bytes: Some(1 << 20), mode: 0o1777 };
    op.mounts = vec![Mount { path: path("mnt/deep"), kind }];
    let one = exec(op, vec![base()]);
    let two = sh(&one, "echo [$A]; env | grep -c HOSTNAME; ls -a / | grep -e mnt -e docker; mkdir -p /mnt/deep");
    assert_eq!(session.stdout(&sh(&two, "ls -d /mnt/deep")).await, "/mnt/deep\n");
    assert_eq!(session.stdout(&two).await, "[]\n0\n");
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
    let mut op = command("echo before; sleep 1000");
    op.timeout = Some(Duration::from_millis(300));
    let Err(Failure::Exec(failure)) = session.run(&exec(op, vec![base()])).await else { panic!("it ended") };
    assert_eq!(failure.status, ExecStatus::TimedOut { after_ms: 300 });
    assert_eq!(failure.stdout_tail, "before");
}

#[tokio::test]
async fn users_environment_input_and_redirects_are_as_asked_for() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let mut op = command("id -u; id -g; echo $HOME $A $PWD; cat; exit 3");
    op.user = Some("app".into());
    op.env = vec![("A".into(), "1".into())];
    op.cwd = path("work/deep");
    op.stdin = Stdin::Text("input".into());
    op.redirect_stdout = Some(path("work/deep/out"));
    op.expect = Expect::Any;
    let expect = "1000\n1001\n/home/app 1 /work/deep\ninput";
    let home = sh(&file(&base(), "work/deep/keep", b"", 0o644, Some("app")), "chown 1000 /work/deep");
    let solved = session.run(&exec(op, vec![home])).await.unwrap();
    assert_eq!(solved.exec.unwrap().exit_code, 3);
    assert_eq!(session.docker.read(&solved.snapshot, &path("work/deep/out"), 0, 100).await.unwrap(), expect.as_bytes());
}

#[tokio::test]
async fn mounts_are_there_while_the_command_runs_and_leave_nothing() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let given = file(&file(&scratch(), "a", b"A", 0o640, Some("7:8")), "sub/b", b"B", 0o600, None);
    let bind = |at: &str, input, output| Mount { path: path(at), kind: MountKind::Bind { input, output, owner: None } };
    let mut op = command(
        "cat /mnt/in/a; stat -c '%u:%g %a' /mnt/in/a; cat /one; echo new > /out/new; rm /out/a; touch /t/x; \
         stat -c %a /t; ls /mnt/in/inner; touch /mnt/in/no 2>/dev/null || echo read-only",
    );
    op.mounts = vec![
        bind("mnt/in", 1, None),
        bind("mnt/in/inner", 1, None),
        bind("one", 2, None),
        bind("out", 1, Some(1)),
        bind("out/inner", 1, None),
        Mount { path: path("t"), kind: MountKind::Tmpfs { size_bytes: None, mode: 0o700 } },
    ];
    let step = exec(op, vec![base(), given.clone(), given.edge.clone().at(path("sub/b"))]);
    assert_eq!(session.stdout(&step).await, "A7:8 640\nB700\na\nsub\nread-only\n");
    assert_eq!(session.list(&step).await, session.list(&base()).await);
    assert_eq!(session.list(&output(&step, 1)).await, "new 644 4\nsub/ 755 0\nsub/b 600 1");
}

#[tokio::test]
async fn a_volume_starts_with_its_seed_and_keeps_what_commands_wrote() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let key = unique();
    let with = |script: &str| {
        let mut op = command(script);
        let (sharing, owner) = (CacheSharing::Locked, Some("app".into()));
        op.mounts = vec![Mount {
            path: path("cache"),
            kind: MountKind::Cache { key: key.clone(), sharing, owner, seed: Some(1) },
        }];
        exec(op, vec![base(), file(&scratch(), "seed", b"", 0o644, None)])
    };
    assert_eq!(session.stdout(&with("ls /cache; stat -c %u /cache; echo x > /cache/x")).await, "seed\n1000\n");
    assert_eq!(session.stdout(&with("ls /cache")).await, "seed\nx\n");
}

#[tokio::test]
async fn secrets_reach_commands_and_nothing_else() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
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
async fn limits_hold() {
    let Some(docker) = docker() else { return };
    let dir = tempfile::tempdir().unwrap();
    let session = open(&docker, dir.path()).await;
    let mut op = command("x=a; while :; do x=$x$x; done");
    op.limits = Limits { memory_bytes: Some(32 << 20), ..Limits::default() };
    let ended = session.run(&exec(op, vec![base()])).await;
    let Err(Failure::Exec(failure)) = ended else { panic!("{ended:?}") };
    assert_eq!(failure.status, ExecStatus::OutOfMemory);
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
    session.docker.settle().await;
    assert!(began.elapsed() < Duration::from_secs(60));
}
