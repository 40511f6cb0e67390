//! The functions of libc that the compiler calls for copies, comparisons and initialisations.
//!
//! Each access is volatile: otherwise the compiler would turn each loop into a call of the function
//! that it stands in.

#![expect(unsafe_code, reason = "the compiler calls these functions with pointers")]

use core::ptr::{read_volatile, write_volatile};

/// Sets `n` bytes at `target`.
///
/// # Safety
/// `target` is valid for writes of `n` bytes.
#[cfg_attr(program, unsafe(no_mangle))]
unsafe extern "C" fn memset(target: *mut u8, byte: i32, n: usize) -> *mut u8 {
    for at in 0..n {
        // SAFETY: `at` is less than `n`.
        unsafe { write_volatile(target.add(at), byte as u8) };
    }
    target
}

/// Copies `n` bytes from the first to the last.
///
/// # Safety
/// `source` is valid for reads of `n` bytes and `target` for writes; `target` does not lie inside of `source`.
#[cfg_attr(program, unsafe(no_mangle))]
unsafe extern "C" fn memcpy(target: *mut u8, source: *const u8, n: usize) -> *mut u8 {
    for at in 0..n {
        // SAFETY: `at` is less than `n`.
        unsafe { write_volatile(target.add(at), read_volatile(source.add(at))) };
    }
    target
}

/// Copies `n` bytes between places that may overlap.
///
/// # Safety
/// `source` is valid for reads of `n` bytes and `target` for writes.
#[cfg_attr(program, unsafe(no_mangle))]
unsafe extern "C" fn memmove(target: *mut u8, source: *const u8, n: usize) -> *mut u8 {
    if target.cast_const() <= source {
        // SAFETY: as for this function; from the first byte on, nothing is overwritten before it was read.
        return unsafe { memcpy(target, source, n) };
    }
    for at in (0..n).rev() {
        // SAFETY: `at` is less than `n`.
        unsafe { write_volatile(target.add(at), read_volatile(source.add(at))) };
    }
    target
}

/// Compares `n` bytes: less than, equal to or greater than zero, as the first difference is.
///
/// # Safety
/// Both are valid for reads of `n` bytes.
#[cfg_attr(program, unsafe(no_mangle))]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, n: usize) -> i32 {
    for at in 0..n {
        // SAFETY: `at` is less than `n`.
        let (left, right) = unsafe { (read_volatile(left.add(at)), read_volatile(right.add(at))) };
        if left != right {
            return i32::from(left) - i32::from(right);
        }
    }
    0
}

/// Returns zero if `n` bytes are the same.
///
/// # Safety
/// As for `memcmp`.
#[cfg_attr(program, unsafe(no_mangle))]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, n: usize) -> i32 {
    // SAFETY: as for this function.
    unsafe { memcmp(left, right, n) }
}

/// Returns how many bytes come before the zero.
///
/// # Safety
/// A zero follows `text`.
#[cfg_attr(program, unsafe(no_mangle))]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut n = 0;
    // SAFETY: nothing behind the zero is read.
    while unsafe { read_volatile(text.add(n)) } != 0 {
        n += 1;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_set_copied_and_compared() {
        let mut bytes = *b"0123456789";
        let at = bytes.as_mut_ptr();
        // SAFETY: all that is touched lies inside of `bytes`.
        unsafe {
            memset(at, i32::from(b'x'), 2);
            memcpy(at.add(2), at.add(8), 2);
            memmove(at.add(5), at.add(4), 4);
            memmove(at.add(3), at.add(4), 2);
        }
        assert_eq!(bytes.as_slice(), b"xx84445679");
    }

    #[test]
    fn a_comparison_is_decided_by_the_first_difference() {
        let check = |left: &[u8], right: &[u8], expect: i32| {
            // SAFETY: both are as long as the first.
            let got = unsafe { memcmp(left.as_ptr(), right.as_ptr(), left.len()) };
            assert_eq!(got.signum(), expect);
            // SAFETY: as before.
            assert_eq!(unsafe { bcmp(left.as_ptr(), right.as_ptr(), left.len()) } == 0, expect == 0);
        };
        check(b"abc", b"abd", -1);
        check(b"\xff", b"\x01", 1);
        check(b"abc", b"abc", 0);
        check(b"", b"", 0);
        // SAFETY: the text ends with a zero.
        assert_eq!(unsafe { strlen(c"four".as_ptr().cast()) }, 4);
    }
}
