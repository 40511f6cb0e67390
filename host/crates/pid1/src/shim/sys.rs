//! The system calls of the shim.

use core::arch::{asm, global_asm};

#[cfg(target_arch = "x86_64")]
mod nr {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const CLOSE: usize = 3;
    pub const MMAP: usize = 9;
    pub const RT_SIGPROCMASK: usize = 14;
    pub const PREAD64: usize = 17;
    pub const GETPID: usize = 39;
    pub const CHDIR: usize = 80;
    pub const STATFS: usize = 137;
    pub const SETUID: usize = 105;
    pub const SETGID: usize = 106;
    pub const SETGROUPS: usize = 116;
    pub const GETDENTS64: usize = 217;
    pub const CLONE: usize = 56;
    pub const EXECVE: usize = 59;
    pub const WAIT4: usize = 61;
    pub const KILL: usize = 62;
    pub const CLOCK_GETTIME: usize = 228;
    pub const EXIT_GROUP: usize = 231;
    pub const OPENAT: usize = 257;
    pub const MKDIRAT: usize = 258;
    pub const FCHOWNAT: usize = 260;
    pub const UNLINKAT: usize = 263;
    pub const FCHMODAT: usize = 268;
    pub const PPOLL: usize = 271;
    pub const SIGNALFD4: usize = 289;
    pub const DUP3: usize = 292;
    pub const PIPE2: usize = 293;
    pub const STATX: usize = 332;
}

#[cfg(target_arch = "aarch64")]
mod nr {
    pub const DUP3: usize = 24;
    pub const MKDIRAT: usize = 34;
    pub const UNLINKAT: usize = 35;
    pub const STATFS: usize = 43;
    pub const CHDIR: usize = 49;
    pub const FCHMODAT: usize = 53;
    pub const FCHOWNAT: usize = 54;
    pub const GETDENTS64: usize = 61;
    pub const SETGID: usize = 144;
    pub const SETUID: usize = 146;
    pub const SETGROUPS: usize = 159;
    pub const OPENAT: usize = 56;
    pub const CLOSE: usize = 57;
    pub const PIPE2: usize = 59;
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const PREAD64: usize = 67;
    pub const PPOLL: usize = 73;
    pub const SIGNALFD4: usize = 74;
    pub const EXIT_GROUP: usize = 94;
    pub const CLOCK_GETTIME: usize = 113;
    pub const KILL: usize = 129;
    pub const RT_SIGPROCMASK: usize = 135;
    pub const GETPID: usize = 172;
    pub const CLONE: usize = 220;
    pub const EXECVE: usize = 221;
    pub const MMAP: usize = 222;
    pub const WAIT4: usize = 260;
    pub const STATX: usize = 291;
}

#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call {main}", "ud2", main = sym super::main);

#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x29, #0", "mov x0, sp", "bl {main}", "brk #1", main = sym super::main);

#[cfg(target_arch = "x86_64")]
unsafe fn syscall(number: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the caller gives arguments that the call accepts; rcx and r11 are declared as lost.
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") a[0], in("rsi") a[1], in("rdx") a[2],
             in("r10") a[3], in("r8") a[4], in("r9") a[5], lateout("rcx") _, lateout("r11") _);
    }
    result
}

#[cfg(target_arch = "aarch64")]
unsafe fn syscall(number: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the caller gives arguments that the call accepts.
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") a[0] => result, in("x1") a[1], in("x2") a[2], in("x3") a[3],
             in("x4") a[4], in("x5") a[5]);
    }
    result
}

/// Makes a call whose pointers are valid for as long as it takes.
macro_rules! call {
    ($number:expr $(, $arg:expr)*) => {{
        let args: &[usize] = &[$($arg as usize),*];
        let at = |n: usize| args.get(n).copied().unwrap_or(0);
        let args = [at(0), at(1), at(2), at(3), at(4), at(5)];
        // SAFETY: what pointers point to is valid for the call, and as long as the call takes it to be.
        unsafe { syscall($number, args) }
    }};
}

pub type Fd = i32;

