//! The report of how the command ended, which the engine reads.

use core::ffi::CStr;

use super::flags::Flags;
use super::streams::Streams;
use crate::exec::complain;
use crate::sys::{self, Errno, Fd};
use crate::text::PathBuffer;

/// Stands between what the command printed and the report.
const MARKER: &[u8] = b"\x1ehost-end\x1e\n";

/// The exit code of the container if the command did not do what was expected.
const FAILED: i32 = 1;

/// How the command ended.
#[derive(Clone, Copy)]
pub(super) enum End {
    Exited(i32),
    Killed(i32),
    TimedOut,
    /// It printed more than is kept.
    Cut,
    /// It was not run.
    Refused(Refusal),
}

/// Why the command is not run.
#[derive(Clone, Copy)]
pub(super) enum Refusal {
    /// The standard input cannot be opened.
    Input,
    /// There is no file that is to be the standard input.
    NoInput,
    /// The file that is to get standard output cannot be opened.
    Output,
    /// The file that is to get standard error cannot be opened.
    ErrorOutput,
    /// The working directory cannot be entered.
    Directory,
    /// A directory in memory is larger than it may be.
    Size,
    /// The user is not known.
    User,
    /// The group is not known.
    Group,
    /// A system call failed that should not, or the output cannot be written. There is no report.
    Broken(Errno),
}

impl From<Errno> for Refusal {
    fn from(error: Errno) -> Self {
        Self::Broken(error)
    }
}

impl Refusal {
    fn letter(self) -> u8 {
        match self {
            Self::Input => b'i',
            Self::NoInput => b'n',
            Self::Output => b'o',
            Self::ErrorOutput => b'r',
            Self::Directory => b'w',
            Self::Size => b'z',
            Self::User => b'u',
            Self::Group => b'g',
            Self::Broken(_) => b'b',
        }
    }
}

/// Opens a file of the directory of the report, empty.
pub(super) fn open(flags: &Flags, name: &[u8]) -> Result<Fd, Refusal> {
    let path = PathBuffer::joined(&[flags.directory.to_bytes(), b"/", name]).ok_or(Errno::NAMETOOLONG)?;
    Ok(sys::open(path.as_text(), sys::O_RDWR | sys::O_TRUNC, 0)?)
}

/// Writes how the command ended. Returns the exit code of the container.
pub(super) fn finish(flags: &Flags, streams: &Streams, end: End) -> Result<i32, Refusal> {
    let roots = open(flags, b"roots")?;
    for path in [c"/"].into_iter().chain(flags.each(b'm')) {
        write_mode_and_owner(roots, path)?;
    }
    let end = match end {
        End::Exited(code) if flags.is_accepted(code) && streams.is_cut() => End::Cut,
        End::Exited(code) if flags.is_accepted(code) => {
            write_number(open(flags, b"status")?, u64::try_from(code).unwrap_or(0), b'\n')?;
            return Ok(0);
        }
        end => end,
    };
    sys::write_all(Fd::STDERR, MARKER)?;
    let lengths = streams.write_ends(Fd::STDERR)?;
    write_end(end, streams.totals(), lengths)?;
    Ok(FAILED)
}

/// Writes that the command is not run. Returns the exit code of the container.
pub(super) fn refused(refusal: Refusal) -> i32 {
    // Docker reads it; if it does not, the exit code is all that is told.
    let _ = sys::write_all(Fd::STDERR, MARKER).and_then(|()| write_end(End::Refused(refusal), [0; 2], [0; 2]));
    FAILED
}

/// Writes why the shim cannot do its work. Returns the exit code of the container, which tells the engine that there
/// is no report.
pub(super) fn broken(error: Errno) -> i32 {
    const BROKEN: i32 = 125;
    let reason: &[u8] = match error {
        Errno::NOSPC => b": cannot keep the output of the command: no space is left\n",
        _ => b": cannot run the command, or keep its output: the system refused it\n",
    };
    complain(c"host", reason);
    BROKEN
}

/// Writes the last line, whose length is fixed.
fn write_end(end: End, totals: [usize; 2], lengths: [usize; 2]) -> Result<(), Errno> {
    let (letter, value) = match end {
        End::Exited(code) => (b'e', code as usize),
        End::Killed(signal) => (b's', signal as usize),
        End::TimedOut => (b't', 0),
        End::Cut => (b'c', 0),
        End::Refused(refusal) => (refusal.letter(), 0),
    };
    sys::write_all(Fd::STDERR, &[0x1e, letter])?;
    let numbers = [value, totals[0], totals[1], lengths[0], lengths[1]];
    numbers.into_iter().enumerate().try_for_each(|(n, number)| {
        let digits = digits_of(number as u64);
        let end = if n == 4 { 0x1e } else { b',' };
        sys::write_all(Fd::STDERR, &digits[digits.len() - 12..]).and_then(|()| sys::write_all(Fd::STDERR, &[end]))
    })
}

fn write_mode_and_owner(to: Fd, path: &CStr) -> Result<(), Errno> {
    let (mode, uid, gid) = sys::mode_and_owner(path).unwrap_or((0o755, 0, 0));
    write_number(to, mode.into(), b' ')?;
    write_number(to, uid.into(), b' ')?;
    write_number(to, gid.into(), b'\n')
}

/// Writes a number and a byte behind it.
pub(super) fn write_number(to: Fd, number: u64, end: u8) -> Result<(), Errno> {
    let digits = digits_of(number);
    let n_zeros = digits.iter().take(digits.len() - 1).take_while(|digit| **digit == b'0').count();
    sys::write_all(to, &digits[n_zeros..])?;
    sys::write_all(to, &[end])
}

/// Returns the digits of a number, with zeros before them.
fn digits_of(number: u64) -> [u8; 20] {
    let mut digits = [b'0'; 20];
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_without_zeros_before_it() {
        let check = |number: u64, expect: &str| {
            let (from, to) = sys::pipe().unwrap();
            write_number(to, number, b';').unwrap();
            let mut buffer = [0; 32];
            let n_bytes = sys::read(from, &mut buffer).unwrap();
            assert_eq!(std::str::from_utf8(&buffer[..n_bytes]), Ok(expect));
        };
        check(0, "0;");
        check(7050, "7050;");
        check(u64::MAX, "18446744073709551615;");
    }
}
