//! The programs that are process 1 of a step: they start the command, and report how it ended.
//!
//! There are two: [`INIT`] in the zone's containers, and [`SHIM`] in Docker's. Each is a static program
//! of some kilobytes without the standard library and without libc, so that it runs in any root.
//!
//! This file is the root of three things. Cargo compiles it as a library, which has the bytes of the
//! programs, and in which their code is formatted, linted and tested like all other code. The build
//! script compiles it two more times, as the programs, with `--cfg program="init"` and
//! `--cfg program="shim"`.

#![cfg_attr(program, no_std, no_main)]

#[cfg(program)]
mod entry;
mod exec;
#[cfg(any(not(program), program = "init"))]
mod init;
#[cfg(any(program, test))]
mod intrinsics;
#[cfg(any(not(program), program = "shim"))]
mod shim;
mod sys;
mod text;

/// Shows the compiler what the programs and `entry` call, so that it warns of what nothing calls.
#[cfg(not(program))]
const _: (Main, Main, fn(i32) -> !) = (init::main, shim::main, sys::exit);

/// The function of a program that takes its arguments and its environment, and returns its exit code.
#[cfg(not(program))]
type Main = fn(text::TextList, text::TextList) -> i32;

/// The program that the zone starts as process 1 of a container. Its arguments are the command.
#[cfg(not(program))]
pub const INIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/init"));

/// The program that Docker starts as process 1 of a container.
///
/// Its arguments are flags of a letter with a value behind it, `--`, and the command. `shim.rs` has
/// the list of flags.
#[cfg(not(program))]
pub const SHIM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shim"));
