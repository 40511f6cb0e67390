//! Processes with bounds: one that takes too much memory, or does not end, fails its test.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use testkit::Answer;

/// The time after which a process is taken for one that does not end. It is no measure of anything.
const PATIENCE: Duration = Duration::from_secs(400);

/// What a process may take in memory, with the processes that it waits for.
///
/// The peak of a process begins with that of the process that started it.
pub(crate) const MEMORY: u64 = 1 << 30;

/// A process that was started, with its streams read.
pub(crate) struct Running {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
    deadline: Instant,
    most_bytes: u64,
    has_ended: bool,
    shown: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Runs a command to its end.
///
/// # Panics
/// If it takes more memory than [`MEMORY`], or does not end.
pub(crate) fn run(command: &mut Command) -> Answer {
    start(command).wait()
}

/// Starts a command.
pub(crate) fn start(command: &mut Command) -> Running {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) = (child.stdout.take().map(collect), child.stderr.take().map(collect));
    let (deadline, shown) = (Instant::now() + PATIENCE, format!("{command:?}"));
    Running { child, stdout, stderr, deadline, most_bytes: MEMORY, has_ended: false, shown }
}

fn collect(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until then tells more than an error of the pipe.
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Running {
    /// Sets another bound on its memory.
    pub(crate) fn within(self, most_bytes: u64) -> Self {
        let mut running = self;
        running.most_bytes = most_bytes;
        running
    }

    /// Kills the process, and not those that it started.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// If the process took more memory than it may, or does not end.
    pub(crate) fn wait(mut self) -> Answer {
        let (status, peak) = loop {
            if let Some(ended) = ended(self.child.id()).unwrap() {
                break ended;
            }
            assert!(Instant::now() < self.deadline, "{} does not end", self.shown);
            std::thread::sleep(Duration::from_millis(5));
        };
        self.has_ended = true;
        let read = |stream: Option<JoinHandle<String>>| stream.map(|read| read.join().unwrap()).unwrap_or_default();
        let (stdout, stderr) = (read(self.stdout.take()), read(self.stderr.take()));
        assert!(peak <= self.most_bytes, "{} took {} MiB\n{stderr}", self.shown, peak >> 20);
        Answer { stdout, stderr, code: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)) }
    }
}

/// Returns the wait status of a child that has ended and its peak memory in bytes.
#[expect(unsafe_code, reason = "the standard library has no wait that returns the resources used")]
fn ended(pid: u32) -> io::Result<Option<(i32, u64)>> {
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    let mut status = 0;
    // SAFETY: a `rusage` of zeros is a valid one, and both pointers are to locals of the right types.
    let (waited, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(pid, &raw mut status, libc::WNOHANG, &raw mut usage), usage)
    };
    match waited {
        0 => Ok(None),
        // Source: getrusage(2), `ru_maxrss` is in kilobytes.
        ended if ended == pid => Ok(Some((status, usage.ru_maxrss as u64 * 1024))),
        _ => Err(io::Error::last_os_error()),
    }
}

#[test]
fn a_process_that_takes_too_much_is_found() {
    let answer = run(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 7"]));
    assert_eq!((&*answer.stdout, &*answer.stderr, answer.code), ("out\n", "err\n", Some(7)));
    let mut killed = start(Command::new("sleep").arg("1000"));
    killed.kill();
    assert_eq!(killed.wait().code, None);
    let hoard = || start(Command::new("sh").args(["-c", "head -c 700000000 /dev/zero | tail -n 1 | wc -c"]));
    assert_eq!(hoard().wait().stdout, "700000000\n");
    let took = std::panic::catch_unwind(|| hoard().within(600 << 20).wait());
    assert!(took.is_err(), "more than 600 MiB were not noticed");
}
