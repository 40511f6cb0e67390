//! Parses extended headers in PAX format, which are records of `LENGTH KEY=VALUE` and a newline.

use super::TarError;
use super::sparse::{PaxMap, PaxSparse};

/// The records of an entry. Names of users, other times and comments are ignored.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Pax {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) mtime_ns: Option<i64>,
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) sparse: PaxSparse,
}

/// The prefix of extended attributes, as star, GNU tar and Go write it.
pub(crate) const XATTR: &[u8] = b"SCHILY.xattr.";

/// Reads all records.
pub(crate) fn parse(mut bytes: &[u8]) -> Result<Pax, TarError> {
    let mut pax = Pax::default();
    while !bytes.is_empty() {
        let (key, value, rest) = record(bytes)?;
        pax.take(key, value)?;
        bytes = rest;
    }
    Ok(pax)
}

/// A key, its value, and what follows the record.
type Record<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// Splits off the first record.
fn record(bytes: &[u8]) -> Result<Record<'_>, TarError> {
    let no_length = TarError::Extended("a record has no length");
    let space = bytes.iter().take(20).position(|&b| b == b' ').ok_or_else(|| no_length.clone())?;
    let length = decimal(&bytes[..space]).and_then(|n| usize::try_from(n).ok()).ok_or(no_length)?;
    let record = bytes.get(space + 1..length).ok_or(TarError::Extended("a record has a wrong length"))?;
    let record = record.strip_suffix(b"\n").ok_or(TarError::Extended("a record has no end"))?;
    let equals = record.iter().position(|&b| b == b'=').ok_or(TarError::Extended("a record has no `=`"))?;
    if equals == 0 {
        return Err(TarError::Extended("a record has no key"));
    }
    Ok((&record[..equals], &record[equals + 1..], &bytes[length..]))
}

impl Pax {
    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), TarError> {
        if let Some(name) = key.strip_prefix(XATTR) {
            self.xattrs.retain(|(other, _)| other != name);
            self.xattrs.push((name.to_vec(), value.to_vec()));
            return Ok(());
        }
        if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
            return self.take_sparse(key, value);
        }
        // An empty value removes an earlier one.
        match key {
            b"path" => self.path = text(value)?,
            b"linkpath" => self.link = text(value)?,
            b"size" => self.size = filled(value).map(|v| number(v, "size")).transpose()?,
            b"uid" => self.uid = filled(value).map(|v| id(v, "user")).transpose()?,
            b"gid" => self.gid = filled(value).map(|v| id(v, "group")).transpose()?,
            b"mtime" => self.mtime_ns = filled(value).map(time_ns).transpose()?,
            _ => {}
        }
        Ok(())
    }

    fn take_sparse(&mut self, key: &[u8], value: &[u8]) -> Result<(), TarError> {
        let sparse = &mut self.sparse;
        match key {
            b"major" => sparse.major = Some(number(value, "sparse version")?),
            b"minor" => sparse.minor = Some(number(value, "sparse version")?),
            b"name" => sparse.name = text(value)?,
            b"size" | b"realsize" => sparse.size = Some(number(value, "sparse size")?),
            // The numbers of a map are checked together.
            b"offset" => sparse.push(PaxMap::Offset, number(value, "sparse offset")?)?,
            b"numbytes" => sparse.push(PaxMap::Size, number(value, "sparse size")?)?,
            b"map" => {
                for (i, part) in value.split(|&b| b == b',').enumerate() {
                    let kind = if i % 2 == 0 { PaxMap::Offset } else { PaxMap::Size };
                    sparse.push(kind, number(part, "sparse map")?)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn filled(value: &[u8]) -> Option<&[u8]> {
    (!value.is_empty()).then_some(value)
}

fn text(value: &[u8]) -> Result<Option<Vec<u8>>, TarError> {
    if value.contains(&0) {
        return Err(TarError::Extended("a name has a NUL in it"));
    }
    Ok(filled(value).map(<[u8]>::to_vec))
}

/// Reads decimal digits.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    digits.iter().try_fold(0u64, |n, &b| n.checked_mul(10)?.checked_add(u64::from(b - b'0')))
}

/// Reads a size or an offset. A number that no file can have is refused, so that sums do not
/// overflow.
pub(crate) fn number(digits: &[u8], field: &'static str) -> Result<u64, TarError> {
    decimal(digits).filter(|&n| i64::try_from(n).is_ok()).ok_or(TarError::Number { field })
}

fn id(digits: &[u8], field: &'static str) -> Result<u32, TarError> {
    decimal(digits).and_then(|n| u32::try_from(n).ok()).ok_or(TarError::Number { field })
}

/// Reads seconds with a fraction, such as `-1.5`.
fn time_ns(text: &[u8]) -> Result<i64, TarError> {
    let wrong = TarError::Number { field: "time" };
    let (is_negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let dot = text.iter().position(|&b| b == b'.').unwrap_or(text.len());
    let seconds = decimal(&text[..dot]).ok_or_else(|| wrong.clone())?;
    let fraction = text.get(dot + 1..).unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return Err(wrong);
    }
    let digit = |i: usize| fraction.get(i).map_or(0, |b| i64::from(b - b'0'));
    let fraction = (0..9).fold(0, |n, i| n * 10 + digit(i));
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let ns = seconds.saturating_mul(1_000_000_000).saturating_add(fraction);
    Ok(if is_negative { -ns } else { ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_nine_digits_after_its_point() {
        let check = |text: &str, expect: Option<i64>| assert_eq!(time_ns(text.as_bytes()).ok(), expect, "{text}");
        check("0", Some(0));
        check("1", Some(1_000_000_000));
        check("1.5", Some(1_500_000_000));
        check("1.", Some(1_000_000_000));
        check("-1.5", Some(-1_500_000_000));
        check("1.0000000019", Some(1_000_000_001));
        // The latest time that nanoseconds can express.
        check("99999999999999", Some(i64::MAX));
        check("-99999999999999", Some(-i64::MAX));
        check("1e3", None);
        check(".5", None);
        check("1.x", None);
        check("", None);
    }

    #[test]
    fn a_later_record_counts_more_than_an_earlier_one() {
        let pax = parse(b"9 path=a\n9 path=b\n8 path=\n9 uid=12\n").unwrap();
        assert_eq!((pax.path, pax.uid), (None, Some(12)));
        let pax = parse(b"25 SCHILY.xattr.user.a=1\n25 SCHILY.xattr.user.a=2\n").unwrap();
        assert_eq!(pax.xattrs, [(b"user.a".to_vec(), b"2".to_vec())]);
    }
}
