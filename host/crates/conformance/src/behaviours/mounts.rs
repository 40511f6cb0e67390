//! Mounts of directories, files and memory.

use crate::answer::same;
use crate::behaviour::{Behaviour, behaviours};

pub(super) const ALL: &[Behaviour] = behaviours![
    // Dagger does the same.
    ("mount: a mounted directory can be read by commands and callers, and is not in the root", [], async |s| {
        let base = s.base().with_mounted_directory("/mnt/d", &s.tree(&[("a.txt", "a"), ("sub/", "")]));
        base.mounts().is("/mnt/d").await?;
        base.directory("/mnt/d").entries().is("a.txt sub/").await?;
        base.file("/mnt/d/a.txt").contents().is("a").await?;
        let ran = base.with_exec(&["ls", "/mnt/d"]);
        ran.stdout().is("a.txt\nsub\n").await?;
        ran.rootfs().glob("mnt/**").is("").await
    }),
    ("mount: an empty directory can be mounted and written to", [], async |s| {
        let base = s.base().with_mounted_directory("/m", &s.directory());
        base.sh("ls -A /m; echo x > /m/f").file("/m/f").contents().is("x\n").await
    }),
    // Dagger does the same, and a removed mount does not show the one that it replaced.
    ("mount: mounts are listed in order, and a later one replaces the one at its path", [], async |s| {
        let (x, y) = (s.tree(&[("x", "")]), s.tree(&[("y", "")]));
        let base = s.base().with_mounted_directory("/b", &x).with_mounted_directory("/a", &x);
        base.mounts().is("/b /a").await?;
        let replaced = base.with_mounted_directory("/b", &y);
        replaced.mounts().is("/a /b").await?;
        replaced.with_exec(&["ls", "/b"]).stdout().is("y\n").await?;
        replaced.without_mount("/b").exists("/b").is("false").await
    }),
    // Dagger does the same.
    ("mount: mounting over a parent removes the mounts below it", [], async |s| {
        let (x, y) = (s.tree(&[("x", "")]), s.tree(&[("y/", "")]));
        let base = s.base().with_mounted_directory("/a/y", &x).with_mounted_directory("/a", &y);
        base.mounts().is("/a").await?;
        base.with_exec(&["ls", "/a/y"]).stdout().is("").await?;
        base.with_mounted_directory("/a/y", &x).with_exec(&["ls", "/a/y"]).stdout().is("x\n").await
    }),
    ("mount: a mount can be inside another mount", [], async |s| {
        let base = s.base().with_mounted_directory("/a", &s.tree(&[("f", "outer")]));
        let base = base.with_mounted_directory("/a/in", &s.tree(&[("f", "inner")]));
        base.sh("cat /a/f /a/in/f").stdout().is("outerinner").await?;
        base.sh("echo more > /a/in/g").directory("/a").glob("**").is("f").await?;
        base.sh("echo more > /a/in/g").directory("/a/in").entries().is("f g").await
    }),
    // Dagger does the same.
    ("mount: removing a mount shows the files below it again", [], async |s| {
        let base = s.base().with_new_file("/d/own", "").with_mounted_directory("/d", &s.tree(&[("other", "")]));
        base.with_exec(&["ls", "/d"]).stdout().is("other\n").await?;
        base.without_mount("/d").with_exec(&["ls", "/d"]).stdout().is("own\n").await
    }),
    // Dagger does the same.
    ("mount: later commands and callers see the changes of a command, and the source does not", [], async |s| {
        let source = s.tree(&[("f", "old\n"), ("gone", "")]);
        let ran = s.base().with_mounted_directory("/m", &source).sh("echo new > /m/f; rm /m/gone; mkdir /m/d");
        ran.sh("cat /m/f; ls /m").stdout().is("new\nd\nf\n").await?;
        ran.directory("/m").entries().is("d/ f").await?;
        source.entries().is("f gone").await?;
        ran.rootfs().glob("m/**").is("").await
    }),
    ("mount: a command changes the root file system and a mount at once", [], async |s| {
        let ran = s.base().with_mounted_directory("/m", &s.tree(&[("f", "")])).sh("echo x > /root-file; echo y > /m/g");
        ran.without_mount("/m").file("/root-file").contents().is("x\n").await
    }),
    // `docker run --mount readonly` does the same.
    ("mount: a read-only mount refuses writes", [], async |s| {
        let tree = s.tree(&[("a", "A")]);
        let base = s.base().with_mounted_directory_options("/m", &tree, &s.mount_options().read_only());
        let ran = base.sh("touch /m/w; echo rc=$?; cat /m/a");
        ran.stdout().is("rc=1\nA").await?;
        ran.stderr().is("touch: /m/w: Read-only file system\n").await
    }),
    // Dagger does the same.
    ("mount: a file that is added below the path of a mount goes into the mount", [], async |s| {
        let base = s.base().with_mounted_directory("/m", &s.tree(&[("f", "")]));
        let base = base.with_new_file("/m/g", "put").with_directory("/m/d", &s.tree(&[("h", "copied")]));
        base.sh("cat /m/g /m/d/h").stdout().is("putcopied").await?;
        base.without_mount("/m").exists("/m/g").is("false").await
    }),
    ("mount: a removal below the path of a mount removes from the mount", [], async |s| {
        let base = s.base().with_mounted_directory("/m", &s.tree(&[("f", ""), ("g", "")])).without_file("/m/f");
        base.with_exec(&["ls", "/m"]).stdout().is("g\n").await
    }),
    ("mount: a subdirectory of a directory can be mounted", [], async |s| {
        let part = s.tree(&[("a/b/f", "x"), ("a/g", "")]).subdirectory("a/b");
        s.base().with_mounted_directory("/m", &part).with_exec(&["ls", "/m"]).stdout().is("f\n").await
    }),
    ("mount: the path may be missing or exist", [], async |s| {
        let tree = s.tree(&[("f", "x")]);
        let base = s.base().with_mounted_directory("/new/deep/path", &tree).with_mounted_directory("/home", &tree);
        base.sh("ls /new/deep/path /home").stdout().is("/home:\nf\n\n/new/deep/path:\nf\n").await
    }),
    ("mount: mounting over the root is an error", [], async |s| {
        let base = s.base().with_mounted_directory("/", &s.tree(&[("f", "")]));
        base.sh("true").sync().fails("invalid-argument", "`/` cannot be mounted over").await
    }),
    ("mount: a missing directory is an error that names it", [], async |s| {
        let missing = s.tree(&[("f", "")]).subdirectory("nope");
        s.base().with_mounted_directory("/m", &missing).sh("true").sync().fails("not-found", "nope").await
    }),
    // Dagger does the same.
    ("mount: a mounted file can be read by commands and callers, and is not in the root", [], async |s| {
        let base = s.base().with_mounted_file("/m/f.txt", &s.file("f", "mounted"));
        base.mounts().is("/m/f.txt").await?;
        base.file("/m/f.txt").contents().is("mounted").await?;
        let ran = base.sh("stat -c '%a %u:%g' /m/f.txt; cat /m/f.txt");
        ran.stdout().is("644 0:0\nmounted").await?;
        ran.rootfs().glob("m/**").is("").await?;
        base.without_mount("/m/f.txt").mounts().is("").await
    }),
    ("mount: a mounted file is read-only", [], async |s| {
        let base = s.base().with_mounted_file("/f", &s.file("f", "kept"));
        base.sh("(echo x > /f) 2>/dev/null || echo refused; cat /f").stdout().is("refused\nkept").await
    }),
    ("mount: a mounted file hides the file below it", [], async |s| {
        let base = s.base().with_mounted_file("/etc/group", &s.file("g", "other\n"));
        base.sh("cat /etc/group").stdout().is("other\n").await?;
        base.without_mount("/etc/group").sh("head -n1 /etc/group").stdout().is("root:x:0:\n").await
    }),
    // Dagger does the same.
    ("mount: an owner applies to everything in the mount, and modes stay", [Owners], async |s| {
        let tree = s.tree(&[("d/f", "")]).with_new_file_options("x", b"", &s.new_options().with_mode(0o750));
        let base = s.base().with_mounted_directory_options("/m", &tree, &s.mount_options().with_owner("app:staff"));
        let script = "cd /m; stat -c '%a %u:%g' . d d/f x";
        base.sh(script).stdout().is("755 1000:50\n755 1000:50\n644 1000:50\n750 1000:50\n").await
    }),
    ("mount: a mount without an owner belongs to root", [], async |s| {
        let base = s.base().with_user("app").with_mounted_directory("/m", &s.tree(&[("f", "")])).without_user();
        base.sh("stat -c %u:%g /m /m/f").stdout().is("0:0\n0:0\n").await
    }),
    ("mount: two commands with the same source do not see each other's changes", [], async |s| {
        let source = s.tree(&[("f", "0\n")]);
        let ran = |n: u32| s.base().with_mounted_directory("/m", &source).sh(&format!("echo {n} >> /m/f; cat /m/f"));
        ran(1).stdout().is("0\n1\n").await?;
        ran(2).stdout().is("0\n2\n").await
    }),
    // Dagger does the same.
    ("temp: a temporary directory is empty for each command and not in the root", [], async |s| {
        let base = s.base().with_mounted_temp("/t");
        base.mounts().is("/t").await?;
        let ran = base.sh("echo x > /t/x; ls /t");
        ran.stdout().is("x\n").await?;
        ran.sh("ls -A /t").stdout().is("").await?;
        ran.rootfs().glob("t/**").is("").await
    }),
    // `docker run --tmpfs` does the same.
    ("temp: a temporary directory is in memory, and every user can write to it", [], async |s| {
        let base = s.base().with_mounted_temp("/t");
        base.sh("stat -c %a /t; awk '$2 == \"/t\" {print $3}' /proc/mounts").stdout().is("1777\ntmpfs\n").await
    }),
    ("temp: a temporary directory holds no more than its size", [SizedTemp], async |s| {
        let base = s.base().with_mounted_temp_options("/t", &s.mount_options().with_size(64 << 10));
        let script =
            "head -c 32768 /dev/zero > /t/a && echo fits; head -c 99999 /dev/zero > /t/b 2>/dev/null || echo full";
        base.sh(script).stdout().is("fits\nfull\n").await
    }),
    ("temp: a temporary directory has the given mode", [], async |s| {
        let base = s.base().with_mounted_temp_options("/t", &s.mount_options().with_mode(0o700));
        base.sh("stat -c %a /t").stdout().is("700\n").await
    }),
    // Dagger answers with the same words.
    ("temp: callers cannot read from a temporary directory", [], async |s| {
        let base = s.base().with_mounted_temp("/t");
        base.directory("/t").entries().fails("invalid-path", "cannot retrieve path from tmpfs").await?;
        base.file("/t/f").contents().fails("invalid-path", "cannot retrieve path from tmpfs").await
    }),
    ("mount: no kind of mount leaves a trace in the root", [], async |s| {
        let before = s.base();
        let after = before
            .with_mounted_directory("/deep/er/d", &s.tree(&[("f", "")]))
            .with_mounted_file("/deep/f", &s.file("f", ""))
            .with_mounted_temp("/other/t")
            .with_mounted_cache("/caches/c", &s.cache("mount-no-trace"))
            .with_mounted_secret("/run/secrets/s", &s.secret("mount-no-trace", "value-of-it"))
            .sh("ls -d /deep/er/d /deep/f /other/t /caches/c /run/secrets/s");
        after.stdout().is("/caches/c\n/deep/er/d\n/deep/f\n/other/t\n/run/secrets/s\n").await?;
        same(&after.rootfs().digest().text().await?, &before.rootfs().digest().text().await?)
    }),
];
