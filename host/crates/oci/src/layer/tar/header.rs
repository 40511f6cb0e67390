//! Parses a header block of 512 bytes.

use super::{BLOCK_BYTES, Kind, TarError};

/// A header with a correct checksum.
pub(crate) struct Header<'a>(&'a [u8; BLOCK_BYTES]);

/// The variants of the format, which `magic` and `version` distinguish.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    V7,
    Ustar,
    /// Ustar with times at the end of the prefix.
    Star,
    Gnu,
}

const CHECKSUM: std::ops::Range<usize> = 148..156;

impl<'a> Header<'a> {
    /// Returns a header if the checksum of the block is correct. Historic archives compute it from
    /// signed bytes.
    pub(crate) fn parse(block: &'a [u8; BLOCK_BYTES], offset: u64) -> Result<Self, TarError> {
        let wrong = TarError::Checksum { offset };
        let stored = number(&block[CHECKSUM]).ok_or_else(|| wrong.clone())?;
        let bytes = || block.iter().enumerate().map(|(i, &b)| if CHECKSUM.contains(&i) { b' ' } else { b });
        let unsigned: i64 = bytes().map(i64::from).sum();
        let signed: i64 = bytes().map(|b| i64::from(b.cast_signed())).sum();
        if stored == unsigned || stored == signed { Ok(Self(block)) } else { Err(wrong) }
    }

    fn format(&self) -> Format {
        match (&self.0[257..263], &self.0[263..265], &self.0[508..512]) {
            (b"ustar\0", _, b"tar\0") => Format::Star,
            (b"ustar\0", _, _) => Format::Ustar,
            (b"ustar ", b" \0", _) => Format::Gnu,
            _ => Format::V7,
        }
    }

    pub(crate) fn typeflag(&self) -> u8 {
        self.0[156]
    }

    /// Returns the type. Old archives mark a directory only by a slash at the end of its name.
    pub(crate) fn kind(&self, name: &[u8]) -> Kind {
        match self.typeflag() {
            0 if name.ends_with(b"/") => Kind::Directory,
            // `7` is a contiguous file, and `S` is a sparse file.
            0 | b'0' | b'7' | b'S' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'3' => Kind::CharacterDevice,
            b'4' => Kind::BlockDevice,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            other => Kind::Other(other),
        }
    }

    pub(crate) fn name(&self) -> Vec<u8> {
        let name = text(&self.0[..100]);
        let prefix = match self.format() {
            Format::Ustar => text(&self.0[345..500]),
            Format::Star => text(&self.0[345..476]),
            Format::V7 | Format::Gnu => b"",
        };
        if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
    }

    pub(crate) fn link(&self) -> Vec<u8> {
        text(&self.0[157..257]).to_vec()
    }

    pub(crate) fn mode(&self) -> Result<u32, TarError> {
        self.unsigned(100..108, "mode")
    }

    pub(crate) fn uid(&self) -> Result<u32, TarError> {
        self.unsigned(108..116, "user")
    }

    pub(crate) fn gid(&self) -> Result<u32, TarError> {
        self.unsigned(116..124, "group")
    }

    pub(crate) fn size(&self) -> Result<u64, TarError> {
        self.size_at(124..136, "size")
    }

    /// Returns the time in nanoseconds.
    pub(crate) fn mtime_ns(&self) -> Result<i64, TarError> {
        let seconds = number(&self.0[136..148]).ok_or(TarError::Number { field: "time" })?;
        Ok(seconds.saturating_mul(1_000_000_000))
    }

    pub(crate) fn device(&self) -> Result<(u32, u32), TarError> {
        if self.format() == Format::V7 {
            return Ok((0, 0));
        }
        Ok((self.unsigned(329..337, "device")?, self.unsigned(337..345, "device")?))
    }

    fn unsigned(&self, range: std::ops::Range<usize>, field: &'static str) -> Result<u32, TarError> {
        number(&self.0[range]).and_then(|n| u32::try_from(n).ok()).ok_or(TarError::Number { field })
    }

    pub(crate) fn size_at(&self, range: std::ops::Range<usize>, field: &'static str) -> Result<u64, TarError> {
        number(&self.0[range]).and_then(|n| u64::try_from(n).ok()).ok_or(TarError::Number { field })
    }

    pub(crate) fn bytes(&self) -> &[u8; BLOCK_BYTES] {
        self.0
    }
}

/// Returns the bytes before the first NUL.
fn text(field: &[u8]) -> &[u8] {
    &field[..field.iter().position(|&b| b == 0).unwrap_or(field.len())]
}

/// Reads a number: octal digits between spaces and NULs, or GNU's big-endian number in two's
/// complement, which is marked by the highest bit of the first byte. Returns `None` if it is
/// neither, or too large.
pub(crate) fn number(field: &[u8]) -> Option<i64> {
    let first = *field.first()?;
    if first & 0x80 != 0 {
        let sign: i64 = if first & 0x40 != 0 { -1 } else { 0 };
        // The mark is not part of the number, and is replaced by the sign.
        let first = if sign < 0 { first | 0x80 } else { first & 0x7f };
        return std::iter::once(&first).chain(&field[1..]).try_fold(sign, |n, &b| {
            let shifted = n.checked_mul(256)?;
            shifted.checked_add(i64::from(b))
        });
    }
    let is_padding = |b: &u8| matches!(b, b' ' | 0);
    let start = field.iter().position(|b| !is_padding(b)).unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(is_padding).unwrap_or(digits.len());
    digits[..end].iter().try_fold(0i64, |n, &b| match b {
        b'0'..=b'7' => n.checked_mul(8)?.checked_add(i64::from(b - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_octal_or_binary() {
        let check = |field: &[u8], expect: Option<i64>| assert_eq!(number(field), expect, "{}", field.escape_ascii());
        check(b"0000644\0", Some(0o644));
        check(b"   644 \0", Some(0o644));
        check(b"\0\0\0\0\0\0\0\0", Some(0));
        check(b"77777777777\0", Some(0o77_777_777_777));
        check(b"777777777777", Some(0o777_777_777_777));
        check(b"0000648\0", None);
        check(b"-000644\0", None);
        check(b"\x80\0\0\0\0\0\x02\x01", Some(0x201));
        check(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX));
        check(b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None);
        check(b"\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2));
        check(b"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", Some(i64::MIN));
        check(b"\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff", None);
        check(b"\xbf\xff\xff\xff\xff\xff\xff\xff", Some(0x3fff_ffff_ffff_ffff));
    }
}
