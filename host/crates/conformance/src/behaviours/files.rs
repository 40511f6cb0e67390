//! Files: creating, reading and changing single ones.

use crate::answer::{holds, same};
use crate::behaviour::{Behaviour, behaviours};

pub(super) const ALL: &[Behaviour] = behaviours![
    // Dagger does the same.
    ("file: a new file belongs to root with mode 644, and its parents have mode 755", [], async |s| {
        let base = s.base().with_new_file("/p/q/f.txt", "héllo");
        base.file("/p/q/f.txt").contents().is("héllo").await?;
        base.file("/p/q/f.txt").size().is("6").await?;
        base.file("/p/q/f.txt").name().is("f.txt").await?;
        let script = "stat -c '%n %a %u:%g' /p /p/q /p/q/f.txt";
        base.sh(script).stdout().is("/p 755 0:0\n/p/q 755 0:0\n/p/q/f.txt 644 0:0\n").await
    }),
    // Dagger does the same: an owner has to be asked for.
    ("file: a new file belongs to root even where commands run as another user", [], async |s| {
        let base = s.base().with_user("app").with_new_file("/f", "").without_user();
        base.sh("stat -c %u:%g /f").stdout().is("0:0\n").await
    }),
    ("file: a new file has the given bytes, mode and owner", [Owners], async |s| {
        let options = s.new_options().with_mode(0o750).with_owner("app:staff");
        let base = s.base().with_new_file_options("/f", b"a\0\xff", &options);
        base.file("/f").read(0, 9).is("a\\x00\\xff").await?;
        base.sh("stat -c '%a %u:%g' /f").stdout().is("750 1000:50\n").await
    }),
    // Dagger does the same, and cannot set the others.
    ("file: a new file gets the other bits of its mode only on request", [], async |s| {
        let options = s.new_options().with_mode(0o4750);
        let base = s.base().with_new_file_options("/f", b"", &options);
        base.with_new_file_options("/g", b"", &options.with_special_bits())
            .sh("stat -c %a /f /g")
            .stdout()
            .is("750\n4750\n")
            .await
    }),
    // Dagger fails, too.
    ("file: an unknown owner is an error that names it", [], async |s| {
        let base = s.base().with_new_file_options("/f", b"", &s.new_options().with_owner("ghost"));
        base.file("/f").size().fails("invalid-argument", "`ghost`").await
    }),
    ("file: a new file replaces an existing file", [], async |s| {
        let base = s.base().with_new_file("/f", "longer than the other").with_new_file("/f", "new");
        base.file("/f").contents().is("new").await
    }),
    ("file: a file may be empty", [], async |s| {
        let base = s.base().with_new_file("/f", "");
        base.file("/f").contents().is("").await?;
        base.file("/f").size().is("0").await?;
        base.sh("test -f /f && wc -c < /f").stdout().is("0\n").await
    }),
    // Dagger fails, too.
    ("file: a path through a file is an error that names the file", [], async |s| {
        s.tree(&[("f", "x"), ("f/g", "y")]).glob("**").fails("not-a-directory", "f").await
    }),
    // Dagger fails, too.
    ("file: a missing file is an error that names it", [], async |s| {
        s.base().file("/nope/f").contents().fails("not-found", "/nope").await?;
        s.base().file("/nope").size().fails("not-found", "/nope").await
    }),
    // Dagger fails, too.
    ("file: reading a directory as a file is an error", [], async |s| {
        s.base().file("/etc").contents().fails("not-a-file", "/etc").await?;
        s.base().file("/etc").size().fails("not-a-file", "/etc").await
    }),
    ("file: reading a file that is not UTF-8 as text is an error, and its bytes can be read", [], async |s| {
        let base = s.base().with_new_file_options("/f", b"a\xffb", &s.new_options());
        base.file("/f").contents().fails("invalid-argument", "not UTF-8").await?;
        base.file("/f").read(1, 1).is("\\xff").await
    }),
    ("file: parts of a file can be read", [], async |s| {
        let file = s.file("f", "0123456789");
        file.read(0, 4).is("0123").await?;
        file.read(8, 4).is("89").await?;
        file.read(10, 4).is("").await?;
        file.read(99, 4).is("").await
    }),
    // Dagger does the same.
    ("file: a file can be given another name", [], async |s| {
        let file = s.tree(&[("x/f.txt", "l1\nl2\n")]).file("x/f.txt");
        file.name().is("f.txt").await?;
        file.with_name("g.txt").name().is("g.txt").await?;
        file.with_name("g.txt").contents().is("l1\nl2\n").await?;
        s.directory().with_file("d/", &file.with_name("g.txt")).glob("**").is("d/ d/g.txt").await
    }),
    // Dagger refuses a name with a slash, too.
    ("file: a name must be a single path component", [], async |s| {
        s.file("a/b", "").contents().fails("invalid-path", "`a/b`").await?;
        s.file("", "").contents().fails("invalid-path", "single path component").await?;
        s.file("f", "").with_name("../x").contents().fails("invalid-path", "`../x`").await
    }),
    // Dagger does the same.
    ("file: a text in a file can be replaced", [], async |s| {
        let file = s.file("f", "a b a\nb a\n");
        file.with_replaced("b a\nb", "X", false).contents().is("a X a\n").await?;
        file.with_replaced("a", "A", true).contents().is("A b A\nb A\n").await?;
        file.with_replaced("a", "A", true).name().is("f").await
    }),
    // Dagger does the same, so that a replacement never hits the wrong place.
    ("file: replacing a text that occurs never, or more than once, is an error", [], async |s| {
        let file = s.file("f", "a a");
        file.with_replaced("a", "A", false).contents().fails("invalid-argument", "").await?;
        file.with_replaced("z", "A", false).contents().fails("not-found", "z").await
    }),
    // Dagger does the same where it is asked to leave metadata out.
    ("file: the digest depends on the contents and not on the name", [], async |s| {
        let digest = s.file("f", "same").digest().text().await?;
        same(&s.tree(&[("d/g", "same")]).file("d/g").digest().text().await?, &digest)?;
        holds(digest.starts_with("blake3:") && digest.len() == 71, || digest.clone())?;
        holds(s.file("f", "other").digest().text().await? != digest, || "other contents, same digest".to_owned())
    }),
    // Dagger answers the same.
    ("file: name, kind, size and mode can be read", [], async |s| {
        let tree = s.directory().with_new_file_options("f", b"abc", &s.new_options().with_mode(0o600));
        tree.stat_at("f").is("f:file:3:600").await?;
        tree.file("f").stat().is("f:file:3:600").await
    }),
    ("file: names may have letters of any language and special characters", [], async |s| {
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
    ("file: names that look the same and differ in their bytes are two files", [], async |s| {
        // One letter, and a letter with an accent of its own.
        let base = s.base().with_new_file("/d/\u{e9}", "1").with_new_file("/d/e\u{301}", "2");
        base.sh("ls /d | wc -l; cat /d/*").stdout().is("2\n21").await
    }),
    // The limit is that of Linux (`NAME_MAX`) and of Dagger.
    ("file: a name may have 255 bytes, and a longer one is an error", [], async |s| {
        let long = "n".repeat(255);
        s.base().with_new_file(&format!("/{long}"), "x").sh("cat /n*").stdout().is("x").await?;
        let longer = "n".repeat(256);
        s.base().with_new_file(&format!("/{longer}"), "x").sync().fails("invalid-path", "255").await
    }),
    ("file: a file of ten megabytes stays complete", [], async |s| {
        let base = s.base().sh("seq 1 1500000 > /big; md5sum < /big; wc -c < /big");
        let printed = base.stdout().text().await?;
        let again = base.sh("md5sum < /big; wc -c < /big").stdout().text().await?;
        same(&again, &printed)?;
        base.file("/big").size().is("10888896").await?;
        base.file("/big").read(10_888_888, 100).is("1500000\\n").await
    }),
    ("file: holes of sparse files are read as zeros", [], async |s| {
        let base = s.base().sh("truncate -s 3000000 /f; echo end >> /f");
        base.file("/f").size().is("3000004").await?;
        base.file("/f").read(2_999_998, 100).is("\\x00\\x00end\\n").await?;
        base.sh("wc -c < /f; tail -n1 /f | tail -c4").stdout().is("3000004\nend\n").await
    }),
    // Our own decision: Dagger reads from the root without a word.
    ("file: a path that leaves the root is an error that names it", [], async |s| {
        let tree = s.tree(&[("a", "A"), ("d/", "")]);
        tree.file("../../a").contents().fails("invalid-path", "`../../a`").await?;
        tree.subdirectory("d").file("../a").contents().fails("invalid-path", "`../a`").await?;
        tree.with_new_file("../x", "").entries().fails("invalid-path", "`../x`").await
    }),
    // Dagger fails, too.
    ("file: an empty path is an error", [], async |s| {
        s.directory().file("").contents().fails("not-a-file", "is a directory").await
    }),
];
