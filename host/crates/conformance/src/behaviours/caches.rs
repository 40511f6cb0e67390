//! Behaviours of cache volumes.

use crate::arg::Case as EnumCase;
use crate::behaviour::{Behaviour, behaviours};
use crate::session::SessionOptions;

pub(super) const ALL: &[Behaviour] = behaviours![
    // Dagger answers the same: the key alone names the volume.
    ("cache: the next command finds the contents, at any path", [], async |s| {
        let base = s.base().with_mounted_cache("/c", &s.cache("cache-next"));
        base.sh("echo first > /c/f").sync().is("").await?;
        let other = s.base().with_mounted_cache("/elsewhere", &s.cache("cache-next"));
        other.sh("cat /elsewhere/f").stdout().is("first\n").await
    }),
    ("cache: the next session finds the contents", [], async |s| {
        let write = s.base().with_mounted_cache("/c", &s.cache("cache-session")).sh("echo kept > /c/f");
        write.sync().is("").await?;
        let s = s.again(&SessionOptions::default()).await?;
        s.base().with_mounted_cache("/c", &s.cache("cache-session")).sh("cat /c/f").stdout().is("kept\n").await
    }),
    ("cache: another key is another volume", [], async |s| {
        s.base().with_mounted_cache("/c", &s.cache("cache-key-a")).sh("echo a > /c/f").sync().is("").await?;
        s.base().with_mounted_cache("/c", &s.cache("cache-key-b")).sh("ls -A /c").stdout().is("").await
    }),
    ("cache: a cache volume is not in the root", [], async |s| {
        let ran = s.base().with_mounted_cache("/c", &s.cache("cache-root")).sh("echo x > /c/f");
        ran.mounts().is("/c").await?;
        ran.rootfs().glob("c/**").is("").await?;
        ran.without_mount("/c").sh("ls -d /c 2>/dev/null || echo none").stdout().is("none\n").await
    }),
    // Dagger answers with the same words.
    ("cache: callers cannot read from a cache volume", [], async |s| {
        let base = s.base().with_mounted_cache("/c", &s.cache("cache-read"));
        base.directory("/c").entries().fails("invalid-path", "cannot retrieve path from cache").await?;
        base.file("/c/f").contents().fails("invalid-path", "cannot retrieve path from cache").await
    }),
    // Dagger does the same, so that a seed never overwrites what a command wrote.
    ("cache: a seed fills only an empty volume", [], async |s| {
        let (cache, options) = (s.cache("cache-seed"), s.mount_options().with_seed(&s.tree(&[("seed", "s")])));
        let base = s.base().with_mounted_cache_options("/c", &cache, &options);
        base.sh("ls /c; rm /c/seed; touch /c/own").stdout().is("seed\n").await?;
        base.sh("ls /c; : again").stdout().is("own\n").await
    }),
    ("cache: a new volume belongs to the given owner", [Owners], async |s| {
        let options = s.mount_options().with_owner("app:staff");
        let base = s.base().with_mounted_cache_options("/c", &s.cache("cache-owner"), &options).with_user("app");
        base.sh("stat -c %u:%g /c; touch /c/f && echo written").stdout().is("1000:50\nwritten\n").await
    }),
    ("cache: two commands can use a shared volume at the same time", [], async |s| {
        let run = |own: &'static str, other: &'static str| {
            let script = format!("touch /c/{own}; until test -e /c/{other}; do sleep 0.05; done; echo met");
            let options = s.exec_options().with_timeout_seconds(20);
            s.base().with_mounted_cache("/c", &s.cache("cache-shared")).sh_options(&script, &options)
        };
        let (a, b) = tokio::join!(run("a", "b").stdout().is("met\n"), run("b", "a").stdout().is("met\n"));
        a.and(b)
    }),
    // `RUN --mount=type=cache,sharing=locked` of a Dockerfile does the same.
    ("cache: commands with a locked volume run one after the other", [], async |s| {
        let options = s.mount_options().with_sharing(EnumCase("locked"));
        let run = |n: u32| {
            let script = format!("mkdir /c/busy && sleep 0.3 && rmdir /c/busy && echo {n}");
            s.base().with_mounted_cache_options("/c", &s.cache("cache-locked"), &options).sh(&script)
        };
        let (a, b) = tokio::join!(run(1).stdout().is("1\n"), run(2).stdout().is("2\n"));
        a.and(b)
    }),
    // `sharing=private` of a Dockerfile does the same.
    ("cache: commands that run at the same time have private volumes of their own", [], async |s| {
        let options = s.mount_options().with_sharing(EnumCase("private"));
        let run = |n: u32| {
            let script = format!("mkdir /c/busy && sleep 0.5 && rmdir /c/busy && echo {n}");
            s.base().with_mounted_cache_options("/c", &s.cache("cache-private"), &options).sh(&script)
        };
        let (a, b) = tokio::join!(run(1).stdout().is("1\n"), run(2).stdout().is("2\n"));
        a.and(b)
    }),
    ("cache: other contents of a volume do not run a command again", [], async |s| {
        let read = |s: &crate::case::Case<'_>| {
            s.base().with_mounted_cache("/c", &s.cache("cache-reason")).sh("cat /c/f 2>/dev/null || echo empty")
        };
        read(s).stdout().is("empty\n").await?;
        s.base().with_mounted_cache("/c", &s.cache("cache-reason")).sh("echo full > /c/f").sync().is("").await?;
        let s = &s.again(&SessionOptions::default()).await?;
        read(s).stdout().is("empty\n").await
    }),
    ("cache: a mount can be inside a cache volume", [], async |s| {
        let base = s.base().with_mounted_cache("/c", &s.cache("cache-nested"));
        let base = base.with_mounted_directory("/c/d", &s.tree(&[("f", "x")]));
        base.sh("cat /c/d/f").stdout().is("x").await?;
        base.file("/c/d/f").contents().is("x").await
    }),
    ("cache: a volume keeps what a failing command wrote", [], async |s| {
        let base = s.base().with_mounted_cache("/c", &s.cache("cache-failing"));
        base.sh("echo left > /c/f; exit 1").sync().fails_exec(1, "", "").await?;
        base.sh("cat /c/f").stdout().is("left\n").await
    }),
];
