//! The handle of a zone in `host`: starts it, sends requests to it, and passes on the output of commands.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use engine::OutputStream;
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::config::{ZoneCaps, ZoneConfig, ZoneMode, notes};
use super::descriptors::{MAX_PACKET_BYTES, send_fds};
use super::error::ZoneError;
use super::launch::{control_pair, keep, output_pipe, read_tail, register};
use super::protocol::{Config, Reply, Request, Started, encode_request};
use super::runtime::find_runtime;
use super::spec::{ExecReply, ExecSpec};
use super::userns;

/// The time that a zone has to start. It needs milliseconds, and more on a machine that swaps.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// The time for which output is awaited after all processes of the command have ended. Only a descriptor
/// that was passed to another container can keep the pipe open for longer.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The number of bytes that are read at once: the size of a pipe.
const READ_BYTES: usize = 64 * 1024;

/// A running zone. Dropping it ends all of its processes.
#[derive(Debug)]
pub struct Zone {
    control: AsyncFd<OwnedFd>,
    caps: ZoneCaps,
    /// The exit status of the supervisor, after it has ended.
    ended: watch::Receiver<Option<ExitStatus>>,
    stderr: Arc<OwnedFd>,
    supervisor_pid: u32,
}

impl Zone {
    /// Starts a zone, and waits until it can take requests.
    ///
    /// # Errors
    /// If a program is missing, or the system refuses something that a zone needs. The hint of the error says
    /// what to change.
    pub async fn start(config: ZoneConfig) -> Result<Self, ZoneError> {
        let is_user_namespace = match config.mode {
            ZoneMode::Auto => !(rustix::process::geteuid().is_root() && userns::may_mount()),
            ZoneMode::Root => false,
            ZoneMode::User => true,
        };
        let runtime = find_runtime(config.runtime.as_deref(), &config.tools)?;
        let greeting = Config {
            runtime,
            tools: config.tools,
            store: config.store,
            is_user_namespace,
            is_upper_forced_to_memory: config.is_upper_forced_to_memory,
            is_old_mount_forced: config.is_old_mount_forced,
            devices: config.devices,
            network: config.network,
            parent: std::process::id(),
        };
        let (control, theirs) = control_pair().map_err(ZoneError::socket)?;
        let greeting = postcard::to_stdvec(&greeting).map_err(|_| ZoneError::Store { path: greeting.store.clone() })?;
        rustix::net::send(&control, &greeting, SendFlags::NOSIGNAL).map_err(ZoneError::socket)?;
        let stderr =
            rustix::fs::memfd_create("zone-stderr", rustix::fs::MemfdFlags::CLOEXEC).map_err(ZoneError::socket)?;
        let stderr = Arc::new(stderr);
        let (supervisor_pid, ended) = keep(config.executable, theirs, stderr.clone()).await?;
        let control = register(control).map_err(ZoneError::socket)?;
        let mut zone = Self {
            control,
            caps: ZoneCaps {
                is_user_namespace,
                has_owners: false,
                has_limits: false,
                has_sysfs: false,
                has_device_rules: false,
                is_upper_in_memory: false,
                is_seccomp_compiled: false,
                network: Err(String::new()),
                notes: Vec::new(),
            },
            ended,
            stderr,
            supervisor_pid,
        };
        let started = match tokio::time::timeout(START_TIMEOUT, zone.read_started()).await {
            Ok(started) => started?,
            Err(_) => return Err(ZoneError::StartTimeout { limit: START_TIMEOUT }),
        };
        let info = started.map_err(ZoneError::from_fault)?;
        zone.caps.has_owners = info.has_owners;
        zone.caps.has_limits = info.has_limits;
        zone.caps.has_sysfs = info.has_sysfs;
        zone.caps.has_device_rules = info.has_device_rules;
        zone.caps.is_upper_in_memory = info.is_upper_in_memory;
        zone.caps.is_seccomp_compiled = info.is_seccomp_compiled;
        zone.caps.network = info.network;
        zone.caps.notes = notes(&zone.caps);
        Ok(zone)
    }

    /// Returns the capabilities of the zone.
    #[must_use]
    pub fn caps(&self) -> &ZoneCaps {
        &self.caps
    }

    /// Returns the process id of the supervisor. If it is killed, the kernel ends everything in the zone.
    #[must_use]
    pub fn supervisor_pid(&self) -> u32 {
        self.supervisor_pid
    }

