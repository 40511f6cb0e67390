//! Process 1 of a container of the zone: starts the command, reaps, passes signals on, and reports how it ended.
//!
//! Its arguments are the command. If descriptor 3 is open, it gets the wait status of the command as four
//! bytes in the order of this machine. When process 1 ends, the kernel ends everything in the container.

use crate::exec::{CANNOT_EXECUTE, become_command, complain};
use crate::sys::{self, Fd, Forked, Signal, WaitStatus};
use crate::text::TextList;

/// The descriptor that gets the wait status.
const STATUS: Fd = Fd::new(3);

/// The exit code if the command is not started.
const NOT_STARTED: i32 = 125;

/// Runs the command, and returns the exit code of the container.
pub(crate) fn main(args: TextList, env: TextList) -> i32 {
    let command = args.rest();
    let Some(name) = command.first() else { return NOT_STARTED };
    // The zone sees to it. This is the last place where a runtime that does otherwise can be noticed.
    if sys::is_process_1() && !(sys::refuses_devices(c"/") && sys::refuses_devices(c"/dev")) {
        complain(name, b": not started: the container could open devices of the machine\n");
        return NOT_STARTED;
    }
    // The command neither inherits the descriptor nor takes it from this process.
    sys::close_on_execute(STATUS);
    sys::hide();
    sys::block_signals();
    match sys::fork() {
        Ok(Forked::Child) => {
            sys::unblock_signals();
            become_command(command, env)
        }
        Ok(Forked::Parent(child)) => watch(child),
        Err(_) => {
            complain(name, b": cannot fork\n");
            CANNOT_EXECUTE
        }
    }
}

/// Waits for the command, reaps everything else, and passes signals on.
fn watch(child: sys::Pid) -> i32 {
    loop {
        if let Some(status) = sys::reap(child) {
            report(status);
            return status.exit_code().unwrap_or_else(|| 128 + status.signal());
        }
        match sys::wait_for_signal() {
            Some(Signal::CHILD) | None => {}
            Some(signal) => sys::kill(child, signal),
        }
    }
}

fn report(status: WaitStatus) {
    // Without a reader, the exit code is all that is told.
    let _ = sys::write_all(STATUS, &status.to_bytes());
}
