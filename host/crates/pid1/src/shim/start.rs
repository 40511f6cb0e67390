//! From the flags to the command: what it gets as environment, and how it is found.

use crate::redact::Needles;
use crate::user::User;
use crate::sys::PATH_MAX;
use crate::{Spec, sys};

const EACCES: isize = -13;
const ENOENT: isize = -2;
const ENOTDIR: isize = -20;
const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\0";
/// The most variables.
const MAX_ENV: usize = 16 * 1024;

/// What no key depends on: a list of `tag, length (4 bytes), contents`.
///
/// `t` is a time-out in milliseconds, `e` a variable with a zero behind it, `n` the texts to replace.
pub struct Params(&'static [u8]);

impl Params {
    pub fn read(path: *const u8) -> Self {
        Self(if path.is_null() { &[] } else { sys::read_file(path) })
    }

    fn records(&self) -> impl Iterator<Item = (u8, &'static [u8])> + use<> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (head, below) = rest.split_at_checked(5)?;
            let len = u32::from_ne_bytes([head[1], head[2], head[3], head[4]]) as usize;
            let (contents, below) = below.split_at_checked(len)?;
            rest = below;
            Some((head[0], contents))
        })
    }

    fn find(&self, tag: u8) -> Option<&'static [u8]> {
        self.records().find(|(found, _)| *found == tag).map(|(_, contents)| contents)
    }

    /// Returns when the command is to be stopped, on the clock of [`sys::now_ms`].
    pub fn deadline(&self) -> Option<u64> {
        let digits = self.find(b't')?;
        let ms = digits.iter().fold(0_u64, |n, digit| n.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0'))));
        Some(sys::now_ms().wrapping_add(ms))
    }

    pub fn needles(&self) -> Needles {
        let found = self.find(b'n').unwrap_or(&[]);
        Needles { bytes: found.as_ptr(), len: found.len(), longest: 0 }.measure()
    }
}

/// Reads the flags.
pub unsafe fn parse(stack: *const usize) -> Spec {
    // SAFETY: the caller has the kernel's list of arguments and variables.
    unsafe {
        let n_args = *stack;
        let args = stack.add(1).cast::<*const u8>();
        let env = stack.add(n_args + 2).cast::<*const u8>();
        let null = core::ptr::null();
        let flags = args.add(1);
        let mut spec = Spec { stdin: null, redirects: [null; 2], dir: null, params: null, before: null, user: b"0\0".as_ptr(), cwd: b"/\0".as_ptr(), sets_home: false, flags, command: flags, env };
        let mut at = flags;
        while !(*at).is_null() && **at != b'-' {
            let value = (*at).add(1);
            match **at {
                b'i' => spec.stdin = value,
                b'o' => spec.redirects[0] = value,
                b'r' => spec.redirects[1] = value,
                b'd' => spec.dir = value,
                b'p' => spec.params = value,
                b'b' if spec.before.is_null() => spec.before = value,
                b'u' => spec.user = value,
                b'w' => spec.cwd = value,
                b'h' => spec.sets_home = true,
                _ => {}
            }
            at = at.add(1);
        }
        if (*at).is_null() || (*at.add(1)).is_null() || spec.dir.is_null() {
            sys::exit(125);
        }
        spec.command = at.add(1);
        spec
    }
}

/// Returns all flags with their values.
pub fn all_flags(spec: &Spec) -> impl Iterator<Item = (u8, *const u8)> + use<> {
    let mut at = spec.flags;
    core::iter::from_fn(move || {
        // SAFETY: the flags end with `--`, and each text with a zero.
        unsafe {
            let text = *at;
            if *text == b'-' {
                return None;
            }
            at = at.add(1);
            Some((*text, text.add(1)))
        }
    })
}

/// Returns the values of a flag.
pub fn flags(spec: &Spec, flag: u8) -> impl Iterator<Item = *const u8> + use<> {
    all_flags(spec).filter(move |(found, _)| *found == flag).map(|(_, value)| value)
}

pub unsafe fn number(mut text: *const u8) -> u64 {
    let mut number = 0_u64;
    // SAFETY: the text ends with a zero.
    unsafe {
        while *text != 0 {
            number = number.wrapping_mul(10).wrapping_add(u64::from((*text).wrapping_sub(b'0')));
            text = text.add(1);
        }
    }
    number
}

