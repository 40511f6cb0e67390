//! Standard input, and redirects of output to files.

use crate::answer::Wrong;
use crate::behaviour::{Behaviour, behaviours};
use crate::case::Case;
use crate::session::SessionOptions;

pub(super) const ALL: &[Behaviour] = behaviours![
    ("stdin: a command reads a text unchanged", [], async |s| {
        let options = s.exec_options().with_stdin("hello\nworld");
        s.base().with_exec_options(&["cat"], &options).stdout().is("hello\nworld").await
    }),
    ("stdin: an empty text is empty standard input", [], async |s| {
        s.base().with_exec_options(&["wc", "-c"], &s.exec_options().with_stdin("")).stdout().is("0\n").await
    }),
    ("stdin: a text of a megabyte arrives complete", [], async |s| {
        let options = s.exec_options().with_stdin(&"0123456789".repeat(100_000));
        s.base().with_exec_options(&["wc", "-c"], &options).stdout().is("1000000\n").await
    }),
    ("stdin: a command may ignore its standard input", [], async |s| {
        let options = s.exec_options().with_stdin(&"x".repeat(300_000));
        s.base().sh_options("echo ignored", &options).stdout().is("ignored\n").await
    }),
    ("stdin: a command reads a file of the container", [], async |s| {
        let base = s.base().with_new_file("/w/in", "from a file\n").with_workdir("/w");
        let read = |path| s.exec_options().with_redirect_stdin(path);
        base.with_exec_options(&["cat"], &read("/w/in")).stdout().is("from a file\n").await?;
        base.with_exec_options(&["cat"], &read("in")).stdout().is("from a file\n").await
    }),
    ("stdin: a command reads a file of a mount", [], async |s| {
        let base = s.base().with_mounted_directory("/m", &s.tree(&[("in", "mounted\n")]));
        let options = s.exec_options().with_redirect_stdin("/m/in");
        base.with_exec_options(&["cat"], &options).stdout().is("mounted\n").await
    }),
    ("stdin: a missing file is an error that names it", [], async |s| {
        let options = s.exec_options().with_redirect_stdin("/no/such/file");
        s.base()
            .with_exec_options(&["cat"], &options)
            .stdout()
            .fails("not-found", "/no/such/file`: nothing is there")
            .await
    }),
    ("stdin: a directory is an error that names it", [], async |s| {
        let options = s.exec_options().with_redirect_stdin("/etc");
        let ran = s.base().with_exec_options(&["cat"], &options);
        ran.stdout().fails("invalid-argument", "`/etc`: it is not a file").await
    }),
    // Dagger fails, too.
    ("stdin: giving both a text and a file is an error", [], async |s| {
        let options = s.exec_options().with_stdin("x").with_redirect_stdin("/etc/passwd");
        s.base().with_exec_options(&["cat"], &options).stdout().fails("invalid-argument", "cannot both").await
    }),
    // Our own decision: Dagger keeps all of it.
    ("output: a command that prints lines without end is stopped, and the error names the limit", [], async |s| {
        flood(s, "yes", "printed more than 100000 bytes").await
    }),
    ("output: a command that prints a line without end is stopped, and the error names the limit", [], async |s| {
        flood(s, "yes | tr -d '\\n'", "printed more than 100000 bytes").await?;
        flood(s, "yes | tr -d '\\n' >&2", "printed more than 100000 bytes").await
    }),
    ("output: a command that prints as much as is kept succeeds", [], async |s| {
        let options = SessionOptions { max_output_bytes: 100_000, ..SessionOptions::default() };
        let s = s.again(&options).await?;
        s.base().sh("head -c 100000 /dev/zero").sync().is("").await
    }),
    // Dagger does the same.
    ("redirect: standard output goes into a file and stays readable", [], async |s| {
        let options = s.exec_options().with_redirect_stdout("/out.txt");
        let ran = s.base().sh_options("echo text; echo other >&2", &options);
        ran.file("/out.txt").contents().is("text\n").await?;
        ran.stdout().is("text\n").await?;
        ran.stderr().is("other\n").await
    }),
    ("redirect: standard error goes into a file and stays readable", [], async |s| {
        let options = s.exec_options().with_redirect_stderr("/err.txt");
        let ran = s.base().sh_options("echo text; echo other >&2", &options);
        ran.file("/err.txt").contents().is("other\n").await?;
        ran.stderr().is("other\n").await
    }),
    ("redirect: both streams can be redirected at once", [], async |s| {
        let options = s.exec_options().with_redirect_stdout("/o").with_redirect_stderr("/e");
        let ran = s.base().sh_options("echo text; echo other >&2", &options);
        ran.file("/o").contents().is("text\n").await?;
        ran.file("/e").contents().is("other\n").await
    }),
    ("redirect: a relative path starts at the working directory", [], async |s| {
        let options = s.exec_options().with_redirect_stdout("o.txt");
        let ran = s.base().with_workdir("/w").sh_options("echo text", &options);
        ran.file("/w/o.txt").contents().is("text\n").await
    }),
    ("redirect: the earlier contents of the file are replaced", [], async |s| {
        let options = s.exec_options().with_redirect_stdout("/f");
        let base = s.base().with_new_file("/f", "something longer than that\n");
        base.sh_options("echo short", &options).file("/f").contents().is("short\n").await
    }),
    ("redirect: a path below a mount is written into the mount", [], async |s| {
        let options = s.exec_options().with_redirect_stdout("/m/o");
        let base = s.base().with_mounted_directory("/m", &s.tree(&[("f", "")]));
        let ran = base.sh_options("echo text", &options);
        ran.file("/m/o").contents().is("text\n").await?;
        ran.rootfs().glob("m/**").is("").await
    }),
    ("redirect: bytes that are not UTF-8 are kept", [], async |s| {
        let options = s.exec_options().with_redirect_stdout("/f");
        let ran = s.base().with_exec_options(&["printf", "a\\377\\376b\\000c"], &options);
        ran.file("/f").read(0, 100).is("a\\xff\\xfeb\\x00c").await
    }),
    // Dagger fails, too.
    ("redirect: a missing directory is an error that names the file", [], async |s| {
        let options = s.exec_options().with_redirect_stdout("/no/such/dir/o");
        s.base().sh_options("echo x", &options).stdout().fails("invalid-argument", "/no/such/dir/o").await
    }),
    // Dagger does the same.
    ("redirect: the error of a failing command has its redirected output", [], async |s| {
        let options = s.exec_options().with_redirect_stdout("/o").with_redirect_stderr("/e");
        s.base().sh_options("echo out; echo err >&2; exit 6", &options).sync().fails_exec(6, "out", "err").await
    }),
    ("redirect: the file belongs to root and has mode 644", [], async |s| {
        let options = s.exec_options().with_redirect_stdout("/f");
        s.base().sh_options("echo x", &options).sh("stat -c '%a %u:%g' /f").stdout().is("644 0:0\n").await
    }),
];

/// Runs a command that prints without end where little is kept, so that the limit comes before any time-out.
async fn flood(s: &Case<'_>, script: &str, expect: &str) -> Result<(), Wrong> {
    let s = s.again(&SessionOptions { max_output_bytes: 100_000, ..SessionOptions::default() }).await?;
    s.base().sh(script).sync().fails("invalid-argument", expect).await
}
