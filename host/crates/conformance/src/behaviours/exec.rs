//! Commands: what they are given and what they print.

use crate::answer::{holds, same};
use crate::behaviour::{Behaviour, behaviours};

/// The capabilities of a command: Docker's default.
/// Source: moby, `oci/caps/defaults.go`.
const CAPABILITIES: &str = "00000000a80425fb\n";

pub(super) const ALL: &[Behaviour] = behaviours![
    // semantics B.10
    ("exec: standard output is byte-exact", [], async |s| s.base().sh("echo hello").stdout().is("hello\n").await),
    // oracle 023
    ("exec: no line end is added to what is printed", [], async |s| {
        s.base().with_exec(&["printf", "x"]).stdout().is("x").await
    }),
    ("exec: white space around what is printed stays", [], async |s| {
        s.base().with_exec(&["printf", " \\n a \\n\\n"]).stdout().is(" \n a \n\n").await
    }),
    // oracle 023
    ("exec: both streams are kept apart", [], async |s| {
        let ran = s.base().sh("echo out; echo err >&2; echo out2");
        ran.stdout().is("out\nout2\n").await?;
        ran.stderr().is("err\n").await
    }),
    // oracle 023
    ("exec: combined output is in the order of arrival", [], async |s| {
        let script = "echo out; sleep 0.1; echo err >&2; sleep 0.1; echo out2";
        s.base().sh(script).combined_output().is("out\nerr\nout2\n").await
    }),
    ("exec: a silent command has empty output", [], async |s| {
        let ran = s.base().with_exec(&["true"]);
        ran.stdout().is("").await?;
        ran.stderr().is("").await?;
        ran.exit_code().is("0").await
    }),
    // semantics B.11, oracle 025
    ("exec: output without a command is an error", [], async |s| {
        s.base().stdout().fails("no-exec", "no command").await?;
        s.base().stderr().fails("no-exec", "no command").await?;
        s.base().combined_output().fails("no-exec", "no command").await?;
        s.base().exit_code().fails("no-exec", "no command").await
    }),
    ("exec: the output of a later command replaces that of the former", [], async |s| {
        s.base().sh("echo one").sh("echo two").stdout().is("two\n").await
    }),
    ("exec: a file put after a command does not take its output away", [], async |s| {
        s.base().sh("echo one").with_new_file("/f", "").stdout().is("one\n").await
    }),
    ("exec: output that is not UTF-8 is an error and not garbled", [], async |s| {
        s.base().with_exec(&["printf", "a\\377b"]).stdout().fails("invalid-argument", "not UTF-8").await
    }),
    ("exec: a megabyte of output arrives whole", [], async |s| {
        let printed = s.base().sh("seq 1 150000").stdout().text().await?;
        holds(printed.len() == 938_895 && printed.ends_with("\n149999\n150000\n"), || printed.len().to_string())
    }),
    ("exec: arguments are not split, expanded or globbed", [], async |s| {
        s.base().with_exec(&["echo", "a  b", "$HOME", "*", "'q'"]).stdout().is("a  b $HOME * 'q'\n").await
    }),
    ("exec: empty arguments stay", [], async |s| {
        s.base().with_exec(&["sh", "-c", "echo $#", "sh", "", ""]).stdout().is("2\n").await
    }),
    ("exec: a program is looked for in the container's own PATH", [], async |s| {
        let tool =
            s.base().with_new_file_options("/opt/tool", b"#!/bin/sh\necho found\n", &s.new_options().with_mode(0o755));
        tool.with_env_variable("PATH", "/bin:/opt").with_exec(&["tool"]).stdout().is("found\n").await
    }),
    ("exec: a program with a slash is looked for in the working directory", [], async |s| {
        let options = s.new_options().with_mode(0o755);
        let tool = s.base().with_new_file_options("/opt/tool", b"#!/bin/sh\npwd\n", &options);
        tool.with_workdir("/opt").with_exec(&["./tool"]).stdout().is("/opt\n").await
    }),
    // oracle 039
    ("exec: standard input is empty and no terminal", [], async |s| {
        s.base().sh("cat | wc -c; test -t 0 || test -t 1 || echo no terminal").stdout().is("0\nno terminal\n").await
    }),
    // oracle 047
    ("exec: what runs in the background ends with the command", [], async |s| {
        s.base().sh("sleep 1000 & echo started").stdout().is("started\n").await
    }),
    ("exec: processes of others are not seen", [], async |s| {
        s.base().sh("ps -o comm | grep -c conformance").sync().fails_exec(1, "0", "").await
    }),
    ("exec: the usual devices are there", [], async |s| {
        let script = "for d in null zero full random urandom tty; do test -c /dev/$d && echo $d; done";
        s.base().sh(script).stdout().is("null\nzero\nfull\nrandom\nurandom\ntty\n").await
    }),
    // oracle 049
    ("exec: proc, sys, shm and pts are mounted", [], async |s| {
        let script = "awk '{print $2}' /proc/mounts | grep -xE '/proc|/sys|/dev|/dev/shm|/dev/pts' | sort";
        s.base().sh(script).stdout().is("/dev\n/dev/pts\n/dev/shm\n/proc\n/sys\n").await
    }),
    // semantics B.24
    ("exec: root has Docker's capabilities and no more", [], async |s| {
        let script = "awk '/^CapEff/ {print $2}' /proc/self/status";
        s.base().sh(script).stdout().is(CAPABILITIES).await
    }),
    ("exec: mounting is refused", [], async |s| {
        let script = "mount -t tmpfs none /tmp 2>/dev/null && echo mounted || echo refused";
        s.base().sh(script).stdout().is("refused\n").await
    }),
    ("exec: settings of the kernel are read-only", [], async |s| {
        let script = "(echo 1 > /proc/sys/vm/drop_caches) 2>/dev/null && echo written || echo refused";
        s.base().sh(script).stdout().is("refused\n").await
    }),
    ("exec: files are made with the usual umask", [], async |s| {
        s.base().sh("cd /tmp; touch f; mkdir d; stat -c %a f d").stdout().is("644\n755\n").await
    }),
    ("exec: a command sees what the ones before it left", [], async |s| {
        s.base().sh("echo a > /f").sh("echo b >> /f").sh("cat /f").stdout().is("a\nb\n").await
    }),
    ("exec: what a command removes is gone", [], async |s| {
        let gone = s.base().with_new_file("/d/f", "x").sh("rm -r /d");
        gone.exists("/d").is("false").await?;
        gone.sh("ls -d /d 2>/dev/null || echo gone").stdout().is("gone\n").await
    }),
    ("exec: what a command leaves can be read", [], async |s| {
        let left = s.base().sh("mkdir /d; echo text > /d/f; ln -s f /d/l; chmod 640 /d/f");
        left.file("/d/f").contents().is("text\n").await?;
        left.directory("/d").entries().is("f l").await?;
        left.directory("/d").stat_at("f").is("f:file:5:640").await
    }),
    // semantics B.26: nothing of what is mounted for a command stays.
    ("exec: a command that changes nothing leaves nothing", [], async |s| {
        let before = s.base();
        let after = before.sh("cat /etc/hosts /etc/resolv.conf > /dev/null 2>&1; true");
        before.rootfs().diff(&after.rootfs()).glob("**").is("").await?;
        same(&after.rootfs().digest().text().await?, &before.rootfs().digest().text().await?)
    }),
    ("exec: a scratch root is enough for a static program that is mounted", [], async |s| {
        s.bare().sh("echo hello > /f").file("/f").contents().is("hello\n").await?;
        s.bare().sh("echo hello > /f").rootfs().glob("**").is("f").await
    }),
    ("exec: a long chain of commands keeps all of it", [], async |s| {
        let chain = (0..40).fold(s.base(), |chain, n| chain.sh(&format!("echo {n} >> /log")));
        let log = chain.file("/log").contents().text().await?;
        same(&log, &(0..40).map(|n| format!("{n}\n")).collect::<String>())
    }),
];