pub const PATH_MAX: usize = 4096;
pub const O_RDONLY: usize = 0;
pub const O_WRONLY: usize = 1;
pub const O_CREAT: usize = 0o100;
pub const O_TRUNC: usize = 0o1000;
pub const O_NONBLOCK: usize = 0o4000;
const O_CLOEXEC: usize = 0o2000000;
const AT_FDCWD: isize = -100;
const AT_SYMLINK_NOFOLLOW: usize = 0x100;
const AT_EMPTY_PATH: usize = 0x1000;
const SIGCHLD: usize = 17;
const SIGKILL: usize = 9;
const EINTR: isize = -4;
const S_IFMT: u16 = 0o170000;
const S_IFDIR: u16 = 0o040000;
const S_IFREG: u16 = 0o100000;

/// The beginning of `struct statx`. Source: `statx(2)`.
#[repr(C)]
struct Statx {
    mask: u32,
    block_size: u32,
    attributes: u64,
    n_links: u32,
    uid: u32,
    gid: u32,
    mode: u16,
    pad: u16,
    inode: u64,
    size: u64,
    rest: [u64; 26],
}

fn statx(fd: isize, path: *const u8, flags: usize) -> Option<Statx> {
    // SAFETY: all zeros are a valid value.
    let mut stat: Statx = unsafe { core::mem::zeroed() };
    let result = call!(nr::STATX, fd, path, flags, 0x7ff, &raw mut stat);
    (result == 0).then_some(stat)
}

pub fn is_directory(fd: Fd) -> bool {
    statx(fd as isize, b"\0".as_ptr(), AT_EMPTY_PATH).is_some_and(|stat| stat.mode & S_IFMT == S_IFDIR)
}

/// Returns whether anything is at a path; the last component is not followed.
pub fn exists(path: *const u8) -> bool {
    statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW).is_some()
}

/// Removes an empty directory or an empty file; returns whether it did.
pub fn remove_empty(path: *const u8) -> bool {
    const AT_REMOVEDIR: usize = 0x200;
    let Some(stat) = statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW) else { return false };
    let flags = match stat.mode & S_IFMT {
        S_IFDIR => AT_REMOVEDIR,
        S_IFREG if stat.size == 0 => 0,
        _ => return false,
    };
    call!(nr::UNLINKAT, AT_FDCWD, path, flags) == 0
}

/// Returns how many bytes fit into a file system.
pub fn size_of_file_system(path: *const u8) -> u64 {
    // `struct statfs` begins with the type, the size of a block and the number of blocks, and has 120 bytes.
    let mut stat = [0_u64; 15];
    if call!(nr::STATFS, path, stat.as_mut_ptr()) != 0 {
        return 0;
    }
    stat[1].wrapping_mul(stat[2])
}

/// Returns whether a directory has nothing in it.
pub fn is_empty(path: *const u8) -> bool {
    let fd = open(path, O_RDONLY, 0);
    let mut entries = [0_u8; 1024];
    // `.` and `..` take 24 bytes each.
    let n = call!(nr::GETDENTS64, fd, entries.as_mut_ptr(), entries.len());
    close(fd);
    (0..=48).contains(&n)
}

/// Goes to a directory, made with those above it if it is not there; returns whether it is one.
pub fn enter(path: *const u8) -> bool {
    let mut text = [0_u8; PATH_MAX];
    let mut n = 0;
    // SAFETY: the path ends with a zero.
    while let byte @ 1.. = unsafe { *path.add(n) } {
        if n + 1 >= PATH_MAX {
            return false;
        }
        if byte == b'/' && n > 0 {
            // What is there already is no error.
            call!(nr::MKDIRAT, AT_FDCWD, text.as_ptr(), 0o755);
        }
        text[n] = byte;
        n += 1;
    }
    call!(nr::MKDIRAT, AT_FDCWD, text.as_ptr(), 0o755);
    call!(nr::CHDIR, path) == 0
}

/// Gives up root's rights, unless the user is root.
pub fn become_user(uid: u32, gid: u32, groups: &[u32]) {
    call!(nr::SETGROUPS, groups.len(), groups.as_ptr());
    if call!(nr::SETGID, gid) != 0 || call!(nr::SETUID, uid) != 0 {
        exit(125);
    }
}

pub fn chown(path: *const u8, uid: u32, gid: u32) {
    call!(nr::FCHOWNAT, AT_FDCWD, path, uid, gid, 0);
}

pub fn chmod(path: *const u8, mode: usize) {
    call!(nr::FCHMODAT, AT_FDCWD, path, mode);
}

