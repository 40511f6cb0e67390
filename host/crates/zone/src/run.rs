//! Runs the container runtime and watches it until nothing of the container is left.

use std::ffi::CString;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use engine::{ExecStatus, Redactor};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, Mode, OFlags};
use rustix::process::{Pid, PidfdFlags};

use super::cgroup::Slot;
use super::descendants::kill_descendants;
use super::fault::{Context as _, Fault};
use super::resolve::{Kind, open_in_root, resolve};
use super::spec::{ExecSpec, Stdin};
use super::state::ZoneState;
use super::sys::{self, Forked, WaitStatus};

/// The descriptors that come from the host.
#[derive(Debug)]
pub(super) struct Outputs {
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
}

/// The descriptors of a container.
pub(super) struct Streams {
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
    tees: Vec<Tee>,
}

/// A stream that is copied to the host and to a file of the container.
struct Tee {
    from: OwnedFd,
    to: OwnedFd,
    file: File,
    /// Replaces secrets in what the file gets. The host does so itself with what it gets.
    redactor: Redactor,
    /// The file, for a message.
    path: String,
    is_open: bool,
}

/// A container that is ready to run.
pub(super) struct Container<'a> {
    pub zone: &'a ZoneState,
    /// The name of the container, which is unique in the zone.
    pub name: &'a str,
    /// The directory with `config.json`.
    pub bundle: &'a Path,
    pub slot: Option<&'a Slot>,
}

/// Opens what the command reads from and writes to.
pub(super) fn open_streams(spec: &ExecSpec, root: BorrowedFd<'_>, outputs: Outputs) -> Result<Streams, Fault> {
    let stdin = match &spec.stdin {
        Stdin::Empty => rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .context(|| "cannot open /dev/null".to_owned())?,
        Stdin::Bytes(bytes) => {
            let what = || "cannot hold the standard input in memory".to_owned();
            let fd = rustix::fs::memfd_create("stdin", MemfdFlags::CLOEXEC).context(what)?;
            let mut file = File::from(fd);
            file.write_all(&bytes.0).context(what)?;
            file.seek(SeekFrom::Start(0)).context(what)?;
            file.into()
        }
        Stdin::File(path) => {
            let path = absolute(spec, path);
            let resolved = resolve(root, &path)?;
            let why = match resolved.found {
                Some(Kind::Other) => None,
                Some(_) => Some("it is not a file"),
                None => Some("nothing is there"),
            };
            if let Some(why) = why {
                let message = format!("cannot read the standard input from `{path}`: {why}");
                return Err(resolved
                    .found
                    .map_or(Fault::NoInput { message: message.clone() }, |_| Fault::spec(message)));
            }
            open_in_root(root, &resolved.path, OFlags::RDONLY | OFlags::NONBLOCK, 0)
                .context(|| format!("cannot read the standard input from `{path}`"))?
        }
    };
    let mut tees = Vec::new();
    let stdout = tee(spec, root, outputs.stdout, spec.redirect_stdout.as_deref(), &mut tees)?;
    let stderr = tee(spec, root, outputs.stderr, spec.redirect_stderr.as_deref(), &mut tees)?;
    Ok(Streams { stdin, stdout, stderr, tees })
}

/// Returns a path of the command as one from the root of the container.
pub(super) fn absolute(spec: &ExecSpec, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", spec.cwd) }
}

fn tee(
    spec: &ExecSpec,
    root: BorrowedFd<'_>,
    to: OwnedFd,
    path: Option<&str>,
    tees: &mut Vec<Tee>,
) -> Result<OwnedFd, Fault> {
    let Some(path) = path else { return Ok(to) };
    let path = absolute(spec, path);
    let resolved = resolve(root, &path)?;
    let parent = resolved.path.parent().unwrap_or(Path::new("")).to_owned();
    if resolved.found == Some(Kind::Directory)
        || open_in_root(root, &parent, OFlags::PATH | OFlags::DIRECTORY, 0).is_err()
    {
        return Err(Fault::spec(format!("cannot write the output to `{path}`: it is a directory, or is in none")));
    }
    // Without blocking, or a pipe of that name would wait for a reader.
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::TRUNC | OFlags::NONBLOCK;
    let file =
        open_in_root(root, &resolved.path, flags, 0o644).context(|| format!("cannot write the output to `{path}`"))?;
    if resolved.found.is_none() {
        let owner = (rustix::fs::Uid::from_raw(spec.user.uid), rustix::fs::Gid::from_raw(spec.user.gid));
        rustix::fs::fchown(&file, Some(owner.0), Some(owner.1))
            .context(|| format!("cannot give `{path}` to its owner"))?;
    }
    let (from, ours) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(|| "cannot make a pipe".to_owned())?;
    let redactor = Redactor::new(spec.secrets());
    tees.push(Tee { from, to, file: File::from(file), redactor, path, is_open: true });
    Ok(ours)
}

