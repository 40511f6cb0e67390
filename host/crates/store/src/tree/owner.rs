//! Resolves owners: `user`, `user:group`, `uid`, `uid:gid`, and mixtures of them.

use graph::{ContentDigest, TreePath};

use crate::store::Store;
use crate::tree::edit::EditError;
use crate::tree::resolve::ReadError;

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";
/// How much of these files is read, in bytes.
const MAX_FILE_BYTES: u64 = 16 << 20;

impl Store {
    /// Returns the uid and the gid that an owner means in a tree. Names are looked up in the `/etc/passwd` and
    /// `/etc/group` of the tree. Without a group, the gid is that of the user in `/etc/passwd`, or the same number as
    /// the uid if `/etc/passwd` does not have the user.
    ///
    /// # Errors
    /// If the tree has no such user or group, or cannot be read.
    pub fn resolve_owner(&self, tree: ContentDigest, owner: &str) -> Result<(u32, u32), EditError> {
        let (user, group) = owner.split_once(':').map_or((owner, None), |(user, group)| (user, Some(group)));
        if user.is_empty() || group == Some("") {
            return Err(EditError::BadOwner { owner: owner.to_owned() });
        }
        let unknown = |file: &'static str| EditError::UnknownOwner { owner: owner.to_owned(), file };
        let (uid, own_gid) = match user.parse::<u32>() {
            Ok(uid) => (uid, None),
            Err(_) => {
                let passwd = self.account_file(tree, PASSWD)?;
                let fields = find(&passwd, user).ok_or_else(|| unknown(PASSWD))?;
                let number = |i: usize| fields.get(i).and_then(|field| field.parse::<u32>().ok());
                (number(2).ok_or_else(|| unknown(PASSWD))?, number(3))
            }
        };
        let gid = match group.map(|group| (group, group.parse::<u32>())) {
            None => own_gid.unwrap_or(uid),
            Some((_, Ok(gid))) => gid,
            Some((group, Err(_))) => {
                let groups = self.account_file(tree, GROUP)?;
                let fields = find(&groups, group).ok_or_else(|| unknown(GROUP))?;
                fields.get(2).and_then(|field| field.parse().ok()).ok_or_else(|| unknown(GROUP))?
            }
        };
        Ok((uid, gid))
    }

    /// Returns the text of `/etc/passwd` or `/etc/group`; empty if the tree does not have the file.
    fn account_file(&self, tree: ContentDigest, path: &str) -> Result<String, EditError> {
        let Ok(path) = TreePath::parse(path) else { return Ok(String::new()) };
        match self.read_file(tree, &path, 0, Some(MAX_FILE_BYTES)) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(ReadError::NotFound { .. } | ReadError::NotADirectory { .. } | ReadError::NotAFile { .. }) => {
                Ok(String::new())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns the fields of the line whose first field is `name`.
fn find<'a>(file: &'a str, name: &str) -> Option<Vec<&'a str>> {
    file.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields.first() == Some(&name))
}