/// Writes one path behind another; returns whether there was room.
pub fn join(room: &mut [u8; PATH_MAX], first: *const u8, second: *const u8) -> bool {
    let mut n = 0;
    for text in [first, second] {
        let mut at = text;
        // SAFETY: both texts end with a zero.
        while let byte @ 1.. = unsafe { *at } {
            if n + 1 >= PATH_MAX {
                return false;
            }
            room[n] = byte;
            n += 1;
            // SAFETY: it is not the zero yet.
            at = unsafe { at.add(1) };
        }
    }
    room[n] = 0;
    true
}

/// Returns mode, user and group of a directory.
pub fn owned(path: *const u8) -> (u32, u32, u32) {
    statx(AT_FDCWD, path, 0).map_or((0o755, 0, 0), |stat| (u32::from(stat.mode) & 0o7777, stat.uid, stat.gid))
}

pub fn open(path: *const u8, flags: usize, mode: usize) -> Fd {
    call!(nr::OPENAT, AT_FDCWD, path, flags | O_CLOEXEC, mode) as Fd
}

/// Opens a file of a directory to read and write it from its beginning.
pub fn open_in(dir: *const u8, name: &[u8]) -> Fd {
    let mut path = [0_u8; 256];
    let mut n = 0;
    // SAFETY: the text ends with a zero.
    unsafe {
        while n < 200 && *dir.add(n) != 0 {
            path[n] = *dir.add(n);
            n += 1;
        }
    }
    path[n] = b'/';
    path[n + 1..n + 1 + name.len()].copy_from_slice(name);
    open(path.as_ptr(), 2 | O_TRUNC, 0)
}

pub fn close(fd: Fd) {
    call!(nr::CLOSE, fd);
}

pub fn read(fd: Fd, buffer: &mut [u8]) -> isize {
    loop {
        let n = call!(nr::READ, fd, buffer.as_mut_ptr(), buffer.len());
        if n != EINTR {
            return n;
        }
    }
}

pub fn write_all(fd: Fd, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let n = call!(nr::WRITE, fd, bytes.as_ptr(), bytes.len());
        match n {
            n if n > 0 => bytes = &bytes[n as usize..],
            EINTR => {}
            // A full disk shows in the command's own writes.
            _ => return,
        }
    }
}

/// Copies the end of a file of `len` bytes, at most `max` of it; returns how much.
pub fn copy_tail(from: Fd, to: Fd, len: usize, max: usize) -> usize {
    let mut at = len.saturating_sub(max);
    let first = at;
    let mut chunk = [0_u8; 4096];
    while at < len {
        let n = call!(nr::PREAD64, from, chunk.as_mut_ptr(), chunk.len().min(len - at), at);
        if n <= 0 {
            break;
        }
        write_all(to, &chunk[..n as usize]);
        at += n as usize;
    }
    at - first
}

/// Returns fresh memory, which is never given back.
pub fn memory(len: usize) -> &'static mut [u8] {
    // PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS.
    let at = call!(nr::MMAP, 0, len.max(1), 3, 0x22, -1_isize, 0);
    if at < 0 && at > -4096 {
        exit(125);
    }
    // SAFETY: the mapping is new, writable, and as long.
    unsafe { core::slice::from_raw_parts_mut(at as *mut u8, len) }
}

/// Returns the contents of a file; nothing if it cannot be read.
pub fn read_file(path: *const u8) -> &'static [u8] {
    let fd = open(path, O_RDONLY, 0);
    if fd < 0 {
        return &[];
    }
    let size = statx(fd as isize, b"\0".as_ptr(), AT_EMPTY_PATH).map_or(0, |stat| stat.size as usize);
    let room = memory(size);
    let mut n = 0;
    while n < size {
        match read(fd, &mut room[n..]) {
            more if more > 0 => n += more as usize,
            _ => break,
        }
    }
    close(fd);
    &room[..n]
}

/// Returns both ends of a pipe that does not block those who read.
pub fn pipe() -> (Fd, Fd) {
    let mut ends = [0_i32; 2];
    if call!(nr::PIPE2, ends.as_mut_ptr(), O_CLOEXEC) != 0 {
        exit(125);
    }
    (ends[0], ends[1])
}

pub fn fork() -> isize {
    call!(nr::CLONE, SIGCHLD, 0, 0, 0, 0)
}

/// Makes these the standard streams.
pub fn place(stdin: Fd, stdout: Fd, stderr: Fd) {
    // All three are above 2, for 0 to 2 are open when the shim starts.
    for (fd, number) in [(stdin, 0), (stdout, 1), (stderr, 2)] {
        call!(nr::DUP3, fd, number, 0);
    }
}

