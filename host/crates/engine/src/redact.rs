//! Replaces secrets in what commands print.

mod find;
mod forms;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use find::{Finder, Next, Word, n_words};

const STARS: &[u8] = b"***";

/// The number of bytes from which on a secret is replaced. To replace each occurrence of a letter or two would garble all
/// output and tell the secret.
const MIN_BYTES: usize = 4;

/// Replaces secrets in a stream, also where one is split over writes.
///
/// It replaces the value without white space around it and each of its lines, in the forms that `docs/security.md` lists.
/// What it holds back is at most 16 times as long as the longest of them, and 256 bytes.
pub struct Redactor {
    /// Nothing if there is nothing to replace.
    finder: Option<Finder<Vec<u8>, Vec<Word>>>,
    /// Bytes that may be the beginning of a secret.
    held: Vec<u8>,
}

impl Redactor {
    /// Makes a redactor for these values.
    #[must_use]
    pub fn new<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let texts = Self::texts(values);
        let finder = (!texts.is_empty()).then(|| {
            let words = vec![[0; 4]; n_words(&texts)];
            Finder::new(texts, words)
        });
        Self { finder, held: Vec::new() }
    }

    /// Returns the texts that are replaced for these values, each once: a length of four bytes in the order of this
    /// machine, and a text.
    ///
    /// This is the only place that knows them. A program that replaces secrets itself, where this one does not see the
    /// output before it is written, gets them from here, and is compiled from the files that know the forms.
    #[must_use]
    pub fn texts<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut texts: BTreeSet<&[u8]> = BTreeSet::new();
        for value in values {
            let lines = value.split(|b| *b == b'\n');
            texts.extend(std::iter::once(value).chain(lines).map(<[u8]>::trim_ascii));
        }
        let long_enough = texts.into_iter().filter(|text| text.len() >= MIN_BYTES);
        let record = |text: &[u8]| Some([&u32::try_from(text.len()).ok()?.to_ne_bytes(), text].concat());
        long_enough.filter_map(record).flatten().collect()
    }

    /// Takes the next bytes and returns those that can be shown. Bytes that may be the beginning of a secret are held
    /// back.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.held.is_empty() {
            let mut out = Vec::with_capacity(bytes.len());
            let n_taken = self.pass(bytes, false, &mut out);
            self.held.extend_from_slice(&bytes[n_taken..]);
            return out;
        }
        self.held.extend_from_slice(bytes);
        self.pass_held(false)
    }

    /// Ends the stream and returns what was held back.
    pub fn finish(&mut self) -> Vec<u8> {
        self.pass_held(true)
    }

    fn pass_held(&mut self, is_last: bool) -> Vec<u8> {
        let mut held = std::mem::take(&mut self.held);
        let mut out = Vec::with_capacity(held.len());
        held.drain(..self.pass(&held, is_last, &mut out));
        self.held = held;
        out
    }

    /// Returns how many bytes are decided upon. What is shown of them goes to `out`.
    fn pass(&self, bytes: &[u8], is_last: bool, out: &mut Vec<u8>) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let next =
                self.finder.as_ref().map_or(Next::Show(bytes.len()), |finder| finder.next(&bytes[at..], is_last));
            match next {
                Next::Show(n) => {
                    out.extend_from_slice(&bytes[at..at + n]);
                    at += n;
                }
                Next::Hide(n) => {
                    out.extend_from_slice(STARS);
                    at += n;
                }
                Next::Wait => break,
            }
        }
        at
    }

    /// Replaces secrets in a whole text.
    #[must_use]
    pub fn redact(mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = self.push(bytes);
        out.extend(self.finish());
        out
    }
}
