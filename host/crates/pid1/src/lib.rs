//! The programs that are process 1 of a step: they start the command, and report how it ended.
//!
//! Each is a static program without the standard library, so that it runs in any root. `build.rs`
//! compiles them; this crate has their bytes.

/// The program that the zone starts as process 1 of a container. Its arguments are the command.
pub const INIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/init"));

/// The program that Docker starts as process 1 of a container. Its flags are written in `shim/shim.rs`.
pub const SHIM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shim"));
