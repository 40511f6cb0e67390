//! What the command prints: kept in files, shown in Docker's log, and written where it is redirected to.

use super::flags::Flags;
use super::params::Params;
use super::redact::{CHUNK, Redactor};
use super::report::{self, Refusal};
use super::user::User;
use crate::sys::{self, Errno, Fd};

/// How much of each stream goes to Docker's log as it comes; Docker cuts each at 2 MiB.
const MAX_SHOWN: usize = 1 << 20;
/// How much of each stream is kept if the parameters do not say.
const MAX_KEPT: usize = 256 << 20;
/// How much of the end of each stream a failure tells if Docker's log has not all of it.
const MAX_END: usize = 100 * 1024;

/// Standard output and standard error of the command.
pub(super) struct Streams {
    both: [Stream; 2],
    /// The file that gets both, in the order in which they came.
    combined: Fd,
}

struct Stream {
    /// The end of the pipe; nothing when all of it was read.
    from: Option<Fd>,
    /// The stream of the shim that Docker's log is made of.
    log: Fd,
    file: Fd,
    redirect: Option<Fd>,
    redactor: Redactor,
    n_shown: usize,
    n_kept: usize,
    max_kept: usize,
    total: usize,
}

impl Streams {
    /// Opens the files that get what is printed. `pipes` are the ends to read standard output and standard error from,
    /// and `params` say what is replaced, and how much is kept.
    pub(super) fn open(flags: &Flags, user: &User, pipes: [Fd; 2], params: &Params) -> Result<Self, Refusal> {
        let combined = report::open(flags, b"combined")?;
        let stream = |n: usize, log, name, refusal| -> Result<Stream, Refusal> {
            Ok(Stream {
                from: Some(pipes[n]),
                log,
                file: report::open(flags, name)?,
                redirect: open_redirect(flags, user, n).map_err(|_| refusal)?,
                redactor: Redactor::new(params.secrets())?,
                n_shown: 0,
                n_kept: 0,
                max_kept: params.max_kept().unwrap_or(MAX_KEPT),
                total: 0,
            })
        };
        let stdout = stream(0, Fd::STDOUT, b"stdout", Refusal::Output)?;
        let stderr = stream(1, Fd::STDERR, b"stderr", Refusal::ErrorOutput)?;
        Ok(Self { both: [stdout, stderr], combined })
    }

    /// Returns the ends that there is something to read from, or will be.
    pub(super) fn open_ends(&self) -> [Option<Fd>; 2] {
        [self.both[0].from, self.both[1].from]
    }

    /// Takes some of what there is to read. It is an error if a file cannot take it: half of an output would look
    /// like a whole one.
    pub(super) fn pump(&mut self, is_ready: [bool; 2]) -> Result<(), Errno> {
        let mut ready = self.both.iter_mut().zip(is_ready).filter(|(_, is_ready)| *is_ready);
        ready.try_for_each(|(stream, _)| stream.pump(self.combined).map(drop))
    }

    /// Takes all that there is to read, and shows what was held back.
    ///
    /// A process that this one cannot end may hold the pipe open. It is not waited for.
    pub(super) fn drain(&mut self) -> Result<(), Errno> {
        for stream in &mut self.both {
            while stream.pump(self.combined)? {}
            stream.show(self.combined, true)?;
        }
        Ok(())
    }

    /// Returns whether more was printed than was kept.
    pub(super) fn is_cut(&self) -> bool {
        self.both.iter().any(|stream| stream.total > stream.n_kept)
    }

    /// Returns how many bytes each stream had.
    pub(super) fn totals(&self) -> [usize; 2] {
        [self.both[0].total, self.both[1].total]
    }

    /// Writes the ends of the streams that Docker's log has not all of. Returns how many bytes of each.
    pub(super) fn write_ends(&self, to: Fd) -> Result<[usize; 2], Errno> {
        let mut lengths = [0; 2];
        for (stream, length) in self.both.iter().zip(&mut lengths) {
            if stream.total > stream.n_shown {
                *length = copy_end(stream.file, to, stream.n_kept)?;
            }
        }
        Ok(lengths)
    }
}

impl Stream {
    /// Takes some of what there is to read. Returns whether there was something.
    fn pump(&mut self, combined: Fd) -> Result<bool, Errno> {
        let Some(from) = self.from else { return Ok(false) };
        let mut chunk = [0_u8; CHUNK];
        let n_bytes = match sys::read(from, &mut chunk) {
            Ok(0) => {
                self.from = None;
                return Ok(false);
            }
            Err(Errno::AGAIN) => return Ok(false),
            result => result?,
        };
        let mut rest = &chunk[..n_bytes];
        while !rest.is_empty() {
            let n_taken = self.redactor.take(rest);
            rest = &rest[n_taken..];
            self.show(combined, false)?;
        }
        Ok(true)
    }

    /// Passes on what the redactor lets go.
    fn show(&mut self, combined: Fd, is_last: bool) -> Result<(), Errno> {
        let mut out = [0_u8; CHUNK];
        while let n_bytes @ 1.. = self.redactor.give(&mut out, is_last) {
            let shown = &out[..n_bytes];
            self.total += n_bytes;
            if let Some(redirect) = self.redirect {
                sys::write_all(redirect, shown)?;
            }
            if self.n_kept + n_bytes <= self.max_kept {
                self.n_kept += n_bytes;
                sys::write_all(self.file, shown)?;
                sys::write_all(combined, shown)?;
            }
            let n_shown = n_bytes.min(MAX_SHOWN - self.n_shown);
            self.n_shown += n_shown;
            // The log is for people to watch; the result is made of the file.
            let _ = sys::write_all(self.log, &shown[..n_shown]);
        }
        Ok(())
    }
}

/// Opens the file that a stream is redirected to. A new one belongs to the user.
fn open_redirect(flags: &Flags, user: &User, n: usize) -> Result<Option<Fd>, Errno> {
    let Some(path) = flags.redirects[n] else { return Ok(None) };
    let is_new = !sys::exists(path);
    let fd = sys::open(path, sys::O_WRONLY | sys::O_CREAT | sys::O_TRUNC | sys::O_NONBLOCK, 0o644)?;
    if is_new {
        let _ = sys::chown(path, user.uid, user.gid);
    }
    Ok(Some(fd))
}

/// Copies the end of a file of `len` bytes. Returns how many bytes.
fn copy_end(from: Fd, to: Fd, len: usize) -> Result<usize, Errno> {
    let first = len.saturating_sub(MAX_END);
    let (mut at, mut chunk) = (first, [0_u8; 4096]);
    while at < len {
        let n_bytes = chunk.len().min(len - at);
        match sys::read_at(from, &mut chunk[..n_bytes], at)? {
            0 => break,
            n_bytes => {
                sys::write_all(to, &chunk[..n_bytes])?;
                at += n_bytes;
            }
        }
    }
    Ok(at - first)
}
