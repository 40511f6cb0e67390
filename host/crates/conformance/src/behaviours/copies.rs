//! Copies, removals and links.

use crate::behaviour::{Behaviour, behaviours};

pub(super) const ALL: &[Behaviour] = behaviours![
    // `COPY` of a Dockerfile does the same.
    ("copy: a file is copied to a path, or into a directory that exists or ends with a slash", [], async |s| {
        let file = s.tree(&[("src.txt", "S")]).file("src.txt");
        s.base().with_file("/one.txt", &file).file("/one.txt").contents().is("S").await?;
        s.base().with_file("/new/", &file).rootfs().glob("new/**").is("new/src.txt").await?;
        s.base().with_file("/home", &file).rootfs().glob("home/**").is("home/app/ home/src.txt").await
    }),
    // Dagger does the same.
    ("copy: a file that is copied to the root of a directory keeps its name", [], async |s| {
        let file = s.file("src.txt", "S");
        for path in ["", ".", "/"] {
            s.tree(&[("a", "")]).with_file(path, &file).entries().is("a src.txt").await?;
        }
        Ok(())
    }),
    // Dagger does the same: the target of several files is always a directory.
    ("copy: several files are copied into a directory, with a slash or without", [], async |s| {
        let (x, y) = (s.file("x", "1"), s.file("y", "2"));
        s.directory().with_files("d", &[&x, &y]).glob("**").is("d/ d/x d/y").await?;
        s.directory().with_files("d/", &[&x, &y]).glob("**").is("d/ d/x d/y").await
    }),
    // `COPY --chown --chmod` of a Dockerfile does the same.
    ("copy: a copied file has the given owner and mode", [Owners], async |s| {
        let options = s.copy_options().with_owner("app").with_mode(0o400);
        let base = s.base().with_file_options("/two", &s.file("f", "S"), &options);
        base.sh("stat -c '%a %u:%g' /two").stdout().is("400 1000:1000\n").await
    }),
    // Dagger does the same.
    ("copy: files belong to the user of the container on request", [Owners], async |s| {
        let (copy, new) = (s.copy_options().inherit_owner(), s.new_options().inherit_owner());
        let base = s
            .base()
            .with_user("app:staff")
            .with_file_options("/f", &s.file("f", ""), &copy)
            .with_directory_options("/d", &s.tree(&[("g", "")]), &copy)
            .with_file_options("/o", &s.file("f", ""), &copy.with_owner("0:0"))
            .with_new_file_options("/n", b"", &new);
        base.sh("stat -c %u:%g /f /d /d/g /o /n").stdout().is("1000:50\n1000:50\n1000:50\n0:0\n1000:50\n").await
    }),
    ("copy: a copied file keeps its mode", [], async |s| {
        let options = s.new_options().with_mode(0o4755).with_special_bits();
        let file = s.directory().with_new_file_options("f", b"", &options).file("f");
        s.base().with_file("/f", &file).sh("stat -c '%a %u:%g' /f").stdout().is("4755 0:0\n").await
    }),
    ("copy: a copied file replaces a link and not its target", [], async |s| {
        let base = s
            .base()
            .with_new_file("/target", "kept")
            .with_symlink("target", "/link")
            .with_file("/link", &s.file("f", "new"));
        base.sh("cat /target").stdout().is("kept").await?;
        base.file("/link").contents().is("new").await
    }),
    // `COPY` of a Dockerfile does the same.
    ("copy: a copied directory is merged into an existing one", [], async |s| {
        let base = s.base().with_new_file("/m/a.txt", "old").with_new_file("/m/keep", "k");
        let base = base.with_directory("/m", &s.tree(&[("a.txt", "new"), ("sub/c.txt", "c"), ("empty/", "")]));
        base.file("/m/a.txt").contents().is("new").await?;
        base.directory("/m").glob("**").is("a.txt empty/ keep sub/ sub/c.txt").await
    }),
    // Dagger does the same: the later copy wins.
    ("copy: a file replaces a directory, and the reverse", [], async |s| {
        let base = s.base().with_new_file("/m/x/old", "").with_new_file("/m/y", "old");
        let base = base.with_directory("/m", &s.tree(&[("x", "now a file"), ("y/f", "now a directory")]));
        base.directory("/m").glob("**").is("x y/ y/f").await?;
        base.sh("cat /m/x; ls /m/y").stdout().is("now a filef\n").await
    }),
    // Dagger does the same.
    ("copy: a copied directory has the given owner, and its new parents belong to root", [Owners], async |s| {
        let options = s.copy_options().with_owner("app:staff");
        let base = s.base().with_directory_options("/m/n", &s.tree(&[("a", ""), ("sub/c", "")]), &options);
        let expect = ". 755 0:0\n./n 755 1000:50\n./n/a 644 1000:50\n./n/sub 755 1000:50\n./n/sub/c 644 1000:50\n";
        base.sh("cd /m; find . | sort | xargs stat -c '%n %a %u:%g'").stdout().is(expect).await
    }),
    // Our own decision: the permissions of Dagger have no effect here, and a directory with mode 640 could not be
    // entered.
    ("copy: a mode applies to everything that is copied, and directories can be entered", [], async |s| {
        let options = s.copy_options().with_mode(0o640);
        let base = s.base().with_directory_options("/m", &s.tree(&[("a", ""), ("sub/c", "")]), &options);
        base.sh("cd /m; stat -c '%n %a' a sub sub/c").stdout().is("a 640\nsub 750\nsub/c 640\n").await
    }),
    ("copy: patterns say what is copied", [], async |s| {
        let tree = s.tree(&[("a.c", ""), ("a.o", ""), ("src/b.c", ""), ("src/b.o", ""), ("doc/x", "")]);
        let copied = |options| s.directory().with_directory_options("d", &tree, &options);
        copied(s.copy_options().with_include(&["**/*.c"])).glob("**/*.*").is("d/a.c d/src/b.c").await?;
        copied(s.copy_options().with_exclude(&["**/*.o", "doc"])).glob("**").is("d/ d/a.c d/src/ d/src/b.c").await?;
        let both = s.copy_options().with_include(&["src"]).with_exclude(&["**/*.o"]);
        copied(both).glob("**").is("d/ d/src/ d/src/b.c").await
    }),
    ("copy: links are copied as links", [], async |s| {
        let tree = s.tree(&[("real/f", "x")]).with_symlink("real", "ln").with_symlink("/etc/passwd", "out");
        let base = s.base().with_directory("/d", &tree);
        base.sh("cd /d; readlink ln; readlink out; cat ln/f").stdout().is("real\n/etc/passwd\nx").await
    }),
    ("copy: files of one container can be copied into another", [], async |s| {
        let built = s.base().sh("mkdir -p /out/bin; echo tool > /out/bin/tool; chmod 755 /out/bin/tool");
        let base = s.base().with_directory("/usr/local", &built.directory("/out"));
        base.sh("stat -c %a /usr/local/bin/tool; cat /usr/local/bin/tool").stdout().is("755\ntool\n").await?;
        let base = s.base().with_file("/t", &built.file("/out/bin/tool"));
        base.sh("stat -c %a /t").stdout().is("755\n").await
    }),
    // Dagger does the same: files belong to root unless an owner is given.
    ("copy: files that are copied from another container belong to root", [], async |s| {
        let built = s.base().sh("mkdir /out; touch /out/f; chown 0:0 /out/f");
        s.base().with_directory("/in", &built.directory("/out")).sh("stat -c %u:%g /in/f").stdout().is("0:0\n").await
    }),
    ("copy: a missing source is an error that names it", [], async |s| {
        s.base().with_file("/f", &s.directory().file("nope")).sh("true").sync().fails("not-found", "nope").await?;
        let missing = s.directory().subdirectory("gone");
        s.base().with_directory("/d", &missing).sh("true").sync().fails("not-found", "gone").await
    }),
    ("copy: a file in the place of a directory is an error, and the reverse", [], async |s| {
        let tree = s.tree(&[("f", ""), ("d/", "")]);
        s.directory().with_directory("x", &tree.subdirectory("f")).entries().fails("not-a-directory", "f").await?;
        s.directory().with_file("x", &tree.file("d")).entries().fails("not-a-file", "d").await
    }),
    // Our own decision: Dagger writes to the root without a word.
    ("copy: a target that leaves the root is an error", [], async |s| {
        s.directory()
            .with_directory("../../y", &s.tree(&[("a", "")]))
            .entries()
            .fails("invalid-path", "`../../y`")
            .await
    }),
    ("copy: a copy does not change with its source", [], async |s| {
        let source = s.tree(&[("f", "1")]);
        let base = s.base().with_directory("/d", &source);
        let _ = source.with_new_file("f", "2");
        base.sh("cat /d/f").stdout().is("1").await
    }),
    // Dagger does the same.
    ("without: a file can be removed, and a missing file is not an error", [], async |s| {
        let tree = s.tree(&[("a.txt", ""), ("b.md", ""), ("sub/c.txt", "")]);
        tree.without_file("a.txt").glob("**").is("b.md sub/ sub/c.txt").await?;
        tree.without_file("zzz").glob("**").is("a.txt b.md sub/ sub/c.txt").await?;
        tree.without_files(&["a.txt", "sub/c.txt"]).glob("**").is("b.md sub/").await
    }),
    // Dagger does the same.
    ("without: files and directories can be removed by a glob", [], async |s| {
        let tree = s.tree(&[("a.txt", ""), ("b.md", ""), ("sub/c.txt", ""), ("d1/f", ""), ("d2/f", "")]);
        tree.without_file("*.txt").glob("**/*.*").is("b.md sub/c.txt").await?;
        tree.without_file("**/*.txt").glob("**/*.*").is("b.md").await?;
        tree.without_directory("d*").entries().is("a.txt b.md sub/").await
    }),
    ("without: a directory is removed with its contents", [], async |s| {
        let base = s.base().with_new_file("/d/e/f", "").without_directory("/d");
        base.exists("/d").is("false").await?;
        base.sh("ls -d /d 2>/dev/null || echo gone").stdout().is("gone\n").await?;
        base.without_directory("/d").sh("echo still").stdout().is("still\n").await
    }),
    // Our own decision: Dagger removes whatever is there.
    ("without: removing a file as a directory is an error, and the reverse", [], async |s| {
        let tree = s.tree(&[("f", ""), ("d/", "")]).with_symlink("d", "ln");
        tree.without_directory("f").entries().fails("invalid-argument", "`/f` is not a directory").await?;
        tree.without_directory("ln").entries().fails("invalid-argument", "`/ln` is not a directory").await?;
        tree.without_file("d").entries().fails("invalid-argument", "`/d` is a directory").await?;
        tree.without_directory("?").entries().is("f ln").await
    }),
    ("without: removing a link keeps its target", [], async |s| {
        let tree = s.tree(&[("real/f", "")]).with_symlink("real", "ln").without_file("ln");
        tree.glob("**").is("real/ real/f").await
    }),
    ("without: a removed directory can be created again", [], async |s| {
        let base = s.base().with_new_file("/d/old", "").without_directory("/d").with_new_file("/d/new", "n");
        base.directory("/d").entries().is("new").await?;
        base.sh("ls /d; rm -r /d; mkdir /d").directory("/d").entries().is("").await
    }),
    ("without: a file that a command removed is not copied", [], async |s| {
        let base = s.base().with_new_file("/d/a", "").with_new_file("/d/b", "").sh("rm /d/a");
        s.directory().with_directory("x", &base.directory("/d")).glob("**").is("x/ x/b").await
    }),
    ("without: a path that leaves the root is an error", [], async |s| {
        s.tree(&[("f", "")]).without_file("../f").entries().fails("invalid-path", "`../f`").await
    }),
    // Dagger does the same.
    ("link: a link is created with its parents, and its target may be missing", [], async |s| {
        let tree = s.directory().with_symlink("nowhere", "a/b/l");
        tree.glob("**").is("a/ a/b/ a/b/l").await?;
        tree.file("a/b/l").contents().fails("not-found", "").await
    }),
    // Dagger does the same.
    ("link: a link over an existing file is an error", [], async |s| {
        s.tree(&[("f", "")]).with_symlink("x", "f").entries().fails("invalid-argument", "f").await
    }),
    // Dagger does the same: a link never leads out of the container.
    ("link: an absolute link starts at the root of the container", [], async |s| {
        let base = s.base().with_new_file("/top", "T").with_symlink("/top", "/s/l");
        base.directory("/s").file("l").contents().is("T").await?;
        base.sh("cat /s/l").stdout().is("T").await
    }),
    ("link: reading follows links to files and through directories", [], async |s| {
        let tree = s
            .tree(&[("real/f", "x")])
            .with_symlink("real", "ln")
            .with_symlink("ln/f", "one")
            .with_symlink("one", "two");
        tree.file("two").contents().is("x").await?;
        tree.file("ln/f").contents().is("x").await?;
        tree.subdirectory("ln").entries().is("f").await
    }),
    // Dagger does the same.
    ("link: size, properties and digest of a link to a file are those of the file", [], async |s| {
        let options = s.new_options().with_mode(0o600);
        let tree = s.directory().with_new_file_options("real/f", b"xyz", &options).with_symlink("real/f", "one");
        let link = tree.file("one");
        link.size().is("3").await?;
        link.stat().is("one:file:3:600").await?;
        link.digest().is(&tree.file("real/f").digest().text().await?).await?;
        link.sync().is("").await?;
        tree.stat_at("one").is("one:symlink:6:777").await?;
        tree.with_symlink("real", "ln").file("ln").size().fails("not-a-file", "ln").await
    }),
    // Dagger fails, too.
    ("link: a link whose target is missing is an error of everything that is read of the file", [], async |s| {
        let link = s.directory().with_symlink("nowhere", "l").file("l");
        for answer in [link.contents(), link.size(), link.stat(), link.digest(), link.sync(), link.read(0, 1)] {
            answer.fails("not-found", "l").await?;
        }
        Ok(())
    }),
    ("link: a link that leaves the root cannot be read", [], async |s| {
        let tree =
            s.tree(&[("d/f", "")]).with_symlink("../../../../etc/passwd", "d/l").with_symlink("/etc/passwd", "m");
        for path in ["d/l", "m"] {
            match tree.file(path).contents().value().await {
                Err(failure) if ["invalid-path", "not-found"].contains(&failure.code()) => {}
                Err(failure) => return Err(failure.into()),
                Ok(_) => return Err(crate::answer::Wrong::new("a file of this machine was read")),
            }
        }
        Ok(())
    }),
    ("link: a circle of links is an error", [], async |s| {
        let tree = s.directory().with_symlink("b", "a").with_symlink("a", "b");
        match tree.file("a").contents().value().await {
            Err(failure) if failure.code() != "bug" => Ok(()),
            Err(failure) => Err(failure.into()),
            Ok(value) => Err(crate::answer::Wrong::new(crate::answer::text(&value))),
        }
    }),
    ("link: hard links stay equal files after the command", [], async |s| {
        let base = s.base().sh("echo x > /a; ln /a /b; echo y >> /b; cat /a");
        base.stdout().is("x\ny\n").await?;
        base.file("/a").contents().is("x\ny\n").await?;
        base.file("/b").contents().is("x\ny\n").await?;
        base.sh("cat /a /b").stdout().is("x\ny\nx\ny\n").await
    }),
    ("link: a command can replace a link by a directory, and the reverse", [], async |s| {
        let base = s.base().sh("ln -s /etc /a; mkdir -p /b/in").sh("rm /a; mkdir /a; touch /a/f; rm -r /b; ln -s a /b");
        base.sh("ls /a; readlink /b; ls /b/").stdout().is("f\na\nf\n").await?;
        base.directory("/a").entries().is("f").await
    }),
];
