//! Directories, files and memory that are mounted.

use crate::answer::same;
use crate::behaviour::{Behaviour, behaviours};

pub(super) const ALL: &[Behaviour] = behaviours![
    // oracle 125
    ("mount: a directory is seen by commands and callers, and is not in the root", [], async |s| {
        let base = s.base().with_mounted_directory("/mnt/d", &s.tree(&[("a.txt", "a"), ("sub/", "")]));
        base.mounts().is("/mnt/d").await?;
        base.directory("/mnt/d").entries().is("a.txt sub/").await?;
        base.file("/mnt/d/a.txt").contents().is("a").await?;
        let ran = base.with_exec(&["ls", "/mnt/d"]);
        ran.stdout().is("a.txt\nsub\n").await?;
        ran.rootfs().glob("mnt/**").is("").await
    }),
    ("mount: an empty directory can be mounted and written", [], async |s| {
        let base = s.base().with_mounted_directory("/m", &s.directory());
        base.sh("ls -A /m; echo x > /m/f").file("/m/f").contents().is("x\n").await
    }),
    // semantics D.45
    ("mount: they are listed in their order, and one replaces that at its path", [], async |s| {
        let (x, y) = (s.tree(&[("x", "")]), s.tree(&[("y", "")]));
        let base = s.base().with_mounted_directory("/b", &x).with_mounted_directory("/a", &x);
        base.mounts().is("/b /a").await?;
        let replaced = base.with_mounted_directory("/b", &y);
        replaced.mounts().is("/a /b").await?;
        replaced.with_exec(&["ls", "/b"]).stdout().is("y\n").await?;
        replaced.without_mount("/b").exists("/b").is("false").await
    }),
    // semantics D.46
    ("mount: one at a parent takes those below it away", [], async |s| {
        let (x, y) = (s.tree(&[("x", "")]), s.tree(&[("y/", "")]));
        let base = s.base().with_mounted_directory("/a/y", &x).with_mounted_directory("/a", &y);
        base.mounts().is("/a").await?;
        base.with_exec(&["ls", "/a/y"]).stdout().is("").await?;
        base.with_mounted_directory("/a/y", &x).with_exec(&["ls", "/a/y"]).stdout().is("x\n").await
    }),
    ("mount: one inside another is seen in it", [], async |s| {
        let base = s.base().with_mounted_directory("/a", &s.tree(&[("f", "outer")]));
        let base = base.with_mounted_directory("/a/in", &s.tree(&[("f", "inner")]));
        base.sh("cat /a/f /a/in/f").stdout().is("outerinner").await?;
        base.sh("echo more > /a/in/g").directory("/a").glob("**").is("f").await?;
        base.sh("echo more > /a/in/g").directory("/a/in").entries().is("f g").await
    }),
    // semantics D.47
    ("mount: what is under it shows again when it is taken away", [], async |s| {
        let base = s.base().with_new_file("/d/own", "").with_mounted_directory("/d", &s.tree(&[("other", "")]));
        base.with_exec(&["ls", "/d"]).stdout().is("other\n").await?;
        base.without_mount("/d").with_exec(&["ls", "/d"]).stdout().is("own\n").await
    }),
    // semantics D.48
    ("mount: what a command changes in it is seen by the next and by callers, and by nobody else", [], async |s| {
        let source = s.tree(&[("f", "old\n"), ("gone", "")]);
        let ran = s.base().with_mounted_directory("/m", &source).sh("echo new > /m/f; rm /m/gone; mkdir /m/d");
        ran.sh("cat /m/f; ls /m").stdout().is("new\nd\nf\n").await?;
        ran.directory("/m").entries().is("d/ f").await?;
        source.entries().is("f gone").await?;
        ran.rootfs().glob("m/**").is("").await
    }),
    ("mount: what is done to the root file system is not undone by it", [], async |s| {
        let ran = s.base().with_mounted_directory("/m", &s.tree(&[("f", "")])).sh("echo x > /root-file; echo y > /m/g");
        ran.without_mount("/m").file("/root-file").contents().is("x\n").await
    }),
    // semantics D.49, oracle 127
    ("mount: a read-only one refuses writes", [], async |s| {
        let tree = s.tree(&[("a", "A")]);
        let base = s.base().with_mounted_directory_options("/m", &tree, &s.mount_options().read_only());
        let ran = base.sh("touch /m/w; echo rc=$?; cat /m/a");
        ran.stdout().is("rc=1\nA").await?;
        ran.stderr().is("touch: /m/w: Read-only file system\n").await
    }),
    // semantics D.57
    ("mount: a file put under it goes into it", [], async |s| {
        let base = s.base().with_mounted_directory("/m", &s.tree(&[("f", "")]));
        let base = base.with_new_file("/m/g", "put").with_directory("/m/d", &s.tree(&[("h", "copied")]));
        base.sh("cat /m/g /m/d/h").stdout().is("putcopied").await?;
        base.without_mount("/m").exists("/m/g").is("false").await
    }),
    ("mount: a removal under it is one in it", [], async |s| {
        let base = s.base().with_mounted_directory("/m", &s.tree(&[("f", ""), ("g", "")])).without_file("/m/f");
        base.with_exec(&["ls", "/m"]).stdout().is("g\n").await
    }),
    ("mount: part of a tree can be mounted", [], async |s| {
        let part = s.tree(&[("a/b/f", "x"), ("a/g", "")]).subdirectory("a/b");
        s.base().with_mounted_directory("/m", &part).with_exec(&["ls", "/m"]).stdout().is("f\n").await
    }),
    ("mount: it can be where nothing is and where something is", [], async |s| {
        let tree = s.tree(&[("f", "x")]);
        let base = s.base().with_mounted_directory("/new/deep/path", &tree).with_mounted_directory("/home", &tree);
        base.sh("ls /new/deep/path /home").stdout().is("/home:\nf\n\n/new/deep/path:\nf\n").await
    }),
    ("mount: over the root is an error", [], async |s| {
        let base = s.base().with_mounted_directory("/", &s.tree(&[("f", "")]));
        base.sh("true").sync().fails("invalid-argument", "`/` cannot be mounted over").await
    }),
    ("mount: a directory that is missing is an error that names it", [], async |s| {
        let missing = s.tree(&[("f", "")]).subdirectory("nope");
        s.base().with_mounted_directory("/m", &missing).sh("true").sync().fails("not-found", "nope").await
    }),
    // oracle 129
    ("mount: a file is seen by commands and callers, and is not in the root", [], async |s| {
        let base = s.base().with_mounted_file("/m/f.txt", &s.file("f", "mounted"));
        base.mounts().is("/m/f.txt").await?;
        base.file("/m/f.txt").contents().is("mounted").await?;
        let ran = base.sh("stat -c '%a %u:%g' /m/f.txt; cat /m/f.txt");
        ran.stdout().is("644 0:0\nmounted").await?;
        ran.rootfs().glob("m/**").is("").await?;
        base.without_mount("/m/f.txt").mounts().is("").await
    }),
    ("mount: a file is read-only", [], async |s| {
        let base = s.base().with_mounted_file("/f", &s.file("f", "kept"));
        base.sh("(echo x > /f) 2>/dev/null || echo refused; cat /f").stdout().is("refused\nkept").await
    }),
    ("mount: a file hides the one under it", [], async |s| {
        let base = s.base().with_mounted_file("/etc/group", &s.file("g", "other\n"));
        base.sh("cat /etc/group").stdout().is("other\n").await?;
        base.without_mount("/etc/group").sh("head -n1 /etc/group").stdout().is("root:x:0:\n").await
    }),
    // semantics D.60
    ("mount: its owner is that of all in it, and modes stay", [Owners], async |s| {
        let tree = s.tree(&[("d/f", "")]).with_new_file_options("x", b"", &s.new_options().with_mode(0o750));
        let base = s.base().with_mounted_directory_options("/m", &tree, &s.mount_options().with_owner("app:staff"));
        let script = "cd /m; stat -c '%a %u:%g' . d d/f x";
        base.sh(script).stdout().is("755 1000:50\n755 1000:50\n644 1000:50\n750 1000:50\n").await
    }),
    ("mount: without an owner it is root's", [], async |s| {
        let base = s.base().with_user("app").with_mounted_directory("/m", &s.tree(&[("f", "")])).without_user();
        base.sh("stat -c %u:%g /m /m/f").stdout().is("0:0\n0:0\n").await
    }),
    ("mount: two commands with one source do not see each other", [], async |s| {
        let source = s.tree(&[("f", "0\n")]);
        let ran = |n: u32| s.base().with_mounted_directory("/m", &source).sh(&format!("echo {n} >> /m/f; cat /m/f"));
        ran(1).stdout().is("0\n1\n").await?;
        ran(2).stdout().is("0\n2\n").await
    }),
    // oracle 131
    ("temp: it is empty for each command and not in the root", [], async |s| {
        let base = s.base().with_mounted_temp("/t");
        base.mounts().is("/t").await?;
        let ran = base.sh("echo x > /t/x; ls /t");
        ran.stdout().is("x\n").await?;
        ran.sh("ls -A /t").stdout().is("").await?;
        ran.rootfs().glob("t/**").is("").await
    }),
    // semantics D.54
    ("temp: it is in memory, and everybody may write to it", [], async |s| {
        let base = s.base().with_mounted_temp("/t");
        base.sh("stat -c %a /t; awk '$2 == \"/t\" {print $3}' /proc/mounts").stdout().is("1777\ntmpfs\n").await
    }),
    ("temp: no more than its size goes into it", [SizedTemp], async |s| {
        let base = s.base().with_mounted_temp_options("/t", &s.mount_options().with_size(64 << 10));
        let script =
            "head -c 32768 /dev/zero > /t/a && echo fits; head -c 99999 /dev/zero > /t/b 2>/dev/null || echo full";
        base.sh(script).stdout().is("fits\nfull\n").await
    }),
    ("temp: it has the mode that it is given", [], async |s| {
        let base = s.base().with_mounted_temp_options("/t", &s.mount_options().with_mode(0o700));
        base.sh("stat -c %a /t").stdout().is("700\n").await
    }),
    // oracle 133, semantics D.55
    ("temp: nothing can be read out of it", [], async |s| {
        let base = s.base().with_mounted_temp("/t");
        base.directory("/t").entries().fails("invalid-path", "cannot retrieve path from tmpfs").await?;
        base.file("/t/f").contents().fails("invalid-path", "cannot retrieve path from tmpfs").await
    }),
    ("mount: none leaves a trace in the root", [], async |s| {
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
