//! Commands: arguments, output, and the world that they see.

use crate::answer::{Wrong, holds, same};
use crate::behaviour::{Behaviour, behaviours};

/// The capabilities of root in a container of Docker.
/// Source: moby, `oci/caps/defaults.go`.
const CAPABILITIES: &str = "00000000a80425fb\n";

pub(super) const ALL: &[Behaviour] = behaviours![
    // Dagger does the same: nothing is trimmed.
    ("exec: standard output is byte-exact", [], async |s| s.base().sh("echo hello").stdout().is("hello\n").await),
    ("exec: no line end is added to what is printed", [], async |s| {
        s.base().with_exec(&["printf", "x"]).stdout().is("x").await
    }),
    ("exec: white space around what is printed stays", [], async |s| {
        s.base().with_exec(&["printf", " \\n a \\n\\n"]).stdout().is(" \n a \n\n").await
    }),
    ("exec: standard output and standard error are kept apart", [], async |s| {
        let ran = s.base().sh("echo out; echo err >&2; echo out2");
        ran.stdout().is("out\nout2\n").await?;
        ran.stderr().is("err\n").await
    }),
    // Dagger promises both streams and no order.
    ("exec: the combined output has both streams in the order of arrival", [], async |s| {
        let script = "echo out; sleep 0.1; echo err >&2; sleep 0.1; echo out2";
        s.base().sh(script).combined_output().is("out\nerr\nout2\n").await
    }),
    ("exec: a command that prints nothing has empty output", [], async |s| {
        let ran = s.base().with_exec(&["true"]);
        ran.stdout().is("").await?;
        ran.stderr().is("").await?;
        ran.exit_code().is("0").await
    }),
    // Dagger answers with the same words: default arguments are not run unasked.
    ("exec: asking for output where no command ran is an error", [], async |s| {
        s.base().stdout().fails("no-exec", "no command").await?;
        s.base().stderr().fails("no-exec", "no command").await?;
        s.base().combined_output().fails("no-exec", "no command").await?;
        s.base().exit_code().fails("no-exec", "no command").await
    }),
    ("exec: the output is that of the last command", [], async |s| {
        s.base().sh("echo one").sh("echo two").stdout().is("two\n").await
    }),
    ("exec: a file that is added after a command keeps the output of the command", [], async |s| {
        s.base().sh("echo one").with_new_file("/f", "").stdout().is("one\n").await
    }),
    ("exec: asking for output that is not UTF-8 as text is an error", [], async |s| {
        s.base().with_exec(&["printf", "a\\377b"]).stdout().fails("invalid-argument", "not UTF-8").await
    }),
    ("exec: a megabyte of output arrives complete", [], async |s| {
        let printed = s.base().sh("seq 1 150000").stdout().text().await?;
        holds(printed.len() == 938_895 && printed.ends_with("\n149999\n150000\n"), || printed.len().to_string())
    }),
    ("exec: arguments are passed without splitting, expansion or globbing", [], async |s| {
        s.base().with_exec(&["echo", "a  b", "$HOME", "*", "'q'"]).stdout().is("a  b $HOME * 'q'\n").await
    }),
    ("exec: empty arguments are passed on", [], async |s| {
        s.base().with_exec(&["sh", "-c", "echo $#", "sh", "", ""]).stdout().is("2\n").await
    }),
    ("exec: a program is looked for in the container's own PATH", [], async |s| {
        let tool =
            s.base().with_new_file_options("/opt/tool", b"#!/bin/sh\necho found\n", &s.new_options().with_mode(0o755));
        tool.with_env_variable("PATH", "/bin:/opt").with_exec(&["tool"]).stdout().is("found\n").await
    }),
    ("exec: the path of a program that has a slash starts at the working directory", [], async |s| {
        let options = s.new_options().with_mode(0o755);
        let tool = s.base().with_new_file_options("/opt/tool", b"#!/bin/sh\npwd\n", &options);
        tool.with_workdir("/opt").with_exec(&["./tool"]).stdout().is("/opt\n").await
    }),
    // `docker run` without `-i` and `-t` does the same.
    ("exec: standard input is empty, and neither stream is a terminal", [], async |s| {
        s.base().sh("cat | wc -c; test -t 0 || test -t 1 || echo no terminal").stdout().is("0\nno terminal\n").await
    }),
    // Docker does the same: the container ends with its first process.
    ("exec: what runs in the background ends with the command", [], async |s| {
        // A pipe can be opened for writing as long as the process waits to read it.
        let base = s.base().with_mounted_cache("/c", &s.cache("exec-background"));
        let begins = "mkfifo /c/pipe; (touch /c/begun; cat /c/pipe) & until test -e /c/begun; do sleep 0.05; done";
        base.sh(&format!("{begins}; echo started")).stdout().is("started\n").await?;
        let writes = "(echo > /c/pipe; touch /c/read) & sleep 1";
        base.sh(&format!("{writes}; test -e /c/read && echo lives || echo ended")).stdout().is("ended\n").await
    }),
    ("exec: a command does not see processes of this machine", [], async |s| {
        // This process has a name that the command can look for, and lives as long as the command.
        let own = std::fs::read_to_string("/proc/self/comm").map_err(|error| Wrong::new(error.to_string()))?;
        let script = format!("cat /proc/[0-9]*/comm | grep -cxF '{}'", own.trim_end());
        s.base().sh_options(&script, &s.exec_options().with_any_code()).stdout().is("0\n").await
    }),
    ("exec: the usual devices are there", [], async |s| {
        let script = "for d in null zero full random urandom tty; do test -c /dev/$d && echo $d; done";
        s.base().sh(script).stdout().is("null\nzero\nfull\nrandom\nurandom\ntty\n").await
    }),
    // Source: OCI runtime-spec 1.2, `config-linux.md`, "Default Filesystems"; /dev/shm as Docker has it.
    ("exec: proc, sys, shm and pts are mounted", [], async |s| {
        let script = "awk '{print $2}' /proc/mounts | grep -xE '/proc|/sys|/dev|/dev/shm|/dev/pts' | sort";
        s.base().sh(script).stdout().is("/dev\n/dev/pts\n/dev/shm\n/proc\n/sys\n").await
    }),
    ("exec: root has the capabilities that Docker gives, and no others", [], async |s| {
        let script = "awk '/^CapEff/ {print $2}' /proc/self/status";
        s.base().sh(script).stdout().is(CAPABILITIES).await
    }),
    ("exec: mounting is refused", [], async |s| {
        let script = "mount -t tmpfs none /tmp 2>/dev/null && echo mounted || echo refused";
        s.base().sh(script).stdout().is("refused\n").await
    }),
    ("exec: kernel settings are read-only", [], async |s| {
        let script = "(echo 1 > /proc/sys/vm/drop_caches) 2>/dev/null && echo written || echo refused";
        s.base().sh(script).stdout().is("refused\n").await
    }),
    ("exec: the umask is 022", [], async |s| {
        s.base().sh("cd /tmp; touch f; mkdir d; stat -c %a f d").stdout().is("644\n755\n").await
    }),
    ("exec: a command sees the files of the commands before it", [], async |s| {
        s.base().sh("echo a > /f").sh("echo b >> /f").sh("cat /f").stdout().is("a\nb\n").await
    }),
    ("exec: what a command removes is gone", [], async |s| {
        let gone = s.base().with_new_file("/d/f", "x").sh("rm -r /d");
        gone.exists("/d").is("false").await?;
        gone.sh("ls -d /d 2>/dev/null || echo gone").stdout().is("gone\n").await
    }),
    ("exec: files that a command leaves can be read", [], async |s| {
        let left = s.base().sh("mkdir /d; echo text > /d/f; ln -s f /d/l; chmod 640 /d/f");
        left.file("/d/f").contents().is("text\n").await?;
        left.directory("/d").entries().is("f l").await?;
        left.directory("/d").stat_at("f").is("f:file:5:640").await
    }),
    // Dagger does the same: nothing of what is mounted for a command stays.
    ("exec: a command that changes nothing leaves nothing", [], async |s| {
        let before = s.base();
        let after = before.sh("cat /etc/hosts /etc/resolv.conf > /dev/null 2>&1; true");
        before.rootfs().diff(&after.rootfs()).glob("**").is("").await?;
        same(&after.rootfs().digest().text().await?, &before.rootfs().digest().text().await?)
    }),
    ("exec: a mounted static program runs in an empty root file system", [], async |s| {
        s.bare().sh("echo hello > /f").file("/f").contents().is("hello\n").await?;
        s.bare().sh("echo hello > /f").rootfs().glob("**").is("f").await
    }),
    ("exec: a chain of 40 commands keeps what each of them wrote", [], async |s| {
        let chain = (0..40).fold(s.base(), |chain, n| chain.sh(&format!("echo {n} >> /log")));
        let log = chain.file("/log").contents().text().await?;
        same(&log, &(0..40).map(|n| format!("{n}\n")).collect::<String>())
    }),
];
