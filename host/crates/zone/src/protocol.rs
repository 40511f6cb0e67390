//! The messages between `host` and the zone.
//!
//! The *control socket* keeps packets apart (`SOCK_SEQPACKET`). Its first packet is a [`Config`], the
//! zone answers with one [`Started`], and every packet after that is one byte with the descriptors
//! of a new request: its socket, and for a step the write ends of standard output and error.
//!
//! A *request socket* is a stream. The host writes four bytes of length and a [`Request`]; the worker
//! writes a [`Reply`] and closes. The host cancels by closing its writing half.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::config::DeviceGuard;
use super::fault::{Context as _, Fault};
use super::network::{NetworkConfig, Uplink};
use super::spec::{ExecReply, ExecSpec};

/// The most that a request may take; larger lengths are a broken peer.
const MAX_REQUEST_BYTES: u32 = 512 * 1024 * 1024;

/// The settings that the zone gets when it starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Config {
    pub runtime: PathBuf,
    /// The directories in which the programs of the network are searched for.
    pub tools: Vec<PathBuf>,
    pub store: PathBuf,
    /// Whether to make a user namespace.
    pub is_user_namespace: bool,
    /// Whether to act as if the file system of the store could not hold upper directories.
    pub is_upper_forced_to_memory: bool,
    /// Whether to act as a kernel before 6.7, without `lowerdir+`.
    pub is_old_mount_forced: bool,
    /// What is done about the devices of this machine.
    pub devices: DeviceGuard,
    /// How steps reach the network; without it none does.
    pub network: Option<NetworkConfig>,
    /// The process that asks, to notice when it is gone.
    pub parent: u32,
}

/// The result of the start of a zone.
pub(super) type Started = Result<StartInfo, Fault>;

/// The capabilities of a zone, as it reports them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StartInfo {
    /// Whether all owners can be given to files.
    pub has_owners: bool,
    /// Whether limits can be set.
    pub has_limits: bool,
    /// Whether upper directories are in memory and copied.
    pub is_upper_in_memory: bool,
    /// Whether the runtime takes a finished seccomp program.
    pub is_seccomp_compiled: bool,
    /// Whether steps have a `/sys` of their own.
    pub has_sysfs: bool,
    /// Whether the kernel keeps steps from the devices of this machine by rules, too.
    pub has_device_rules: bool,
    /// How steps reach the network, or why they cannot.
    pub network: Result<Uplink, String>,
}

/// The request to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Run a step.
    Exec(Box<ExecSpec>),
    /// Run a function of the table.
    Call {
        /// Its name in the table.
        name: String,
        /// What it is given.
        payload: Vec<u8>,
    },
}

/// The answer of a worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// What a step left.
    Exec(ExecReply),
    /// What a function returned, or why it failed.
    Call(Result<Vec<u8>, String>),
    /// Why the request could not be carried out.
    Fault(Fault),
}

/// Returns a request as the bytes that go over its socket.
///
/// # Errors
/// If a path in it is not UTF-8.
pub fn encode_request(request: &Request) -> Result<Vec<u8>, Fault> {
    let body =
        postcard::to_stdvec(request).map_err(|error| Fault::spec(format!("the request cannot be written: {error}")))?;
    let mut bytes = Vec::with_capacity(body.len() + 4);
    let n_bytes = u32::try_from(body.len()).map_err(|_| Fault::spec("the request is larger than 4 GiB"))?;
    bytes.extend_from_slice(&n_bytes.to_le_bytes());
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// Reads a request from its socket.
///
/// # Errors
/// If the host is gone or wrote nonsense.
pub fn read_request(socket: &mut impl Read) -> Result<Request, Fault> {
    let mut length = [0; 4];
    socket.read_exact(&mut length).context(|| "cannot read the length of a request".to_owned())?;
    let n_bytes = u32::from_le_bytes(length);
    if n_bytes > MAX_REQUEST_BYTES {
        return Err(Fault::Protocol { message: format!("a request of {n_bytes} bytes is too large") });
    }
    let mut body = vec![0; n_bytes as usize];
    socket.read_exact(&mut body).context(|| "cannot read a request".to_owned())?;
    postcard::from_bytes(&body)
        .map_err(|error| Fault::Protocol { message: format!("a request cannot be decoded: {error}") })
}

/// Writes a reply; the caller closes the socket behind it.
///
/// # Errors
/// If the host is gone.
pub(super) fn write_reply(socket: &mut impl Write, reply: &Reply) -> io::Result<()> {
    let bytes = postcard::to_stdvec(reply).map_err(io::Error::other)?;
    socket.write_all(&bytes)
}
