//! The zone is the helper process in which steps run, each in a container of its own.
//!
//! If `host` is killed, no process and no mount is left, because everything that a step needs is in namespaces
//! that end with it:
//!
//! ```text
//! host ── supervisor ── zone init (pid 1 of its pid namespace, own mount namespace)
//!   │                      ├── worker of one request ── crun ── pid 1 of the container ── command
//!   └── control socket ────┘   ├── ...
//!                              └── the zone's network: its uplink and its router
//! ```
//!
//! The supervisor is this binary executed again; it dies with `host` (parent-death signal), zone init
//! dies with the supervisor, and with pid 1 of a pid namespace the kernel kills all of it. Mounts are
//! made in the zone's mount namespace only. As root there is no user namespace; as an ordinary user
//! there is one.
//!
//! Zone init has one thread and forks a worker for each request, so that no lock is held in a new process.
//! Each request has a socket: the host writes the request to it, the worker writes the answer, and the host
//! cancels the request by closing the socket.
//!
//! The zone uses two directories of the store:
//!
//! ```text
//! zone-v1/
//!   mount/            where the zone mounts its memory file system; empty outside of the zone
//!   root-XXXXXXXX/    the mountpoints that every root needs; the lowest lower directory
//! ```
//!
//! Steps reach the network over a router of the zone; `network` describes it.
//!
//! [`spec`] describes a step, [`client`] is the handle of a zone, and `worker` runs a step.

pub mod client;
pub mod config;
pub mod spec;

mod bundle;
mod calls;
mod cgroup;
mod copy;
mod descendants;
mod descriptors;
mod device;
mod error;
mod fault;
mod hints;
mod init_loop;
mod launch;
mod mounts;
mod network;
mod overlay;
mod protocol;
mod removals;
mod resolve;
mod room;
mod run;
mod runtime;
mod seccomp;
mod skeleton;
mod state;
mod supervisor;
mod sweeper;
mod sys;
mod sysfs;
mod tools;
mod userns;
mod worker;

pub use client::Zone;
pub use config::{ARGUMENT, DeviceGuard, ZoneCaps, ZoneConfig, ZoneMode};
pub use error::ZoneError;
pub use network::{NetworkConfig, Uplink};
pub use protocol::{Reply, Request, encode_request, read_request};
pub use spec::{After, ExecReply, ExecSpec, Limits, MountSpec, Network, RootSpec, SecretBytes, Stdin, UserSpec};
pub use state::ZoneFunction;
pub use supervisor::main;
