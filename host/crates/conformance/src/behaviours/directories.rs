//! Directories: reading, changing, comparing and searching them.

use crate::answer::{holds, same};
use crate::behaviour::{Behaviour, behaviours};

/// A directory with a hidden file, an empty directory and files at several depths.
const FILES: &[(&str, &str)] =
    &[("a.txt", "a"), ("b.md", "b"), ("sub/c.txt", "c"), ("sub/deep/d.txt", "d"), ("empty/", ""), (".hid", "h")];

pub(super) const ALL: &[Behaviour] = behaviours![
    // Dagger answers the same.
    ("directory: entries are sorted, and those of directories end with a slash", [], async |s| {
        let tree = s.tree(FILES);
        tree.entries().is(".hid a.txt b.md empty/ sub/").await?;
        tree.entries_at("sub").is("c.txt deep/").await?;
        tree.subdirectory("sub").entries_at("deep").is("d.txt").await
    }),
    // Dagger answers the same for a container without an image.
    ("directory: an empty directory has no entries", [], async |s| {
        s.directory().entries().is("").await?;
        s.container().rootfs().entries().is("").await
    }),
    // Dagger fails, too.
    ("directory: listing a missing directory or a file is an error", [], async |s| {
        s.directory().entries_at("nope").fails("not-found", "nope").await?;
        s.tree(FILES).subdirectory("a.txt").entries().fails("not-a-directory", "a.txt").await
    }),
    // Dagger answers the same.
    ("directory: a directory has a name", [], async |s| {
        s.directory().name().is("/").await?;
        s.tree(FILES).subdirectory("sub/deep").name().is("deep/").await
    }),
    // Our own decision: a new directory of Dagger has mode 644, which only root can enter.
    ("directory: a new directory and its parents belong to root with mode 755", [], async |s| {
        let base = s.base().with_new_directory("/p/q");
        base.sh("stat -c '%a %u:%g' /p /p/q").stdout().is("755 0:0\n755 0:0\n").await
    }),
    ("directory: a new directory has the given mode, and its parents have mode 755", [], async |s| {
        let tree = s.directory().with_new_directory_options("p/q", &s.new_options().with_mode(0o1777));
        tree.stat_at("p").is("p:directory:0:755").await?;
        tree.stat_at("p/q").is("q:directory:0:1777").await
    }),
    ("directory: creating an existing directory keeps its contents", [], async |s| {
        s.tree(FILES).with_new_directory("sub").subdirectory("sub").entries().is("c.txt deep/").await
    }),
    // Dagger fails, too.
    ("directory: a path outside of the directory is an error", [], async |s| {
        s.directory().with_new_directory("../c").entries().fails("invalid-path", "`../c`").await
    }),
    // Selecting a directory is lazy in Dagger, too.
    ("directory: a missing directory is an error only when it is read", [], async |s| {
        let missing = s.tree(FILES).subdirectory("keep/this");
        missing.name().is("this/").await?;
        missing.sync().fails("not-found", "keep").await
    }),
    // Dagger answers the same.
    ("directory: an empty path is the directory itself", [], async |s| {
        s.tree(FILES).subdirectory("").entries().is(".hid a.txt b.md empty/ sub/").await
    }),
    // Dagger answers the same where it is told not to follow links.
    ("directory: existence and kind can be read, and links are not followed", [], async |s| {
        let tree = s.tree(&[("f", "abc"), ("d/", "")]).with_symlink("nowhere", "l");
        tree.exists("f").is("true").await?;
        tree.exists("l").is("true").await?;
        tree.exists("no").is("false").await?;
        tree.exists("f/g").is("false").await?;
        tree.stat_at("d").is("d:directory:0:755").await?;
        tree.stat_at("l").is("l:symlink:7:777").await?;
        tree.stat_at("no").fails("not-found", "no").await
    }),
    // Dagger does the same: contents, names, kinds and modes count, the parent path does not.
    ("directory: the digest depends only on the contents", [], async |s| {
        let digest = s.tree(&[("f", "1"), ("g", "2")]).digest().text().await?;
        same(&s.tree(&[("g", "2"), ("f", "1")]).digest().text().await?, &digest)?;
        same(&s.tree(&[("x", "2"), ("g", "2"), ("f", "1")]).without_file("x").digest().text().await?, &digest)?;
        same(&s.tree(&[("d/g", "2"), ("d/f", "1")]).subdirectory("d").digest().text().await?, &digest)?;
        let differs = async |other: crate::handle::Handle| {
            let other = other.digest().text().await?;
            holds(other != digest, || "another tree with the same digest".to_owned())
        };
        let executable = s.new_options().with_mode(0o755);
        differs(s.tree(&[("f", "1")]).with_new_file_options("g", b"2", &executable)).await?;
        differs(s.tree(&[("f", "1"), ("h", "2")])).await?;
        differs(s.tree(&[("f", "1"), ("g", "2"), ("d/", "")])).await?;
        differs(s.tree(&[("f", "1")]).with_symlink("f", "g")).await
    }),
    // Our own decision: alternatives in braces and a leading slash work, which never match in Dagger.
    ("directory: globs match names, any number of directories, sets and alternatives", [], async |s| {
        let tree = s.tree(FILES);
        for (pattern, expect) in [
            ("*", ".hid a.txt b.md empty/ sub/"),
            ("**", ".hid a.txt b.md empty/ sub/ sub/c.txt sub/deep/ sub/deep/d.txt"),
            ("**/*.txt", "a.txt sub/c.txt sub/deep/d.txt"),
            ("*.txt", "a.txt"),
            ("?.md", "b.md"),
            ("*.{md,txt}", "a.txt b.md"),
            ("[ab].*", "a.txt b.md"),
            ("sub/*", "sub/c.txt sub/deep/"),
            ("sub/**", "sub/c.txt sub/deep/ sub/deep/d.txt"),
            ("zzz*", ""),
            ("sub", "sub/"),
            ("sub/", "sub/"),
            ("/a.txt", "a.txt"),
            ("./a.txt", "a.txt"),
        ] {
            tree.glob(pattern).is(expect).await?;
        }
        Ok(())
    }),
    // Dagger answers the same.
    ("directory: globs do not follow links", [], async |s| {
        let tree = s.tree(&[("real/f", "")]).with_symlink("real", "ln");
        tree.glob("**").is("ln real/ real/f").await?;
        tree.glob("ln/*").is("").await?;
        tree.glob("**/f").is("real/f").await
    }),
    // Dagger fails, too.
    ("directory: a glob in a missing directory, or a malformed one, is an error", [], async |s| {
        s.directory().subdirectory("nope").glob("*").fails("not-found", "nope").await?;
        s.tree(FILES).glob("[").fails("invalid-argument", "[").await
    }),
    // Dagger returns matches in no order; a defined one is our own decision.
    ("directory: a search finds lines by a pattern, in order", [], async |s| {
        let tree = s.tree(&[("b.txt", "one\ntwo x\n"), ("a.txt", "x three\n"), ("d/c.md", "four\nX five\n")]);
        let options = s.search_options();
        tree.search("x", &options).is("a.txt:1:x three b.txt:2:two x").await?;
        tree.search("^t.o", &options).is("b.txt:2:two x").await?;
        tree.search("x", &options.insensitive()).is("a.txt:1:x three b.txt:2:two x d/c.md:2:X five").await?;
        tree.search("x", &options.insensitive().with_globs(&["**/*.md"])).is("d/c.md:2:X five").await?;
        tree.search("x", &options.with_limit(1)).is("a.txt:1:x three").await?;
        tree.search("nowhere", &options).is("").await
    }),
    ("directory: a search takes the text literally on request", [], async |s| {
        let tree = s.tree(&[("f", "a.c\nabc\n")]);
        tree.search("a.c", &s.search_options()).is("f:1:a.c f:2:abc").await?;
        tree.search("a.c", &s.search_options().literal()).is("f:1:a.c").await?;
        tree.search("a", &s.search_options().files_only()).is("f:1:a.c").await
    }),
    ("directory: a search skips binary files, and a malformed pattern is an error", [], async |s| {
        let tree = s.tree(&[("t", "find me\n")]).with_new_file_options("b", b"find me\0\xff", &s.new_options());
        tree.search("find", &s.search_options()).is("t:1:find me").await?;
        tree.search("(", &s.search_options()).fails("invalid-argument", "(").await
    }),
    // Dagger answers the same.
    ("directory: a filter keeps the paths that are included and not excluded", [], async |s| {
        let tree = s.tree(FILES);
        tree.filter(&["**/*.txt"], &[]).glob("**/*.*").is("a.txt sub/c.txt sub/deep/d.txt").await?;
        tree.filter(&[], &["**/*.txt"]).glob("**").is(".hid b.md empty/ sub/ sub/deep/").await?;
        tree.filter(&["sub"], &["**/d.txt"]).glob("**").is("sub/ sub/c.txt sub/deep/").await
    }),
    // The patterns are those of a `.dockerignore` file.
    ("directory: the patterns of a filter start at the root, and exclusion wins", [], async |s| {
        let tree = s.tree(&[("a.rar", ""), ("b.txt", ""), ("sub/c.rar", "")]);
        tree.filter(&["*.rar"], &[]).glob("**").is("a.rar").await?;
        tree.filter(&[], &["sub"]).glob("**").is("a.rar b.txt").await?;
        tree.filter(&["*.rar"], &["*.rar"]).glob("**").is("").await?;
        tree.filter(&[], &["*", "!b.txt"]).glob("**").is("b.txt").await
    }),
    // Dagger answers the same.
    ("directory: a difference has the new and changed paths, and nothing else", [], async |s| {
        let old = s.tree(&[("same", "s"), ("changed", "1"), ("gone", "g"), ("d/same", "s")]);
        let new = s.tree(&[("same", "s"), ("changed", "2"), ("new/f", "n"), ("d/same", "s")]);
        old.diff(&new).glob("**").is("changed new/ new/f").await?;
        old.diff(&old).glob("**").is("").await?;
        s.directory().diff(&new).digest().is(&new.digest().text().await?).await
    }),
    ("directory: a difference compares contents, modes and kinds", [], async |s| {
        let old = s.tree(&[("m", "x"), ("k", "x")]);
        let new = s.directory().with_new_file_options("m", b"x", &s.new_options().with_mode(0o755));
        old.diff(&new.with_symlink("x", "k")).entries().is("k m").await
    }),
    ("directory: in a merge the later directory wins", [], async |s| {
        let (a, b, c) = (s.tree(&[("f", "a"), ("a", "")]), s.tree(&[("f", "b"), ("d/b", "")]), s.tree(&[("d/c", "")]));
        let merged = a.merge(&[&b, &c]);
        merged.glob("**").is("a d/ d/b d/c f").await?;
        merged.file("f").contents().is("b").await?;
        a.merge(&[]).digest().is(&a.digest().text().await?).await
    }),
    ("directory: in a merge a file replaces a directory, and the reverse", [], async |s| {
        let (a, b) = (s.tree(&[("x/in", ""), ("y", "file")]), s.tree(&[("x", "file"), ("y/in", "")]));
        a.merge(&[&b]).glob("**").is("x y/ y/in").await?;
        b.merge(&[&a]).glob("**").is("x/ x/in y").await
    }),
    // Our own decision for links, whose times Dagger leaves as they are.
    ("directory: commands see the times that are set", [], async |s| {
        let tree = s.tree(&[("a/f", "x")]).with_symlink("f", "a/l").with_timestamps(1_000_000_000);
        let base = s.base().with_directory("/t", &tree);
        base.sh("cd /t; stat -c %Y a a/f a/l").stdout().is("1000000000\n1000000000\n1000000000\n").await
    }),
    // Dagger does the same.
    ("directory: an owner can be given to everything at and below a path", [Owners], async |s| {
        let tree = s.tree(&[("s/f", ""), ("g", "")]).chown("s", "1000:50");
        let base = s.base().with_directory_options("/t", &tree, &s.copy_options());
        base.sh("cd /t; stat -c '%n %u:%g' . g s s/f").stdout().is(". 0:0\ng 0:0\ns 0:0\ns/f 0:0\n").await?;
        let script = "cd /t; stat -c '%n %u:%g' g s s/f";
        s.bare()
            .with_rootfs(&s.tree(&[("t/s/f", ""), ("t/g", "")]).chown("t/s", "1000:50"))
            .sh(script)
            .stdout()
            .is("g 0:0\ns 1000:50\ns/f 1000:50\n")
            .await
    }),
    ("directory: a directory can have 3,000 files", [], async |s| {
        let base = s.base().sh("mkdir /many; cd /many; for i in $(seq 1 3000); do echo $i > f$i; done");
        base.sh("ls /many | wc -l; cat /many/f3000").stdout().is("3000\n3000\n").await?;
        base.file("/many/f777").contents().is("777\n").await
    }),
    ("directory: a path can have a hundred directories", [], async |s| {
        let deep = vec!["d"; 100].join("/");
        let base = s.base().with_new_file(&format!("/{deep}/f"), "deep");
        base.file(&format!("/{deep}/f")).contents().is("deep").await?;
        base.sh("find /d -type f | tr -cd / | wc -c").stdout().is("101\n").await
    }),
    // Dagger answers the same.
    ("directory: an entry is found in a directory or above it", [], async |s| {
        let tree = s.tree(&[("b.md", ""), ("sub/c.txt", ""), ("sub/deep/d.txt", "")]);
        tree.find_up("b.md", Some("sub/deep")).is("b.md").await?;
        tree.find_up("c.txt", Some("sub/deep")).is("sub/c.txt").await?;
        tree.find_up("deep", Some("sub/deep")).is("sub/deep").await?;
        tree.find_up("zz", Some("sub")).is("none").await?;
        tree.find_up("c.txt", None).is("none").await?;
        // It does not look above the directory that was asked.
        tree.subdirectory("sub").find_up("b.md", Some("deep")).is("none").await?;
        tree.find_up("../b.md", Some("sub")).fails("invalid-path", "`../b.md`").await?;
        tree.find_up("b.md", Some("../sub")).fails("invalid-path", "`../sub`").await
    }),
    // Dagger answers the same, in random order.
    ("directory: a match of a search has its place in the file and the parts of the line that match", [], async |s| {
        let tree = s.tree(&[("f", "one\r\ntwo ab\nä ab abb\n")]);
        let found = tree.search_matches("ab+", &s.search_options());
        found.is("f:2:two ab:5:4:6 f:3:ä ab abb:12:3:5 6:9").await
    }),
    // Dagger does the same.
    ("directory: a search leaves out hidden files on request", [], async |s| {
        let tree = s.tree(&[(".h", "x"), (".d/f", "x"), ("d/.g", "x"), ("d/f", "x")]);
        tree.search("x", &s.search_options()).is(".d/f:1:x .h:1:x d/.g:1:x d/f:1:x").await?;
        tree.search("x", &s.search_options().skip_hidden()).is("d/f:1:x").await
    }),
];
