//! Process 1 of a container of Docker: starts the command, keeps what it prints, and reports how it ended.
//!
//! `shim FLAGS... -- COMMAND ARGUMENTS...`. A flag is a letter with its value behind it. The crate of
//! the Docker engine writes the flags in `step.rs`, and reads the report in `trailer.rs`:
//!
//! | flag | meaning |
//! | --- | --- |
//! | `xN`, `x*` | an exit code that is no failure; all of them |
//! | `iPATH` | the file that is the standard input |
//! | `oPATH`, `rPATH` | the files that get standard output and standard error too |
//! | `dDIR` | the directory that gets `stdout`, `stderr`, `combined`, `status`, `roots` and `stubs` |
//! | `pPATH` | the file with the parameters, which need not be there; see `params.rs` |
//! | `uNAME` | the user that runs the command |
//! | `wPATH` | the working directory, which is made if it is not there |
//! | `l` | keeps the command from gaining privileges |
//! | `h` | sets `HOME` to the home directory of the user |
//! | `mPATH` | a directory whose mode and owner are written to `roots`, after those of `/` |
//! | `bDIR` | a directory that is mounted on, as it was: first the root, then others |
//! | `cPATH` | a path that is written to `stubs`, with the number of the last `bDIR`, if it is not there |
//! | `fPATH` | the file with the mountpoints that the step before left, which are removed |
//! | `zBYTES/PATH` | refuses to run if the directory in memory is larger |
//! | `kMODE:UID:GID/PATH` | gives a directory its mode and owner |
//! | `qUID:GID/PATH` | gives a directory its owner if it is empty |
//!
//! When process 1 ends, the kernel ends everything in the container.
//!
//! `shim hold` runs no command. It waits until it is ended: Docker keeps a volume in memory for as long as a container
//! runs that has it.

mod flags;
mod params;
mod redact;
mod report;
mod streams;
mod stubs;
mod user;

use self::flags::Flags;
use self::params::Params;
use self::report::{End, Refusal};
use self::streams::Streams;
use self::user::User;
use crate::exec::{CANNOT_EXECUTE, become_command};
use crate::sys::{self, Errno, Fd, Forked, Pid, Poll, Signal};
use crate::text::TextList;

/// The exit code if the flags are wrong.
const WRONG_FLAGS: i32 = 125;

/// Runs the command, and returns the exit code of the container.
pub(crate) fn main(args: TextList, env: TextList) -> i32 {
    if args.rest().first() == Some(c"hold") {
        return hold();
    }
    let Some(flags) = Flags::parse(args.rest()) else { return WRONG_FLAGS };
    match run(&flags, env) {
        Ok(code) => code,
        Err(Refusal::Broken(error)) => report::broken(error),
        Err(refusal) => report::refused(refusal),
    }
}

/// Waits for a signal that ends it.
fn hold() -> i32 {
    sys::block_signals();
    while sys::wait_for_signal().is_none_or(|signal| signal == Signal::CHILD) {}
    0
}

fn run(flags: &Flags, env: TextList) -> Result<i32, Refusal> {
    stubs::remove_and_note(flags)?;
    own_directories(flags);
    check_sizes(flags)?;
    let user = user::resolve(flags.user, flags.before().unwrap_or(c""))?;
    sys::enter(flags.cwd).map_err(|_| Refusal::Directory)?;
    sys::block_signals();
    sys::hide();
    let params = Params::read(flags.params);
    let stdin = open_stdin(flags)?;
    let (out_from, out_to) = sys::pipe()?;
    let (err_from, err_to) = sys::pipe()?;
    let mut streams = Streams::open(flags, &user, [out_from, err_from], &params)?;
    let end = match sys::fork() {
        Ok(Forked::Child) => return start(flags, &user, &params, env, [stdin, out_to, err_to]),
        Ok(Forked::Parent(child)) => {
            sys::close(out_to);
            sys::close(err_to);
            watch(child, &mut streams, params.deadline())?
        }
        Err(_) => End::Exited(CANNOT_EXECUTE),
    };
    sys::kill_all_others();
    streams.drain()?;
    report::finish(flags, &streams, end)
}

/// Is the command. Returns the exit code if it could not be executed.
fn start(
    flags: &Flags,
    user: &User,
    params: &Params,
    env: TextList,
    [stdin, out, err]: [Fd; 3],
) -> Result<i32, Refusal> {
    sys::set_standard_streams(stdin, out, err)?;
    sys::unblock_signals();
    sys::become_user(user.uid, user.gid, user.groups())?;
    if flags.has_fixed_privileges {
        sys::fix_privileges()?;
    }
    let env = params::environment(flags, user, params, env)?;
    Ok(become_command(flags.command, env))
}

/// Gives directories their modes and owners. A directory that is not there is left out.
fn own_directories(flags: &Flags) {
    for (letter, numbers, path) in flags.with_numbers() {
        let _ = match (letter, numbers) {
            (b'k', [mode, uid, gid]) => {
                // The owner first, for `chown` takes some bits of the mode away.
                sys::chown(path, uid as u32, gid as u32).and_then(|()| sys::chmod(path, mode as u32))
            }
            (b'q', [uid, gid, _]) if sys::is_empty(path) => sys::chown(path, uid as u32, gid as u32),
            _ => Ok(()),
        };
    }
}

/// Refuses directories in memory that are larger than they may be: older versions of BuildKit do not limit them.
fn check_sizes(flags: &Flags) -> Result<(), Refusal> {
    // The kernel rounds sizes up to pages, which are at most this large.
    const PAGE: u64 = 64 * 1024;
    for (letter, [size, ..], path) in flags.with_numbers() {
        if letter == b'z' && sys::size_of_file_system(path)? > size.saturating_add(PAGE) {
            return Err(Refusal::Size);
        }
    }
    Ok(())
}

fn open_stdin(flags: &Flags) -> Result<Fd, Refusal> {
    let Some(path) = flags.stdin else { return Ok(sys::open(c"/dev/null", sys::O_RDONLY, 0)?) };
    match sys::open(path, sys::O_RDONLY | sys::O_NONBLOCK, 0) {
        Ok(fd) if !sys::is_directory(fd) => Ok(fd),
        Err(Errno::NOENT) => Err(Refusal::NoInput),
        _ => Err(Refusal::Input),
    }
}

/// Waits for the command, keeps what it prints, reaps everything else, and passes signals on.
fn watch(child: Pid, streams: &mut Streams, deadline: Option<u64>) -> Result<End, Errno> {
    let signals = sys::open_signals()?;
    loop {
        if let Some(status) = sys::reap(child) {
            return Ok(status.exit_code().map_or(End::Killed(status.signal()), End::Exited));
        }
        let left_ms = deadline.map(|deadline| deadline.saturating_sub(sys::now_ms()));
        if left_ms == Some(0) {
            return Ok(End::TimedOut);
        }
        let [out, err] = streams.open_ends();
        let mut polls = [Poll::new(Some(signals)), Poll::new(out), Poll::new(err)];
        sys::poll(&mut polls, left_ms);
        let [signal, out, err] = polls.map(|poll| poll.is_ready());
        streams.pump([out, err])?;
        // It may never end by itself.
        if streams.is_cut() {
            return Ok(End::Cut);
        }
        if signal && let Some(signal) = sys::read_signal(signals).filter(|signal| *signal != Signal::CHILD) {
            sys::kill(child, signal);
        }
    }
}
