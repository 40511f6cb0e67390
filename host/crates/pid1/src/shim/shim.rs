//! Pid 1 of every command in Docker: starts it, keeps what it prints, and tells how it ended.
//!
//! A program of its own, without the standard library and without libc, so that it runs in any root.
//! `shim FLAGS... -- COMMAND ARGUMENTS...`; `shim.rs`'s other side is `src/step.rs`, which writes the flags:
//!
//! - `xN` an exit code that is no failure, `x*` all of them
//! - `iPATH` the standard input; `oPATH` and `rPATH` files that get standard output and standard error, too
//! - `dDIR` the directory that gets `stdout`, `stderr`, `combined`, `status` and `roots`
//! - `pPATH` a file with what no key depends on; it need not be there
//! - `uNAME` who the command runs as; `wPATH` its working directory, which is made; `h` sets `HOME`
//! - `mPATH` a directory whose mode and owner are written to `roots`, after those of `/`
//! - `bDIR` shows what is mounted on as it was: the root, then others; `cPATH` is written to `stubs` with the number
//!   of the last `bDIR` if it is not there
//! - `fPATH` a file with the mountpoints that the step before left, which are removed
//! - `zBYTES/PATH` refuses to run if a directory in memory is larger
//! - `kMODE:UID:GID/PATH` gives a directory its mode and owner; `qUID:GID/PATH` an empty one its owner
//!
//! With pid 1, everything that the command left behind ends too. `build.rs` beside this file compiles it.

#![no_std]
#![no_main]

#[path = "sys.rs"]
mod sys;
#[path = "redact.rs"]
mod redact;
#[path = "start.rs"]
mod start;
#[path = "stubs.rs"]
mod stubs;
#[path = "user.rs"]
mod user;

use redact::{Needles, Redactor};
use user::User;
use sys::{Fd, Poll};

/// What goes to Docker's log as it comes; Docker cuts each stream at 2 MiB.
const MAX_ECHO: usize = 1 << 20;
/// What is kept of each stream.
const MAX_KEPT: usize = 256 << 20;
/// How much of the end of each stream a failure tells if Docker's log has not all of it.
const TAIL: usize = 100 * 1024;
const CHUNK: usize = 64 * 1024;

/// What the flags say. All texts end with a zero.
pub struct Spec {
    pub stdin: *const u8,
    pub redirects: [*const u8; 2],
    pub dir: *const u8,
    pub params: *const u8,
    pub before: *const u8,
    pub user: *const u8,
    pub cwd: *const u8,
    pub sets_home: bool,
    /// The arguments of the shim from the first flag on.
    pub flags: *const *const u8,
    pub command: *const *const u8,
    pub env: *const *const u8,
}

/// A stream of the command.
struct Stream {
    from: Fd,
    to: Fd,
    file: Fd,
    redirect: Fd,
    redactor: Redactor,
    n_echoed: usize,
    n_kept: usize,
    total: usize,
    is_open: bool,
}

#[derive(Clone, Copy)]
enum End {
    Exited(i32),
    Killed(i32),
    TimedOut,
    /// One of `i`, `o`, `r`, `w`, `z`, `u`, `g`: a file, the working directory, a limit, a user, a group that cannot be had.
    Refused(u8),
    /// More than [`MAX_KEPT`] was printed.
    Cut,
}

unsafe extern "C" fn main(stack: *const usize) -> ! {
    // SAFETY: the kernel puts argc, the arguments, a null, the environment and a null there.
    let spec = unsafe { start::parse(stack) };
    stubs::remove_and_note(&spec);
    own(&spec);
    check_sizes(&spec);
    let user = user::resolve(spec.user, if spec.before.is_null() { b"\0".as_ptr() } else { spec.before }).unwrap_or_else(|unknown| match unknown {
        user::Unknown::User => refuse(b'u'),
        user::Unknown::Group => refuse(b'g'),
    });
    if !sys::enter(spec.cwd) {
        refuse(b'w');
    }
    let mask = sys::block_signals();
    let params = start::Params::read(spec.params);
    let stdin = open_stdin(&spec);
    let (out_from, out_to) = sys::pipe();
    let (err_from, err_to) = sys::pipe();
    let combined = sys::open_in(spec.dir, b"combined");
    let mut streams = [
        stream(&spec, &user, 0, out_from, b"stdout", params.needles()),
        stream(&spec, &user, 1, err_from, b"stderr", params.needles()),
    ];
    let child = sys::fork();
    if child == 0 {
        sys::place(stdin, out_to, err_to);
        sys::restore_signals(mask);
        sys::become_user(user.uid, user.gid, &user.groups[..user.n_groups]);
        // SAFETY: the lists are the kernel's or made of them.
        unsafe { start::exec(&spec, &user, &params) };
    }
    sys::close(out_to);
    sys::close(err_to);
    let end = if child < 0 { End::Exited(126) } else { watch(child, &mut streams, combined, params.deadline()) };
    sys::kill_all();
    for stream in &mut streams {
        while stream.is_open {
            pump(stream, combined);
        }
        flush(stream, combined);
    }
    let is_cut = streams.iter().any(|stream| stream.total > stream.n_kept);
    finish(&spec, &streams, if is_cut && is_accepted(&spec, end) { End::Cut } else { end })
}

