//! Replaces secrets in what a command prints, before it is written anywhere.
//!
//! The same rules as `backend::Redactor`, whose needles these are, longest first.

use crate::sys;

/// The texts that are replaced: a list of `length (4 bytes), text`.
#[derive(Clone, Copy)]
pub struct Needles {
    pub bytes: *const u8,
    pub len: usize,
    /// Of the longest.
    pub longest: usize,
}

struct Iter {
    at: *const u8,
    left: usize,
}

impl Iterator for Iter {
    type Item = &'static [u8];

    fn next(&mut self) -> Option<&'static [u8]> {
        if self.left < 4 {
            return None;
        }
        // SAFETY: `left` bytes are there, and stay for the life of the process.
        unsafe {
            let len = self.at.cast::<u32>().read_unaligned() as usize;
            if len > self.left - 4 {
                return None;
            }
            let needle = core::slice::from_raw_parts(self.at.add(4), len);
            self.at = self.at.add(4 + len);
            self.left -= 4 + len;
            Some(needle)
        }
    }
}

impl Needles {
    fn iter(self) -> Iter {
        Iter { at: self.bytes, left: self.len }
    }

    pub fn measure(mut self) -> Self {
        self.longest = self.iter().map(<[u8]>::len).max().unwrap_or(0);
        self
    }
}

/// Holds back what may be the beginning of a secret.
pub struct Redactor {
    needles: Needles,
    held: &'static mut [u8],
    len: usize,
}

impl Redactor {
    pub fn new(needles: Needles) -> Self {
        Self { needles, held: sys::memory(2 * super::CHUNK + needles.longest), len: 0 }
    }

    /// Takes some of these bytes; returns how many.
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.held.len() - self.len);
        self.held[self.len..self.len + n].copy_from_slice(&bytes[..n]);
        self.len += n;
        n
    }

    /// Gives what can be shown; nothing if all that is left may be the beginning of a secret.
    pub fn give(&mut self, out: &mut [u8], is_last: bool) -> usize {
        let (mut at, mut n) = (0, 0);
        while at < self.len && n + 3 <= out.len() {
            let rest = &self.held[at..self.len];
            let may_come = |needle: &[u8]| needle.len() > rest.len() && needle.starts_with(rest);
            if !is_last && self.needles.iter().any(may_come) {
                break;
            }
            match self.needles.iter().find(|needle| rest.starts_with(needle)) {
                Some(needle) => {
                    out[n..n + 3].copy_from_slice(b"***");
                    n += 3;
                    at += needle.len();
                }
                None => {
                    out[n] = rest[0];
                    n += 1;
                    at += 1;
                }
            }
        }
        self.held.copy_within(at..self.len, 0);
        self.len -= at;
        n
    }
}
