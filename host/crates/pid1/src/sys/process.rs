//! System calls for processes.

use core::ffi::CStr;

use super::call::{Errno, call};
use super::file::Fd;
use super::numbers as nr;
use super::wait::Signal;
use crate::text::TextList;

/// The number of a process.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Pid(i32);

/// Which of the two processes after a [`fork`] this is.
pub(crate) enum Forked {
    Child,
    Parent(Pid),
}

/// How a process ended, as `wait(2)` tells it.
#[derive(Clone, Copy)]
pub(crate) struct WaitStatus(i32);

impl WaitStatus {
    /// Returns the exit code, unless a signal ended the process.
    pub(crate) fn exit_code(self) -> Option<i32> {
        (self.signal() == 0).then_some((self.0 >> 8) & 0xff)
    }

    /// Returns the signal that ended the process, or zero.
    pub(crate) fn signal(self) -> i32 {
        self.0 & 0x7f
    }

    /// Returns the number as it is in memory.
    pub(crate) fn to_bytes(self) -> [u8; 4] {
        self.0.to_ne_bytes()
    }
}

/// Starts a process that is a copy of this one.
pub(crate) fn fork() -> Result<Forked, Errno> {
    // SAFETY: the child has a copy of all memory; this process has one thread, so that no lock is held in it.
    match unsafe { call(nr::CLONE, [Signal::CHILD.arg(), 0, 0, 0, 0]) }? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(Pid(pid as i32))),
    }
}

/// Becomes a program. If it returns, it could not.
pub(crate) fn execute(program: &CStr, args: TextList, env: TextList) -> Errno {
    let args = [program.as_ptr() as usize, args.as_ptr() as usize, env.as_ptr() as usize];
    // SAFETY: the path ends with a zero, and the lists with a null.
    match unsafe { call(nr::EXECVE, args) } {
        // The call does not return otherwise.
        Ok(_) => Errno::NOENT,
        Err(error) => error,
    }
}

/// Ends this process.
pub(crate) fn exit(code: i32) -> ! {
    loop {
        // SAFETY: the call does not return.
        let _ = unsafe { call(nr::EXIT_GROUP, [code as usize]) };
    }
}

/// Makes these the standard streams of this process. They are open under other numbers.
pub(crate) fn set_standard_streams(stdin: Fd, stdout: Fd, stderr: Fd) -> Result<(), Errno> {
    for (fd, stream) in [(stdin, Fd::STDIN), (stdout, Fd::STDOUT), (stderr, Fd::STDERR)] {
        // SAFETY: no memory is involved.
        unsafe { call(nr::DUP3, [fd.arg(), stream.arg(), 0]) }?;
    }
    Ok(())
}

/// Becomes a user with groups.
pub(crate) fn become_user(uid: u32, gid: u32, groups: &[u32]) -> Result<(), Errno> {
    // Whoever may not set groups has none to lose, and fails below if it needed to.
    // SAFETY: the kernel reads as many numbers.
    let _ = unsafe { call(nr::SETGROUPS, [groups.len(), groups.as_ptr() as usize]) };
    // SAFETY: no memory is involved.
    unsafe { call(nr::SETGID, [gid as usize]) }?;
    // SAFETY: no memory is involved.
    unsafe { call(nr::SETUID, [uid as usize]) }?;
    Ok(())
}

/// Keeps this process, and those that it becomes and starts, from gaining privileges.
pub(crate) fn fix_privileges() -> Result<(), Errno> {
    const PR_SET_NO_NEW_PRIVS: usize = 38;
    // SAFETY: no memory is involved.
    unsafe { call(nr::PRCTL, [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]) }.map(drop)
}

/// Reaps all processes that have ended. Returns how this one did, if it is among them.
pub(crate) fn reap(child: Pid) -> Option<WaitStatus> {
    const WNOHANG: usize = 1;
    loop {
        match wait_for_any(WNOHANG) {
            Ok((pid, status)) if pid == child => return Some(status),
            Ok((Pid(0), _)) => return None,
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

fn wait_for_any(flags: usize) -> Result<(Pid, WaitStatus), Errno> {
    const ANY: usize = usize::MAX;
    let mut status = 0_i32;
    // SAFETY: the kernel writes the status.
    let pid = unsafe { call(nr::WAIT4, [ANY, &raw mut status as usize, flags, 0]) }?;
    Ok((Pid(pid as i32), WaitStatus(status)))
}

/// Sends a signal to a process. Does nothing if it is gone.
pub(crate) fn kill(pid: Pid, signal: Signal) {
    // SAFETY: no memory is involved.
    let _ = unsafe { call(nr::KILL, [pid.0 as usize, signal.arg()]) };
}

/// Returns whether this is process 1 of a container.
pub(crate) fn is_process_1() -> bool {
    // SAFETY: no memory is involved.
    let pid = unsafe { call(nr::GETPID, []) };
    pid == Ok(1)
}

/// Hides the memory and the descriptors of this process from all others without special rights.
///
/// Also root of a container cannot open `/proc/1/fd` then: that takes `CAP_SYS_PTRACE`, which it lacks. A
/// program that is executed starts visible again.
pub(crate) fn hide() {
    const PR_SET_DUMPABLE: usize = 4;
    // SAFETY: no memory is involved. The call does not fail.
    let _ = unsafe { call(nr::PRCTL, [PR_SET_DUMPABLE, 0, 0, 0, 0]) };
}

/// Ends everything else in the container, and waits until it is gone. Does nothing if this is not process 1.
pub(crate) fn kill_all_others() {
    const ALL: usize = usize::MAX;
    // To any other process, "all" are those of the machine.
    if !is_process_1() {
        return;
    }
    loop {
        // SAFETY: no memory is involved.
        let _ = unsafe { call(nr::KILL, [ALL, Signal::KILL.arg()]) };
        match wait_for_any(0) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_an_exit_code_or_a_signal() {
        let check = |status: i32, expect: (Option<i32>, i32)| {
            let status = WaitStatus(status);
            assert_eq!((status.exit_code(), status.signal()), expect);
        };
        check(0, (Some(0), 0));
        check(0x7f00, (Some(127), 0));
        check(9, (None, 9));
        // With a core dump.
        check(0x8b, (None, 11));
    }

    #[test]
    fn a_program_that_is_not_there_cannot_be_executed() {
        let none = crate::text::list(&[]);
        assert_eq!(execute(c"/does/not/exist", none, none), Errno::NOENT);
    }
}