/// Runs the container until it has ended, its time is over, or the host takes the request back.
pub(super) fn run(
    container: &Container<'_>,
    streams: Streams,
    timeout: Option<Duration>,
    socket: BorrowedFd<'_>,
) -> Result<ExecStatus, Fault> {
    let what = || "cannot start the container runtime".to_owned();
    let Streams { stdin, stdout, stderr, mut tees } = streams;
    let (status_from, status_to) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
    let log = container.bundle.join("log");
    let args = arguments(container, &log).context(what)?;
    let started = Instant::now();
    let pid = match sys::fork(0).context(what)? {
        Forked::Child => {
            let joined = container.slot.map_or(Ok(()), Slot::join);
            if let Err(fault) = joined {
                let _ = std::fs::write(&log, fault.to_string());
                sys::exit(125);
            }
            become_runtime(container, &args, [stdin.as_fd(), stdout.as_fd(), stderr.as_fd(), status_to.as_fd()])
        }
        Forked::Parent(pid) => pid,
    };
    drop((stdin, stdout, stderr, status_to));
    let watched = watch(pid, &mut tees, timeout.map(|timeout| started + timeout), socket);
    let ended = match watched {
        Ok(Watched::Ended) => sys::reap(pid, true).context(what)?.map(|(_, status)| status),
        Ok(Watched::TimedOut | Watched::Cancelled) | Err(_) => {
            kill_descendants();
            None
        }
    };
    match watched? {
        Watched::TimedOut => {
            let after_ms = timeout.map_or(0, |timeout| timeout.as_millis().try_into().unwrap_or(u64::MAX));
            Ok(ExecStatus::TimedOut { after_ms })
        }
        Watched::Cancelled => Ok(ExecStatus::Cancelled),
        Watched::Ended => {
            // Everything that could write to them is gone.
            while tees.iter().any(|tee| tee.is_open) {
                tees.iter_mut().try_for_each(copy)?;
            }
            status(status_from, ended.unwrap_or(WaitStatus(0)), &log, container.slot)
        }
    }
}

fn arguments(container: &Container<'_>, log: &Path) -> std::io::Result<Vec<CString>> {
    let option = |name: &str, path: &Path| format!("--{name}{}", path.display());
    [
        "crun".to_owned(),
        option("root=", &container.zone.memory.join("crun")),
        "--cgroup-manager=disabled".to_owned(),
        option("log=file:", log),
        "run".to_owned(),
        // The zone has left the keyring of whoever started it; one more per step would fill the user's quota.
        "--no-new-keyring".to_owned(),
        "--preserve-fds=1".to_owned(),
        option("bundle=", container.bundle),
        container.name.to_owned(),
    ]
    .iter()
    .map(sys::c_text)
    .collect()
}

fn become_runtime(container: &Container<'_>, args: &[CString], streams: [BorrowedFd<'_>; 4]) -> ! {
    // First above all four numbers, so that none is overwritten before it is in its place.
    let high: Vec<OwnedFd> = streams.iter().filter_map(|fd| rustix::io::fcntl_dupfd_cloexec(fd, 10).ok()).collect();
    let are_placed =
        high.len() == streams.len() && (0..).zip(&high).all(|(number, fd)| sys::dup_onto(fd.as_fd(), number).is_ok());
    if are_placed {
        sys::reset_signals();
        let _ = sys::exec_fd(container.zone.runtime.fd.as_fd(), args, &[]);
    }
    sys::exit(125)
}

enum Watched {
    Ended,
    TimedOut,
    Cancelled,
}

