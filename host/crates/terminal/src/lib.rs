//! What a terminal is shown of text that others wrote.
//!
//! A terminal obeys what it is shown: sequences move the cursor over earlier lines, set the title, or put text into the
//! clipboard. Everything that `host` writes for people goes through here, so that only text, line ends, tabs and
//! colours are left, whoever wrote it.
//!
//! It also has the forms of times and lines that people are shown. This crate does no IO: [`Filter`] stands before a writer, and [`shown`] before everything else.

mod bytes;
mod lines;
mod short;
mod time;

use std::borrow::Cow;

pub use bytes::bytes;
pub use lines::Lines;
pub use short::short;
pub use time::{duration, rfc3339};

/// The most bytes of one message that are shown.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// The most bytes that are held back until the end of a sequence comes. A longer one is none.
const MAX_HELD_BYTES: usize = 4096;

const ESCAPE: char = '\u{1b}';
const RESET: &str = "\u{1b}[0m";

/// Removes from what is written to one stream all that a terminal would obey. A sequence may be cut anywhere between
/// two writes.
pub struct Filter {
    is_colored: bool,
    /// The beginning of a character or of a sequence whose end has not come yet.
    held: Vec<u8>,
    /// Whether colours are set that the end of the line has to reset.
    is_styled: bool,
}

/// A sequence at the beginning of a text, by its length in bytes.
#[derive(Debug, PartialEq, Eq)]
enum Sequence {
    Colors(usize),
    Other(usize),
    Unfinished,
}

impl Filter {
    /// Makes a filter that keeps colours only if `is_colored` is set.
    #[must_use]
    pub fn new(is_colored: bool) -> Self {
        Self { is_colored, held: Vec::new(), is_styled: false }
    }

    /// Takes what is written, and returns what is shown of it.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let (text, n_decoded) = decode(&self.held);
        let rest = self.held.split_off(n_decoded);
        let mut shown = String::with_capacity(text.len());
        let n_done = self.show(&text, &mut shown);
        self.held = [&text.as_bytes()[n_done..], &rest].concat();
        shown
    }

    /// Returns how much of a text was taken; the rest is a sequence without its end.
    fn show(&mut self, text: &str, shown: &mut String) -> usize {
        let mut at = 0;
        while let Some(next) = text[at..].chars().next() {
            at += match next {
                ESCAPE => match sequence(&text[at..]) {
                    Sequence::Colors(length) if self.is_colored => {
                        let colors = &text[at..at + length];
                        shown.push_str(colors);
                        self.is_styled = !matches!(colors, RESET | "\u{1b}[m");
                        length
                    }
                    Sequence::Colors(length) | Sequence::Other(length) => length,
                    Sequence::Unfinished if text.len() - at > MAX_HELD_BYTES => 1,
                    Sequence::Unfinished => return at,
                },
                '\n' => {
                    self.end_style(shown);
                    shown.push('\n');
                    1
                }
                _ => {
                    if is_text(next) {
                        shown.push(next);
                    }
                    next.len_utf8()
                }
            };
        }
        at
    }

    fn end_style(&mut self, shown: &mut String) {
        if std::mem::take(&mut self.is_styled) {
            shown.push_str(RESET);
        }
    }
}

/// Returns what is shown of a text.
#[must_use]
pub fn shown(text: &str, is_colored: bool) -> String {
    let mut filter = Filter::new(is_colored);
    let mut shown = filter.push(text.as_bytes());
    filter.end_style(&mut shown);
    shown
}

/// Returns the beginning of a message that is too long to be shown whole, and says how much is left out.
#[must_use]
pub fn clipped(message: &str) -> Cow<'_, str> {
    if message.len() <= MAX_MESSAGE_BYTES {
        return Cow::Borrowed(message);
    }
    let (kept, rest) = message.split_at(message.floor_char_boundary(MAX_MESSAGE_BYTES));
    Cow::Owned(format!("{kept}... [{} more bytes]", rest.len()))
}

