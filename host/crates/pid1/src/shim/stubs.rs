//! Mountpoints that the container runtime makes: noted by this step, and removed by the step after it.

use super::flags::Flags;
use super::report::{self, Refusal, write_number};
use crate::sys::{self, Errno, Fd};
use crate::text::PathBuffer;

/// Removes what the step before left, and notes what this one will leave: a number and a path in a line.
pub(super) fn remove_and_note(flags: &Flags) -> Result<(), Refusal> {
    let to = report::open(flags, b"stubs")?;
    for list in flags.each(b'f') {
        let lines = sys::read_file(list)?.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.into_iter().try_for_each(|line| remove(line, to))?;
    }
    let (mut before, mut n) = (None, 0);
    for (letter, value) in flags.all() {
        match (letter, before) {
            (b'b', _) => {
                n += u64::from(before.is_some());
                before = Some(value);
            }
            (b'c', Some(before)) => {
                let path = PathBuffer::joined(&[before.to_bytes(), value.to_bytes()]);
                if path.is_some_and(|path| !sys::exists(path.as_text())) {
                    write_number(to, n, b' ')?;
                    sys::write_all(to, value.to_bytes())?;
                    sys::write_all(to, b"\n")?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes a mountpoint of the root if it is empty. One that is mounted on again stays on the list.
fn remove(line: &[u8], to: Fd) -> Result<(), Errno> {
    let Some(path) = line.strip_prefix(b"0 ").and_then(|path| PathBuffer::joined(&[path])) else { return Ok(()) };
    if !sys::remove_empty(path.as_text()) && sys::exists(path.as_text()) {
        sys::write_all(to, line)?;
        sys::write_all(to, b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::list;

    #[test]
    fn stubs_are_removed_where_they_are_empty_and_noted_where_nothing_was() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        for name in ["root/there", "empty", "full/x"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        std::fs::write(at("stubs"), "old").unwrap();
        std::fs::write(at("left"), format!("0 {}\n0 {}\n1 {}\n", at("empty"), at("full"), at("root/there"))).unwrap();
        let flags = [
            format!("d{}", at("")),
            format!("f{}", at("left")),
            format!("b{}", at("root")),
            "c/there".to_owned(),
            "c/new".to_owned(),
            format!("b{}", at("full")),
            "c/new".to_owned(),
            "c/x".to_owned(),
            "--".to_owned(),
            "x".to_owned(),
        ];
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        assert!(remove_and_note(&Flags::parse(list(&flags)).unwrap()).is_ok());
        let noted = std::fs::read_to_string(at("stubs")).unwrap();
        assert_eq!(noted, format!("0 {}\n0 /new\n1 /new\n", at("full")));
        assert!(!std::fs::exists(at("empty")).unwrap() && std::fs::exists(at("root/there")).unwrap());
    }
}
