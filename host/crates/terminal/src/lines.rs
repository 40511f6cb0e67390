//! Cuts the output of a command into lines.

/// The most bytes that are kept until the end of their line comes. A longer line is shown in parts.
const MAX_BYTES: usize = 64 * 1024;

/// The beginning of a line whose end has not come yet.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes output. Returns the lines that end in it, in time that grows with `bytes` alone.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let end = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if self.rest.len() + bytes.len() > MAX_BYTES => bytes.len(),
            None => {
                self.rest.extend_from_slice(bytes);
                return Vec::new();
            }
        };
        let mut whole = std::mem::take(&mut self.rest);
        let (ended, rest) = bytes.split_at(end);
        whole.extend_from_slice(ended);
        self.rest.extend_from_slice(rest);
        whole
    }

    /// Returns the last line, if its end never came.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(writes: &[&str], expect: &[&str], rest: &str) {
        let mut lines = Lines::default();
        let got: Vec<String> =
            writes.iter().map(|write| String::from_utf8(lines.push(write.as_bytes())).unwrap()).collect();
        assert_eq!(got, expect);
        assert_eq!(String::from_utf8(lines.finish()).unwrap(), rest);
    }

    #[test]
    fn a_line_is_shown_when_its_end_has_come() {
        check(&["a\nb", "c\n\nd"], &["a\n", "bc\n\n"], "d");
        check(&["a", "", "b"], &["", "", ""], "ab");
        check(&[], &[], "");
    }

    #[test]
    fn output_without_ends_of_lines_is_not_kept_but_shown_in_parts() {
        let (mut lines, mut n_shown, piece) = (Lines::default(), 0, [b'x'; 4096]);
        for n_pieces in 1..=200 {
            n_shown += lines.push(&piece).len();
            assert!(lines.rest.len() <= MAX_BYTES && n_shown + lines.rest.len() == n_pieces * piece.len());
        }
    }
}
