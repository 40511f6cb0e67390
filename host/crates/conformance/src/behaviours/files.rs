//! Single files.

use crate::answer::{holds, same};
use crate::behaviour::{Behaviour, behaviours};

pub(super) const ALL: &[Behaviour] = behaviours![
    // oracle 057
    ("file: a new one is root's, mode 644, and its parents are 755", [], async |s| {
        let base = s.base().with_new_file("/p/q/f.txt", "héllo");
        base.file("/p/q/f.txt").contents().is("héllo").await?;
        base.file("/p/q/f.txt").size().is("6").await?;
        base.file("/p/q/f.txt").name().is("f.txt").await?;
        let script = "stat -c '%n %a %u:%g' /p /p/q /p/q/f.txt";
        base.sh(script).stdout().is("/p 755 0:0\n/p/q 755 0:0\n/p/q/f.txt 644 0:0\n").await
    }),
    // semantics D.59: not the user's.
    ("file: a new one is root's whoever commands run as", [], async |s| {
        let base = s.base().with_user("app").with_new_file("/f", "").without_user();
        base.sh("stat -c %u:%g /f").stdout().is("0:0\n").await
    }),
    ("file: a new one has the bytes, the mode and the owner that it is given", [Owners], async |s| {
        let options = s.new_options().with_mode(0o4750).with_owner("app:staff");
        let base = s.base().with_new_file_options("/f", b"a\0\xff", &options);
        base.file("/f").read(0, 9).is("a\\x00\\xff").await?;
        base.sh("stat -c '%a %u:%g' /f").stdout().is("4750 1000:50\n").await
    }),
    // oracle 059
    ("file: an owner that the container does not have is an error that names it", [], async |s| {
        let base = s.base().with_new_file_options("/f", b"", &s.new_options().with_owner("ghost"));
        base.file("/f").size().fails("invalid-argument", "`ghost`").await
    }),
    ("file: a new one replaces the one that is there", [], async |s| {
        let base = s.base().with_new_file("/f", "longer than the other").with_new_file("/f", "new");
        base.file("/f").contents().is("new").await
    }),
    ("file: an empty one is a file", [], async |s| {
        let base = s.base().with_new_file("/f", "");
        base.file("/f").contents().is("").await?;
        base.file("/f").size().is("0").await?;
        base.sh("test -f /f && wc -c < /f").stdout().is("0\n").await
    }),
    // oracle 123
    ("file: a path that goes through a file is an error that names it", [], async |s| {
        s.tree(&[("f", "x"), ("f/g", "y")]).glob("**").fails("not-a-directory", "f").await
    }),
    // oracle 093
    ("file: one that is missing is an error that names it", [], async |s| {
        s.base().file("/nope/f").contents().fails("not-found", "/nope").await?;
        s.base().file("/nope").size().fails("not-found", "/nope").await
    }),
    // semantics D.56
    ("file: a directory is none", [], async |s| {
        s.base().file("/etc").contents().fails("not-a-file", "/etc").await?;
        s.base().file("/etc").size().fails("not-a-file", "/etc").await
    }),
    ("file: text that is not UTF-8 is an error, and its bytes can be read", [], async |s| {
        let base = s.base().with_new_file_options("/f", b"a\xffb", &s.new_options());
        base.file("/f").contents().fails("invalid-argument", "not UTF-8").await?;
        base.file("/f").read(1, 1).is("\\xff").await
    }),
    ("file: parts of it can be read", [], async |s| {
        let file = s.file("f", "0123456789");
        file.read(0, 4).is("0123").await?;
        file.read(8, 4).is("89").await?;
        file.read(10, 4).is("").await?;
        file.read(99, 4).is("").await
    }),
    // oracle 091
    ("file: under another name it is the same", [], async |s| {
        let file = s.tree(&[("x/f.txt", "l1\nl2\n")]).file("x/f.txt");
        file.name().is("f.txt").await?;
        file.with_name("g.txt").name().is("g.txt").await?;
        file.with_name("g.txt").contents().is("l1\nl2\n").await?;
        s.directory().with_file("d/", &file.with_name("g.txt")).glob("**").is("d/ d/g.txt").await
    }),
    // semantics F.87
    ("file: a name is one component of a path", [], async |s| {
        s.file("a/b", "").contents().fails("invalid-path", "`a/b`").await?;
        s.file("", "").contents().fails("invalid-path", "single path component").await?;
        s.file("f", "").with_name("../x").contents().fails("invalid-path", "`../x`").await
    }),
    // oracle 095
    ("file: a text in it is replaced", [], async |s| {
        let file = s.file("f", "a b a\nb a\n");
        file.with_replaced("b a\nb", "X", false).contents().is("a X a\n").await?;
        file.with_replaced("a", "A", true).contents().is("A b A\nb A\n").await?;
        file.with_replaced("a", "A", true).name().is("f").await
    }),
    // oracle 097, semantics F.90
    ("file: a text that is there more than once or never is an error", [], async |s| {
        let file = s.file("f", "a a");
        file.with_replaced("a", "A", false).contents().fails("invalid-argument", "").await?;
        file.with_replaced("z", "A", false).contents().fails("not-found", "z").await
    }),
    // semantics F.88
    ("file: equal contents have equal digests, whatever the name", [], async |s| {
        let digest = s.file("f", "same").digest().text().await?;
        same(&s.tree(&[("d/g", "same")]).file("d/g").digest().text().await?, &digest)?;
        holds(digest.starts_with("blake3:") && digest.len() == 71, || digest.clone())?;
        holds(s.file("f", "other").digest().text().await? != digest, || "other contents, same digest".to_owned())
    }),
    // oracle 099
    ("file: what is known of it without reading", [], async |s| {
        let tree = s.directory().with_new_file_options("f", b"abc", &s.new_options().with_mode(0o600));
        tree.stat_at("f").is("f:file:3:600").await?;
        tree.file("f").stat().is("f:file:3:600").await
    }),
    ("file: names may be of any language and full of signs", [], async |s| {
        let names = ["grüße.txt", "日本語", " a  b ", "q'uo\"te$", "new\nline", "-rf", "*", "a\\b", "é"];
        let files: Vec<(&str, &str)> = names.iter().map(|name| (*name, "x")).collect();
        let base = s.base().with_directory("/d", &s.tree(&files));
        base.sh("cd /d; cat -- * | wc -c; find . -type f -print0 | tr '\\0\\n' '\\n_' | sort | wc -l")
            .stdout()
            .is("9\n9\n")
            .await?;
        for name in names {
            base.file(&format!("/d/{name}")).contents().is("x").await?;
        }
        Ok(())
    }),
    ("file: names that differ in their bytes alone are different", [], async |s| {
        // One letter, and a letter with an accent of its own.
        let base = s.base().with_new_file("/d/\u{e9}", "1").with_new_file("/d/e\u{301}", "2");
        base.sh("ls /d | wc -l; cat /d/*").stdout().is("2\n21").await
    }),
    // semantics E.63
    ("file: a name of 255 bytes is one, a longer one is an error", [], async |s| {
        let long = "n".repeat(255);
        s.base().with_new_file(&format!("/{long}"), "x").sh("cat /n*").stdout().is("x").await?;
        let longer = "n".repeat(256);
        s.base().with_new_file(&format!("/{longer}"), "x").sync().fails("invalid-path", "255").await
    }),
    ("file: a big one is kept whole", [], async |s| {
        let base = s.base().sh("seq 1 1500000 > /big; md5sum < /big; wc -c < /big");
        let printed = base.stdout().text().await?;
        let again = base.sh("md5sum < /big; wc -c < /big").stdout().text().await?;
        same(&again, &printed)?;
        base.file("/big").size().is("10888896").await?;
        base.file("/big").read(10_888_888, 100).is("1500000\\n").await
    }),
    ("file: holes are kept as zeros", [], async |s| {
        let base = s.base().sh("truncate -s 3000000 /f; echo end >> /f");
        base.file("/f").size().is("3000004").await?;
        base.file("/f").read(2_999_998, 100).is("\\x00\\x00end\\n").await?;
        base.sh("wc -c < /f; tail -n1 /f | tail -c4").stdout().is("3000004\nend\n").await
    }),
    // measured: no clamping in silence.
    ("file: a path that leaves its root is an error that names it", [], async |s| {
        let tree = s.tree(&[("a", "A"), ("d/", "")]);
        tree.file("../../a").contents().fails("invalid-path", "`../../a`").await?;
        tree.subdirectory("d").file("../a").contents().fails("invalid-path", "`../a`").await?;
        tree.with_new_file("../x", "").entries().fails("invalid-path", "`../x`").await
    }),
    // oracle 119
    ("file: an empty path is no file", [], async |s| {
        s.directory().file("").contents().fails("not-a-file", "is a directory").await
    }),
];
