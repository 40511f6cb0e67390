//! Who runs the command: from a text to numbers, by the files of the container.
//!
//! The rules are those of the embedded engine: names are those of `/etc/passwd` and `/etc/group`, and a
//! number that they do not have is taken as it is.

use core::ffi::CStr;

use super::report::Refusal;
use crate::sys;
use crate::text::{PathBuffer, number};

/// How many groups a user can have. Further ones are left out.
const MAX_GROUPS: usize = 64;

/// A user with its groups.
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
    groups: [u32; MAX_GROUPS],
    n_groups: usize,
    /// The home directory that `/etc/passwd` has.
    home: Option<&'static [u8]>,
}

impl User {
    /// Makes a user of group 0 that is in no other.
    pub(super) fn new(uid: u32, home: Option<&'static [u8]>) -> Self {
        Self { uid, gid: 0, groups: [0; MAX_GROUPS], n_groups: 0, home }
    }

    fn join(&mut self, gid: u32) {
        if let Some(room) = self.groups.get_mut(self.n_groups) {
            *room = gid;
            self.n_groups += 1;
        }
    }

    /// Returns all groups of the user.
    pub(super) fn groups(&self) -> &[u32] {
        &self.groups[..self.n_groups]
    }

    /// Returns the home directory.
    pub(super) fn home(&self) -> &'static [u8] {
        self.home.unwrap_or(if self.uid == 0 { b"/root" } else { b"/" })
    }
}

/// Finds a user given as `name`, `name:group`, `uid` or `uid:gid` by the files below a directory.
pub(super) fn resolve(user: &'static CStr, root: &CStr) -> Result<User, Refusal> {
    let read = |name: &[u8]| -> &'static [u8] {
        let path = PathBuffer::joined(&[root.to_bytes(), name]);
        path.and_then(|path| sys::read_file(path.as_text()).ok()).unwrap_or(&[])
    };
    find(user.to_bytes(), read(b"/etc/passwd"), read(b"/etc/group"))
}

fn find(user: &'static [u8], passwd: &'static [u8], group: &'static [u8]) -> Result<User, Refusal> {
    let mut parts = user.splitn(2, |byte| *byte == b':');
    let (name, group_name) = (parts.next().unwrap_or(b"0"), parts.next());
    let entry =
        lines(passwd).find(|line| field(line, 0) == Some(name) || (id(name).is_some() && field(line, 2) == Some(name)));
    let id_of_entry = |n: usize| entry.and_then(|line| id(field(line, n)?));
    let uid = match entry {
        Some(_) => id_of_entry(2).unwrap_or(0),
        None => id(name).ok_or(Refusal::User)?,
    };
    let mut found = User::new(uid, entry.and_then(|line| field(line, 5)).filter(|home| !home.is_empty()));
    if let Some(name) = group_name {
        let known = lines(group).find(|line| field(line, 0) == Some(name));
        found.gid = known.and_then(|line| id(field(line, 2)?)).or_else(|| id(name)).ok_or(Refusal::Group)?;
    } else {
        found.gid = id_of_entry(3).unwrap_or(0);
        let login = entry.and_then(|line| field(line, 0)).unwrap_or(name);
        let has_login = |members: &[u8]| members.split(|byte| *byte == b',').any(|member| member == login);
        for line in lines(group).filter(|line| field(line, 3).is_some_and(has_login)) {
            field(line, 2).and_then(id).into_iter().for_each(|gid| found.join(gid));
        }
    }
    if found.n_groups == 0 {
        found.join(found.gid);
    }
    Ok(found)
}

/// Returns the lines of a file that are neither empty nor a comment.
fn lines(text: &'static [u8]) -> impl Iterator<Item = &'static [u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !matches!(line.first(), None | Some(b'#')))
}

fn field(line: &'static [u8], n: usize) -> Option<&'static [u8]> {
    line.split(|byte| *byte == b':').nth(n)
}

/// Returns the number of a user or a group. The kernel takes the largest as "none", and so it names nobody.
fn id(text: &[u8]) -> Option<u32> {
    number(text, 10).and_then(|id| u32::try_from(id).ok()).filter(|id| *id != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(user: &'static str, expect: &str) {
        let passwd = b"root:x:0:0::/root:/bin/sh\n#app:x:5:5\napp:x:1000:100::/home/app:/bin/sh\nnone:x:8:9::\n";
        let group = b"root:x:0:\nwheel:x:10:root,app\ndocker:x:20:app\n";
        let got = match find(user.as_bytes(), passwd, group) {
            Ok(user) => {
                let home = std::str::from_utf8(user.home()).unwrap();
                format!("{}:{} {:?} {home}", user.uid, user.gid, user.groups())
            }
            Err(refusal) => match refusal {
                Refusal::User => "no user".to_owned(),
                Refusal::Group => "no group".to_owned(),
                _ => "another".to_owned(),
            },
        };
        assert_eq!(got, expect, "{user}");
    }

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        check("root", "0:0 [10] /root");
        check("app", "1000:100 [10, 20] /home/app");
        check("1000", "1000:100 [10, 20] /home/app");
        check("app:docker", "1000:20 [20] /home/app");
        check("app:77", "1000:77 [77] /home/app");
        check("4711", "4711:0 [0] /");
        check("none", "8:9 [9] /");
        check("0", "0:0 [10] /root");
    }

    #[test]
    fn a_name_that_is_not_there_is_refused() {
        check("nobody", "no user");
        check("4294967296", "no user");
        check("4294967295", "no user");
        check("0:4294967295", "no group");
        check("app:nobody", "no group");
        check("", "no user");
    }
}
