//! Stages that run commands with every option, and report what is wrong.

use check::{OK, equal, fails, output, root, sh};
use guest_sdk::prelude::*;

/// Checks commands, one behaviour per stage.
///
/// `root` is a container with a shell; the default is this machine.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// `stdout`, `stderr`, `combined_output`, `exit_code`.
    pub fn outputs(root: Option<Container>) -> Result<String> {
        let container = sh(&super::root(root), "echo out; echo err >&2");
        equal("stdout", container.stdout()?, "out\n")?;
        equal("stderr", container.stderr()?, "err\n")?;
        equal("combined", container.combined_output()?.len(), 8)?;
        equal("exit code", container.exit_code()?, 0)?;
        Ok(OK.into())
    }

    /// The changes of a command are visible to the next one.
    pub fn layers(root: Option<Container>) -> Result<String> {
        let first = sh(&super::root(root), "mkdir /work && echo 1 > /work/a");
        let second = sh(&first, "echo 2 > /work/b && rm /work/a");
        equal("after the first", first.directory("/work").entries()?, ["a"])?;
        equal("after the second", second.directory("/work").entries()?, ["b"])?;
        Ok(OK.into())
    }

    /// A directory that is replaced by the API or by a command has none of its old entries, for
    /// commands as well.
    pub fn replaced_directories(root: Option<Container>) -> Result<String> {
        let first = sh(&super::root(root), "mkdir -p /work/d/sub && touch /work/d/a /work/d/sub/b");
        let by_api = first.without_directory("/work/d").with_new_file("/work/d/c", "");
        equal("by the API", sh(&by_api, "find /work/d -type f").stdout()?, "/work/d/c\n")?;
        let by_command = sh(&first, "rm -r /work/d && mkdir /work/d && touch /work/d/e");
        equal("by a command", sh(&by_command, "find /work/d -type f").stdout()?, "/work/d/e\n")?;
        equal("in the tree", by_command.directory("/work/d").entries()?, ["e"])?;
        let again = by_command.with_new_file("/work/d/f", "");
        equal("over it", sh(&again, "ls /work/d").stdout()?, "e\nf\n")?;
        Ok(OK.into())
    }

    /// The error of a command that fails, and of one after it.
    pub fn failure(root: Option<Container>) -> Result<String> {
        let container = sh(&super::root(root), "echo out; echo err >&2; exit 7");
        let error = fails("a failing command", container.stdout(), code::EXEC)?;
        let exec = error.exec.as_ref().context("the error has no `exec`")?;
        equal("exit code", exec.exit_code, 7)?;
        equal("arguments", exec.args.len(), 3)?;
        equal("output", (&*exec.stdout_tail, &*exec.stderr_tail), ("out", "err"))?;
        fails("a command after it", sh(&container, "echo never").stdout(), code::EXEC)?;
        Ok(OK.into())
    }

    /// `expected_codes`, `any_code`.
    pub fn exit_codes(root: Option<Container>) -> Result<String> {
        let root = super::root(root);
        let exits = |code: i32, options: ExecOptions| {
            root.with_exec_options(["sh", "-c", &format!("echo out; exit {code}")], options)
        };
        equal("expected", exits(3, ExecOptions::new().expected_codes([0, 3])).exit_code()?, 3)?;
        equal("any", exits(9, ExecOptions::new().any_code()).exit_code()?, 9)?;
        equal("with output", exits(9, ExecOptions::new().any_code()).stdout()?, "out\n")?;
        fails("not expected", exits(0, ExecOptions::new().expected_codes([3])).sync(), code::EXEC)?;
        Ok(OK.into())
    }

    /// `stdin`, `redirect_stdin`.
    pub fn stdin(root: Option<Container>) -> Result<String> {
        let root = super::root(root).with_new_file("/in", "from a file");
        let cat = |options: ExecOptions| root.with_exec_options(["cat"], options).stdout();
        equal("none", cat(ExecOptions::new())?, "")?;
        equal("text", cat(ExecOptions::new().stdin("a text"))?, "a text")?;
        equal("file", cat(ExecOptions::new().redirect_stdin("/in"))?, "from a file")?;
        let both = ExecOptions::new().stdin("x").redirect_stdin("/in");
        fails("both", cat(both), code::INVALID_ARGUMENT)?;
        Ok(OK.into())
    }

    /// `redirect_stdout`, `redirect_stderr`.
    pub fn redirects(root: Option<Container>) -> Result<String> {
        let container = super::root(root).with_workdir("/work").with_exec_options(
            ["sh", "-c", "echo out; echo err >&2"],
            ExecOptions::new().redirect_stdout("out.txt").redirect_stderr("/work/err.txt"),
        );
        equal("stdout in a file", container.file("out.txt").contents()?, "out\n")?;
        equal("stderr in a file", container.file("err.txt").contents()?, "err\n")?;
        equal("and still an output", container.stdout()?, "out\n")?;
        Ok(OK.into())
    }

    /// `timeout_seconds`.
    pub fn timeout(root: Option<Container>) -> Result<String> {
        let container = super::root(root).with_exec_options(["sleep", "60"], ExecOptions::new().timeout_seconds(1));
        fails("a command that is too slow", container.sync(), code::TIMEOUT)?;
        Ok(OK.into())
    }

    /// `without_network`: only the loopback interface is left.
    pub fn network(root: Option<Container>) -> Result<String> {
        let script = "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '";
        let container = super::root(root).with_exec_options(["sh", "-c", script], ExecOptions::new().without_network());
        equal("interfaces", container.stdout()?.trim(), "lo")?;
        Ok(OK.into())
    }

    /// `expand`.
    pub fn expansion(root: Option<Container>) -> Result<String> {
        let root = super::root(root).with_env_variable("A", "1");
        let echo = |options| root.with_exec_options(["echo", "$A ${A}x $$A"], options).stdout();
        equal("not unless asked for", echo(ExecOptions::new())?, "$A ${A}x $$A\n")?;
        equal("expanded", echo(ExecOptions::new().expand())?, "1 1x $A\n")?;
        Ok(OK.into())
    }

    /// `expand` of a secret variable is refused.
    pub fn secret_expansion(root: Option<Container>, secret: &Secret) -> Result<String> {
        let container = super::root(root)
            .with_secret_variable("TOKEN", secret)
            .with_exec_options(["echo", "$TOKEN"], ExecOptions::new().expand());
        fails("a secret", container.stdout(), code::INVALID_ARGUMENT)?;
        Ok(OK.into())
    }

    /// `memory_limit_bytes`. Needs `python3`.
    pub fn memory_limit(root: Option<Container>) -> Result<String> {
        let container = super::root(root).with_exec_options(
            ["python3", "-c", "x = bytearray(512 * 1024 * 1024)"],
            ExecOptions::new().memory_limit_bytes(64 << 20),
        );
        fails("too much memory", container.sync(), code::OUT_OF_MEMORY)?;
        Ok(OK.into())
    }

    /// `process_limit`.
    pub fn process_limit(root: Option<Container>) -> Result<String> {
        let script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; wait";
        let container =
            super::root(root).with_exec_options(["sh", "-c", script], ExecOptions::new().any_code().process_limit(4));
        ensure!(container.exit_code()? != 0, "twelve processes were started where four are allowed");
        Ok(OK.into())
    }

    /// `cpu_limit_millis`: the command ends nevertheless.
    pub fn cpu_limit(root: Option<Container>) -> Result<String> {
        let container = super::root(root).with_exec_options(["echo", "slow"], ExecOptions::new().cpu_limit_millis(200));
        equal("output", container.stdout()?, "slow\n")?;
        Ok(OK.into())
    }

    /// A command runs once, however many times its result is read.
    pub fn once(root: Option<Container>) -> Result<String> {
        let root = super::root(root);
        let random = || output(&root, "head -c 16 /dev/urandom | od -An -tx1");
        equal("the same command", random()?, random()?)?;
        Ok(OK.into())
    }

    /// `without_cache`: returns another result in every run.
    pub fn every_run(root: Option<Container>) -> Result<String> {
        let script = "head -c 16 /dev/urandom | od -An -tx1";
        super::root(root).with_exec_options(["sh", "-c", script], ExecOptions::new().without_cache()).stdout()
    }

    /// Returns the same result in every run, from the cache.
    pub fn cached(
        root: Option<Container>,
        /// A text that no other test uses.
        key: &str,
    ) -> Result<String> {
        let container = super::root(root).with_env_variable("KEY", key);
        output(&container, "head -c 16 /dev/urandom | od -An -tx1")
    }

    /// The errors of commands that cannot be run.
    pub fn errors(root: Option<Container>) -> Result<String> {
        let root = super::root(root);
        fails("no command", root.stdout(), code::NO_EXEC)?;
        ensure!(root.with_exec(["no-such-command"]).sync().is_err(), "a command that is not there ran");
        let bytes = sh(&root, r"printf '\377'");
        fails("no text", bytes.stdout(), code::INVALID_ARGUMENT)?;
        let killed = sh(&root, "kill -9 $$").sync().err().context("a killed command succeeded")?;
        ensure!(killed.is(code::SIGNAL) || killed.exit_code() == Some(137), "a killed command: {killed:?}");
        Ok(OK.into())
    }

    /// A step that would fail does not run if nothing needs it.
    pub fn lazy(root: Option<Container>) -> Result<String> {
        let root = super::root(root);
        let _never_read = sh(&root, "exit 1").file("/nothing");
        output(&root, "echo ok")
    }

    /// `start`, `sync_all`: commands that each sleep for a second run at the same time.
    pub fn at_once(
        root: Option<Container>,
        /// The number of commands.
        n: u32,
        /// A text that no other test uses.
        key: &str,
    ) -> Result<String> {
        let root = super::root(root);
        let sleepers: Vec<Container> = (0..n).map(|n| sh(&root, &format!("sleep 1; echo {key} {n}"))).collect();
        sync_all(&sleepers)?;
        let words: Result<Vec<String>> = sleepers.iter().map(Container::stdout).collect();
        Ok(words?.concat())
    }

    /// A chain of steps: returns the digest of the last result.
    pub fn chain(
        root: Option<Container>,
        /// The number of steps.
        n: u32,
    ) -> Result<String> {
        let last = (0..n).fold(super::root(root), |container, n| sh(&container, &format!("echo {n} >> /n")));
        equal("lines", last.file("/n").contents()?.lines().count(), n as usize)?;
        last.file("/n").digest()
    }

    /// Output that is long, and complete.
    pub fn long_output(root: Option<Container>) -> Result<String> {
        let container = sh(&super::root(root), "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done");
        equal("lines", container.stdout()?.lines().count(), 20000)?;
        Ok(OK.into())
    }
}
