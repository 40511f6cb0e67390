//! Texts as the kernel passes them, numbers in texts, and paths.

#![expect(unsafe_code, reason = "the kernel passes texts as pointers")]

use core::ffi::{CStr, c_char};

/// The longest path that the kernel takes, with the zero at its end.
const PATH_MAX: usize = 4096;

/// A list of arguments or of variables: pointers to texts, and a null pointer behind the last.
#[derive(Clone, Copy)]
pub(crate) struct TextList(*const *const c_char);

impl TextList {
    /// Makes a list of what the kernel passes.
    ///
    /// # Safety
    /// `first` points to pointers to texts that end with a zero, and a null follows the last. All of it
    /// stays as long as the process.
    pub(crate) unsafe fn new(first: *const *const c_char) -> Self {
        Self(first)
    }

    /// Returns the first text.
    pub(crate) fn first(self) -> Option<&'static CStr> {
        // SAFETY: a list is never behind its null, as `new` and `rest` promise.
        let text = unsafe { *self.0 };
        // SAFETY: what is not null is a text that ends with a zero.
        (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
    }

    /// Returns the list without its first text.
    pub(crate) fn rest(self) -> Self {
        // SAFETY: there is another pointer behind one that is not null.
        if self.first().is_some() { Self(unsafe { self.0.add(1) }) } else { self }
    }

    /// Returns the address of the first pointer.
    pub(crate) fn as_ptr(self) -> *const *const c_char {
        self.0
    }

    /// Returns the value of a variable in a list of `NAME=VALUE`.
    pub(crate) fn value_of(self, name: &[u8]) -> Option<&'static [u8]> {
        self.into_iter().find_map(|entry| entry.to_bytes().strip_prefix(name)?.strip_prefix(b"="))
    }
}

impl IntoIterator for TextList {
    type Item = &'static CStr;
    type IntoIter = Texts;

    fn into_iter(self) -> Texts {
        Texts(self)
    }
}

/// The texts of a [`TextList`].
#[derive(Clone)]
pub(crate) struct Texts(TextList);

impl Iterator for Texts {
    type Item = &'static CStr;

    fn next(&mut self) -> Option<&'static CStr> {
        let text = self.0.first();
        self.0 = self.0.rest();
        text
    }
}

/// Returns the number that a text of digits has in a base of up to 10; nothing if it is none, or too large.
pub(crate) fn number(digits: &[u8], base: u32) -> Option<u64> {
    let add = |number: u64, digit: &u8| {
        let value = digit.checked_sub(b'0').filter(|value| u32::from(*value) < base)?;
        number.checked_mul(u64::from(base))?.checked_add(u64::from(value))
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, add) }
}

/// Returns a text without its first `n` bytes.
pub(crate) fn skip(text: &CStr, n: usize) -> &CStr {
    let bytes = text.to_bytes_with_nul();
    bytes.get(n..).and_then(|rest| CStr::from_bytes_with_nul(rest).ok()).unwrap_or(c"")
}

/// A path that is put together from parts.
pub(crate) struct PathBuffer {
    bytes: [u8; PATH_MAX],
    len: usize,
}

impl PathBuffer {
    /// Puts parts behind each other. Returns nothing if the kernel would not take the path.
    pub(crate) fn joined(parts: &[&[u8]]) -> Option<Self> {
        let mut path = Self { bytes: [0; PATH_MAX], len: 0 };
        parts.iter().try_for_each(|part| path.push(part))?;
        Some(path)
    }

    /// Puts a part behind the path. Returns nothing if there is no room for it, or it contains a zero.
    pub(crate) fn push(&mut self, part: &[u8]) -> Option<()> {
        let end = self.len + part.len();
        if end >= PATH_MAX || part.contains(&0) {
            return None;
        }
        self.bytes[self.len..end].copy_from_slice(part);
        self.len = end;
        Some(())
    }

    /// Returns the path with a zero behind it.
    pub(crate) fn as_text(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }
}

/// Makes a list of texts, which stays as long as the process.
#[cfg(test)]
pub(crate) fn list(texts: &[&str]) -> TextList {
    use std::ffi::CString;
    let texts = texts.iter().map(|text| CString::new(*text).unwrap().into_raw().cast_const());
    let pointers: Vec<*const c_char> = texts.chain([core::ptr::null()]).collect();
    // SAFETY: the list ends with a null, its texts with a zero, and nothing of it is ever dropped.
    unsafe { TextList::new(pointers.leak().as_ptr()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_at_its_null() {
        let texts = list(&["a", "", "PATH=/bin", "PATHS=x"]);
        assert_eq!(texts.into_iter().collect::<Vec<_>>(), [c"a", c"", c"PATH=/bin", c"PATHS=x"]);
        assert_eq!(list(&[]).first(), None);
        assert_eq!(list(&[]).rest().first(), None);
        assert_eq!(texts.value_of(b"PATH"), Some(b"/bin".as_slice()));
        assert_eq!(texts.value_of(b"HOME"), None);
    }

    #[test]
    fn a_number_is_all_digits_and_not_too_large() {
        assert_eq!(number(b"0755", 8), Some(0o755));
        assert_eq!(number(b"18446744073709551615", 10), Some(u64::MAX));
        assert_eq!(number(b"18446744073709551616", 10), None);
        for none in [b"".as_slice(), b"8", b"1x", b"-1"] {
            assert_eq!(number(none, 8), None);
        }
    }

    #[test]
    fn a_path_is_joined_if_there_is_room() {
        assert_eq!(PathBuffer::joined(&[b"/a", b"/", b"b"]).unwrap().as_text(), c"/a/b");
        assert_eq!(PathBuffer::joined(&[&[b'a'; PATH_MAX - 1]]).unwrap().as_text().count_bytes(), PATH_MAX - 1);
        assert!(PathBuffer::joined(&[&[b'a'; PATH_MAX - 1], b"b"]).is_none());
        assert!(PathBuffer::joined(&[b"a\0b"]).is_none());
        assert_eq!(skip(c"u1000", 1), c"1000");
        assert_eq!(skip(c"", 1), c"");
    }
}
