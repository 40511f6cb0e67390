//! The programs as they are run: arguments in, exit codes, texts and files out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod build;
mod init;
mod programs;
mod shim;
