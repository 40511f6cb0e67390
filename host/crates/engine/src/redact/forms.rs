//! The forms in which programs write a text, and whether bytes are one of them.
//!
//! The shim in Docker's containers is compiled from this file too: it uses nothing but the core library.

/// A way to write a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Plain,
    /// As in URLs and forms: any of its bytes as `%` with two digits, a space as `+`.
    Percent,
    /// Inside quotes: with quotes and backslashes put in, and escapes as JSON, C and shells have them.
    Quoted,
    /// In hexadecimal digits, with separators between bytes.
    Hex,
    /// In base64, behind as many bytes of a group of three.
    Base64(usize),
    /// The same without its first character, which stands at the end of the line before.
    Base64Rest(usize),
}

/// Every form that is looked for.
pub(super) const FORMS: [Form; 10] = [
    Form::Plain,
    Form::Percent,
    Form::Quoted,
    Form::Hex,
    Form::Base64(0),
    Form::Base64(1),
    Form::Base64(2),
    Form::Base64Rest(0),
    Form::Base64Rest(1),
    Form::Base64Rest(2),
];

/// From how many bytes on separators are ignored in hexadecimal digits. Four numbers of two digits are no secret.
const MIN_SPACED_HEX: usize = 8;

/// Why bytes are not the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Whatever follows them.
    Never,
    /// They are its beginning.
    Open,
}

/// Returns how many bytes a text takes at most in any form. What is longer is not found.
pub(super) fn longest(text: &[u8]) -> usize {
    16 * text.len() + 256
}

/// Returns how many bytes at the beginning are the text in a form. With `is_last`, nothing follows the bytes.
pub(super) fn measure(form: Form, text: &[u8], bytes: &[u8], is_last: bool) -> Result<usize, Stop> {
    let mut input = Input { bytes, at: 0, is_last, limit: longest(text) };
    match form {
        Form::Plain => input.plain(text)?,
        Form::Percent => input.percent(text)?,
        Form::Quoted => input.quoted(text)?,
        Form::Hex => input.hex(text)?,
        Form::Base64(offset) => input.base64(text, offset, 0)?,
        Form::Base64Rest(offset) => input.base64(text, offset, 1)?,
    }
    Ok(input.at)
}

/// The bytes that are compared.
struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
    is_last: bool,
    limit: usize,
}

