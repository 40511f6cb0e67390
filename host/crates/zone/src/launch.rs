//! Starts the supervisor of a zone, and makes the sockets and pipes between it and the host.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;

use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;
use tokio::sync::{oneshot, watch};

use super::config::ARGUMENT;
use super::error::ZoneError;

/// Runs the supervisor on a thread of its own, which lives as long as it does: the parent-death
/// signal is sent when the *thread* that made a process ends.
pub(super) async fn keep(
    executable: PathBuf,
    control: OwnedFd,
    stderr: Arc<OwnedFd>,
) -> Result<(u32, watch::Receiver<Option<ExitStatus>>), ZoneError> {
    let (spawned, is_spawned) = oneshot::channel();
    let (ended, is_ended) = watch::channel(None);
    let name = executable.clone();
    std::thread::Builder::new()
        .name("zone-keeper".to_owned())
        .spawn(move || {
            let child = stderr.try_clone().and_then(|stderr| {
                Command::new(&executable)
                    .arg(ARGUMENT)
                    .env_clear()
                    .stdin(Stdio::from(control))
                    .stdout(Stdio::null())
                    .stderr(Stdio::from(stderr))
                    .spawn()
            });
            let mut child = match child {
                Ok(child) => child,
                Err(error) => return drop(spawned.send(Err(error))),
            };
            let _ = spawned.send(Ok(child.id()));
            let status = child.wait();
            // A supervisor that cannot be waited for is as good as gone.
            ended.send_replace(Some(status.unwrap_or_default()));
        })
        .map_err(ZoneError::socket)?;
    match is_spawned.await {
        Ok(Ok(pid)) => Ok((pid, is_ended)),
        Ok(Err(source)) => Err(ZoneError::Spawn { path: name, source }),
        Err(_) => Err(ZoneError::Spawn { path: name, source: io::ErrorKind::BrokenPipe.into() }),
    }
}

/// Hands a socket to the event loop of tokio.
#[expect(unsafe_code, reason = "tokio has no safe constructor for this any more")]
pub(super) fn register(control: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` always returns the same descriptor, which is open for as long as it lives.
    unsafe { AsyncFd::register(control).map_err(Into::into) }
}

/// Makes the control socket: ours does not block.
pub(super) fn control_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((ours, theirs))
}

/// Makes a pipe: our end does not block, theirs does.
pub(super) fn output_pipe() -> io::Result<(pipe::Receiver, OwnedFd)> {
    let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((pipe::Receiver::from_owned_fd(ours)?, theirs))
}

/// Returns the end of what the zone itself printed, which is something only when it panicked.
pub(super) fn read_tail(stderr: &OwnedFd) -> String {
    let Ok(fd) = stderr.try_clone() else { return String::new() };
    let mut file = std::fs::File::from(fd);
    let mut bytes = Vec::new();
    let n_bytes = file.metadata().map_or(0, |metadata| metadata.len());
    let _ = file.seek(SeekFrom::Start(n_bytes.saturating_sub(4096)));
    let _ = file.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).trim().to_owned()
}
