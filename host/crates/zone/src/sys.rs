//! The calls to the system that need `unsafe`, each behind a safe function.

#![expect(unsafe_code, reason = "fork, clone and exec have no safe form")]

use std::convert::Infallible;
use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// The process in which a `fork` returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forked {
    /// This is the new process.
    Child,
    /// This is the old process; the number is the id of the new one.
    Parent(i32),
}

/// Makes a copy of this process in new namespaces; without flags, as `fork` does.
///
/// Everything in the zone is single-threaded, so no lock can be held by a thread that the copy lacks.
pub(super) fn fork(namespaces: libc::c_int) -> io::Result<Forked> {
    let flags = (namespaces | libc::SIGCHLD) as libc::c_ulong;
    // SAFETY: without CLONE_VM and with a null stack this is a fork; the remaining arguments are unused.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(pid as i32)),
    }
}

/// Ends this process at once, without running anything that the copy inherited.
pub(super) fn exit(code: i32) -> ! {
    // SAFETY: it takes a number and does not return.
    unsafe { libc::_exit(code) }
}

/// Becomes the program behind a descriptor.
pub(super) fn exec_fd(program: BorrowedFd<'_>, args: &[CString], env: &[CString]) -> io::Result<Infallible> {
    let pointers = |texts: &[CString]| {
        texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect::<Vec<*const libc::c_char>>()
    };
    let (args, env) = (pointers(args), pointers(env));
    // SAFETY: both lists end with a null and their texts outlive the call.
    unsafe { libc::fexecve(program.as_raw_fd(), args.as_ptr(), env.as_ptr()) };
    Err(io::Error::last_os_error())
}

/// Makes `fd` available as `number`, also across `exec`.
pub(super) fn dup_onto(fd: BorrowedFd<'_>, number: i32) -> io::Result<()> {
    if fd.as_raw_fd() == number {
        return rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty()).map_err(Into::into);
    }
    // SAFETY: numbers 0 to 3 belong to nothing else here: the caller is about to execute a program.
    if unsafe { libc::dup2(fd.as_raw_fd(), number) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Takes descriptor 0, the control socket, and leaves `/dev/null` in its place.
pub(super) fn take_stdin() -> io::Result<OwnedFd> {
    // SAFETY: the process was started with it.
    let stdin = unsafe { BorrowedFd::borrow_raw(0) };
    let control = rustix::io::fcntl_dupfd_cloexec(stdin, 3)?;
    let null = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty())?;
    dup_onto(null.as_fd(), 0)?;
    Ok(control)
}

/// Restrictions of a mount.
#[derive(Debug, Clone, Copy)]
pub(super) struct MountAttributes(pub u64);

impl MountAttributes {
    pub(super) const READ_ONLY: Self = Self(0x1);
    pub(super) const NO_SUID: Self = Self(0x2);
    pub(super) const NO_DEVICES: Self = Self(0x4);
    pub(super) const NO_EXEC: Self = Self(0x8);
}

impl std::ops::BitOr for MountAttributes {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[repr(C)]
struct MountAttr {
    attr_set: u64,
    attr_clr: u64,
    propagation: u64,
    userns_fd: u64,
}

/// Makes a mount and all below it refuse more.
pub(super) fn restrict_mount(mount: BorrowedFd<'_>, attributes: MountAttributes) -> io::Result<()> {
    let attr = MountAttr { attr_set: attributes.0, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
    // SAFETY: the path is an empty text, and the structure is as long as is said.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Loads a program that decides about accesses to devices, and attaches it to a control group of version 2.
pub(super) fn attach_device_program(group: &OwnedFd, program: &[u64]) -> io::Result<()> {
    // Source: Linux, `include/uapi/linux/bpf.h`, `union bpf_attr`, of which this is the beginning.
    const PROG_LOAD: libc::c_long = 5;
    const PROG_ATTACH: libc::c_long = 8;
    const PROG_TYPE_CGROUP_DEVICE: u32 = 15;
    const CGROUP_DEVICE: u32 = 6;
    const ALLOW_MULTI: u32 = 2;
    #[repr(C)]
    struct Load {
        kind: u32,
        n_steps: u32,
        steps: u64,
        license: u64,
        rest: [u64; 12],
    }
    #[repr(C)]
    struct Attach {
        target: u32,
        program: u32,
        kind: u32,
        flags: u32,
    }
    let n_steps = u32::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let (steps, license) = (program.as_ptr() as u64, c"Apache-2.0".as_ptr() as u64);
    let load = Load { kind: PROG_TYPE_CGROUP_DEVICE, n_steps, steps, license, rest: [0; 12] };
    // SAFETY: the structure is as long as is said, and what it points to lives until the call returns.
    let loaded = unsafe { libc::syscall(libc::SYS_bpf, PROG_LOAD, &raw const load, size_of::<Load>()) };
    if loaded < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel returned a descriptor that is ours.
    let loaded = unsafe { OwnedFd::from_raw_fd(loaded as i32) };
    let (target, program) = (group.as_raw_fd() as u32, loaded.as_raw_fd() as u32);
    let attach = Attach { target, program, kind: CGROUP_DEVICE, flags: ALLOW_MULTI };
    // SAFETY: the structure is as long as is said.
    let attached = unsafe { libc::syscall(libc::SYS_bpf, PROG_ATTACH, &raw const attach, size_of::<Attach>()) };
    if attached < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Enters a new network namespace.
pub(super) fn enter_new_network() -> io::Result<()> {
    // SAFETY: no memory is involved.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Leaves the session keyring of whoever started `host` for an empty one.
pub(super) fn leave_session_keyring() {
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_long = 1;
    // SAFETY: a null name asks for a new keyring without one. A kernel without keyrings refuses, and then
    // there is nothing to leave.
    unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) };
}

/// Asks for SIGKILL when the parent ends.
pub(super) fn die_with_parent() -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)).map_err(Into::into)
}

