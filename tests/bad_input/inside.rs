//! Namespaces in which a machine is worse than it is: they end with the test, whatever happens.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use support::{Answer, Place};

/// An ordinary user without a range in `/etc/subuid`.
pub(crate) const UID: u32 = 54321;

/// A namespace that a shell holds open.
pub(crate) struct Inside {
    shell: Child,
    kind: &'static str,
}

impl Inside {
    /// Makes a mount namespace and runs a script in it, in the place.
    pub(crate) fn mounts(place: &Place, script: &str) -> Self {
        Self::hold(place, "--mount", script)
    }

    /// Makes a user namespace with the same users in which no other can be made.
    pub(crate) fn no_user_namespaces(place: &Place) -> Self {
        let inside = Self::hold(place, "--user", "");
        for map in ["uid_map", "gid_map"] {
            std::fs::write(format!("/proc/{}/{map}", inside.shell.id()), "0 0 65536").unwrap();
        }
        // Only who enters after the users are known has the powers of root in it.
        let status = inside.enter().args(["sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces"]).status();
        assert!(status.unwrap().success(), "the namespace could not be limited");
        inside
    }

    /// Waits until the script was run, and lets the shell wait for its end.
    fn hold(place: &Place, kind: &'static str, script: &str) -> Self {
        let script = format!("{script}\necho ready; read -r _");
        let mut command = Command::new("unshare");
        command.args([kind, "sh", "-c", &script]).current_dir(place.path(""));
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

    /// Runs a line of shell in it, in the place.
    pub(crate) fn run(&self, place: &Place, line: &str) {
        let line = format!("cd \"$0\" && {line}");
        let status = self.enter().args(["sh", "-c", &line]).arg(place.path("")).status();
        assert!(status.unwrap().success(), "{line}");
    }

    /// Runs `host` in it, as root or as the ordinary user.
    pub(crate) fn host(&self, place: &Place, words: Vec<String>, is_root: bool) -> Answer {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.shell.id())).args([
            self.kind,
            "--",
            "sh",
            "-c",
            "cd \"$0\" && exec \"$@\"",
        ]);
        command.arg(place.path("work"));
        if !is_root {
            command.args(as_user());
        }
        run(command, place, words)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // The shell reads the end of its input and ends, and with it the namespace.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Runs `host` as the ordinary user.
pub(crate) fn host_as_user(place: &Place, words: Vec<String>) -> Answer {
    let mut command = Command::new("env");
    command.args(as_user()).current_dir(place.path("work"));
    run(command, place, words)
}

/// Gives the directories of a place to the ordinary user.
pub(crate) fn give_to_user(place: &Place) {
    allow(&place.path(""), 0o755);
    std::fs::create_dir_all(place.path("store")).unwrap();
    for path in ["work", "store"] {
        chown(place.path(path), Some(UID), Some(UID)).unwrap();
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

fn run(mut command: Command, place: &Place, words: Vec<String>) -> Answer {
    let host = place.command(words);
    command.arg(host.get_program()).args(host.get_args()).stdin(Stdio::null()).env_clear();
    command.envs(host.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.output().map(Answer::from).unwrap()
}
