//! How commands end.

use backend::Failure;

use crate::answer::{Wrong, holds};
use crate::behaviour::{Behaviour, behaviours};
use crate::session::SessionOptions;
use std::time::Duration;

pub(super) const ALL: &[Behaviour] = behaviours![
    // oracle 027, semantics B.15: trimmed in the error.
    ("exit: a failing command fails with its code and the ends of its output", [], async |s| {
        let failing = s.base().sh("echo out; echo err >&2; exit 3");
        failing.stdout().fails_exec(3, "out", "err").await?;
        failing.exit_code().fails("exec", "exited with code 3").await
    }),
    ("exit: the message names the command", [], async |s| {
        s.base().with_exec(&["sh", "-c", "exit 4"]).sync().fails("exec", "command `sh -c 'exit 4'`").await
    }),
    // oracle 029
    ("exit: a failing command fails whoever reads a file after it", [], async |s| {
        s.base().sh("echo a > /a; false").file("/a").contents().fails_exec(1, "", "").await
    }),
    // oracle 213
    ("exit: sync runs a command and tells of its failure", [], async |s| {
        s.base().with_exec(&["false"]).sync().fails_exec(1, "", "").await
    }),
    ("exit: a command after a failing one is not run", [], async |s| {
        s.base().sh("exit 5").sh("echo not me").stdout().fails_exec(5, "", "").await?;
        holds(s.session.n_started("not me") == 0, || "it was run".to_owned())
    }),
    // oracle 031
    ("exit: an expected code is no failure", [], async |s| {
        let options = s.exec_options().with_expected_codes(&[1]);
        let ran = s.base().sh_options("echo text; exit 1", &options);
        ran.exit_code().is("1").await?;
        ran.stdout().is("text\n").await
    }),
    // semantics B.17
    ("exit: success is a failure where another code is expected", [], async |s| {
        let options = s.exec_options().with_expected_codes(&[3]);
        s.base().sh_options("exit 0", &options).sync().fails_exec(0, "", "").await
    }),
    ("exit: one of several expected codes is enough", [], async |s| {
        let options = s.exec_options().with_expected_codes(&[0, 3]);
        s.base().sh_options("exit 3", &options).exit_code().is("3").await?;
        s.base().sh_options("exit 0", &options).exit_code().is("0").await?;
        s.base().sh_options("exit 2", &options).sync().fails_exec(2, "", "").await
    }),
    // semantics B.18, oracle 037; measured: 128, 137 and 143 too.
    ("exit: any code is accepted where any is asked for", [], async |s| {
        let any = s.exec_options().with_any_code();
        for code in [1, 2, 126, 127, 128, 137, 143, 192, 254, 255] {
            s.base().sh_options(&format!("exit {code}"), &any).exit_code().is(&code.to_string()).await?;
        }
        Ok(())
    }),
    ("exit: files of a command that ends as expected are kept", [], async |s| {
        let any = s.exec_options().with_any_code();
        s.base().sh_options("echo kept > /f; exit 9", &any).file("/f").contents().is("kept\n").await
    }),
    // measured: 127 as shells give it.
    ("exit: a command that is not found ends with 127", [], async |s| {
        s.base()
            .with_exec(&["no-such-command"])
            .sync()
            .fails("exec", "command `no-such-command` was not found")
            .await?;
        let any = s.exec_options().with_any_code();
        s.base().with_exec_options(&["no-such-command"], &any).exit_code().is("127").await
    }),
    // measured: 126 as shells give it.
    ("exit: what cannot be executed ends with 126", [], async |s| {
        let any = s.exec_options().with_any_code();
        let base = s.base().with_new_file("/plain", "text\n");
        base.with_exec_options(&["/plain"], &any).exit_code().is("126").await?;
        base.with_exec_options(&["/etc"], &any).exit_code().is("126").await
    }),
    // oracle 003, less its code.
    ("exit: nothing is found in an empty container", [], async |s| {
        s.container().with_exec(&["/bin/true"]).sync().fails("exec", "`/bin/true` was not found").await
    }),
    // oracle 035; measured: named as a signal.
    ("exit: a signal is a failure of its own, whatever is expected", [], async |s| {
        let any = s.exec_options().with_any_code();
        s.base().sh("kill -9 $$").sync().fails("signal", "was killed by signal 9").await?;
        s.base().sh_options("kill -15 $$", &any).sync().fails("signal", "was killed by signal 15").await
    }),
    // semantics B.16
    ("exit: an error carries the last 100 KiB of each stream", [], async |s| {
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
    ("exit: a time-out is a failure of its own", [], async |s| {
        let options = s.exec_options().with_timeout_seconds(1);
        let slow = s.base().sh_options("echo begun; sleep 60", &options);
        slow.sync().fails("timeout", "took longer than 1 s").await?;
        slow.sync().fails_exec(124, "begun", "").await
    }),
    ("exit: a time-out is a failure where any code is accepted", [], async |s| {
        let options = s.exec_options().with_timeout_seconds(1).with_any_code();
        s.base().sh_options("sleep 61", &options).sync().fails("timeout", "took longer than 1 s").await
    }),
    ("exit: a command that traps signals is killed after its time-out", [], async |s| {
        let options = s.exec_options().with_timeout_seconds(1);
        let script = "trap '' TERM INT; sleep 62; sleep 62";
        s.base().sh_options(script, &options).sync().fails("timeout", "took longer").await
    }),
    ("exit: a command that ends in its time is not touched", [], async |s| {
        let options = s.exec_options().with_timeout_seconds(30);
        s.base().sh_options("echo quick", &options).stdout().is("quick\n").await
    }),
    ("exit: the time-out of the session holds for every command", [], async |s| {
        let options = SessionOptions { timeout: Some(Duration::from_secs(1)), ..SessionOptions::default() };
        let s = s.again(&options).await?;
        s.base().sh("sleep 63").sync().fails("timeout", "took longer than 1 s").await
    }),
    // semantics A.8
    ("exit: an error that was put into a chain is its failure", [], async |s| {
        s.base().with_error("not today").sh("echo x").stdout().fails("custom", "not today").await?;
        s.base().with_error("").sh("echo x").stdout().is("x\n").await
    }),
    // oracle 167
    ("exit: of two failing commands each has its own failure", [], async |s| {
        let (x, y) = (s.base().sh("exit 4"), s.base().sh("exit 5"));
        let (x, y) = tokio::join!(x.stdout().fails_exec(4, "", ""), y.stdout().fails_exec(5, "", ""));
        x.and(y)
    }),
];