/// Becomes the command, searched for as a shell does.
pub unsafe fn exec(spec: &Spec, user: &User, params: &Params) -> ! {
    // SAFETY: both lists end with a null, and their texts with a zero.
    unsafe {
        let env = environment(spec, user, params);
        let args = spec.command;
        let name = *args;
        if contains(name, b'/') || *name == 0 {
            give_up(name, sys::execve(name, args, env));
        }
        let mut path = find(env, b"PATH").unwrap_or(DEFAULT_PATH.as_ptr());
        let mut buffer = [0_u8; PATH_MAX];
        let mut error = ENOENT;
        loop {
            let mut n = 0;
            while *path != 0 && *path != b':' && n < PATH_MAX / 2 {
                buffer[n] = *path;
                n += 1;
                path = path.add(1);
            }
            if n == 0 {
                buffer[0] = b'.';
                n = 1;
            }
            buffer[n] = b'/';
            n += 1;
            let mut at = name;
            while *at != 0 && n < PATH_MAX - 1 {
                buffer[n] = *at;
                n += 1;
                at = at.add(1);
            }
            buffer[n] = 0;
            let result = sys::execve(buffer.as_ptr(), args, env);
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

/// Returns the environment: without the `HOME` that the runtime added, with ours and the secret variables.
unsafe fn environment(spec: &Spec, user: &User, params: &Params) -> *const *const u8 {
    let room = sys::memory(MAX_ENV * size_of::<usize>());
    let list = room.as_mut_ptr().cast::<*const u8>();
    let mut n = 0;
    let mut put = |entry: *const u8| {
        if n < MAX_ENV - 1 {
            // SAFETY: there is room for as many.
            unsafe { *list.add(n) = entry };
            n += 1;
        }
    };
    // SAFETY: the list ends with a null, and each text with a zero.
    unsafe {
        let is_ours = |entry: *const u8| {
            let secret = params.records().filter(|(tag, _)| *tag == b'e');
            (spec.sets_home && is_named(entry, b"HOME")) || secret.into_iter().any(|(_, text)| is_same_name(entry, text))
        };
        if spec.sets_home {
            put(home(user));
        }
        let mut at = spec.env;
        while !(*at).is_null() {
            if !is_ours(*at) {
                put(*at);
            }
            at = at.add(1);
        }
    }
    params.records().filter(|(tag, _)| *tag == b'e').for_each(|(_, text)| put(text.as_ptr()));
    put(core::ptr::null());
    list
}

/// Returns `HOME=...` of a user.
fn home(user: &User) -> *const u8 {
    let home = user.home();
    let room = sys::memory(home.len() + 6);
    room[..5].copy_from_slice(b"HOME=");
    room[5..5 + home.len()].copy_from_slice(home);
    room.as_ptr()
}

unsafe fn give_up(name: *const u8, error: isize) -> ! {
    // SAFETY: the name ends with a zero.
    unsafe {
        match error {
            ENOENT | ENOTDIR => {
                let text: &[u8] = if contains(name, b'/') { b": no such file\n" } else { b": command not found\n" };
                report(name, text);
                sys::exit(127)
            }
            EACCES => report(name, b": permission denied\n"),
            -8 => report(name, b": cannot execute: not a program of this machine, or a script without #!\n"),
            -7 => report(name, b": cannot execute: its arguments and environment are too long\n"),
            _ => report(name, b": cannot execute\n"),
        }
    }
    sys::exit(126)
}

unsafe fn report(name: *const u8, text: &[u8]) {
    // SAFETY: the name ends with a zero.
    sys::write_all(2, unsafe { core::slice::from_raw_parts(name, len(name)) });
    sys::write_all(2, text);
}

unsafe fn find(mut env: *const *const u8, name: &[u8]) -> Option<*const u8> {
    // SAFETY: the list ends with a null, and each text with a zero.
    unsafe {
        while !(*env).is_null() {
            if is_named(*env, name) {
                return Some((*env).add(name.len() + 1));
            }
            env = env.add(1);
        }
    }
    None
}

unsafe fn is_named(entry: *const u8, name: &[u8]) -> bool {
    // SAFETY: the entry ends with a zero, so that no comparison reads past it.
    unsafe { name.iter().enumerate().all(|(n, byte)| *entry.add(n) == *byte) && *entry.add(name.len()) == b'=' }
}

unsafe fn is_same_name(entry: *const u8, text: &[u8]) -> bool {
    let name = text.split(|byte| *byte == b'=').next().unwrap_or(text);
    // SAFETY: as in `is_named`.
    unsafe { is_named(entry, name) }
}

unsafe fn contains(text: *const u8, byte: u8) -> bool {
    // SAFETY: the text ends with a zero.
    unsafe { core::slice::from_raw_parts(text, len(text)) }.contains(&byte)
}

/// Returns a text without its zero.
pub unsafe fn text(text: *const u8) -> &'static [u8] {
    // SAFETY: the caller has a text that ends with a zero and stays for the life of the process.
    unsafe { core::slice::from_raw_parts(text, len(text)) }
}

unsafe fn len(text: *const u8) -> usize {
    let mut n = 0;
    // SAFETY: the text ends with a zero.
    while unsafe { *text.add(n) } != 0 {
        n += 1;
    }
    n
}
