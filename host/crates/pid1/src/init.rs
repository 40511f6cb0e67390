//! Pid 1 of every container: starts the command, reaps, forwards signals, and tells how it ended.
//!
//! A program of its own, without the standard library and without libc, so that it runs in any root
//! and starts in a tenth of a millisecond. `.init COMMAND ARGUMENTS...`; descriptor 3, if it is there,
//! gets the wait status of the command as four bytes. With pid 1, everything that the command left
//! behind ends too. `build.rs` beside this file compiles it.

#![no_std]
#![no_main]

use core::arch::{asm, global_asm};

#[cfg(target_arch = "x86_64")]
mod nr {
    pub const WRITE: usize = 1;
    pub const RT_SIGPROCMASK: usize = 14;
    pub const FCNTL: usize = 72;
    pub const CLONE: usize = 56;
    pub const EXECVE: usize = 59;
    pub const EXIT_GROUP: usize = 231;
    pub const WAIT4: usize = 61;
    pub const KILL: usize = 62;
    pub const RT_SIGTIMEDWAIT: usize = 128;
}

#[cfg(target_arch = "aarch64")]
mod nr {
    pub const WRITE: usize = 64;
    pub const RT_SIGPROCMASK: usize = 135;
    pub const FCNTL: usize = 25;
    pub const CLONE: usize = 220;
    pub const EXECVE: usize = 221;
    pub const EXIT_GROUP: usize = 94;
    pub const WAIT4: usize = 260;
    pub const KILL: usize = 129;
    pub const RT_SIGTIMEDWAIT: usize = 137;
}

#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call {main}", "ud2", main = sym main);

#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x29, #0", "mov x0, sp", "bl {main}", "brk #1", main = sym main);

#[cfg(target_arch = "x86_64")]
unsafe fn syscall(number: usize, a: usize, b: usize, c: usize, d: usize, e: usize) -> isize {
    let result: isize;
    // SAFETY: the caller gives arguments that the call accepts; rcx and r11 are declared as lost.
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d,
             in("r8") e, lateout("rcx") _, lateout("r11") _);
    }
    result
}

#[cfg(target_arch = "aarch64")]
unsafe fn syscall(number: usize, a: usize, b: usize, c: usize, d: usize, e: usize) -> isize {
    let result: isize;
    // SAFETY: the caller gives arguments that the call accepts.
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") a => result, in("x1") b, in("x2") c, in("x3") d, in("x4") e);
    }
    result
}

const STATUS_FD: usize = 3;
const SIGCHLD: isize = 17;
const WNOHANG: usize = 1;
const EINTR: isize = -4;
const EACCES: isize = -13;
const ENOENT: isize = -2;
const ENOTDIR: isize = -20;
const PATH_MAX: usize = 4096;
const DEFAULT_PATH: &[u8] = b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\0";

unsafe extern "C" fn main(stack: *const usize) -> ! {
    // SAFETY: the kernel puts argc, the arguments, a null, the environment and a null there.
    unsafe {
        let n_args = *stack;
        let args = stack.add(1).cast::<*const u8>();
        let env = stack.add(n_args + 2).cast::<*const u8>();
        if n_args < 2 {
            exit(125);
        }
        // The command does not get the status descriptor: F_SETFD, FD_CLOEXEC.
        syscall(nr::FCNTL, STATUS_FD, 2, 1, 0, 0);
        let all = u64::MAX;
        let mut before = 0_u64;
        sigprocmask(&all, &mut before);
        let child = syscall(nr::CLONE, SIGCHLD as usize, 0, 0, 0, 0);
        if child == 0 {
            let nothing = 0_u64;
            sigprocmask(&nothing, &mut before);
            exec(args.add(1), env);
        }
        if child < 0 {
            report(*args.add(1), b": cannot fork\n");
            exit(126);
        }
        watch(child)
    }
}

/// Waits for the command, reaps everything else, and passes signals on.
unsafe fn watch(child: isize) -> ! {
    let all = u64::MAX;
    loop {
        loop {
            let mut status = 0_i32;
            // SAFETY: the status is written where it points to.
            let pid = unsafe { syscall(nr::WAIT4, usize::MAX, &raw mut status as usize, WNOHANG, 0, 0) };
            if pid == child {
                // SAFETY: four bytes are read from the status.
                unsafe { syscall(nr::WRITE, STATUS_FD, &raw const status as usize, 4, 0, 0) };
                let signal = status & 0x7f;
                exit(if signal == 0 { (status >> 8) & 0xff } else { 128 + signal });
            }
            if pid <= 0 && pid != EINTR {
                break;
            }
        }
        // SAFETY: the set is eight bytes; neither details nor a time-out are asked for.
        let signal = unsafe { syscall(nr::RT_SIGTIMEDWAIT, &raw const all as usize, 0, 0, 8, 0) };
        if signal > 0 && signal != SIGCHLD {
            // SAFETY: no memory is involved.
            unsafe { syscall(nr::KILL, child as usize, signal as usize, 0, 0, 0) };
        }
    }
}

