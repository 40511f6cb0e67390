//! Users of a container: from the text of `with-user` to numbers.

use std::fmt;

/// The user that a command runs as, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The number of the user.
    pub uid: u32,
    /// The number of its first group.
    pub gid: u32,
    /// The numbers of all its groups, the first one among them.
    pub groups: Vec<u32>,
    /// The home directory.
    pub home: String,
}

/// A name that the container does not know.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UnknownName {
    User(String),
    Group(String),
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user `{name}` is not in the container's `/etc/passwd`"),
            Self::Group(name) => write!(f, "group `{name}` is not in the container's `/etc/group`"),
        }
    }
}

/// Finds a user as Docker does: names in the container's own files, numbers as they are.
///
/// `user` is `name`, `name:group`, `uid` or `uid:gid`; none is root.
pub(crate) fn resolve(user: Option<&str>, passwd: &str, group: &str) -> Result<User, UnknownName> {
    let user = user.unwrap_or("0");
    let (name, group_name) = user.split_once(':').map_or((user, None), |(name, group)| (name, Some(group)));
    let entry =
        lines(passwd).find(|fields| fields.first() == Some(&name) || (is_number(name) && fields.get(2) == Some(&name)));
    let uid = match (&entry, name.parse()) {
        (Some(fields), _) => number(fields, 2),
        (None, Ok(uid)) => uid,
        (None, Err(_)) => return Err(UnknownName::User(name.to_owned())),
    };
    let login = entry.as_ref().and_then(|fields| fields.first().copied()).unwrap_or(name);
    let (gid, groups) = match group_name {
        Some(name) => (group_id(name, group)?, Vec::new()),
        None => (entry.as_ref().map_or(0, |fields| number(fields, 3)), groups_of(login, group)),
    };
    // Also where it is the first: a process without its own group among the others can give it up, and gain what
    // is denied to the group. Source: CVE-2022-36109.
    let groups = std::iter::once(gid).chain(groups.into_iter().filter(|group| *group != gid)).collect();
    let home = entry.as_ref().and_then(|fields| fields.get(5).copied()).filter(|home| !home.is_empty());
    let home = home.unwrap_or(if uid == 0 { "/root" } else { "/" }).to_owned();
    Ok(User { uid, gid, groups, home })
}

fn group_id(name: &str, group: &str) -> Result<u32, UnknownName> {
    let known = lines(group).find(|fields| fields.first() == Some(&name)).map(|fields| number(&fields, 2));
    known.or_else(|| name.parse().ok()).ok_or_else(|| UnknownName::Group(name.to_owned()))
}

fn groups_of(login: &str, group: &str) -> Vec<u32> {
    lines(group)
        .filter(|fields| fields.get(3).is_some_and(|members| members.split(',').any(|member| member == login)))
        .map(|fields| number(&fields, 2))
        .collect()
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(':').collect())
}

fn number(fields: &[&str], at: usize) -> u32 {
    fields.get(at).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nstaff:x:50:app\napp:x:1000:\n";

    fn check(user: Option<&str>, expect: &str) {
        let got = match resolve(user, PASSWD, GROUP) {
            Ok(User { uid, gid, groups, home }) => format!("{uid}:{gid} {groups:?} {home}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expect, "{user:?}");
    }

    #[test]
    fn users_are_found_by_name_and_by_number() {
        check(None, "0:0 [0] /root");
        check(Some("app"), "1000:1000 [1000, 50] /home/app");
        check(Some("1000"), "1000:1000 [1000, 50] /home/app");
        check(Some("app:staff"), "1000:50 [50] /home/app");
        check(Some("1000:7"), "1000:7 [7] /home/app");
        check(Some("4242"), "4242:0 [0] /");
        check(Some("nobody"), "user `nobody` is not in the container's `/etc/passwd`");
        check(Some("app:wheel"), "group `wheel` is not in the container's `/etc/group`");
    }
}
