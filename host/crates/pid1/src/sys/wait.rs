//! System calls for signals and time, and for waiting.

use super::call::{Errno, call};
use super::file::{Fd, O_CLOEXEC, O_NONBLOCK, read};
use super::numbers as nr;

/// How many bytes the kernel's set of signals has.
const N_BYTES_OF_SET: usize = 8;

/// A signal, by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signal(u32);

impl Signal {
    pub(crate) const KILL: Self = Self(9);
    pub(crate) const CHILD: Self = Self(17);

    pub(super) fn arg(self) -> usize {
        self.0 as usize
    }
}

/// Keeps all signals pending.
pub(crate) fn block_signals() {
    set_mask(u64::MAX);
}

/// Lets all signals arrive.
pub(crate) fn unblock_signals() {
    set_mask(0);
}

fn set_mask(mask: u64) {
    const SIG_SETMASK: usize = 2;
    // SAFETY: the kernel reads a set of eight bytes. It refuses no mask.
    let _ = unsafe { call(nr::RT_SIGPROCMASK, [SIG_SETMASK, &raw const mask as usize, 0, N_BYTES_OF_SET]) };
}

/// Waits for a blocked signal and takes it. Returns nothing if the wait was interrupted.
pub(crate) fn wait_for_signal() -> Option<Signal> {
    let all = u64::MAX;
    // SAFETY: the kernel reads a set of eight bytes; neither details nor a time-out are asked for.
    let signal = unsafe { call(nr::RT_SIGTIMEDWAIT, [&raw const all as usize, 0, 0, N_BYTES_OF_SET]) };
    signal.ok().map(|signal| Signal(signal as u32))
}

/// Returns a file that can be read when a blocked signal is pending.
pub(crate) fn open_signals() -> Result<Fd, Errno> {
    const NEW: usize = usize::MAX;
    let all = u64::MAX;
    let args = [NEW, &raw const all as usize, N_BYTES_OF_SET, O_CLOEXEC | O_NONBLOCK];
    // SAFETY: the kernel reads a set of eight bytes.
    let fd = unsafe { call(nr::SIGNALFD4, args) }?;
    Ok(Fd::new(fd as i32))
}

/// Takes a pending signal from the file of [`open_signals`].
pub(crate) fn read_signal(fd: Fd) -> Option<Signal> {
    // `struct signalfd_siginfo` has 128 bytes, the number first.
    let mut info = [0_u8; 128];
    let n_bytes = read(fd, &mut info).ok()?;
    let [a, b, c, d, ..] = info;
    (n_bytes == info.len()).then_some(Signal(u32::from_ne_bytes([a, b, c, d])))
}

/// Returns the milliseconds of a clock that is never set.
pub(crate) fn now_ms() -> u64 {
    const CLOCK_MONOTONIC: usize = 1;
    let mut time = [0_u64; 2];
    // SAFETY: the kernel writes seconds and nanoseconds. It does not refuse this clock.
    let _ = unsafe { call(nr::CLOCK_GETTIME, [CLOCK_MONOTONIC, time.as_mut_ptr() as usize]) };
    time[0] * 1000 + time[1] / 1_000_000
}

/// A file that is waited for: `struct pollfd`.
#[repr(C)]
pub(crate) struct Poll {
    fd: i32,
    events: i16,
    found: i16,
}

impl Poll {
    /// Waits for a file that can be read, or for nothing.
    pub(crate) fn new(fd: Option<Fd>) -> Self {
        const POLLIN: i16 = 1;
        // The kernel leaves out negative numbers.
        Self { fd: fd.map_or(-1, Fd::number), events: POLLIN, found: 0 }
    }

    /// Returns whether a read would not wait.
    pub(crate) fn is_ready(&self) -> bool {
        self.found != 0
    }
}

/// Waits until one of the files can be read, or the time is over.
pub(crate) fn poll(polls: &mut [Poll], left_ms: Option<u64>) {
    let time = left_ms.map(|ms| [ms / 1000, ms % 1000 * 1_000_000]);
    let time = time.as_ref().map_or(0, |time| time.as_ptr() as usize);
    // SAFETY: the kernel writes to as many structures, and reads seconds and nanoseconds. No mask is given.
    let _ = unsafe { call(nr::PPOLL, [polls.as_mut_ptr() as usize, polls.len(), time, 0, N_BYTES_OF_SET]) };
}

#[cfg(test)]
mod tests {
    use super::super::file::{pipe, write_all};
    use super::*;

    #[test]
    fn a_file_that_can_be_read_is_ready() {
        let (from, to) = pipe().unwrap();
        let mut polls = [Poll::new(Some(from)), Poll::new(None)];
        poll(&mut polls, Some(0));
        assert!(!polls[0].is_ready() && !polls[1].is_ready());
        write_all(to, b"x").unwrap();
        poll(&mut polls, None);
        assert!(polls[0].is_ready() && !polls[1].is_ready());
    }

    #[test]
    fn the_clock_does_not_go_back() {
        let before = now_ms();
        assert!(before > 0 && now_ms() >= before);
    }
}
