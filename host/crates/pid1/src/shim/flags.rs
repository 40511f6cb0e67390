//! The arguments of the shim.

use core::ffi::CStr;

use crate::text::{TextList, number, skip};

/// The arguments of the shim, decoded.
pub(super) struct Flags {
    /// The file that is the standard input; empty without one.
    pub(super) stdin: Option<&'static CStr>,
    /// The files that get standard output and standard error.
    pub(super) redirects: [Option<&'static CStr>; 2],
    /// The directory of the report.
    pub(super) directory: &'static CStr,
    /// The file with the parameters.
    pub(super) params: Option<&'static CStr>,
    /// The user that runs the command, as `name`, `uid`, `name:group` or `uid:gid`.
    pub(super) user: &'static CStr,
    /// The working directory.
    pub(super) cwd: &'static CStr,
    /// Whether `HOME` is to be set.
    pub(super) sets_home: bool,
    /// Whether the command can gain no privileges.
    pub(super) has_fixed_privileges: bool,
    /// The command and its arguments.
    pub(super) command: TextList,
    all: TextList,
}

impl Flags {
    /// Reads flags up to `--`, and the command. Returns nothing if the command or the directory is missing.
    pub(super) fn parse(all: TextList) -> Option<Self> {
        let mut command = all;
        while command.first()? != END {
            command = command.rest();
        }
        let command = command.rest();
        command.first()?;
        let find = |letter| each(all, letter).last();
        Some(Self {
            stdin: find(b'i'),
            redirects: [find(b'o'), find(b'r')],
            directory: find(b'd')?,
            params: find(b'p'),
            user: find(b'u').unwrap_or(c"0"),
            cwd: find(b'w').unwrap_or(c"/"),
            sets_home: find(b'h').is_some(),
            has_fixed_privileges: find(b'l').is_some(),
            command,
            all,
        })
    }

    /// Returns all flags with their values, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = (u8, &'static CStr)> + use<> {
        pairs(self.all)
    }

    /// Returns the values of a flag.
    pub(super) fn each(&self, letter: u8) -> impl Iterator<Item = &'static CStr> + use<> {
        each(self.all, letter)
    }

    /// Returns the root as it was before anything was mounted on it.
    pub(super) fn before(&self) -> Option<&'static CStr> {
        self.each(b'b').next()
    }

    /// Returns the flags that are numbers before a path, each with up to three numbers.
    ///
    /// The first number of `k` is a mode, in base 8.
    pub(super) fn with_numbers(&self) -> impl Iterator<Item = (u8, [u64; 3], &'static CStr)> + use<> {
        self.all().filter(|(letter, _)| matches!(letter, b'k' | b'q' | b'z')).map(|(letter, value)| {
            let n_bytes = value.to_bytes().iter().take_while(|byte| **byte != b'/').count();
            let fields = value.to_bytes()[..n_bytes].split(|byte| *byte == b':');
            let mut numbers = [0; 3];
            for (n, (number_of, field)) in numbers.iter_mut().zip(fields).enumerate() {
                *number_of = number(field, if letter == b'k' && n == 0 { 8 } else { 10 }).unwrap_or(0);
            }
            (letter, numbers, skip(value, n_bytes))
        })
    }

    /// Returns whether an exit code is no failure.
    pub(super) fn is_accepted(&self, code: i32) -> bool {
        let is_code = |value: &CStr| value == c"*" || number(value.to_bytes(), 10) == u64::try_from(code).ok();
        self.each(b'x').any(is_code)
    }
}

/// Stands between the flags and the command.
const END: &CStr = c"--";

fn pairs(all: TextList) -> impl Iterator<Item = (u8, &'static CStr)> + use<> {
    let flags = all.into_iter().take_while(|text| *text != END);
    flags.filter_map(|text| Some((*text.to_bytes().first()?, skip(text, 1))))
}

fn each(all: TextList, letter: u8) -> impl Iterator<Item = &'static CStr> + use<> {
    pairs(all).filter(move |(found, _)| *found == letter).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::list;

    #[test]
    fn flags_end_before_the_command() {
        let flags = Flags::parse(list(&["d/out", "x0", "uapp", "h", "", "--", "echo", "--", "d/no"])).unwrap();
        assert_eq!((flags.directory, flags.user, flags.cwd, flags.sets_home), (c"/out", c"app", c"/", true));
        assert_eq!(flags.command.into_iter().collect::<Vec<_>>(), [c"echo", c"--", c"d/no"]);
        assert_eq!(flags.each(b'd').count(), 1);
    }

    #[test]
    fn a_command_and_a_directory_are_needed() {
        for args in [&["--", "echo"] as &[&str], &["d/out", "--"], &["d/out", "echo"], &[]] {
            assert!(Flags::parse(list(args)).is_none(), "{args:?}");
        }
    }

    #[test]
    fn numbers_stand_before_a_path() {
        let flags = Flags::parse(list(&["d/o", "k1755:3:4/a/b", "q7:8/c", "z4096/tmp", "--", "x"])).unwrap();
        let all: Vec<_> = flags.with_numbers().collect();
        let expect = [(b'k', [0o1755, 3, 4], c"/a/b"), (b'q', [7, 8, 0], c"/c"), (b'z', [4096, 0, 0], c"/tmp")];
        assert_eq!(all, expect);
    }

    #[test]
    fn exit_codes_are_accepted_one_by_one_or_all() {
        let check = |flag: &str, expect: [bool; 2]| {
            let flags = Flags::parse(list(&["d/o", flag, "--", "x"])).unwrap();
            assert_eq!([flags.is_accepted(0), flags.is_accepted(3)], expect, "{flag}");
        };
        check("x0", [true, false]);
        check("x3", [false, true]);
        check("x*", [true, true]);
        check("x", [false, false]);
    }
}
