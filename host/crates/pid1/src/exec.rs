//! How a process becomes the command, and what is said if it cannot.

use core::ffi::CStr;

use crate::sys::{self, Errno, Fd};
use crate::text::{PathBuffer, TextList};

/// Where commands are searched for if the environment does not say. Source: Docker Engine, `oci/defaults.go`.
const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The exit code of a command that cannot be executed. Source: POSIX, XCU 2.8.2.
pub(crate) const CANNOT_EXECUTE: i32 = 126;

/// The exit code of a command that does not exist. Source: as for [`CANNOT_EXECUTE`].
const NOT_FOUND: i32 = 127;

/// Becomes the command whose name is the first of `args`, searched for in the `PATH` of `env` as a shell does.
///
/// If it returns, the command could not be executed: standard error has the reason, and the value is
/// the exit code that a shell would give.
pub(crate) fn become_command(args: TextList, env: TextList) -> i32 {
    let name = args.first().unwrap_or(c"");
    let path = env.value_of(b"PATH").unwrap_or(DEFAULT_PATH);
    let error = search(name, path, |program| sys::execute(program, args, env));
    let (reason, code): (&[u8], i32) = match error {
        Errno::NOENT | Errno::NOTDIR if is_path(name) => (b": no such file\n", NOT_FOUND),
        Errno::NOENT | Errno::NOTDIR => (b": command not found\n", NOT_FOUND),
        Errno::ACCES => (b": permission denied\n", CANNOT_EXECUTE),
        Errno::NOEXEC => (b": cannot execute: not a program of this machine, or a script without #!\n", CANNOT_EXECUTE),
        Errno::TOOBIG => (b": cannot execute: its arguments and environment are too long\n", CANNOT_EXECUTE),
        _ => (b": cannot execute\n", CANNOT_EXECUTE),
    };
    complain(name, reason);
    code
}

/// Writes a name and a reason to standard error.
pub(crate) fn complain(name: &CStr, reason: &[u8]) {
    // There is nowhere else to say it.
    let _ = sys::write_all(Fd::STDERR, name.to_bytes());
    let _ = sys::write_all(Fd::STDERR, reason);
}

/// Tries the places where a command may be, in order, until one exists. Returns why the last could not be executed.
fn search(name: &CStr, path: &[u8], mut execute: impl FnMut(&CStr) -> Errno) -> Errno {
    if is_path(name) || name.is_empty() {
        return execute(name);
    }
    let mut reason = Errno::NOENT;
    for directory in path.split(|byte| *byte == b':') {
        let directory = if directory.is_empty() { b"." } else { directory };
        // A path that is too long names nothing.
        let Some(program) = PathBuffer::joined(&[directory, b"/", name.to_bytes()]) else { continue };
        match execute(program.as_text()) {
            Errno::NOENT | Errno::NOTDIR => {}
            // A program that may be executed can come later.
            Errno::ACCES => reason = Errno::ACCES,
            other => return other,
        }
    }
    reason
}

fn is_path(name: &CStr) -> bool {
    name.to_bytes().contains(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches where only some paths give another reason than that nothing is there.
    fn check(name: &CStr, path: &str, there: &[(&str, Errno)], expect: &str) {
        let mut tried = Vec::new();
        let reason = search(name, path.as_bytes(), |program| {
            let program = program.to_str().unwrap();
            tried.push(program.to_owned());
            there.iter().find(|(path, _)| *path == program).map_or(Errno::NOENT, |(_, reason)| *reason)
        });
        assert_eq!(format!("{} {}", tried.join(" "), reason.0), expect);
    }

    #[test]
    fn a_command_is_searched_for_as_a_shell_does() {
        check(c"ls", "/a:/b", &[], "/a/ls /b/ls 2");
        check(c"ls", "/a::/b:", &[], "/a/ls ./ls /b/ls ./ls 2");
        check(c"ls", "/a:/b", &[("/a/ls", Errno::ACCES)], "/a/ls /b/ls 13");
        check(c"ls", "/a:/b", &[("/a/ls", Errno::NOEXEC)], "/a/ls 8");
        check(c"ls", "/a:/b", &[("/a/ls", Errno::NOTDIR), ("/b/ls", Errno::TOOBIG)], "/a/ls /b/ls 7");
    }

    #[test]
    fn a_name_with_a_slash_is_a_path() {
        check(c"./ls", "/a", &[], "./ls 2");
        check(c"", "/a", &[], " 2");
    }

    #[test]
    fn a_directory_whose_name_is_too_long_is_left_out() {
        check(c"ls", &format!("/{}:/b", "a".repeat(5000)), &[], "/b/ls 2");
    }
}