/// Returns whether a character is shown: no control character but the tab, and none that turns the direction of text
/// around.
fn is_text(character: char) -> bool {
    let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character == '\t' || !(character.is_control() || turns)
}

/// Returns the text of bytes, and how many of them it is made of: at the end a character may be cut.
fn decode(bytes: &[u8]) -> (String, usize) {
    let (mut text, mut at) = (String::with_capacity(bytes.len()), 0);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        at += chunk.valid().len();
        let invalid = chunk.invalid();
        let is_cut = at + invalid.len() == bytes.len()
            && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
        if is_cut {
            break;
        }
        if !invalid.is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            at += invalid.len();
        }
    }
    (text, at)
}

/// Finds the end of the sequence that a text begins with. A line end ends every sequence.
///
/// Source: ECMA-48, 5.4 and 5.6.
fn sequence(text: &str) -> Sequence {
    let mut rest = text.char_indices().skip(1);
    let Some((_, kind)) = rest.next() else { return Sequence::Unfinished };
    match kind {
        '[' => {
            let end = rest.find(|(_, c)| !matches!(c, '\u{20}'..='\u{3f}'));
            end.map_or(Sequence::Unfinished, |(at, end)| match end {
                'm' if is_color(&text[2..at]) => Sequence::Colors(at + 1),
                '\u{40}'..='\u{7e}' => Sequence::Other(at + 1),
                _ => Sequence::Other(at),
            })
        }
        ']' | 'P' | 'X' | '^' | '_' => {
            let end = rest.find(|(_, c)| matches!(*c, '\u{7}' | '\n' | ESCAPE));
            end.map_or(Sequence::Unfinished, |(at, end)| match (end, text[at..].chars().nth(1)) {
                ('\u{7}', _) => Sequence::Other(at + 1),
                (ESCAPE, None) => Sequence::Unfinished,
                (ESCAPE, Some('\\')) => Sequence::Other(at + 2),
                _ => Sequence::Other(at),
            })
        }
        '\u{20}'..='\u{2f}' => {
            let end = rest.find(|(_, c)| !matches!(c, '\u{20}'..='\u{2f}'));
            end.map_or(Sequence::Unfinished, |(at, end)| match end {
                '\u{30}'..='\u{7e}' => Sequence::Other(at + 1),
                _ => Sequence::Other(at),
            })
        }
        '\u{30}'..='\u{7e}' => Sequence::Other(2),
        _ => Sequence::Other(1),
    }
}

