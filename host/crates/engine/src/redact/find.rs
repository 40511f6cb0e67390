//! Finds texts in a stream, in all of their forms.
//!
//! The shim in Docker's containers is compiled from this file too: it uses nothing but the core library, and works in
//! memory that it is given.

use super::forms::{FORMS, Stop, measure};

/// A word of a table.
pub(super) type Word = [u8; 4];

/// The words with a bit for each pair of bytes that some form of a text begins with.
const N_PAIR_WORDS: usize = 65536 / 32;
/// The words with a bit for each byte that some form begins with.
const N_FIRST_WORDS: usize = 256 / 32;
/// The number of lists of what may begin with a pair; several pairs share one.
const N_LISTS: usize = 4096;
/// Where the lists begin, and where what is listed does.
const LISTS: usize = N_PAIR_WORDS + N_FIRST_WORDS;
const LISTED: usize = LISTS + N_LISTS;

/// What to do with the next bytes of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// So many are shown.
    Show(usize),
    /// So many are a text.
    Hide(usize),
    /// They may be the beginning of a text: more of the stream is needed.
    Wait,
}

/// Finds texts. A list of texts is a length of four bytes and a text, for each of them.
pub(super) struct Finder<T, W> {
    texts: T,
    words: W,
}

/// Returns how many words the table of a list of texts takes.
pub(super) fn n_words(texts: &[u8]) -> usize {
    let mut n_listed = 0;
    each_beginning(texts, |_, _| n_listed += 1);
    LISTED + 2 * n_listed
}

impl<T: AsRef<[u8]>, W: AsRef<[Word]> + AsMut<[Word]>> Finder<T, W> {
    /// Makes a finder, in a table of [`n_words`] words that are zero.
    pub(super) fn new(texts: T, mut words: W) -> Self {
        let table = words.as_mut();
        let mut n = LISTED;
        each_beginning(texts.as_ref(), |pair, entry| {
            set_bit(&mut table[..N_PAIR_WORDS], pair.into());
            set_bit(&mut table[N_PAIR_WORDS..LISTS], usize::from(pair >> 8));
            if let Some([of_entry, next]) = table.get(n..n + 2).and_then(|words| words.first_chunk()) {
                debug_assert_eq!((of_entry, next), (&[0; 4], &[0; 4]));
                let list = list_of(pair);
                (table[n], table[n + 1]) = (entry.to_ne_bytes(), table[list]);
                table[list] = index(n);
                n += 2;
            }
        });
        Self { texts, words }
    }

    /// Says what to do with the next bytes, which are not empty. With `is_last`, nothing follows them.
    pub(super) fn next(&self, bytes: &[u8], is_last: bool) -> Next {
        let words = self.words.as_ref();
        let Some((pairs, rest)) = words.split_first_chunk::<N_PAIR_WORDS>() else { return Next::Show(bytes.len()) };
        let mut at = 0;
        while at + 1 < bytes.len() {
            let Some(n) = candidate(pairs, &bytes[at..]) else { break };
            at += n;
            match self.look(&bytes[at..], is_last) {
                Ok(None) => at += 1,
                _ if at > 0 => return Next::Show(at),
                Ok(Some(n)) => return Next::Hide(n),
                Err(()) => return Next::Wait,
            }
        }
        match bytes.last() {
            Some(byte) if !is_last && has_bit(rest, usize::from(*byte)) => match bytes.len() - 1 {
                0 => Next::Wait,
                n => Next::Show(n),
            },
            _ => Next::Show(bytes.len()),
        }
    }

    /// Returns how many bytes at the beginning are a text, the most if there are several. It is an error if they may be
    /// the beginning of one.
    fn look(&self, bytes: &[u8], is_last: bool) -> Result<Option<usize>, ()> {
        let (words, texts) = (self.words.as_ref(), self.texts.as_ref());
        let mut found = None;
        let mut n = number(words[list_of(u16::from_be_bytes([bytes[0], bytes[1]]))]);
        while n > 0 {
            let entry = number(words[n]);
            let text = text_at(texts, entry / 16);
            match measure(FORMS[entry % 16], text, bytes, is_last) {
                Ok(n_bytes) => found = found.max(Some(n_bytes)),
                Err(Stop::Open) => return Err(()),
                Err(Stop::Never) => {}
            }
            n = number(words[n + 1]);
        }
        Ok(found)
    }
}

/// Returns where the first pair of bytes is that some form begins with.
fn candidate(pairs: &[Word; N_PAIR_WORDS], bytes: &[u8]) -> Option<usize> {
    let mut pair = u16::from(*bytes.first()?);
    bytes[1..].iter().position(|byte| {
        pair = (pair << 8) | u16::from(*byte);
        (u32::from_ne_bytes(pairs[usize::from(pair >> 5)]) >> (pair & 31)) & 1 == 1
    })
}

/// Calls a function for each pair of bytes that a form of a text begins with, and what this is, once each.
fn each_beginning(texts: &[u8], mut call: impl FnMut(u16, u32)) {
    for at in offsets(texts) {
        let text = text_at(texts, at);
        for (n, form) in FORMS.iter().enumerate() {
            let may_begin = |bytes: &[u8]| measure(*form, text, bytes, false) != Err(Stop::Never);
            for first in (0..=u8::MAX).filter(|first| may_begin(&[*first])) {
                for second in (0..=u8::MAX).filter(|second| may_begin(&[first, *second])) {
                    call(u16::from_be_bytes([first, second]), (at * 16 + n) as u32);
                }
            }
        }
    }
}

/// Returns where the records of a list begin.
fn offsets(texts: &[u8]) -> impl Iterator<Item = usize> {
    // What an entry has room for, beside its form.
    const MOST: usize = 1 << 28;
    let mut at = 0;
    core::iter::from_fn(move || {
        let (head, rest) = texts.get(at..)?.split_first_chunk()?;
        let n_bytes = number(*head);
        let begin = at;
        at += 4 + rest.get(..n_bytes)?.len();
        (at < MOST).then_some(begin)
    })
    .filter(|at| !text_at(texts, *at).is_empty())
}

fn text_at(texts: &[u8], at: usize) -> &[u8] {
    let Some((head, rest)) = texts[at..].split_first_chunk() else { return &[] };
    &rest[..number(*head)]
}

fn list_of(pair: u16) -> usize {
    LISTS + ((usize::from(pair) * 40503) >> 4) % N_LISTS
}

fn number(word: Word) -> usize {
    u32::from_ne_bytes(word) as usize
}

fn index(n: usize) -> Word {
    (n as u32).to_ne_bytes()
}

fn has_bit(words: &[Word], n: usize) -> bool {
    words.get(n / 32).is_some_and(|word| (u32::from_ne_bytes(*word) >> (n % 32)) & 1 == 1)
}

fn set_bit(words: &mut [Word], n: usize) {
    words[n / 32] = (u32::from_ne_bytes(words[n / 32]) | (1 << (n % 32))).to_ne_bytes();
}
