//! The ends of commands: exit codes, signals, time-outs and errors.

use engine::{Failure, OutputStream};

use crate::answer::{Wrong, holds, same};
use crate::behaviour::{Behaviour, behaviours};
use crate::session::SessionOptions;
use std::time::Duration;

pub(super) const ALL: &[Behaviour] = behaviours![
    // Dagger does the same: white space around the output is trimmed in the error.
    ("exit: the error of a failing command has its exit code and its output", [], async |s| {
        let failing = s.base().sh("echo out; echo err >&2; exit 3");
        failing.stdout().fails_exec(3, "out", "err").await?;
        failing.exit_code().fails("exec", "exited with code 3").await
    }),
    ("exit: the error names the command", [], async |s| {
        s.base().with_exec(&["sh", "-c", "exit 4"]).sync().fails("exec", "command `sh -c 'exit 4'`").await
    }),
    // Dagger does the same.
    ("exit: reading a file after a failing command fails", [], async |s| {
        s.base().sh("echo a > /a; false").file("/a").contents().fails_exec(1, "", "").await
    }),
    // Dagger does the same.
    ("exit: `sync` runs a command and returns its failure", [], async |s| {
        s.base().with_exec(&["false"]).sync().fails_exec(1, "", "").await
    }),
    ("exit: a command after a failing one is not run", [], async |s| {
        s.base().sh("exit 5").sh("echo not me").stdout().fails_exec(5, "", "").await?;
        holds(s.session.n_started("not me") == 0, || "it was run".to_owned())
    }),
    // Dagger does the same.
    ("exit: a command may end with an exit code that is expected", [], async |s| {
        let options = s.exec_options().with_expected_codes(&[1]);
        let ran = s.base().sh_options("echo text; exit 1", &options);
        ran.exit_code().is("1").await?;
        ran.stdout().is("text\n").await
    }),
    // Dagger does the same.
    ("exit: exit code 0 is a failure where another code is expected", [], async |s| {
        let options = s.exec_options().with_expected_codes(&[3]);
        s.base().sh_options("exit 0", &options).sync().fails_exec(0, "", "").await
    }),
    ("exit: several exit codes can be expected", [], async |s| {
        let options = s.exec_options().with_expected_codes(&[0, 3]);
        s.base().sh_options("exit 3", &options).exit_code().is("3").await?;
        s.base().sh_options("exit 0", &options).exit_code().is("0").await?;
        s.base().sh_options("exit 2", &options).sync().fails_exec(2, "", "").await
    }),
    // Our own decision: Dagger refuses 128, 137 and 143, which a command may end with like any other code.
    ("exit: every exit code is accepted where any code is expected", [], async |s| {
        let any = s.exec_options().with_any_code();
        for code in [1, 2, 126, 127, 128, 137, 143, 192, 254, 255] {
            s.base().sh_options(&format!("exit {code}"), &any).exit_code().is(&code.to_string()).await?;
        }
        Ok(())
    }),
    ("exit: the files of a command with an expected exit code are kept", [], async |s| {
        let any = s.exec_options().with_any_code();
        s.base().sh_options("echo kept > /f; exit 9", &any).file("/f").contents().is("kept\n").await
    }),
    // Our own decision, as every shell has it: Dagger answers 1.
    ("exit: a program that is not found ends with exit code 127", [], async |s| {
        s.base()
            .with_exec(&["no-such-command"])
            .sync()
            .fails("exec", "command `no-such-command` was not found")
            .await?;
        let any = s.exec_options().with_any_code();
        s.base().with_exec_options(&["no-such-command"], &any).exit_code().is("127").await
    }),
    // Our own decision, as every shell has it.
    ("exit: a file that cannot be executed ends with exit code 126", [], async |s| {
        let any = s.exec_options().with_any_code();
        let base = s.base().with_new_file("/plain", "text\n");
        base.with_exec_options(&["/plain"], &any).exit_code().is("126").await?;
        base.with_exec_options(&["/etc"], &any).exit_code().is("126").await
    }),
    ("exit: no program is found in an empty container", [], async |s| {
        s.container().with_exec(&["/bin/true"]).sync().fails("exec", "`/bin/true` was not found").await
    }),
    // Our own decision: Dagger answers with exit code 137, as if the command had ended so.
    ("exit: a command that a signal kills has failed, whatever exit code is expected", [], async |s| {
        let any = s.exec_options().with_any_code();
        s.base().sh("kill -9 $$").sync().fails("signal", "was killed by signal 9").await?;
        s.base().sh_options("kill -15 $$", &any).sync().fails("signal", "was killed by signal 15").await
    }),
    // Dagger does the same, with the same words for what is left out.
    ("exit: the error of a command has the last 100 KiB of each stream", [], async |s| {
        let script = "head -c 100000 /dev/zero | tr '\\0' a; head -c 102397 /dev/zero | tr '\\0' b; echo end; exit 1";
        match s.base().sh(script).stdout().value().await {
            Err(Failure::Exec(failure)) => {
                let tail = &failure.stdout_tail;
                let is_right = tail.starts_with("[omitting 100001 bytes]...bbb") && tail.ends_with("bbend");
                holds(is_right, || format!("{} ... {}", &tail[..40.min(tail.len())], tail.len()))
            }
            Err(failure) => Err(failure.into()),
            Ok(_) => Err(Wrong::new("it did not fail")),
        }
    }),
    ("exit: a command that exceeds its time-out fails with the code `timeout`", [], async |s| {
        let options = s.exec_options().with_timeout_seconds(1);
        let slow = s.base().sh_options("echo begun; sleep 60", &options);
        match slow.sync().value().await {
            Err(Failure::Exec(failure)) => {
                same(&failure.to_string(), "command `sh -c 'echo begun; sleep 60'` took longer than 1 s")?;
                same(&failure.exit_code().to_string(), "124")?;
                // On a slow machine the command may not have begun.
                same(&failure.stdout_tail, s.session.printed(OutputStream::Stdout).trim_end())
            }
            other => Err(Wrong::new(format!("{other:?}"))),
        }
    }),
    ("exit: a time-out is a failure even where any exit code is expected", [], async |s| {
        let options = s.exec_options().with_timeout_seconds(1).with_any_code();
        s.base().sh_options("sleep 61", &options).sync().fails("timeout", "took longer than 1 s").await
    }),
    ("exit: a command that ignores signals is killed after its time-out", [], async |s| {
        let options = s.exec_options().with_timeout_seconds(1);
        let script = "trap '' TERM INT; sleep 62; sleep 62";
        s.base().sh_options(script, &options).sync().fails("timeout", "took longer").await
    }),
    ("exit: a command that ends before its time-out succeeds", [], async |s| {
        let options = s.exec_options().with_timeout_seconds(30);
        s.base().sh_options("echo quick", &options).stdout().is("quick\n").await
    }),
    ("exit: the time-out of the session applies to every command", [], async |s| {
        let options = SessionOptions { timeout: Some(Duration::from_secs(1)), ..SessionOptions::default() };
        let s = s.again(&options).await?;
        s.base().sh("sleep 63").sync().fails("timeout", "took longer than 1 s").await
    }),
    // Dagger does the same; an empty text marks nothing.
    ("exit: a container that is marked with an error fails with that error", [], async |s| {
        s.base().with_error("not today").sh("echo x").stdout().fails("custom", "not today").await?;
        s.base().with_error("").sh("echo x").stdout().is("x\n").await
    }),
    // Dagger does the same.
    ("exit: two commands that fail at the same time have their own errors", [], async |s| {
        let (x, y) = (s.base().sh("exit 4"), s.base().sh("exit 5"));
        let (x, y) = tokio::join!(x.stdout().fails_exec(4, "", ""), y.stdout().fails_exec(5, "", ""));
        x.and(y)
    }),
];