/// Gives directories their modes and owners.
fn own(spec: &Spec) {
    for (flag, value) in start::all_flags(spec) {
        if !matches!(flag, b'k' | b'q') {
            continue;
        }
        // SAFETY: the text ends with a zero.
        let text = unsafe { start::text(value) };
        let len = text.iter().take_while(|byte| **byte != b'/').count();
        // SAFETY: there are as many bytes before the path.
        let path = unsafe { value.add(len) };
        let mut numbers = text[..len].split(|byte| *byte == b':');
        let mut next = |radix: u32| {
            let digits = numbers.next().unwrap_or(&[]);
            digits.iter().fold(0_u32, |n, digit| n.wrapping_mul(radix).wrapping_add(u32::from(digit.wrapping_sub(b'0'))))
        };
        let mode = if flag == b'k' { Some(next(8)) } else { None };
        let (uid, gid) = (next(10), next(10));
        if flag == b'k' || sys::is_empty(path) {
            sys::chown(path, uid, gid);
        }
        if let Some(mode) = mode {
            sys::chmod(path, mode as usize);
        }
    }
}

/// Older versions of BuildKit make directories in memory without the limit that was asked for.
fn check_sizes(spec: &Spec) {
    for value in start::flags(spec, b'z') {
        // SAFETY: the text ends with a zero.
        let text = unsafe { start::text(value) };
        let len = text.iter().take_while(|byte| **byte != b'/').count();
        let wanted = text[..len].iter().fold(0_u64, |n, digit| n.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0'))));
        // SAFETY: there are as many bytes before the path. Limits are rounded up to pages, at most 64 KiB.
        if sys::size_of_file_system(unsafe { value.add(len) }) > wanted.saturating_add(64 * 1024) {
            refuse(b'z');
        }
    }
}

fn open_stdin(spec: &Spec) -> Fd {
    if spec.stdin.is_null() {
        return sys::open(b"/dev/null\0".as_ptr(), sys::O_RDONLY, 0);
    }
    let fd = sys::open(spec.stdin, sys::O_RDONLY | sys::O_NONBLOCK, 0);
    if fd < 0 || sys::is_directory(fd) {
        refuse(b'i');
    }
    fd
}

fn stream(spec: &Spec, user: &User, n: usize, from: Fd, name: &[u8], needles: Needles) -> Stream {
    let mut redirect = -1;
    if !spec.redirects[n].is_null() {
        let flags = sys::O_WRONLY | sys::O_CREAT | sys::O_TRUNC | sys::O_NONBLOCK;
        let is_new = !sys::exists(spec.redirects[n]);
        redirect = sys::open(spec.redirects[n], flags, 0o644);
        if redirect < 0 {
            refuse(if n == 0 { b'o' } else { b'r' });
        }
        if is_new {
            sys::chown(spec.redirects[n], user.uid, user.gid);
        }
    }
    Stream {
        from,
        to: n as Fd + 1,
        file: sys::open_in(spec.dir, name),
        redirect,
        redactor: Redactor::new(needles),
        n_echoed: 0,
        n_kept: 0,
        total: 0,
        is_open: true,
    }
}

/// Waits for the command, reaps everything else, passes signals on.
fn watch(child: isize, streams: &mut [Stream; 2], combined: Fd, deadline: Option<u64>) -> End {
    let signals = sys::signal_fd();
    loop {
        if let Some(status) = sys::reap(child) {
            let signal = status & 0x7f;
            return if signal == 0 { End::Exited((status >> 8) & 0xff) } else { End::Killed(signal) };
        }
        let left = match deadline {
            None => None,
            Some(deadline) => match deadline.checked_sub(sys::now_ms()) {
                None | Some(0) => return End::TimedOut,
                left => left,
            },
        };
        let watched = |stream: &Stream| Poll::new(if stream.is_open { stream.from } else { -1 });
        let mut polls = [Poll::new(signals), watched(&streams[0]), watched(&streams[1])];
        sys::poll(&mut polls, left);
        for (stream, poll) in streams.iter_mut().zip(&polls[1..]) {
            if poll.is_ready() {
                pump(stream, combined);
            }
        }
        if polls[0].is_ready()
            && let Some(signal) = sys::read_signal(signals)
        {
            sys::kill(child, signal);
        }
    }
}

/// Takes what is there of a stream.
fn pump(stream: &mut Stream, combined: Fd) {
    let mut chunk = [0_u8; CHUNK];
    let n = sys::read(stream.from, &mut chunk);
    if n <= 0 {
        stream.is_open = false;
        return;
    }
    let bytes = &chunk[..n as usize];
    if stream.redirect >= 0 {
        sys::write_all(stream.redirect, bytes);
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        let n = stream.redactor.take(rest);
        rest = &rest[n..];
        show(stream, combined, false);
    }
}

fn flush(stream: &mut Stream, combined: Fd) {
    show(stream, combined, true);
}

/// Passes on what the redactor lets go.
fn show(stream: &mut Stream, combined: Fd, is_last: bool) {
    loop {
        let mut out = [0_u8; CHUNK];
        let n = stream.redactor.give(&mut out, is_last);
        if n == 0 {
            return;
        }
        let shown = &out[..n];
        stream.total += n;
        if stream.n_kept + n <= MAX_KEPT {
            stream.n_kept += n;
            sys::write_all(stream.file, shown);
            sys::write_all(combined, shown);
        }
        let n_echoed = n.min(MAX_ECHO - stream.n_echoed);
        stream.n_echoed += n_echoed;
        sys::write_all(stream.to, &shown[..n_echoed]);
    }
}

fn is_accepted(spec: &Spec, end: End) -> bool {
    let End::Exited(code) = end else { return false };
    // SAFETY: each text ends with a zero.
    start::flags(spec, b'x').any(|value| unsafe { *value == b'*' || start::number(value) == code as u64 })
}

fn finish(spec: &Spec, streams: &[Stream; 2], end: End) -> ! {
    let roots = sys::open_in(spec.dir, b"roots");
    tell_root(roots, b"/\0".as_ptr());
    start::flags(spec, b'm').for_each(|path| tell_root(roots, path));
    if let (End::Exited(code), true) = (end, is_accepted(spec, end)) {
        let status = sys::open_in(spec.dir, b"status");
        put_number(status, code as usize, b'\n');
        sys::exit(0);
    }
    let mut lens = [0_usize; 2];
    sys::write_all(2, b"\x1ehost-end\x1e\n");
    for (n, stream) in streams.iter().enumerate() {
        if stream.total > stream.n_echoed {
            lens[n] = sys::copy_tail(stream.file, 2, stream.n_kept, TAIL);
        }
    }
    tell(end, [streams[0].total, streams[1].total], lens)
}

fn refuse(kind: u8) -> ! {
    sys::write_all(2, b"\x1ehost-end\x1e\n");
    tell(End::Refused(kind), [0, 0], [0, 0])
}

/// Writes the last line, whose length is fixed, and ends.
fn tell(end: End, totals: [usize; 2], lens: [usize; 2]) -> ! {
    let (kind, value) = match end {
        End::Exited(code) => (b'e', code as usize),
        End::Killed(signal) => (b's', signal as usize),
        End::TimedOut => (b't', 0),
        End::Refused(kind) => (kind, 0),
        End::Cut => (b'c', 0),
    };
    sys::write_all(2, &[0x1e, kind]);
    for (n, number) in [value, totals[0], totals[1], lens[0], lens[1]].into_iter().enumerate() {
        put_padded(2, number, if n == 4 { 0x1e } else { b',' });
    }
    sys::exit(1)
}

fn tell_root(to: Fd, path: *const u8) {
    let (mode, uid, gid) = sys::owned(path);
    put_number(to, mode as usize, b' ');
    put_number(to, uid as usize, b' ');
    put_number(to, gid as usize, b'\n');
}

/// Writes a number of twelve digits.
fn put_padded(to: Fd, number: usize, end: u8) {
    let mut text = [b'0'; 13];
    let mut rest = number;
    for digit in text[..12].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    text[12] = end;
    sys::write_all(to, &text);
}

fn put_number(to: Fd, number: usize, end: u8) {
    let mut text = [0_u8; 24];
    let mut at = text.len() - 1;
    text[at] = end;
    let mut rest = number;
    loop {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    sys::write_all(to, &text[at..]);
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    sys::exit(125)
}