fn watch(pid: i32, tees: &mut [Tee], deadline: Option<Instant>, socket: BorrowedFd<'_>) -> Result<Watched, Fault> {
    let what = || "cannot watch the container".to_owned();
    let pid = Pid::from_raw(pid).ok_or_else(|| Fault::Protocol { message: "a process without an id".to_owned() })?;
    let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).context(what)?;
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok(Watched::TimedOut);
        }
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let hang_up = PollFlags::RDHUP | PollFlags::IN;
        let mut fds = vec![PollFd::new(&pidfd, PollFlags::IN), PollFd::from_borrowed_fd(socket, hang_up)];
        let open: Vec<usize> = (0..tees.len()).filter(|n| tees[*n].is_open).collect();
        fds.extend(open.iter().map(|n| PollFd::new(&tees[*n].from, PollFlags::IN)));
        match poll(&mut fds, left.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Fault::system(what(), error)),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        if ready[0] {
            return Ok(Watched::Ended);
        }
        if ready[1] {
            return Ok(Watched::Cancelled);
        }
        for (n, is_ready) in open.into_iter().zip(&ready[2..]) {
            if *is_ready {
                copy(&mut tees[n])?;
            }
        }
    }
}

/// Copies what is there to the host and to the file.
///
/// # Errors
/// If the file cannot take it: a result with half of an output would look like a whole one.
fn copy(tee: &mut Tee) -> Result<(), Fault> {
    let mut bytes = [0; 64 * 1024];
    let n_bytes = match rustix::io::read(&tee.from, &mut bytes) {
        Ok(n_bytes) => n_bytes,
        Err(rustix::io::Errno::INTR) => return Ok(()),
        Err(error) => return Err(Fault::system("cannot read the output of the command", error)),
    };
    let mut rest = &bytes[..n_bytes];
    let shown = if rest.is_empty() { tee.redactor.finish() } else { tee.redactor.push(rest) };
    tee.file.write_all(&shown).context(|| format!("cannot write the output to `{}`", tee.path))?;
    tee.is_open = !rest.is_empty();
    while !rest.is_empty() {
        match rustix::io::write(&tee.to, rest) {
            Ok(n_bytes) => rest = &rest[n_bytes..],
            // The host is gone, or has heard enough. If it is gone, the request is cancelled.
            Err(_) => break,
        }
    }
    Ok(())
}

/// Returns how the command ended, from what pid 1 wrote and how the runtime ended.
fn status(from: OwnedFd, runtime: WaitStatus, log: &Path, slot: Option<&Slot>) -> Result<ExecStatus, Fault> {
    let mut bytes = [0; 4];
    let told = File::from(from).read_exact(&mut bytes).is_ok().then(|| WaitStatus(i32::from_ne_bytes(bytes)));
    let status = match (told, runtime.code()) {
        (Some(told), _) => match (told.code(), told.signal()) {
            (Some(code), _) => ExecStatus::Exited { code },
            (None, signal) => ExecStatus::Killed { signal: signal.unwrap_or(libc::SIGKILL) },
        },
        // Pid 1 itself was killed, or never started.
        (None, code) => {
            let printed = std::fs::read_to_string(log).unwrap_or_default();
            if !printed.trim().is_empty() || code == Some(125) || code == Some(1) {
                return Err(Fault::Runtime { message: first_error(&printed) });
            }
            ExecStatus::Killed { signal: code.map_or(libc::SIGKILL, |code| (code - 128).clamp(1, 64)) }
        }
    };
    let is_success = status == ExecStatus::Exited { code: 0 };
    Ok(if !is_success && slot.is_some_and(Slot::is_out_of_memory) { ExecStatus::OutOfMemory } else { status })
}

/// Returns what the runtime says, without the time before it.
fn first_error(printed: &str) -> String {
    let lines: Vec<&str> = printed.lines().map(|line| line.split_once("Z: ").map_or(line, |(_, text)| text)).collect();
    if lines.is_empty() { "it said nothing".to_owned() } else { lines.join("; ") }
}

/// Returns where the runtime keeps what it knows about a container.
pub(super) fn runtime_state(zone: &ZoneState, name: &str) -> PathBuf {
    zone.memory.join("crun").join(name)
}