    /// Returns whether the supervisor is running.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.ended.borrow().is_none()
    }

    /// Runs a step. `output` is called with what the command prints, as it arrives.
    ///
    /// Every end of a command is an outcome, not an error: any exit code, a signal, a time-out and a cancellation.
    /// After the last two, none of its processes is left, and the caller deletes its upper directories.
    ///
    /// # Errors
    /// If the container cannot be made, the output cannot be written, or the zone ends.
    ///
    /// # Cancel safety
    /// Dropping the future kills the command some time later. `cancel` kills it before this returns.
    pub async fn exec(
        &self,
        spec: &ExecSpec,
        cancel: &CancellationToken,
        mut output: impl FnMut(OutputStream, &[u8]) + Send,
    ) -> Result<ExecReply, ZoneError> {
        let (mut stdout, stdout_theirs) = output_pipe().map_err(ZoneError::socket)?;
        let (mut stderr, stderr_theirs) = output_pipe().map_err(ZoneError::socket)?;
        let body = encode_request(&Request::Exec(Box::new(spec.clone()))).map_err(ZoneError::from_fault)?;
        let socket = self.open_request(b"e", &[stdout_theirs, stderr_theirs]).await?;
        let (mut replies, mut requests) = socket.into_split();
        // A worker that died already shows as an empty reply.
        let _ = requests.write_all(&body).await;

        let mut requests = Some(requests);
        let mut reply = Vec::new();
        let (mut is_replied, mut is_stdout_open, mut is_stderr_open) = (false, true, true);
        let mut stdout_bytes = vec![0; READ_BYTES];
        let mut stderr_bytes = vec![0; READ_BYTES];
        let drain = tokio::time::sleep(Duration::from_secs(u32::MAX.into()));
        tokio::pin!(drain);
        while !is_replied || is_stdout_open || is_stderr_open {
            tokio::select! {
                () = cancel.cancelled(), if requests.is_some() => requests = None,
                read = stdout.read(&mut stdout_bytes), if is_stdout_open => match read {
                    Ok(0) | Err(_) => is_stdout_open = false,
                    Ok(n_bytes) => output(OutputStream::Stdout, &stdout_bytes[..n_bytes]),
                },
                read = stderr.read(&mut stderr_bytes), if is_stderr_open => match read {
                    Ok(0) | Err(_) => is_stderr_open = false,
                    Ok(n_bytes) => output(OutputStream::Stderr, &stderr_bytes[..n_bytes]),
                },
                read = replies.read_buf(&mut reply), if !is_replied => {
                    if matches!(read, Ok(0) | Err(_)) {
                        is_replied = true;
                        drain.as_mut().reset(tokio::time::Instant::now() + DRAIN_TIMEOUT);
                    }
                }
                () = &mut drain => break,
            }
        }
        match self.decode_reply(&reply).await? {
            Reply::Exec(reply) => Ok(reply),
            Reply::Fault(fault) => Err(ZoneError::from_fault(fault)),
            Reply::Call(_) => Err(ZoneError::Reply),
        }
    }

    /// Calls a function of the zone in a process of its own, as root of the namespaces of the zone.
    ///
    /// # Errors
    /// [`ZoneError::Function`] if the function returns an error; otherwise as for [`Self::exec`].
    ///
    /// # Cancel safety
    /// Dropping the future kills the process.
    pub async fn call(&self, name: &str, payload: &[u8]) -> Result<Vec<u8>, ZoneError> {
        let request = Request::Call { name: name.to_owned(), payload: payload.to_vec() };
        let body = encode_request(&request).map_err(ZoneError::from_fault)?;
        let mut socket = self.open_request(b"c", &[]).await?;
        let _ = socket.write_all(&body).await;
        let mut reply = Vec::new();
        let _ = socket.read_to_end(&mut reply).await;
        match self.decode_reply(&reply).await? {
            Reply::Call(result) => result.map_err(|message| ZoneError::Function { name: name.to_owned(), message }),
            Reply::Fault(fault) => Err(ZoneError::from_fault(fault)),
            Reply::Exec(_) => Err(ZoneError::Reply),
        }
    }

    /// Ends the zone, and waits until all of its processes have ended.
    pub async fn stop(self) {
        let Self { control, mut ended, .. } = self;
        drop(control);
        let _ = ended.wait_for(Option::is_some).await;
    }

    /// Makes the socket of a request and hands it to the zone.
    async fn open_request(&self, kind: &[u8; 1], outputs: &[OwnedFd]) -> Result<UnixStream, ZoneError> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(ZoneError::socket)?;
        ours.set_nonblocking(true).map_err(ZoneError::socket)?;
        let ours = UnixStream::from_std(ours).map_err(ZoneError::socket)?;
        let mut fds: Vec<BorrowedFd<'_>> = vec![theirs.as_fd()];
        fds.extend(outputs.iter().map(AsFd::as_fd));
        let sent =
            self.control.async_io(tokio::io::Interest::WRITABLE, |control| Ok(send_fds(control, kind, &fds)?)).await;
        if sent.is_err() {
            return Err(self.death().await);
        }
        Ok(ours)
    }

    async fn read_started(&mut self) -> Result<Started, ZoneError> {
        let mut packet = vec![0; MAX_PACKET_BYTES];
        let read = self
            .control
            .async_io(tokio::io::Interest::READABLE, |control| {
                let (n_bytes, _) = rustix::net::recv(control, &mut packet[..], RecvFlags::empty())?;
                Ok(n_bytes)
            })
            .await;
        match read {
            Ok(n_bytes) if n_bytes > 0 => postcard::from_bytes(&packet[..n_bytes]).map_err(|_| ZoneError::Reply),
            _ => Err(self.death().await),
        }
    }

    async fn decode_reply(&self, bytes: &[u8]) -> Result<Reply, ZoneError> {
        if bytes.is_empty() {
            return Err(self.death().await);
        }
        postcard::from_bytes(bytes).map_err(|_| ZoneError::Reply)
    }

    /// Returns how the zone, or one worker of it, died.
    async fn death(&self) -> ZoneError {
        let mut ended = self.ended.clone();
        let waited = tokio::time::timeout(Duration::from_millis(200), ended.wait_for(Option::is_some)).await;
        let status = match waited {
            Ok(Ok(status)) => *status,
            _ => None,
        };
        let printed = read_tail(&self.stderr);
        match status {
            Some(status) => ZoneError::Died { status: status.to_string(), printed },
            None => ZoneError::WorkerDied { printed },
        }
    }
}
