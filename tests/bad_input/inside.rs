//! Namespaces in which the machine lacks something. They end with the test.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use testkit::{Answer, Scratch};

/// An ordinary user without a range in `/etc/subuid`.
pub(crate) const UID: u32 = 54321;

/// A namespace that a shell keeps open.
pub(crate) struct Inside {
    shell: Child,
    kind: &'static str,
}

impl Inside {
    /// Makes a mount namespace and runs a script in it, in the directory of the test.
    pub(crate) fn mounts(scratch: &Scratch, script: &str) -> Self {
        Self::hold(scratch, "--mount", script)
    }

    /// Makes a user namespace with the same users, in which no other user namespace can be made.
    pub(crate) fn no_user_namespaces(scratch: &Scratch) -> Self {
        let inside = Self::hold(scratch, "--user", "");
        for map in ["uid_map", "gid_map"] {
            std::fs::write(format!("/proc/{}/{map}", inside.shell.id()), "0 0 65536").unwrap();
        }
        // A process that enters after the users are mapped has the capabilities of root.
        let status = inside.enter().args(["sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces"]).status();
        assert!(status.unwrap().success(), "the namespace could not be limited");
        inside
    }

    /// Runs the script, and leaves the shell waiting.
    fn hold(scratch: &Scratch, kind: &'static str, script: &str) -> Self {
        let script = format!("{script}\necho ready; read -r _");
        let mut command = Command::new("unshare");
        command.args([kind, "sh", "-c", &script]).current_dir(scratch.path(""));
        let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "the namespace could not be made");
        Self { shell, kind }
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.shell.id())).args([self.kind, "--"]);
        command
    }

    /// Runs a line of shell in the namespace, in the directory of the test.
    pub(crate) fn run(&self, scratch: &Scratch, line: &str) {
        let line = format!("cd \"$0\" && {line}");
        let status = self.enter().args(["sh", "-c", &line]).arg(scratch.path("")).status();
        assert!(status.unwrap().success(), "{line}");
    }

    /// Runs `host` in the namespace, as root or as the ordinary user.
    pub(crate) fn host(&self, scratch: &Scratch, words: Vec<String>, is_root: bool) -> Answer {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.shell.id())).args([
            self.kind,
            "--",
            "sh",
            "-c",
            "cd \"$0\" && exec \"$@\"",
        ]);
        command.arg(scratch.path("work"));
        if !is_root {
            command.args(as_user());
        }
        run(command, scratch, words)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // The shell ends when its input ends, and the namespace with it.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Runs `host` as the ordinary user.
pub(crate) fn host_as_user(scratch: &Scratch, words: Vec<String>) -> Answer {
    let mut command = Command::new("env");
    command.args(as_user()).current_dir(scratch.path("work"));
    run(command, scratch, words)
}

/// Gives the store and the working directory to the ordinary user.
pub(crate) fn give_to_user(scratch: &Scratch) {
    allow(&scratch.path(""), 0o755);
    std::fs::create_dir_all(scratch.path("store")).unwrap();
    for path in ["work", "store"] {
        chown(scratch.path(path), Some(UID), Some(UID)).unwrap();
    }
}

/// Sets the mode of a file.
pub(crate) fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn as_user() -> Vec<String> {
    let id = UID.to_string();
    ["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups", "--"].map(str::to_owned).to_vec()
}

fn run(mut command: Command, scratch: &Scratch, words: Vec<String>) -> Answer {
    let host = scratch.command(words);
    command.arg(host.get_program()).args(host.get_args()).stdin(Stdio::null()).env_clear();
    command.envs(host.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.output().map(Answer::from).unwrap()
}
