//! Replaces secrets in what a command prints, before it is written anywhere.
//!
//! The texts to replace come from `engine::Redactor`, and the rules are its rules: they are in files that this program is
//! compiled from as well as that crate, for a program without the standard library cannot link it.

#[path = "../../../engine/src/redact/find.rs"]
mod find;
#[path = "../../../engine/src/redact/forms.rs"]
mod forms;

use self::find::{Finder, Next, Word, n_words};
use self::forms::longest;
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

/// Replaces secrets in a stream. Holds back what may be the beginning of one.
pub(super) struct Redactor {
    finder: Finder<&'static [u8], &'static mut [Word]>,
    held: &'static mut [u8],
    len: usize,
}

impl Redactor {
    /// Makes a redactor of a list of texts, as `engine::Redactor::texts` makes it.
    pub(super) fn new(texts: &'static [u8]) -> Result<Self, Errno> {
        let words = sys::memory(n_words(texts) * size_of::<Word>())?.as_chunks_mut().0;
        let most = records::<4>(texts).map(|record| longest(record.contents)).max();
        let held = sys::memory(2 * CHUNK + most.unwrap_or(0))?;
        Ok(Self { finder: Finder::new(texts, words), held, len: 0 })
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
            let (shown, n_taken) = match self.finder.next(&self.held[at..self.len], is_last) {
                Next::Show(n_shown) => {
                    let n_shown = n_shown.min(out.len() - n);
                    (&self.held[at..at + n_shown], n_shown)
                }
                Next::Hide(n_hidden) => (REPLACEMENT, n_hidden),
                Next::Wait => break,
            };
            out[n..n + shown.len()].copy_from_slice(shown);
            n += shown.len();
            at += n_taken;
        }
        self.held.copy_within(at..self.len, 0);
        self.len -= at;
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> &'static [u8] {
        let mut bytes = Vec::new();
        for text in texts {
            bytes.extend(u32::try_from(text.len()).unwrap().to_ne_bytes());
            bytes.extend(text.bytes());
        }
        bytes.leak()
    }

    /// Redacts a text that comes in pieces of `size` bytes.
    fn redact(texts: &'static [u8], text: &str, size: usize) -> String {
        let mut redactor = Redactor::new(texts).unwrap_or_else(|error| panic!("{error:?}"));
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
                let texts = list(&["hunter2hunter2", "hunter2", "s3cr3t", ""]);
                assert_eq!(redact(texts, text, size), expect, "{size}");
            }
        };
        check("a hunter2 b", "a *** b");
        check("hunter2hunter2hunter", "***hunter");
        check("s3cs3cr3t", "s3c***");
        check("nothing of it", "nothing of it");
        check("aHVudGVy\\nMg== 73:33", "*** 73:33");
        check("a s3cr3%74 and \\u0073'3cr'3t", "a *** and ***");
        check("", "");
    }

    #[test]
    fn a_list_ends_where_it_is_cut_off() {
        let whole = list(&["first", "second"]);
        assert_eq!(redact(&whole[..whole.len() - 1], "first second", 3), "*** second");
        assert_eq!(redact(&[], "first", 2), "first");
    }
}
