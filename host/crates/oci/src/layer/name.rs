//! The meaning of entry names, and which names are refused.

use std::fmt::Write as _;

use super::Limits;
use super::error::EntryError;

/// A path from the root, without a leading `/`, without `.` and without empty components.
pub(crate) type Cleaned = Vec<u8>;

/// The meaning of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// An entry at this path; the root if it is empty.
    Plain(Cleaned),
    /// The removal of this path.
    Whiteout(Cleaned),
    /// A mark that this directory hides the layers below.
    Opaque(Cleaned),
    /// Metadata of AUFS.
    Metadata,
}

pub(super) const WHITEOUT: &[u8] = b".wh.";
/// The names that AUFS uses for metadata.
const METADATA: &[u8] = b".wh..wh.";
pub(super) const OPAQUE: &[u8] = b".wh..wh..opq";

/// Returns the meaning of an entry's name.
pub(super) fn classify(name: &[u8], limits: &Limits) -> Result<Name, EntryError> {
    let path = clean(name, limits)?;
    let (parent, last) = split(&path);
    if parent.split(|&b| b == b'/').any(|part| part.starts_with(METADATA)) {
        return Ok(Name::Metadata);
    }
    // A removed entry cannot have entries below it.
    if parent.split(|&b| b == b'/').any(|part| part.starts_with(WHITEOUT)) {
        return Err(EntryError::Whiteout);
    }
    if last == OPAQUE {
        return Ok(Name::Opaque(parent.to_vec()));
    }
    if last.starts_with(METADATA) {
        return Ok(Name::Metadata);
    }
    match last.strip_prefix(WHITEOUT) {
        Some(b"" | b"." | b"..") => Err(EntryError::Whiteout),
        Some(removed) => Ok(Name::Whiteout(join(parent, removed))),
        None => Ok(Name::Plain(path)),
    }
}

/// Checks a path and makes it relative to the root, as Docker does with absolute paths.
pub(crate) fn clean(name: &[u8], limits: &Limits) -> Result<Cleaned, EntryError> {
    if name.contains(&0) {
        return Err(EntryError::Nul);
    }
    let mut path = Vec::with_capacity(name.len());
    for part in name.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err(EntryError::Outside),
            _ if part.len() > limits.max_name_bytes => return Err(EntryError::LongName(limits.max_name_bytes)),
            _ => push(&mut path, part),
        }
    }
    if path.len() > limits.max_path_bytes {
        return Err(EntryError::LongPath(limits.max_path_bytes));
    }
    Ok(path)
}

/// Returns the path of the directory, and the name in it.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&b| b == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

pub(super) fn join(parent: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = parent.to_vec();
    push(&mut path, name);
    path
}

pub(crate) fn push(path: &mut Vec<u8>, name: &[u8]) {
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
}

/// Returns a name as text for people. Bytes that are not UTF-8 and terminal control characters are
/// escaped, and a very long name is shortened.
#[must_use]
pub fn escape(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                c if c.is_control() => text.extend(c.escape_default()),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a `String` cannot fail.
            let _ = write!(text, r"\x{byte:02x}");
        }
    }
    const MAX_SHOWN: usize = 200;
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expect: &str) {
        let limits = Limits { max_path_bytes: 20, max_name_bytes: 12, ..Limits::default() };
        let found = match classify(name.as_bytes(), &limits) {
            Ok(Name::Plain(path)) => format!("path {}", escape(&path)),
            Ok(Name::Whiteout(path)) => format!("gone {}", escape(&path)),
            Ok(Name::Opaque(path)) => format!("opaque {}", escape(&path)),
            Ok(Name::Metadata) => "metadata".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expect, "{name}");
    }

    #[test]
    fn a_name_stands_for_an_entry_a_removal_or_a_mark() {
        check("a/b", "path a/b");
        check("./a//b/.", "path a/b");
        check("/etc/passwd", "path etc/passwd");
        check("./", "path ");
        check("", "path ");
        check("a/.wh.b", "gone a/b");
        check(".wh...b", "gone ..b");
        check("a/.wh..wh..opq", "opaque a");
        check(".wh..wh..opq", "opaque ");
        check(".wh..wh.aufs", "metadata");
        check(".wh..wh.plnk/1", "metadata");
    }

    #[test]
    fn a_name_that_leads_out_or_means_nothing_is_refused() {
        check("../x", "it leads out of the layer");
        check("a/../../x", "it leads out of the layer");
        check("a/../b", "it leads out of the layer");
        check("a\0b", "its name or target has a NUL in it");
        check(".wh.", "it does not name an entry that can be removed");
        check("a/.wh..", "it does not name an entry that can be removed");
        check(".wh...", "it does not name an entry that can be removed");
        check(".wh.../x", "it does not name an entry that can be removed");
        check("a/.wh.b/x", "it does not name an entry that can be removed");
        check("1234567890123", "a name in its path has more than 12 bytes");
        check("1234567890/1234567890", "its path or target has more than 20 bytes");
    }
}
