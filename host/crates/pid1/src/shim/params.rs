//! What the command gets and no key depends on: its time, and the values of secrets.

#![expect(unsafe_code, reason = "an environment is a list of pointers")]

use core::ffi::{CStr, c_char};

use super::flags::Flags;
use super::redact::{Record, records};
use super::user::User;
use crate::sys::{self, Errno};
use crate::text::{TextList, number};

/// The parameters: records of a letter, a length of four bytes in the order of this machine, and contents.
///
/// `t` is the time in milliseconds after which the command is stopped, `l` the most bytes of each stream that are kept,
/// `e` a variable with a zero behind it, and `n` the list of texts that are replaced in output.
pub(super) struct Params(&'static [u8]);

impl Params {
    /// Reads the parameters. A file that is not there has none.
    pub(super) fn read(path: Option<&CStr>) -> Self {
        Self(path.and_then(|path| sys::read_file(path).ok()).unwrap_or(&[]))
    }

    fn each(&self, letter: u8) -> impl Iterator<Item = &'static [u8]> + use<> {
        records::<5>(self.0).filter(move |record| record.head[0] == letter).map(|Record { contents, .. }| contents)
    }

    /// Returns when the command is to be stopped, on the clock of [`sys::now_ms`].
    pub(super) fn deadline(&self) -> Option<u64> {
        let ms = number(self.each(b't').next()?, 10)?;
        Some(sys::now_ms().saturating_add(ms))
    }

    /// Returns the most bytes of each stream that are kept, if that is given.
    pub(super) fn max_kept(&self) -> Option<usize> {
        usize::try_from(number(self.each(b'l').next()?, 10)?).ok()
    }

    /// Returns the list of texts that are replaced in output.
    pub(super) fn secrets(&self) -> &'static [u8] {
        self.each(b'n').next().unwrap_or(&[])
    }

    /// Returns the variables with the values of secrets, as `NAME=VALUE`.
    fn variables(&self) -> impl Iterator<Item = &'static CStr> + use<> {
        self.each(b'e').filter_map(|text| CStr::from_bytes_until_nul(text).ok())
    }
}

/// Returns the environment of the command: that of the shim, with our variables in place of those of the same name.
pub(super) fn environment(flags: &Flags, user: &User, params: &Params, env: TextList) -> Result<TextList, Errno> {
    let home = if flags.sets_home { Some(home_of(user)?) } else { None };
    let ours = home.into_iter().chain(params.variables());
    let is_ours = |entry: &CStr| {
        let is_home = home.is_some_and(|home| name_of(home) == name_of(entry));
        is_home || params.variables().any(|variable| name_of(variable) == name_of(entry))
    };
    let inherited = env.into_iter().filter(|entry| !is_ours(entry));
    // The order that programs see: `HOME`, what is inherited, secrets.
    let (first, last) = (home.into_iter(), params.variables());
    let n_all = ours.count() + inherited.clone().count() + 1;
    make_list(first.chain(inherited).chain(last), n_all)
}

/// Makes a list of texts that fits `n` pointers, with the null.
fn make_list(texts: impl Iterator<Item = &'static CStr>, n: usize) -> Result<TextList, Errno> {
    // Fresh memory is all zeros: the null is there already.
    let room = sys::memory(n * size_of::<*const c_char>())?.as_mut_ptr().cast::<*const c_char>();
    for (at, text) in texts.take(n - 1).enumerate() {
        // SAFETY: there is room for `n` pointers, and memory from the kernel begins at a page.
        unsafe { *room.add(at) = text.as_ptr() };
    }
    // SAFETY: the pointers are to texts that stay, a null follows them, and the memory stays.
    Ok(unsafe { TextList::new(room) })
}

/// Returns `HOME=...` of a user.
fn home_of(user: &User) -> Result<&'static CStr, Errno> {
    const NAME: &[u8] = b"HOME=";
    let home = user.home();
    let room = sys::memory(NAME.len() + home.len() + 1)?;
    room[..NAME.len()].copy_from_slice(NAME);
    room[NAME.len()..NAME.len() + home.len()].copy_from_slice(home);
    Ok(CStr::from_bytes_until_nul(room).unwrap_or(c"HOME=/"))
}

fn name_of(entry: &CStr) -> &[u8] {
    entry.to_bytes().split(|byte| *byte == b'=').next().unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::list;

    fn params(records: &[(u8, &[u8])]) -> Params {
        let mut bytes = Vec::new();
        for (letter, contents) in records {
            bytes.push(*letter);
            bytes.extend(u32::try_from(contents.len()).unwrap().to_ne_bytes());
            bytes.extend(*contents);
        }
        Params(bytes.leak())
    }

    fn check(flags: &[&str], records: &[(u8, &[u8])], env: &[&str], expect: &str) {
        let args: Vec<&str> = ["d/out"].iter().chain(flags).chain(&["--", "x"]).copied().collect();
        let flags = Flags::parse(list(&args)).unwrap();
        let user = User::new(7, Some(b"/home/app"));
        let env = environment(&flags, &user, &params(records), list(env)).unwrap_or_else(|error| panic!("{error:?}"));
        let texts: Vec<&str> = env.into_iter().map(|text| text.to_str().unwrap()).collect();
        assert_eq!(texts.join(" "), expect);
    }

    #[test]
    fn variables_of_ours_replace_those_of_the_same_name() {
        check(&[], &[], &["A=1", "HOME=/x"], "A=1 HOME=/x");
        check(&["h"], &[], &["A=1", "HOME=/x", "HOMES=y"], "HOME=/home/app A=1 HOMES=y");
        check(&[], &[(b'e', b"A=secret\0"), (b't', b"5")], &["A=1", "AB=2"], "AB=2 A=secret");
        check(&["h"], &[(b'e', b"B=\0"), (b'e', b"C=c\0")], &[], "HOME=/home/app B= C=c");
    }

    #[test]
    fn a_damaged_file_has_the_parameters_before_the_damage() {
        let whole = params(&[(b't', b"10"), (b'l', b"4096"), (b'n', b"\x03\0\0\0abc")]);
        assert!(whole.deadline().is_some());
        assert_eq!(whole.max_kept(), Some(4096));
        assert!(Params(&whole.0[..4]).deadline().is_none());
        assert!(params(&[(b't', b"soon")]).deadline().is_none());
        assert!(Params::read(Some(c"/does/not/exist")).deadline().is_none());
    }
}