/// Gives the signals back their default actions and lets all of them through; a program that is
/// executed inherits both.
pub(super) fn reset_signals() {
    // SAFETY: SIG_DFL is an action that every signal takes, and the set is initialised before it is used.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// Holds SIGCHLD back and returns a descriptor that is readable when there is one.
pub(super) fn child_signals() -> io::Result<OwnedFd> {
    // SAFETY: the set is initialised before it is used; a descriptor that is returned is ours.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

/// How a process ended, as the kernel gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WaitStatus(pub i32);

impl WaitStatus {
    /// Returns the exit code, if it exited.
    pub(super) fn code(self) -> Option<i32> {
        libc::WIFEXITED(self.0).then(|| libc::WEXITSTATUS(self.0))
    }

    /// Returns the signal, if one killed it.
    pub(super) fn signal(self) -> Option<i32> {
        libc::WIFSIGNALED(self.0).then(|| libc::WTERMSIG(self.0))
    }
}

/// Reaps a child that has ended: `pid`, or any for -1. `None` if none has; an error if there is none.
pub(super) fn reap(pid: i32, is_blocking: bool) -> io::Result<Option<(i32, WaitStatus)>> {
    let mut status = 0;
    loop {
        // SAFETY: the status is written where it points to.
        let reaped = unsafe { libc::waitpid(pid, &raw mut status, if is_blocking { 0 } else { libc::WNOHANG }) };
        match reaped {
            0 => return Ok(None),
            -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            -1 => return Err(io::Error::last_os_error()),
            pid => return Ok(Some((pid, WaitStatus(status)))),
        }
    }
}

/// Kills a process that is known to be a child and not reaped yet.
pub(super) fn kill(pid: i32) {
    // SAFETY: no memory is involved.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// Returns a path as the system takes it.
pub(super) fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// Returns an extended attribute of a file, not following a link.
pub(super) fn xattrs(path: &Path) -> io::Result<Vec<(CString, Vec<u8>)>> {
    let mut names = vec![0; 64 * 1024];
    let n_bytes = rustix::fs::llistxattr(path, &mut names[..])?;
    names.truncate(n_bytes);
    let mut found = Vec::new();
    for name in names.split_inclusive(|byte| *byte == 0) {
        let Ok(name) = CStr::from_bytes_with_nul(name) else { continue };
        let mut value = vec![0; 64 * 1024];
        let n_bytes = rustix::fs::lgetxattr(path, name, &mut value[..])?;
        value.truncate(n_bytes);
        found.push((name.to_owned(), value));
    }
    Ok(found)
}

/// Returns a text as the system takes it.
pub(super) fn c_text(text: impl AsRef<OsStr>) -> io::Result<CString> {
    CString::new(text.as_ref().as_bytes()).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// Makes a write to a pipe that nobody reads an error.
pub(super) fn ignore_sigpipe() {
    // SAFETY: SIG_IGN is an action that SIGPIPE takes.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Becomes user 0 and group 0 of a new user namespace.
pub(super) fn become_root(can_leave_groups: bool) -> io::Result<()> {
    // SAFETY: only numbers are passed; an empty list needs no memory. This process has one thread.
    let results = unsafe {
        [
            if can_leave_groups { libc::setgroups(0, std::ptr::null()) } else { 0 },
            libc::setresgid(0, 0, 0),
            libc::setresuid(0, 0, 0),
        ]
    };
    if results.contains(&-1) { Err(io::Error::last_os_error()) } else { Ok(()) }
}
