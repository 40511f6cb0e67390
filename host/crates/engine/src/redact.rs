//! Replaces secrets in what commands print.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

const STARS: &[u8] = b"***";

/// The number of bytes from which on a secret is replaced. To replace each occurrence of a letter or two would garble all
/// output and tell the secret.
const MIN_BYTES: usize = 4;

/// Replaces secrets in a stream, also where one is split over writes.
///
/// It replaces the value without white space around it, each of its lines, and the base64 and URL encodings of both.
pub struct Redactor {
    /// Longest first, so that a secret that contains another is replaced whole.
    needles: Vec<Vec<u8>>,
    /// Bytes that may be the beginning of a secret.
    held: Vec<u8>,
}

impl Redactor {
    /// Makes a redactor for these values.
    #[must_use]
    pub fn new<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self { needles: Self::needles(values), held: Vec::new() }
    }

    /// Returns the texts that are replaced for these values, the longest first, each once.
    ///
    /// This is the only place that knows them. A program that replaces secrets itself, where this one does not see the
    /// output before it is written, gets them from here.
    #[must_use]
    pub fn needles<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
        let mut needles: Vec<Vec<u8>> = Vec::new();
        for value in values {
            let whole = value.trim_ascii();
            for text in std::iter::once(whole).chain(whole.split(|b| *b == b'\n').map(<[u8]>::trim_ascii)) {
                if text.len() >= MIN_BYTES {
                    needles.extend([text.to_vec(), url_encoded(text)]);
                    needles.extend([STANDARD.encode(text).into_bytes(), STANDARD_NO_PAD.encode(text).into_bytes()]);
                }
            }
        }
        needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        needles.dedup();
        needles
    }

    /// Takes the next bytes and returns those that can be shown. Bytes that may be the beginning of a secret are held
    /// back.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.needles.is_empty() {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        let mut out = Vec::with_capacity(self.held.len());
        let mut at = 0;
        while at < self.held.len() {
            let rest = &self.held[at..];
            // A longer secret that may still be coming is waited for before a shorter one is replaced.
            if self.needles.iter().any(|needle| needle.len() > rest.len() && needle.starts_with(rest)) {
                break;
            }
            if let Some(needle) = self.needles.iter().find(|needle| rest.starts_with(needle)) {
                out.extend_from_slice(STARS);
                at += needle.len();
            } else {
                out.push(rest[0]);
                at += 1;
            }
        }
        self.held.drain(..at);
        out
    }

    /// Ends the stream and returns what was held back.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let held = std::mem::take(&mut self.held);
        let mut at = 0;
        while at < held.len() {
            if let Some(needle) = self.needles.iter().find(|needle| held[at..].starts_with(needle)) {
                out.extend_from_slice(STARS);
                at += needle.len();
            } else {
                out.push(held[at]);
                at += 1;
            }
        }
        out
    }

    /// Replaces secrets in a whole text.
    #[must_use]
    pub fn redact(mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = self.push(bytes);
        out.extend(self.finish());
        out
    }
}

fn url_encoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secrets: &[&str], writes: &[&str], expect: &str) {
        let mut redactor = Redactor::new(secrets.iter().map(|secret| secret.as_bytes()));
        let mut out = Vec::new();
        for write in writes {
            out.extend(redactor.push(write.as_bytes()));
        }
        out.extend(redactor.finish());
        assert_eq!(String::from_utf8_lossy(&out), expect);
    }

    #[test]
    fn a_secret_is_replaced_wherever_it_stands() {
        check(&["hunter2"], &["pw=hunter2 hunter2\n"], "pw=*** ***\n");
        check(&["hunter2\n"], &["hunter2"], "***");
        check(&["hunter2"], &["hunter"], "hunter");
    }

    #[test]
    fn a_secret_that_is_split_over_writes_is_replaced() {
        check(&["hunter2"], &["a hun", "te", "r2 b"], "a *** b");
        check(&["hunter2"], &["hun", "ky"], "hunky");
    }

    #[test]
    fn each_line_and_each_encoding_is_replaced() {
        check(&["first line\nsecond line"], &["x second line y"], "x *** y");
        check(&["p@ss word"], &["cEBzcyB3b3Jk p%40ss%20word"], "*** ***");
    }

    #[test]
    fn a_secret_that_begins_like_another_is_replaced_whole() {
        check(&["abcd", "abcdef"], &["abcdef abcd abcde"], "*** *** ***e");
    }

    #[test]
    fn a_very_short_secret_is_not_searched_for() {
        check(&["a", "", "ab"], &["a banana"], "a banana");
    }
}
