//! Replaces secrets in what a command prints, before it is written anywhere.
//!
//! The texts to replace come from `engine::Redactor`, longest first, and the rules are its rules.

use crate::sys::{self, Errno};

/// How much is redacted at once.
pub(super) const CHUNK: usize = 64 * 1024;

/// What stands in place of a secret.
const REPLACEMENT: &[u8] = b"***";

/// A record of a list: a head that ends with the length of the contents, and the contents.
pub(super) struct Record<const HEAD: usize> {
    pub(super) head: [u8; HEAD],
    pub(super) contents: &'static [u8],
}

/// Returns the records of a list, up to one that is cut off.
pub(super) fn records<const HEAD: usize>(mut rest: &'static [u8]) -> impl Iterator<Item = Record<HEAD>> + Clone {
    core::iter::from_fn(move || {
        let (head, behind) = rest.split_first_chunk::<HEAD>()?;
        let len = u32::from_ne_bytes(*head.last_chunk::<4>()?) as usize;
        let (contents, behind) = behind.split_at_checked(len)?;
        rest = behind;
        Some(Record { head: *head, contents })
    })
}

/// The texts that are replaced: records of a length of four bytes and a text.
#[derive(Clone, Copy)]
pub(super) struct Needles {
    bytes: &'static [u8],
    n_bytes_longest: usize,
}

impl Needles {
    pub(super) fn new(bytes: &'static [u8]) -> Self {
        let n_bytes_longest = records::<4>(bytes).map(|record| record.contents.len()).max().unwrap_or(0);
        Self { bytes, n_bytes_longest }
    }

    /// Returns the texts. An empty one would be everywhere, and is left out.
    fn each(self) -> impl Iterator<Item = &'static [u8]> {
        records::<4>(self.bytes).map(|record| record.contents).filter(|text| !text.is_empty())
    }
}

/// Replaces secrets in a stream. Holds back what may be the beginning of one.
pub(super) struct Redactor {
    needles: Needles,
    held: &'static mut [u8],
    len: usize,
}

impl Redactor {
    pub(super) fn new(needles: Needles) -> Result<Self, Errno> {
        let held = sys::memory(2 * CHUNK + needles.n_bytes_longest)?;
        Ok(Self { needles, held, len: 0 })
    }

    /// Takes bytes, as many as there is room for. Returns how many.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.held.len() - self.len);
        self.held[self.len..self.len + n].copy_from_slice(&bytes[..n]);
        self.len += n;
        n
    }

    /// Writes to `out` what can be shown. Returns how many bytes; none if the rest may be the beginning of a secret.
    ///
    /// With `is_last`, nothing follows, and nothing is held back.
    pub(super) fn give(&mut self, out: &mut [u8], is_last: bool) -> usize {
        let (mut at, mut n) = (0, 0);
        while at < self.len && n + REPLACEMENT.len() <= out.len() {
            let rest = &self.held[at..self.len];
            let may_come = |needle: &[u8]| needle.len() > rest.len() && needle.starts_with(rest);
            if !is_last && self.needles.each().any(may_come) {
                break;
            }
            match self.needles.each().find(|needle| rest.starts_with(needle)) {
                Some(needle) => {
                    out[n..n + REPLACEMENT.len()].copy_from_slice(REPLACEMENT);
                    n += REPLACEMENT.len();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn needles(texts: &[&str]) -> Needles {
        let mut bytes = Vec::new();
        for text in texts {
            bytes.extend(u32::try_from(text.len()).unwrap().to_ne_bytes());
            bytes.extend(text.bytes());
        }
        Needles::new(bytes.leak())
    }

    /// Redacts a text that comes in pieces of `size` bytes.
    fn redact(needles: Needles, text: &str, size: usize) -> String {
        let mut redactor = Redactor::new(needles).unwrap_or_else(|error| panic!("{error:?}"));
        let (mut shown, mut out) = (Vec::new(), [0; 16]);
        let mut give = |redactor: &mut Redactor, is_last| {
            while let n @ 1.. = redactor.give(&mut out, is_last) {
                shown.extend_from_slice(&out[..n]);
            }
        };
        for piece in text.as_bytes().chunks(size) {
            assert_eq!(redactor.take(piece), piece.len());
            give(&mut redactor, false);
        }
        give(&mut redactor, true);
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn a_secret_is_replaced_wherever_the_stream_is_cut() {
        let check = |text: &str, expect: &str| {
            for size in 1..=text.len().max(1) {
                let texts = needles(&["hunter2hunter2", "hunter2", "s3cr3t", ""]);
                assert_eq!(redact(texts, text, size), expect, "{size}");
            }
        };
        check("a hunter2 b", "a *** b");
        check("hunter2hunter2hunter", "***hunter");
        check("s3cs3cr3t", "s3c***");
        check("nothing of it", "nothing of it");
        check("", "");
    }

    #[test]
    fn a_list_ends_where_it_is_cut_off() {
        let whole = needles(&["first", "second"]).bytes;
        assert_eq!(redact(Needles::new(&whole[..whole.len() - 1]), "first second", 3), "*** second");
        assert_eq!(redact(Needles::new(&[]), "first", 2), "first");
    }
}