/// Returns whether the parameters of a graphic rendition set colours or weights only: it must not hide text.
fn is_color(params: &str) -> bool {
    let mut params = params.split([';', ':']).map(|param| if param.is_empty() { Some(0) } else { param.parse().ok() });
    while let Some(param) = params.next() {
        match param {
            None | Some(8) => return false,
            // A colour by its number, or by three.
            Some(38 | 48 | 58) => match params.next() {
                Some(Some(5)) => drop(params.next()),
                Some(Some(2)) => drop(params.nth(2)),
                _ => return false,
            },
            Some(_) => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, plain: &str, colored: &str) {
        assert_eq!(shown(text, false), plain, "{text:?} without colours");
        assert_eq!(shown(text, true), colored, "{text:?} with colours");
        // However it is cut into writes, the same is shown.
        for n_bytes in [1, 2, 3] {
            let mut filter = Filter::new(true);
            let mut got: String = text.as_bytes().chunks(n_bytes).map(|chunk| filter.push(chunk)).collect();
            filter.end_style(&mut got);
            assert_eq!(got, colored, "{text:?} in pieces of {n_bytes}");
        }
    }

    fn check_same(text: &str, expect: &str) {
        check(text, expect, expect);
    }

    #[test]
    fn text_with_its_lines_and_tabs_stays() {
        check_same("a\tb\nzwölf 日本 🎉\n", "a\tb\nzwölf 日本 🎉\n");
        check_same("", "");
    }

    #[test]
    fn what_moves_the_cursor_or_changes_the_screen_is_removed() {
        check_same("\u{1b}[2Jfailed\r\u{7}", "failed");
        check_same("a\u{1b}[1A\u{1b}[Kb\u{8}\u{8}c", "abc");
        check_same("\u{1b}[?1049h\u{1b}[>4;1mx\u{1b}[6n", "x");
        check_same("\u{1b}cx\u{1b}(0y\u{1b}=z\u{1b}#8", "xyz");
        check_same("\u{9b}2Jx\u{85}y\u{7f}", "2Jxy");
        check_same("10 %\r20 %\r\n", "10 %20 %\n");
    }

    #[test]
    fn titles_links_and_clipboards_are_not_set() {
        check_same("\u{1b}]0;owned\u{7}x", "x");
        check_same("\u{1b}]52;c;cm0gLXJmIC8=\u{1b}\\x", "x");
        check_same("\u{1b}]8;;http://evil.example\u{1b}\\click\u{1b}]8;;\u{1b}\\", "click");
        check_same("\u{1b}P$qm\u{1b}\\\u{1b}_apc\u{1b}\\\u{1b}^pm\u{1b}\\\u{1b}Xsos\u{1b}\\x", "x");
    }

    #[test]
    fn a_line_end_ends_what_has_no_end() {
        check_same("\u{1b}]0;never ended\nnext\n", "\nnext\n");
        check_same("\u{1b}[31\nnext\n", "\nnext\n");
        check_same("\u{1b}\nnext\u{1b}", "\nnext");
        check_same("\u{1b}]0;a\u{1b}[2Jx", "x");
    }

    #[test]
    fn colours_stay_where_colours_are_shown_and_end_with_the_line() {
        check("\u{1b}[31mred\u{1b}[0m\n", "red\n", "\u{1b}[31mred\u{1b}[0m\n");
        check("\u{1b}[1;31mred\nnext\n", "red\nnext\n", "\u{1b}[1;31mred\u{1b}[0m\nnext\n");
        check("\u{1b}[38;5;8mx\u{1b}[m\n", "x\n", "\u{1b}[38;5;8mx\u{1b}[m\n");
        check("\u{1b}[48;2;8;8;8mx", "x", "\u{1b}[48;2;8;8;8mx\u{1b}[0m");
    }

    #[test]
    fn text_cannot_be_hidden() {
        check_same("\u{1b}[8mhidden\u{1b}[1;8mx", "hiddenx");
        check_same("\u{1b}[?31mx\u{1b}[38;7mx", "xx");
    }

    #[test]
    fn text_cannot_be_turned_around() {
        check_same("safe\u{202e}gnp.exe\u{2066}\u{2069}", "safegnp.exe");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_such() {
        let mut filter = Filter::new(false);
        assert_eq!(filter.push(b"a\xffb\xc3"), "a\u{fffd}b");
        assert_eq!(filter.push(b"\xbc\n"), "\u{fc}\n");
        assert_eq!(filter.push(b"\xe2\x82"), "");
        assert_eq!(filter.push(b"x"), "\u{fffd}x");
    }

    #[test]
    fn little_is_held_back() {
        let mut filter = Filter::new(false);
        let mut n_shown = filter.push(b"\x1b]").len();
        for _ in 0..100 {
            n_shown += filter.push(&[b'x'; 1000]).len();
            assert!(filter.held.len() <= MAX_HELD_BYTES + 1000);
        }
        assert!(n_shown > 90_000);
    }

    #[test]
    fn a_long_message_is_clipped() {
        assert_eq!(clipped("short"), "short");
        let long = format!("{}ü{}", "x".repeat(MAX_MESSAGE_BYTES - 1), "y".repeat(100));
        let clipped = clipped(&long);
        assert!(clipped.ends_with("x... [102 more bytes]"), "{}", &clipped[clipped.len() - 30..]);
    }
}