pub fn block_signals() -> u64 {
    let all = u64::MAX;
    let mut before = 0_u64;
    call!(nr::RT_SIGPROCMASK, 2, &raw const all, &raw mut before, 8);
    before
}

pub fn restore_signals(mask: u64) {
    call!(nr::RT_SIGPROCMASK, 2, &raw const mask, 0, 8);
}

pub fn signal_fd() -> Fd {
    let all = u64::MAX;
    call!(nr::SIGNALFD4, -1_isize, &raw const all, 8, O_CLOEXEC | O_NONBLOCK) as Fd
}

/// Returns a signal that is to be passed on.
pub fn read_signal(fd: Fd) -> Option<usize> {
    // `struct signalfd_siginfo` has 128 bytes, the number first.
    let mut info = [0_u8; 128];
    if read(fd, &mut info) < 128 {
        return None;
    }
    let signal = u32::from_ne_bytes([info[0], info[1], info[2], info[3]]) as usize;
    (signal != SIGCHLD).then_some(signal)
}

/// Reaps all that have ended; returns the status of this one if it has.
pub fn reap(child: isize) -> Option<i32> {
    loop {
        let mut status = 0_i32;
        let pid = call!(nr::WAIT4, -1_isize, &raw mut status, 1, 0);
        if pid == child {
            return Some(status);
        }
        if pid <= 0 && pid != EINTR {
            return None;
        }
    }
}

pub fn kill(pid: isize, signal: usize) {
    call!(nr::KILL, pid, signal);
}

/// Kills everything else in the container, and waits until it is gone.
pub fn kill_all() {
    // Only of pid 1 is everything else what is in the container.
    if call!(nr::GETPID) != 1 {
        return;
    }
    loop {
        call!(nr::KILL, -1_isize, SIGKILL);
        let mut status = 0_i32;
        let pid = call!(nr::WAIT4, -1_isize, &raw mut status, 0, 0);
        if pid <= 0 && pid != EINTR {
            return;
        }
    }
}

pub fn now_ms() -> u64 {
    let mut time = [0_u64; 2];
    call!(nr::CLOCK_GETTIME, 1, time.as_mut_ptr());
    time[0] * 1000 + time[1] / 1_000_000
}

/// `struct pollfd`.
#[repr(C)]
pub struct Poll {
    fd: Fd,
    events: i16,
    found: i16,
}

impl Poll {
    pub fn new(fd: Fd) -> Self {
        Self { fd, events: 1, found: 0 }
    }

    pub fn is_ready(&self) -> bool {
        self.found != 0
    }
}

pub fn poll(polls: &mut [Poll], left_ms: Option<u64>) {
    let time = left_ms.map(|ms| [ms / 1000, ms % 1000 * 1_000_000]);
    let time = time.as_ref().map_or(core::ptr::null(), |time| time.as_ptr());
    call!(nr::PPOLL, polls.as_mut_ptr(), polls.len(), time, 0, 8);
}

pub unsafe fn execve(path: *const u8, args: *const *const u8, env: *const *const u8) -> isize {
    call!(nr::EXECVE, path, args, env)
}

pub fn exit(code: i32) -> ! {
    loop {
        call!(nr::EXIT_GROUP, code);
    }
}

/// The precompiled `core` names it; nothing unwinds here.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

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

/// As `memset`; the two may overlap.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(target: *mut u8, source: *const u8, n: usize) -> *mut u8 {
    if target.cast_const() <= source {
        // SAFETY: as in `memset`.
        return unsafe { memcpy(target, source, n) };
    }
    let mut at = n;
    while at > 0 {
        at -= 1;
        // SAFETY: as in `memset`.
        unsafe { core::ptr::write_volatile(target.add(at), *source.add(at)) };
    }
    target
}

/// As `memset`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, n: usize) -> i32 {
    let mut at = 0;
    while at < n {
        // SAFETY: as in `memset`.
        let (l, r) = unsafe { (core::ptr::read_volatile(left.add(at)), core::ptr::read_volatile(right.add(at))) };
        if l != r {
            return i32::from(l) - i32::from(r);
        }
        at += 1;
    }
    0
}

/// As `memset`.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, n: usize) -> i32 {
    // SAFETY: as in `memset`.
    unsafe { memcmp(left, right, n) }
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
