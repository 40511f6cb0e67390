//! Definitions of directories whose tree is the same on every engine: down to modes, owners, links and the last byte.
//!
//! Each tree is compared with its digest in `digests.txt`, so that the engines need not run at the same time. Busybox is
//! mounted at `/bin`, and mounts leave no trace, so the trees do not depend on its version.

use std::path::Path;
use std::sync::Mutex;

use crate::answer::{Outcome, Wrong, holds};
use crate::arg::Case as EnumCase;
use crate::behaviour::{Behaviour, behaviours};
use crate::case::Case;
use crate::handle::Handle;

/// The expected digests: a line for each definition, with the digest and the name.
const DIGESTS: &str = include_str!("../../digests.txt");

/// Held while the file is written.
static WRITING: Mutex<()> = Mutex::new(());

/// Checks that the tree has the expected digest.
async fn equal(s: &Case<'_>, name: &str, tree: Handle) -> Outcome {
    let digest = tree.digest().text().await?;
    if s.is_reference() {
        return write(name, &digest).map_err(|error| Wrong::new(error.to_string()));
    }
    let known = DIGESTS.lines().filter_map(|line| line.split_once(' ')).find(|(_, other)| *other == name);
    let (known, _) =
        known.ok_or_else(|| Wrong::new("`digests.txt` has no such line: run with UPDATE_CONFORMANCE=1"))?;
    holds(digest == known, || format!("another tree than elsewhere\n  expected {known}\n  got {digest}"))
}

/// Writes the line of one definition.
fn write(name: &str, digest: &str) -> std::io::Result<()> {
    let _writing = WRITING.lock();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("digests.txt");
    let old = std::fs::read_to_string(&path)?;
    let others = old.lines().filter(|line| line.split_once(' ').is_some_and(|(_, other)| other != name));
    let new = format!("{digest} {name}");
    let mut lines: Vec<&str> = others.chain([new.as_str()]).collect();
    lines.sort_by_key(|line| line.split_once(' ').map(|(_, name)| name));
    std::fs::write(&path, lines.join("\n") + "\n")
}

/// Returns the root file system that a script leaves when it starts with an empty one.
fn left_by(s: &Case<'_>, script: &str) -> Handle {
    s.bare().sh(script).rootfs()
}

/// Returns the root file system that a script leaves when an earlier command wrote files.
fn over(s: &Case<'_>, script: &str) -> Handle {
    let before = "mkdir -p d/in e; echo 1 > d/f; echo 2 > d/in/g; ln -s d l; echo 3 > top; chmod 640 top";
    s.bare().with_workdir("/w").sh(before).sh(script).rootfs()
}

/// Returns the root file system that a script leaves in an image of the registry.
fn image(s: &Case<'_>, name: &str, script: &str) -> Handle {
    s.bare().from_image(&s.address(name)).with_env_variable("PATH", "/bin").sh(script).rootfs()
}

/// Makes the behaviours: `"name": needs, |case| tree`.
macro_rules! equal {
    ($(($name:literal, [$($need:ident),*], |$case:ident| $tree:expr)),* $(,)?) => {
        behaviours![$((
            $name,
            [$($need),*],
            async |$case| equal($case, $name, $tree).await
        )),*]
    };
}

