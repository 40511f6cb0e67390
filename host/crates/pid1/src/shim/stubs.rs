//! Mountpoints that the container runtime made: found by what was there before, removed by the step after.

use crate::sys::{self, PATH_MAX};
use crate::{Spec, start};

/// Removes what the step before left, and writes down what this one will leave: a number and a path a line.
pub fn remove_and_note(spec: &Spec) {
    let to = sys::open_in(spec.dir, b"stubs");
    for list in start::flags(spec, b'f') {
        sys::read_file(list).split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| remove(line, to));
    }
    let (mut before, mut n) = (None, 0_usize);
    for (flag, value) in start::all_flags(spec) {
        match (flag, before) {
            (b'b', _) => {
                n += usize::from(before.is_some());
                before = Some(value);
            }
            (b'c', Some(before)) => {
                let mut joined = [0_u8; PATH_MAX];
                if sys::join(&mut joined, before, value) && !sys::exists(joined.as_ptr()) {
                    crate::put_number(to, n, b' ');
                    // SAFETY: the text ends with a zero.
                    sys::write_all(to, unsafe { start::text(value) });
                    sys::write_all(to, b"\n");
                }
            }
            _ => {}
        }
    }
}

/// Removes a mountpoint of the root if it is empty; one that is mounted on again stays on the list.
fn remove(line: &[u8], to: sys::Fd) {
    let Some(path) = line.strip_prefix(b"0 ") else { return };
    let mut text = [0_u8; PATH_MAX];
    if path.len() >= PATH_MAX {
        return;
    }
    text[..path.len()].copy_from_slice(path);
    if sys::remove_empty(text.as_ptr()) {
        return;
    }
    if sys::exists(text.as_ptr()) {
        sys::write_all(to, line);
        sys::write_all(to, b"\n");
    }
}