impl Input<'_> {
    /// Returns the byte that is `n` behind the next one; nothing at the end of the stream.
    fn peek(&self, n: usize) -> Result<Option<u8>, Stop> {
        match self.bytes.get(self.at + n) {
            _ if self.at + n >= self.limit => Err(Stop::Never),
            Some(byte) => Ok(Some(*byte)),
            None if self.is_last => Ok(None),
            None => Err(Stop::Open),
        }
    }

    fn require(&self, holds: bool) -> Result<(), Stop> {
        if holds { Ok(()) } else { Err(Stop::Never) }
    }

    /// Takes the byte if it is next.
    fn take(&mut self, byte: u8) -> Result<(), Stop> {
        self.require(self.peek(0)? == Some(byte))?;
        self.at += 1;
        Ok(())
    }

    /// Returns a number of `n` digits in a base up to 16, the first of which is `from` bytes behind the next byte.
    fn number(&self, from: usize, n: usize, base: u32) -> Result<Option<u32>, Stop> {
        let mut number = 0;
        for at in from..from + n {
            match self.peek(at)?.and_then(|byte| char::from(byte).to_digit(base)) {
                Some(digit) => number = number * base + digit,
                None => return Ok(None),
            }
        }
        Ok(Some(number))
    }

    fn plain(&mut self, text: &[u8]) -> Result<(), Stop> {
        text.iter().try_for_each(|byte| self.take(*byte))
    }

    fn percent(&mut self, text: &[u8]) -> Result<(), Stop> {
        for byte in text {
            if self.peek(0)? == Some(b'%') && self.is_percent(*byte)? {
                self.at += 3;
            } else if *byte == b' ' && self.peek(0)? == Some(b'+') {
                self.at += 1;
            } else {
                self.take(*byte)?;
            }
        }
        Ok(())
    }

    /// Returns whether the two bytes behind a percent sign are the digits of a byte. It looks no further than it must.
    fn is_percent(&self, byte: u8) -> Result<bool, Stop> {
        Ok(self.number(1, 1, 16)? == Some(u32::from(byte >> 4)) && self.number(2, 1, 16)? == Some(u32::from(byte & 15)))
    }

    /// Where the text has quotes and backslashes there are at least as many, and there may be some elsewhere. So it does
    /// not matter who quoted it and how often.
    fn quoted(&mut self, text: &[u8]) -> Result<(), Stop> {
        self.require(!text.iter().all(|byte| is_quote(*byte)))?;
        let mut rest = text;
        while !rest.is_empty() {
            let n_own = rest.iter().take_while(|byte| is_quote(**byte)).count();
            let is_first = rest.len() == text.len();
            rest = &rest[n_own..];
            let (mut n_quotes, mut n_backslashes) = (0, 0);
            // Behind the text there may be the quotes of somebody else.
            let n_most = if rest.is_empty() { n_own } else { usize::MAX };
            while n_quotes < n_most
                && let Some(byte) = self.peek(0)?.filter(|byte| is_quote(*byte))
            {
                n_quotes += 1;
                n_backslashes = if byte == b'\\' { n_backslashes + 1 } else { 0 };
                self.at += 1;
                // Nor before it.
                self.require(!is_first || n_own > 0 || byte == b'\\')?;
            }
            self.require(n_quotes >= n_own)?;
            let Some(byte) = rest.first() else { break };
            let n_taken = if n_backslashes > 0 { self.escape(rest)? } else { 0 };
            if n_taken == 0 {
                self.require(!is_first || n_own > 0 || n_quotes == 0)?;
                self.take(*byte)?;
            }
            rest = &rest[n_taken.max(1)..];
        }
        Ok(())
    }

    /// Takes what is behind a backslash if it means the beginning of the text. Returns how many bytes of the text.
    fn escape(&mut self, text: &[u8]) -> Result<usize, Stop> {
        let Some(letter) = self.peek(0)? else { return Ok(0) };
        let by_letter = LETTERS.iter().find(|(of, _)| *of == letter).map(|(_, byte)| *byte);
        if by_letter.is_some() && by_letter == text.first().copied() {
            self.at += 1;
            return Ok(1);
        }
        let is_first = |number: Option<u32>| number.is_some() && number == text.first().map(|byte| u32::from(*byte));
        match letter {
            b'u' => self.unicode(text),
            b'x' if is_first(self.number(1, 2, 16)?) => {
                self.at += 3;
                Ok(1)
            }
            b'0'..=b'3' if is_first(self.number(0, 3, 8)?) => {
                self.at += 3;
                Ok(1)
            }
            _ => Ok(0),
        }
    }

    /// Takes `uXXXX` behind a backslash, or a pair of them, if it is the first character of the text.
    fn unicode(&mut self, text: &[u8]) -> Result<usize, Stop> {
        let Some(character) = first_character(text) else { return Ok(0) };
        let (mut units, mut utf8) = ([0; 2], [0; 4]);
        let units = character.encode_utf16(&mut units);
        let mut n = 0;
        for (at, unit) in units.iter().enumerate() {
            while at > 0 && self.peek(n)? == Some(b'\\') {
                n += 1;
            }
            if self.peek(n)? != Some(b'u') || self.number(n + 1, 4, 16)? != Some(u32::from(*unit)) {
                return Ok(0);
            }
            n += 5;
        }
        self.at += n;
        Ok(character.encode_utf8(&mut utf8).len())
    }

    fn hex(&mut self, text: &[u8]) -> Result<(), Stop> {
        for (n, byte) in text.iter().enumerate() {
            while n > 0 && text.len() >= MIN_SPACED_HEX && self.separator()? > 0 {
                self.at += self.separator()?;
            }
            for digit in [byte >> 4, byte & 15] {
                self.require(self.number(0, 1, 16)? == Some(digit.into()))?;
                self.at += 1;
            }
        }
        Ok(())
    }

    /// Returns how many of the next bytes separate hexadecimal digits.
    fn separator(&self) -> Result<usize, Stop> {
        Ok(match self.peek(0)? {
            Some(b' ' | b'\t' | b'\r' | b'\n' | b':' | b',' | b'-') => 1,
            Some(b'0' | b'\\') if self.peek(1)? == Some(b'x') => 2,
            Some(b'\\') if self.peek(1)?.is_some_and(|byte| b"nrt".contains(&byte)) => 2,
            _ => 0,
        })
    }

    /// Takes base64 in either alphabet, from the character on that has the first bits of the text, or `skipped` behind it.
    ///
    /// Between characters there may be white space, but between the first two: otherwise the end of every line that ends
    /// in the first one would be held back.
    fn base64(&mut self, text: &[u8], offset: usize, skipped: usize) -> Result<(), Stop> {
        let first = offset * 8 / 6 + skipped;
        let end = ((offset + text.len()) * 8).div_ceil(6);
        for n in first..end {
            if n > first + 1 {
                self.white_space()?;
            }
            let (mask, bits) = six_bits(text, n * 6, offset * 8);
            let (n_bytes, character) = self.character()?;
            self.require(value_of(character).is_some_and(|value| value & mask == bits))?;
            self.at += n_bytes;
        }
        for _ in 0..2 {
            if self.peek(0)? == Some(b'=') {
                self.at += 1;
            }
        }
        Ok(())
    }

    /// Returns the next character, which may be escaped, with the number of bytes that it takes.
    fn character(&self) -> Result<(usize, u8), Stop> {
        let byte = |number: Option<u32>| number.and_then(|number| u8::try_from(number).ok()).unwrap_or(0);
        let Some(first) = self.peek(0)? else { return Err(Stop::Never) };
        match first {
            // Only `+`, `/` and `=` are ever escaped.
            b'%' if matches!(self.peek(1)?, Some(b'2')) => Ok((3, byte(self.number(1, 2, 16)?))),
            b'\\' => {
                let mut n = 1;
                while self.peek(n)? == Some(b'\\') {
                    n += 1;
                }
                match self.peek(n)? {
                    Some(b'u') => Ok((n + 5, byte(self.number(n + 1, 4, 16)?))),
                    Some(b'/') => Ok((n + 1, b'/')),
                    _ => Err(Stop::Never),
                }
            }
            _ => Ok((1, first)),
        }
    }

    /// Takes white space, also where it is escaped.
    fn white_space(&mut self) -> Result<(), Stop> {
        loop {
            match self.peek(0)? {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b'%') if matches!(self.peek(1)?, Some(b'0')) => {
                    self.require(matches!(self.number(2, 1, 16)?, Some(0x9 | 0xa | 0xd)))?;
                    self.at += 3;
                }
                Some(b'\\') => {
                    let mut n = 1;
                    while self.peek(n)? == Some(b'\\') {
                        n += 1;
                    }
                    if !matches!(self.peek(n)?, Some(b'n' | b'r' | b't')) {
                        return Ok(());
                    }
                    self.at += n + 1;
                }
                _ => return Ok(()),
            }
        }
    }
}

/// The letters that stand for bytes behind a backslash.
const LETTERS: [(u8, u8); 9] =
    [(b'n', b'\n'), (b't', b'\t'), (b'r', b'\r'), (b'b', 8), (b'f', 12), (b'a', 7), (b'v', 11), (b'e', 27), (b'E', 27)];

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'\\' | b'\'' | b'"')
}

/// Returns the first character of a text, if it begins with one in UTF-8.
fn first_character(text: &[u8]) -> Option<char> {
    (1..=text.len().min(4)).find_map(|n| core::str::from_utf8(&text[..n]).ok()?.chars().next())
}

/// Returns which of the six bits from `at` on are those of a text that begins at the bit `first`, and their values.
fn six_bits(text: &[u8], at: usize, first: usize) -> (u8, u8) {
    let (mut mask, mut bits) = (0, 0);
    for bit in at..at + 6 {
        let of_text = bit.checked_sub(first).and_then(|bit| Some((text.get(bit / 8)? >> (7 - bit % 8)) & 1));
        mask = (mask << 1) | u8::from(of_text.is_some());
        bits = (bits << 1) | of_text.unwrap_or(0);
    }
    (mask, bits)
}

/// Returns the number that a character of base64 stands for, in either alphabet.
fn value_of(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
