//! The system calls of the programs, without libc. Every `unsafe` call of the kernel is made below here.
//!
//! Source: the manual pages of section 2, and the tables `syscall_64.tbl` and `asm-generic/unistd.h` of Linux.

#![expect(unsafe_code, reason = "a system call takes addresses")]

mod call;
mod file;
mod numbers;
mod process;
mod wait;

pub(crate) use call::Errno;
pub(crate) use file::*;
pub(crate) use process::*;
pub(crate) use wait::*;