pub(super) const ALL: &[Behaviour] = equal![
    ("equal: an empty root", [], |s| s.container().rootfs()),
    ("equal: a command that changes nothing", [], |s| left_by(s, "true")),
    ("equal: files, directories and their modes", [], |s| left_by(
        s,
        "umask 022; mkdir -p a/b; echo x > a/b/f; cd a; \
         for m in 000 111 222 444 600 640 755 777; do echo $m > f$m; chmod $m f$m; mkdir d$m; chmod $m d$m; done"
    )),
    ("equal: setuid, setgid and sticky bits", [], |s| left_by(
        s,
        "for m in 4755 2755 6711 1644; do echo x > f$m; chmod $m f$m; done; \
         mkdir s g; chmod 1777 s; chmod 2775 g; touch g/in; mkdir g/sub"
    )),
    ("equal: a command with its own umask", [], |s| left_by(s, "umask 077; mkdir -p a/b; echo x > a/b/f")),
    ("equal: owners by number", [Owners], |s| left_by(
        s,
        "mkdir -p d/e; touch d/f d/e/g; chown -R 7:8 d; chown 1000 d/f; chgrp 50 d/e; ln -s f d/l; chown -h 9:9 d/l"
    )),
    ("equal: files written by a user", [Owners], |s| s
        .bare()
        .sh("mkdir /tmp /own; chmod 1777 /tmp; chown 1000:50 /own")
        .with_user("1000:50")
        .sh("echo x > /tmp/f; mkdir -p /own/a/b; ln -s a /own/l; umask 027; echo y > /own/g")
        .rootfs()),
    ("equal: owners by name", [Owners], |s| {
        let root = s.tree(&[("etc/passwd", "app:x:1000:1000::/:/bin/sh\n"), ("etc/group", "staff:x:50:\n")]);
        let options = s.copy_options().with_owner("app:staff");
        s.bare()
            .with_rootfs(&root)
            .with_directory_options("/d", &s.tree(&[("f", "x"), ("e/", "")]), &options)
            .with_new_file_options("/g", b"x", &s.new_options().with_owner("app"))
            .rootfs()
    }),
    ("equal: hard links", [], |s| left_by(
        s,
        "mkdir a b; echo x > a/f; ln a/f b/g; ln a/f h; echo y >> h; chmod 600 b/g"
    )),
    ("equal: hard links of which one is replaced later", [], |s| s
        .bare()
        .sh("echo x > a; ln a b; ln a c")
        .sh("rm a; echo y > a; echo z >> b")
        .rootfs()),
    ("equal: symbolic links of all kinds", [], |s| left_by(
        s,
        "mkdir d; touch d/f; ln -s d/f rel; ln -s /d/f abs; ln -s nowhere dangling; ln -s d dir; ln -s ../../.. up; \
         ln -s loop loop; ln -s \"$(printf %0200d 0)\" long"
    )),
    ("equal: a pipe", [], |s| left_by(s, "mkfifo -m 640 pipe")),
    ("equal: empty directories", [], |s| left_by(s, "mkdir -p a/b/c d/e; mkdir -m 700 f")),
    ("equal: deep parents", [], |s| {
        let deep = vec!["directory"; 60].join("/");
        left_by(s, &format!("mkdir -p {deep}; echo x > {deep}/f"))
    }),
    ("equal: names in many languages and with special characters", [], |s| left_by(
        s,
        "touch -- grüße 日本語 '🦀' ' a  b ' 'q\"uote' \"it's\" '-rf' '*' 'a\\b' 'a:b' \"$(printf 'new\\nline')\" \
         \"$(printf 'tab\\t.')\" \"$(printf 'e\\314\\201')\" é '#' '.hidden' '..more'"
    )),
    ("equal: names that are not UTF-8", [], |s| left_by(s, "touch \"$(printf 'a\\377b')\"; rm a*; touch end")),
    ("equal: long names", [], |s| left_by(
        s,
        "n=$(printf %0255d 1); touch $n; m=$(printf %0100d 2); mkdir -p $m/$m/$m/$m; echo x > $m/$m/$m/$m/$m; ln -s $m s"
    )),
    ("equal: a big file", [], |s| left_by(s, "seq 1 600000 > big; truncate -s 5000000 sparse; echo end >> sparse")),
    ("equal: many files", [], |s| left_by(s, "mkdir m; for i in $(seq 1 600); do echo $i > m/$i; done")),
    ("equal: equal files", [], |s| left_by(s, "mkdir a b; echo x > a/f; cp a/f b/f; cp -r a c; cp -p a/f d")),
    ("equal: removed files", [], |s| over(s, "rm top d/f; rm -r d/in; rmdir e")),
    ("equal: a tree that is removed completely", [], |s| over(s, "rm -r d e l top")),
    ("equal: a directory that is removed and created again by one command", [], |s| over(
        s,
        "rm -r d; mkdir d; echo new > d/new"
    )),
    ("equal: a directory that is removed by one command and created by another", [], |s| {
        s.bare().sh("mkdir -p d/in; echo 1 > d/f").sh("rm -r d").sh("mkdir d; echo 2 > d/g").rootfs()
    }),
    ("equal: a file in the place of a directory", [], |s| over(s, "rm -r d; echo file > d")),
    ("equal: a directory in the place of a file", [], |s| over(s, "rm top; mkdir top; echo in > top/in")),
    ("equal: a link in the place of a directory, and the reverse", [], |s| over(
        s,
        "rm -r d; ln -s e d; rm l; mkdir l; touch l/f"
    )),
    ("equal: a directory that was moved", [], |s| over(s, "mv d moved; mv moved/in .; mv top moved/")),
    ("equal: a file that was moved over another", [], |s| over(s, "mv d/f top; echo new > e/n; mv e/n d/in/g")),
    ("equal: a changed mode and nothing else", [], |s| over(s, "chmod 755 top; chmod 700 d; chmod 4711 d/f")),
    ("equal: a changed owner and nothing else", [Owners], |s| over(s, "chown 5:6 top d; chown -R 7 d/in")),
    ("equal: a changed time and nothing else", [], |s| over(s, "touch -t 200001010000 top d d/f")),
    ("equal: a file that grew and a file that was truncated", [], |s| over(
        s,
        "echo more >> d/f; : > top; echo x > d/in/g"
    )),
    ("equal: a long chain that writes the same files", [], |s| (0..12)
        .fold(s.bare(), |chain, n| chain
            .sh(&format!("echo {n} > last; echo {n} >> all; rm -rf d; mkdir d; touch d/{n}")))
        .rootfs()),
    ("equal: redirected output", [], |s| {
        let options = s.exec_options().with_redirect_stdout("o").with_redirect_stderr("/e").with_stdin("in\n");
        s.bare().with_workdir("/w").sh_options("cat; echo err >&2", &options).rootfs()
    }),
    ("equal: a working directory that a command creates", [], |s| s
        .bare()
        .with_workdir("/a/b/c")
        .sh("touch f")
        .rootfs()),
    ("equal: a working directory that a command of another user creates", [Owners], |s| s
        .bare()
        .with_workdir("/a/b")
        .with_user("1000:50")
        .sh("true")
        .rootfs()),
    ("equal: a root with mounts of all kinds", [], |s| s
        .bare()
        .with_new_directory("/there")
        .with_mounted_directory("/there/d", &s.tree(&[("f", "")]))
        .with_mounted_directory("/deep/er/d", &s.tree(&[("f", "")]))
        .with_mounted_file("/deep/f", &s.file("f", "x"))
        .with_mounted_temp("/t")
        .with_mounted_cache("/caches/c", &s.cache("equal-mounts"))
        .with_mounted_secret("/run/secrets/s", &s.secret("equal-mounts", "value-of-it"))
        .sh("echo x > /there/d/new; echo x > /t/f; echo x > /caches/c/f; cat /run/secrets/s > /dev/null; echo y > /own")
        .rootfs()),
    ("equal: a file that was written beside a mount", [], |s| s
        .bare()
        .with_mounted_directory("/m/in", &s.tree(&[("f", "")]))
        .sh("echo x > /m/beside")
        .rootfs()),
    ("equal: a mount that a command changed", [], |s| {
        let tree = s.tree(&[("d/f", "1"), ("gone", ""), ("kept", "k"), ("turns/in", "")]);
        s.bare()
            .with_mounted_directory("/m", &tree)
            .sh("cd /m; rm gone; rm -r turns; echo file > turns; echo 2 > d/f; mkdir -p n/e/w; chmod 700 d")
            .directory("/m")
    }),
    ("equal: a mount that two commands changed", [], |s| s
        .bare()
        .with_mounted_directory("/m", &s.tree(&[("d/f", "1")]))
        .sh("cd /m; rm -r d; mkdir d; touch d/g")
        .sh("cd /m; mv d e; ln -s e d")
        .directory("/m")),
    ("equal: a mount with an owner", [Owners], |s| {
        let options = s.mount_options().with_owner("1000:50");
        s.bare()
            .with_mounted_directory_options("/m", &s.tree(&[("d/f", "1")]), &options)
            .sh("touch /m/new")
            .directory("/m")
    }),
    ("equal: a volume that two commands use one after the other", [], |s| {
        let options = s.mount_options().with_sharing(EnumCase("locked"));
        s.bare()
            .with_mounted_cache_options("/c/d", &s.cache("equal-locked"), &options)
            .sh("touch /c/d/f; touch /g")
            .rootfs()
    }),
    ("equal: a tree made of values", [], |s| {
        let tree = s.tree(&[("a/b/c", "1"), ("a/d/", ""), ("e", "2")]).with_symlink("a/b", "l");
        tree.with_new_file_options("x", b"#!\0\xff", &s.new_options().with_mode(0o4755).with_special_bits())
            .with_new_directory_options("p/q", &s.new_options().with_mode(0o1700))
    }),
    ("equal: copies with patterns and modes", [], |s| {
        let tree =
            s.tree(&[("a.c", "1"), ("a.o", ""), ("src/b.c", "2"), ("src/b.o", ""), ("doc/x", ""), ("empty/", "")]);
        let options = s.copy_options().with_include(&["**/*.c", "empty"]).with_exclude(&["doc"]).with_mode(0o640);
        s.tree(&[("to/a.c", "old"), ("to/kept", "k")]).with_directory_options("to", &tree, &options)
    }),
    ("equal: copies from a container", [], |s| {
        let made = s.bare().sh("mkdir -p o/d; echo x > o/d/f; ln o/d/f o/g; ln -s d o/l; chmod 4750 o/g");
        s.directory().with_directory("in", &made.directory("/o")).with_file("f", &made.file("/o/g"))
    }),
    ("equal: copies over other kinds", [], |s| {
        let (a, b) = (
            s.tree(&[("x/in", ""), ("y", "f")]).with_symlink("y", "z"),
            s.tree(&[("x", "f"), ("y/in", ""), ("z", "f")]),
        );
        s.directory().with_directory("1", &a).with_directory("1", &b).with_directory("2", &b).with_directory("2", &a)
    }),
    ("equal: removals by pattern", [], |s| s
        .tree(&[("a.txt", ""), ("b.md", ""), ("d1/x.txt", ""), ("d2/y", ""), ("d3/", "")])
        .without_file("**/*.txt")
        .without_directory("d[23]")),
    ("equal: filters, merges and differences", [], |s| {
        let (a, b) =
            (s.tree(&[("f", "1"), ("d/a", ""), ("same", "s")]), s.tree(&[("f", "2"), ("d/b", ""), ("same", "s")]));
        let all = s.directory().with_directory("merged", &a.merge(&[&b])).with_directory("diff", &a.diff(&b));
        all.with_directory("filtered", &a.merge(&[&b]).filter(&["d", "f"], &["d/b"]))
    }),
    ("equal: a difference of what commands made", [], |s| {
        let before = s.bare().sh("mkdir d; echo 1 > d/f; echo 1 > g");
        before.rootfs().diff(&before.sh("echo 2 > g; echo new > d/n; chmod 700 d").rootfs())
    }),
    ("equal: a file with text replaced", [], |s| {
        let file = s.file("f", "a b a\n").with_replaced("a", "A", true);
        s.directory().with_file("d/", &file).with_file("other", &file.with_name("g"))
    }),
    ("equal: times that were set", [], |s| s
        .tree(&[("a/f", "x")])
        .with_symlink("f", "a/l")
        .with_timestamps(1_000_000_000)),
    ("equal: an image in Docker's format", [Images, Owners], |s| s.image("layers:docker").rootfs()),
    ("equal: an image in OCI's format", [Images, Owners], |s| s.image("layers:oci").rootfs()),
    ("equal: an image with layers in zstd", [Images, Owners], |s| s.image("layers:zstd").rootfs()),
    ("equal: an image after a command", [Images, Owners], |s| image(s, "layers:oci", "echo new > /new; rm /kept")),
    ("equal: an image in which a command creates a directory again", [Images, Owners], |s| image(
        s,
        "layers:docker",
        "rm -r /directory /opaque; mkdir /directory; mkdir -p /opaque/old-directory; echo x > /deep/er/still/g"
    )),
    ("equal: an image in which a command changes links and mode bits", [Images, Owners], |s| image(
        s,
        "layers:zstd",
        "echo more >> /hard-a; rm /symlink; ln -s setuid /symlink; chmod 755 /setuid; mv /sticky /moved; touch /setgid/f"
    )),
    ("equal: a directory of an image", [Images, Owners], |s| s
        .directory()
        .with_directory("p", &s.image("layers:oci").directory("/deep"))),
    ("equal: an image that is exported and imported again", [Images, Owners], |s| {
        let packed = s.bare().from_image(&s.address("layers:oci")).with_env_variable("PATH", "/bin");
        let packed =
            packed.sh("rm -r /directory; mkdir /directory; echo x > /directory/new; ln /kept /linked").as_tarball();
        s.container().import_image(&packed, None).rootfs()
    }),
    ("equal: files of this machine", [], |s| {
        let place = s.local_place().unwrap_or_default();
        let _ = local(&place);
        s.directory().with_directory("l", &s.local_directory(&place))
    }),
    ("equal: files of this machine after a command", [], |s| {
        let place = s.local_place().unwrap_or_default();
        let _ = local(&place);
        s.bare().with_directory("/l", &s.local_directory(&place)).sh("rm /l/d/f; echo x >> /l/x; mv /l/e /l/f").rootfs()
    }),
];

/// Writes files of all kinds into a directory of this machine.
fn local(place: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    std::fs::create_dir_all(place.join("d"))?;
    std::fs::create_dir_all(place.join("e"))?;
    for (path, mode) in [("d/f", 0o600), ("x", 0o755), ("s", 0o4711)] {
        std::fs::write(place.join(path), path)?;
        std::fs::set_permissions(place.join(path), std::fs::Permissions::from_mode(mode))?;
    }
    for (path, mode) in [("d", 0o710), ("e", 0o755), ("", 0o755)] {
        std::fs::set_permissions(place.join(path), std::fs::Permissions::from_mode(mode))?;
    }
    std::fs::hard_link(place.join("x"), place.join("y"))?;
    symlink("d/f", place.join("l"))
}
