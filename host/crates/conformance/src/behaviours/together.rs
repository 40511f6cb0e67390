//! Commands at the same time, and commands that are stopped.

use std::time::Duration;

use engine::{Outcome, OutputStream};
use tokio::time::timeout;

use crate::answer::{Wrong, holds, same};
use crate::arg::Case as EnumCase;
use crate::behaviour::{Behaviour, behaviours};
use crate::case::Case;
use crate::handle::Handle;
use crate::session::SessionOptions;

/// The time after which a wait fails, so that an engine that hangs is found.
const STOPS: Duration = Duration::from_secs(60);

/// Returns a command that creates `own` in a volume and waits for `other`.
fn meet(s: &Case<'_>, volume: &str, own: u32, other: u32) -> Handle {
    let script = format!("touch /c/{own}; until test -e /c/{other}; do sleep 0.05; done; echo met");
    let options = s.exec_options().with_timeout_seconds(20);
    s.base().with_mounted_cache("/c", &s.cache(volume)).sh_options(&script, &options)
}

/// Waits until a command whose name contains `part` has started.
async fn begun(s: &Case<'_>, part: &str) -> Result<(), Wrong> {
    let wait = async {
        while s.session.n_started(part) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(STOPS, wait).await.map_err(|_| Wrong::new(format!("`{part}` does not begin")))
}

/// Waits until a command has printed a text.
async fn prints(s: &Case<'_>, text: &str) -> Result<(), Wrong> {
    let wait = async {
        while !s.session.printed(OutputStream::Stdout).contains(text) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(STOPS, wait).await.map_err(|_| Wrong::new(format!("`{text}` is not printed")))
}

/// Waits until everything has stopped.
async fn settles(s: &Case<'_>) -> Result<(), Wrong> {
    let settled = timeout(STOPS, s.session.settle()).await;
    settled.map_err(|_| Wrong::new(format!("something still runs after {STOPS:?}")))
}

pub(super) const ALL: &[Behaviour] = behaviours![
    ("together: commands that do not need each other run at the same time", [], async |s| {
        let four = (1..=4).map(|n| meet(s, "together-four", n, n % 4 + 1));
        futures::future::try_join_all(four.map(|command| command.stdout().is("met\n"))).await.map(drop)
    }),
    ("together: the commands that one value needs run at the same time", [], async |s| {
        let (a, b) = (meet(s, "together-inputs", 1, 2), meet(s, "together-inputs", 2, 1));
        let both = s.directory().with_directory("a", &a.directory("/etc")).with_directory("b", &b.directory("/etc"));
        both.exists("b/passwd").is("true").await
    }),
    ("together: no more commands run at once than the session allows", [], async |s| {
        let s = s.again(&SessionOptions { n_jobs: 1, ..SessionOptions::default() }).await?;
        let run = |n: u32| {
            let script = format!("mkdir /c/busy && sleep 0.2 && rmdir /c/busy && echo {n}");
            s.base().with_mounted_cache("/c", &s.cache("together-one")).sh(&script)
        };
        let three = [run(1), run(2), run(3)];
        let all = three.iter().map(|command| command.exit_code().is("0"));
        futures::future::try_join_all(all).await.map(drop)
    }),
    ("together: several callers of one command share one run", [], async |s| {
        let shared = s.base().sh("sleep 0.3; cat /proc/sys/kernel/random/uuid; : together-shared");
        let waiting = (0..8).map(|_| shared.stdout().text());
        let answers = futures::future::try_join_all(waiting).await?;
        holds(answers.iter().all(|answer| *answer == answers[0]), || format!("{answers:?}"))?;
        same(&s.session.n_started("together-shared").to_string(), "1")
    }),
    ("together: a caller joins a command that was started before", [], async |s| {
        let (a, b) = (meet(s, "together-start", 1, 2), meet(s, "together-start", 2, 1));
        let _ = a.start();
        let _ = b.start();
        a.stdout().is("met\n").await?;
        b.stdout().is("met\n").await?;
        same(&s.session.n_started("touch /c/1").to_string(), "1")
    }),
    ("together: a locked volume does not hold up commands that do not use it", [], async |s| {
        let (locked, shared) = (s.cache("together-locked"), s.cache("together-beside"));
        let options = s.mount_options().with_sharing(EnumCase("locked"));
        let base = s.base().with_mounted_cache("/s", &shared);
        let holder = base.with_mounted_cache_options("/c", &locked, &options).sh_options(
            "echo holds; until test -e /s/quick; do sleep 0.05; done",
            &s.exec_options().with_timeout_seconds(20),
        );
        let _ = holder.start();
        prints(s, "holds").await?;
        base.sh("touch /s/quick").sync().is("").await?;
        holder.stdout().is("holds\n").await
    }),
    ("stop: a command is stopped when nobody waits for it any more", [], async |s| {
        let slow = s.base().sh("sleep 100; : stop-nobody");
        let asked = slow.sync().value();
        tokio::select! {
            _ = asked => return Err(Wrong::new("it ended by itself")),
            begun = begun(s, "stop-nobody") => begun?,
        }
        settles(s).await?;
        let cancelled = s.session.finished("exec ", |outcome| *outcome == Outcome::Cancelled);
        holds(cancelled.iter().any(|name| name.contains("stop-nobody")), || format!("cancelled: {cancelled:?}"))
    }),
    ("stop: a command goes on while somebody waits for it", [], async |s| {
        let slow = s.base().sh("sleep 2; echo done; : stop-somebody");
        // The first caller leaves once the other has surely joined it, which nothing tells.
        let others_wait = async {
            begun(s, "stop-somebody").await?;
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(())
        };
        let leaves = async {
            tokio::select! {
                _ = slow.stdout().text() => Err(Wrong::new("it ended before the first caller left")),
                left = others_wait => left,
            }
        };
        let (left, stays) = tokio::join!(leaves, slow.stdout().is("done\n"));
        left.and(stays)?;
        same(&s.session.n_started("stop-somebody").to_string(), "1")
    }),
    ("stop: cancelling the session stops its commands", [], async |s| {
        let other = s.again(&SessionOptions::default()).await?;
        let slow = other.base().sh("sleep 101; : stop-session");
        let cancel = async {
            begun(&other, "stop-session").await?;
            other.session.cancel();
            Ok(())
        };
        let (failed, cancelled) = tokio::join!(slow.sync().fails("cancelled", ""), cancel);
        failed.and(cancelled)?;
        settles(&other).await
    }),
    ("stop: the next command runs after one was stopped", [], async |s| {
        let slow = s.base().sh("sleep 102; : stop-next").sync().value();
        tokio::select! {
            _ = slow => {}
            begun = begun(s, "stop-next") => begun?,
        }
        s.base().sh("echo next; : stop-next-one").stdout().is("next\n").await
    }),
    ("stop: a stopped command leaves no result", [], async |s| {
        let run = |s: &Case<'_>| {
            s.base()
                .with_mounted_cache("/c", &s.cache("stop-result"))
                .sh("test -e /c/second && echo ended || { touch /c/second; echo touched; sleep 103; }; : stop-result")
        };
        let first = run(s).sync().value();
        tokio::select! {
            _ = first => {}
            printed = prints(s, "touched") => printed?,
        }
        settles(s).await?;
        let s = s.again(&SessionOptions::default()).await?;
        run(&s).stdout().is("ended\n").await
    }),
];
