//! The working directory of commands.

use crate::behaviour::{Behaviour, behaviours};

pub(super) const ALL: &[Behaviour] = behaviours![
    ("workdir: the default is the root", [], async |s| {
        s.base().workdir().is("/").await?;
        s.base().with_exec(&["pwd"]).stdout().is("/\n").await
    }),
    // `WORKDIR` of a Dockerfile does the same.
    ("workdir: a relative path is joined to the current one", [], async |s| {
        let base = s.base().with_workdir("/a").with_workdir("b/../c");
        base.workdir().is("/a/c").await?;
        base.with_exec(&["pwd"]).stdout().is("/a/c\n").await
    }),
    ("workdir: an absolute path replaces the current one", [], async |s| {
        s.base().with_workdir("/a").with_workdir("/b").workdir().is("/b").await
    }),
    // Docker does the same.
    ("workdir: a command creates a missing working directory", [], async |s| {
        let ran = s.base().with_workdir("/a/c").sh("stat -c '%a %U' /a /a/c");
        ran.stdout().is("755 root\n755 root\n").await?;
        ran.rootfs().glob("a/**").is("a/c/").await
    }),
    ("workdir: nothing is created before a command runs", [], async |s| {
        s.base().with_workdir("/not/yet").exists("/not").is("false").await
    }),
    // Dagger does the same.
    ("workdir: removing it returns to the root", [], async |s| {
        let base = s.base().with_workdir("/a").without_workdir();
        base.workdir().is("/").await?;
        base.with_exec(&["pwd"]).stdout().is("/\n").await
    }),
    // Our own decision: Dagger goes to the root without a word.
    ("workdir: a path that leaves the root is an error that names it", [], async |s| {
        s.base().with_workdir("../..").workdir().fails("invalid-path", "`../..`").await
    }),
    // Dagger does the same.
    ("workdir: relative paths of files start at the working directory", [], async |s| {
        let base = s.base().with_workdir("/w").with_new_file("r.txt", "r");
        base.file("/w/r.txt").contents().is("r").await?;
        base.file("r.txt").contents().is("r").await?;
        base.directory(".").entries().is("r.txt").await
    }),
    ("workdir: relative paths of mounts start at the working directory", [], async |s| {
        let base = s.base().with_workdir("/w").with_mounted_directory("m", &s.tree(&[("f", "x")]));
        base.mounts().is("/w/m").await?;
        base.with_exec(&["cat", "m/f"]).stdout().is("x").await
    }),
    ("workdir: relative paths of removals start at the working directory", [], async |s| {
        let base = s.base().with_new_file("/w/a", "").with_new_file("/w/b", "").with_workdir("/w").without_file("a");
        base.directory("/w").entries().is("b").await
    }),
    ("workdir: a file in the place of the working directory is an error", [], async |s| {
        let base = s.base().with_new_file("/f", "").with_workdir("/f");
        base.with_exec(&["pwd"]).stdout().fails("not-a-directory", "/f").await
    }),
    ("workdir: a symbolic link to a directory is followed", [], async |s| {
        let base = s.base().with_new_directory("/real").with_symlink("real", "/link").with_workdir("/link");
        base.sh("touch here; ls /real").stdout().is("here\n").await
    }),
];
