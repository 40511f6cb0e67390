//! What the shim writes at the end of standard error if a command did not do what was expected.
//!
//! A marker, the ends of the streams if Docker's log has not all of them, and a last line of fixed length:
//! how it ended, how much it printed, and how long the ends are.

use engine::{ExecStatus, TAIL_BYTES};
use evaluate::Refusal;

use super::Bounds;

/// What begins the trailer. What a command prints itself may look the same: the last line decides.
const MARKER: &[u8] = b"\x1ehost-end\x1e\n";
/// The length of the last line: a separator, a letter, five numbers of twelve digits with something behind each.
const FOOTER: usize = 2 + 5 * 13;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// It ran, and ended otherwise than expected.
    Status(ExecStatus),
    /// It was not run, or its output is not kept.
    Refused(Refusal),
    /// It was not run: a directory in memory is larger than it may be.
    NoSize,
}

/// What the trailer says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) end: End,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Reads the trailer of what a command printed; none if there is none. `bounds` are those that it was
/// run with.
pub(crate) fn read(stdout: &[u8], stderr: &[u8], bounds: Bounds) -> Option<Trailer> {
    let (rest, footer) = stderr.split_at_checked(stderr.len().checked_sub(FOOTER)?)?;
    let [0x1e, kind, numbers @ ..] = footer else { return None };
    let mut values = [0_usize; 5];
    for (value, field) in values.iter_mut().zip(numbers.chunks(13)) {
        *value = std::str::from_utf8(field.get(..12)?).ok()?.parse().ok()?;
    }
    let [value, n_stdout, n_stderr, stdout_tail, stderr_tail] = values;
    let tails_at = rest.len().checked_sub(stdout_tail.checked_add(stderr_tail)?)?;
    let (printed, tails) = rest.split_at(tails_at);
    let printed = printed.strip_suffix(MARKER)?;
    let (out, err) = tails.split_at(stdout_tail);
    let code = i32::try_from(value).unwrap_or(i32::MAX);
    let end = match kind {
        b'e' => End::Status(ExecStatus::Exited { code }),
        b's' => End::Status(ExecStatus::Killed { signal: code }),
        b't' => End::Status(ExecStatus::TimedOut { after_ms: bounds.timeout_ms() }),
        b'i' => End::Refused(Refusal::Input),
        b'n' => End::Refused(Refusal::NoInput),
        b'o' | b'r' => End::Refused(Refusal::Redirect { is_stderr: *kind == b'r' }),
        b'w' => End::Refused(Refusal::Directory),
        b'u' => End::Refused(Refusal::User),
        b'g' => End::Refused(Refusal::Group),
        b'c' => End::Refused(Refusal::Flood { limit_bytes: bounds.max_output_bytes }),
        b'z' => End::NoSize,
        _ => return None,
    };
    let stdout = if stdout_tail > 0 { out } else { stdout };
    let stderr = if stderr_tail > 0 { err } else { printed };
    Some(Trailer { end, stdout: tail(stdout, n_stdout), stderr: tail(stderr, n_stderr) })
}

/// Returns how much of what came on standard error so far is the command's own.
pub(crate) fn shown(stderr: &[u8]) -> usize {
    if let Some(at) = stderr.windows(MARKER.len()).position(|window| window == MARKER) {
        return at;
    }
    let may_begin = (1..MARKER.len()).rev().find(|n| stderr.ends_with(&MARKER[..*n]));
    stderr.len() - may_begin.unwrap_or(0)
}

/// Writes the end of a stream of `total` bytes as `engine::tail` does with a whole one.
fn tail(bytes: &[u8], total: usize) -> String {
    let kept = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
    let omitted = total.saturating_sub(kept.len());
    let text = String::from_utf8_lossy(kept);
    let text = text.trim();
    if omitted == 0 { text.to_owned() } else { format!("[omitting {omitted} bytes]...{text}") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn footer(kind: char, numbers: [usize; 5]) -> String {
        let [a, b, c, d, e] = numbers;
        format!("\x1e{kind}{a:012},{b:012},{c:012},{d:012},{e:012}\x1e")
    }

    fn check(stdout: &str, stderr: &str, expect: &str) {
        let bounds = Bounds { timeout: Some(Duration::from_millis(9)), max_output_bytes: 7 };
        let got = match read(stdout.as_bytes(), stderr.as_bytes(), bounds) {
            None => "nothing".to_owned(),
            Some(Trailer { end, stdout, stderr }) => format!("{end:?} out={stdout} err={stderr}"),
        };
        assert_eq!(got, expect);
    }

    #[test]
    fn a_trailer_says_how_a_command_ended() {
        let marker = "\x1ehost-end\x1e\n";
        check(
            "a\n",
            &format!("oops\n{marker}{}", footer('e', [3, 2, 5, 0, 0])),
            "Status(Exited { code: 3 }) out=a err=oops",
        );
        check("", &format!("{marker}{}", footer('s', [9, 0, 0, 0, 0])), "Status(Killed { signal: 9 }) out= err=");
        check("", &format!("{marker}{}", footer('o', [0; 5])), "Refused(Redirect { is_stderr: false }) out= err=");
        check("", &format!("{marker}{}", footer('t', [0; 5])), "Status(TimedOut { after_ms: 9 }) out= err=");
        check("", &format!("{marker}{}", footer('c', [0; 5])), "Refused(Flood { limit_bytes: 7 }) out= err=");
        check("a", "oops", "nothing");
        check("", &footer('e', [3, 0, 0, 0, 0]), "nothing");
    }

    #[test]
    fn ends_that_the_log_lacks_stand_in_the_trailer() {
        let text = format!("cut\x1ehost-end\x1e\nEND-1END-2{}", footer('e', [1, 105, 3, 5, 5]));
        check("cut too", &text, "Status(Exited { code: 1 }) out=[omitting 100 bytes]...END-1 err=END-2");
    }

    #[test]
    fn nothing_of_the_trailer_is_shown() {
        assert_eq!(shown(b"oops\n\x1ehost"), 5);
        assert_eq!(shown(b"oops\n\x1ehost-end\x1e\nabc"), 5);
        assert_eq!(shown(b"oops\n\x1ehostile"), 13);
    }
}
