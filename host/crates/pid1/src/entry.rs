//! The first instruction of a program, and what the compiler asks of a program without a library.

#![allow(unsafe_code, reason = "a program begins with a stack that only the kernel vouches for")]

use core::arch::global_asm;

#[cfg(program = "init")]
use crate::init::main;
#[cfg(program = "shim")]
use crate::shim::main;
use crate::sys;
use crate::text::TextList;

// The kernel starts a program here, with its arguments on the stack.
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {start}",
    "ud2",
    start = sym start,
);

#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x29, #0", "mov x0, sp", "bl {start}", "brk #1", start = sym start);

/// Calls `main` with the arguments and the environment that the kernel put on the stack.
unsafe extern "C" fn start(stack: *const usize) -> ! {
    // SAFETY: the kernel puts the number of arguments there, the arguments, a null, the environment, a null.
    let (args, env) = unsafe {
        let args = stack.add(1);
        (TextList::new(args.cast()), TextList::new(args.add(*stack + 1).cast()))
    };
    sys::exit(main(args, env))
}

/// A panic is a mistake in the program. The code says that the step could not be started.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    sys::exit(125)
}

/// The compiled `core` names this function. Nothing calls it, for the programs do not unwind.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