/// Becomes the command, searched for as a shell does.
unsafe fn exec(args: *const *const u8, env: *const *const u8) -> ! {
    // SAFETY: both lists end with a null, and their texts with a zero.
    unsafe {
        let name = *args;
        if contains(name, b'/') || *name == 0 {
            give_up(name, execve(name, args, env));
        }
        let mut path = find_path(env);
        let mut buffer = [0_u8; PATH_MAX];
        let mut error = ENOENT;
        loop {
            let mut n = 0;
            while *path != 0 && *path != b':' && n < PATH_MAX / 2 {
                *buffer.as_mut_ptr().add(n) = *path;
                n += 1;
                path = path.add(1);
            }
            if n == 0 {
                *buffer.as_mut_ptr() = b'.';
                n = 1;
            }
            *buffer.as_mut_ptr().add(n) = b'/';
            n += 1;
            let mut at = name;
            while *at != 0 && n < PATH_MAX - 1 {
                *buffer.as_mut_ptr().add(n) = *at;
                n += 1;
                at = at.add(1);
            }
            *buffer.as_mut_ptr().add(n) = 0;
            let result = execve(buffer.as_ptr(), args, env);
            if result != ENOENT && result != ENOTDIR {
                error = result;
                if result != EACCES {
                    break;
                }
            }
            while *path != 0 && *path != b':' {
                path = path.add(1);
            }
            if *path == 0 {
                break;
            }
            path = path.add(1);
        }
        give_up(name, error)
    }
}

unsafe fn give_up(name: *const u8, error: isize) -> ! {
    // SAFETY: the name ends with a zero.
    unsafe {
        match error {
            ENOENT | ENOTDIR => {
                let text: &[u8] = if contains(name, b'/') { b": no such file\n" } else { b": command not found\n" };
                report(name, text);
                exit(127)
            }
            EACCES => report(name, b": permission denied\n"),
            -8 => report(name, b": cannot execute: not a program of this machine, or a script without #!\n"),
            -7 => report(name, b": cannot execute: its arguments and environment are too long\n"),
            _ => report(name, b": cannot execute\n"),
        }
    }
    exit(126)
}

/// Returns what follows `PATH=` in the environment, or a usual path.
unsafe fn find_path(mut env: *const *const u8) -> *const u8 {
    // SAFETY: the list ends with a null, and each text with a zero, so no comparison reads past it.
    unsafe {
        while !(*env).is_null() {
            let entry = *env;
            if *entry == b'P'
                && *entry.add(1) == b'A'
                && *entry.add(2) == b'T'
                && *entry.add(3) == b'H'
                && *entry.add(4) == b'='
            {
                return entry.add(5);
            }
            env = env.add(1);
        }
        DEFAULT_PATH.as_ptr().add(5)
    }
}

unsafe fn contains(mut text: *const u8, byte: u8) -> bool {
    // SAFETY: the text ends with a zero.
    unsafe {
        while *text != 0 {
            if *text == byte {
                return true;
            }
            text = text.add(1);
        }
    }
    false
}

unsafe fn report(name: *const u8, text: &[u8]) {
    // SAFETY: the name ends with a zero.
    unsafe {
        let mut n = 0;
        while *name.add(n) != 0 {
            n += 1;
        }
        syscall(nr::WRITE, 2, name as usize, n, 0, 0);
        syscall(nr::WRITE, 2, text.as_ptr() as usize, text.len(), 0, 0);
    }
}

unsafe fn execve(path: *const u8, args: *const *const u8, env: *const *const u8) -> isize {
    // SAFETY: the path ends with a zero, the lists with a null.
    unsafe { syscall(nr::EXECVE, path as usize, args as usize, env as usize, 0, 0) }
}

unsafe fn sigprocmask(set: &u64, before: &mut u64) {
    // SAFETY: both are eight bytes; 2 is SIG_SETMASK.
    unsafe {
        syscall(nr::RT_SIGPROCMASK, 2, core::ptr::from_ref(set) as usize, core::ptr::from_mut(before) as usize, 8, 0)
    };
}

fn exit(code: i32) -> ! {
    loop {
        // SAFETY: it does not return.
        unsafe { syscall(nr::EXIT_GROUP, code as usize, 0, 0, 0, 0) };
    }
}

/// The compiler turns loops and initialisations into calls of these.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(target: *mut u8, byte: i32, n: usize) -> *mut u8 {
    let mut at = 0;
    while at < n {
        // SAFETY: the caller owns `n` bytes there; volatile, or this loop would become a call of itself.
        unsafe { core::ptr::write_volatile(target.add(at), byte as u8) };
        at += 1;
    }
    target
}

/// As `memset`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(target: *mut u8, source: *const u8, n: usize) -> *mut u8 {
    let mut at = 0;
    while at < n {
        // SAFETY: as in `memset`.
        unsafe { core::ptr::write_volatile(target.add(at), *source.add(at)) };
        at += 1;
    }
    target
}

/// As `memset`.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut n = 0;
    // SAFETY: the text ends with a zero.
    while unsafe { core::ptr::read_volatile(text.add(n)) } != 0 {
        n += 1;
    }
    n
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(125)
}
