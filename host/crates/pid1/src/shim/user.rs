//! Who the command runs as: from the text of `with-user` to numbers, by the container's own files.
//!
//! The same rules as those of the embedded executor: names in `/etc/passwd` and `/etc/group`, numbers as they are.

use crate::start::text;
use crate::sys;

const MAX_GROUPS: usize = 64;

/// A user.
pub struct User {
    pub uid: u32,
    pub gid: u32,
    pub groups: [u32; MAX_GROUPS],
    pub n_groups: usize,
    /// What `/etc/passwd` says; none if it says nothing.
    pub home: Option<&'static [u8]>,
}

/// A name that the container does not know.
pub enum Unknown {
    User,
    Group,
}

/// Finds a user given as `name`, `name:group`, `uid` or `uid:gid` in files below a directory.
pub fn resolve(user: *const u8, root: *const u8) -> Result<User, Unknown> {
    let (passwd, group) = (read(root, b"/etc/passwd\0"), read(root, b"/etc/group\0"));
    // SAFETY: flags end with a zero.
    let mut parts = unsafe { text(user) }.splitn(2, |byte| *byte == b':');
    let (name, group_name) = (parts.next().unwrap_or(b"0"), parts.next());
    let entry = lines(passwd).find(|line| field(line, 0) == Some(name) || (number(name).is_some() && field(line, 2) == Some(name)));
    let id = |n: usize| entry.and_then(|line| number(field(line, n)?)).unwrap_or(0);
    let uid = match (entry, number(name)) {
        (Some(_), _) => id(2),
        (None, Some(uid)) => uid,
        (None, None) => return Err(Unknown::User),
    };
    let mut found = User { uid, gid: 0, groups: [0; MAX_GROUPS], n_groups: 0, home: None };
    match group_name {
        Some(name) => {
            let known = lines(group).find(|line| field(line, 0) == Some(name));
            let gid = known.and_then(|line| number(field(line, 2)?)).or_else(|| number(name));
            found.gid = gid.ok_or(Unknown::Group)?;
        }
        None => {
            found.gid = id(3);
            let login = entry.and_then(|line| field(line, 0)).unwrap_or(name);
            lines(group)
                .filter(|line| field(line, 3).is_some_and(|members| members.split(|byte| *byte == b',').any(|member| member == login)))
                .filter_map(|line| number(field(line, 2)?))
                .for_each(|gid| found.join(gid));
        }
    }
    if found.n_groups == 0 {
        found.join(found.gid);
    }
    found.home = entry.and_then(|line| field(line, 5)).filter(|home| !home.is_empty());
    Ok(found)
}

impl User {
    fn join(&mut self, gid: u32) {
        if self.n_groups < MAX_GROUPS {
            self.groups[self.n_groups] = gid;
            self.n_groups += 1;
        }
    }

    /// Returns the home directory.
    pub fn home(&self) -> &'static [u8] {
        self.home.unwrap_or(if self.uid == 0 { b"/root" } else { b"/" })
    }
}

fn read(root: *const u8, name: &'static [u8]) -> &'static [u8] {
    let mut path = [0_u8; sys::PATH_MAX];
    if sys::join(&mut path, root, name.as_ptr()) { sys::read_file(path.as_ptr()) } else { &[] }
}

fn lines(text: &'static [u8]) -> impl Iterator<Item = &'static [u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| line.first() != Some(&b'#'))
}

fn field(line: &'static [u8], n: usize) -> Option<&'static [u8]> {
    line.split(|byte| *byte == b':').nth(n)
}

fn number(text: &[u8]) -> Option<u32> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    is_number.then(|| text.iter().try_fold(0_u32, |n, digit| n.checked_mul(10)?.checked_add(u32::from(digit - b'0'))))?
}
