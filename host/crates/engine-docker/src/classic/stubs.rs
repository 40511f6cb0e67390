//! Mountpoints and files that the container engine makes, and that are in no tree.

use engine::Failure;
use graph::{ContentDigest, ExecOp, TreePath};
use store::{Entry, Kind, Store, empty_tree};

use crate::step::{TOOLS, deepest_first};

/// What Docker puts into every container. Source: moby/moby, `daemon/initlayer/setup_unix.go`.
const ENGINE: [&str; 12] = [
    "dev/console",
    "dev/pts",
    "dev/shm",
    "dev/mqueue",
    "dev",
    "proc",
    "sys",
    "etc/hosts",
    "etc/hostname",
    "etc/resolv.conf",
    "etc/mtab",
    ".dockerenv",
];
/// What Podman adds. Source: containers/podman, `libpod/container_internal_common.go`.
const PODMAN: [&str; 2] = ["run/.containerenv", "run/secrets"];

/// The one of [`ENGINE`] that is a link.
const LINK: (&str, &[u8]) = ("etc/mtab", b"/proc/mounts");

/// How many links a path may lead through, as Linux has it.
const MAX_LINKS: usize = 40;

/// Returns all paths of the root where an engine may have made something for a command, deepest first.
pub(crate) fn candidates(op: &ExecOp, is_podman: bool) -> Vec<String> {
    let mounted = op.mounts.iter().map(|mount| mount.path.as_str().to_owned());
    let tools = TOOLS.trim_start_matches('/').to_owned();
    let podman = PODMAN.into_iter().filter(|_| is_podman).map(str::to_owned);
    let paths = mounted.chain(ENGINE.map(str::to_owned)).chain(podman).chain([tools]);
    with_parents(paths.collect())
}

/// Returns paths and the directories above them, deepest first.
pub(crate) fn with_parents(mut paths: Vec<String>) -> Vec<String> {
    let mut parents = Vec::new();
    for path in &paths {
        parents.extend(path.match_indices('/').map(|(at, _)| path[..at].to_owned()));
    }
    paths.extend(parents);
    paths.retain(|path| !path.is_empty());
    deepest_first(&mut paths);
    paths
}

/// Takes out what an engine made and nobody filled: what is at these paths, was not there before and is empty.
///
/// Returns the tree without it, and which paths it was. Blocks.
pub(crate) fn remove(
    store: &Store,
    tree: ContentDigest,
    before: ContentDigest,
    candidates: &[String],
) -> Result<(ContentDigest, Vec<String>), Failure> {
    let (mut tree, mut removed) = (tree, Vec::new());
    for path in candidates {
        let was_there = store.stat(before, &parsed(path), false).is_ok_and(|found| found.is_some());
        if was_there {
            continue;
        }
        let Some(path) = without_links(store, tree, path)? else { continue };
        let names: Vec<&str> = path.split('/').collect();
        if let Some(without) = take(store, tree, &path, &names)? {
            tree = without;
            removed.push(path);
        }
    }
    Ok((tree, removed))
}

fn parsed(path: &str) -> TreePath {
    TreePath::parse(path).unwrap_or_default()
}

/// Returns where a path leads if the directories in it are links, which stay inside of the root as engines have it.
fn without_links(store: &Store, tree: ContentDigest, path: &str) -> Result<Option<String>, Failure> {
    let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    let (mut at, mut n_links) = (Vec::<(String, ContentDigest)>::new(), 0);
    while let Some(name) = rest.pop() {
        if name.is_empty() || name == "." {
            continue;
        }
        if name == ".." {
            at.pop();
            continue;
        }
        let parents: Vec<&str> = at.iter().map(|(name, _)| name.as_str()).collect();
        if rest.is_empty() {
            return Ok(Some([parents.as_slice(), &[name.as_str()]].concat().join("/")));
        }
        let directory = at.last().map_or(tree, |(_, digest)| *digest);
        let node = store.node(directory).map_err(Failure::of)?;
        match node.get(name.as_bytes()).map(|entry| &entry.kind) {
            Some(Kind::Directory { digest }) => at.push((name, *digest)),
            Some(Kind::Symlink { target }) if n_links < MAX_LINKS => {
                n_links += 1;
                let target = String::from_utf8_lossy(target);
                if target.starts_with('/') {
                    at.clear();
                }
                rest.extend(target.split('/').rev().map(str::to_owned));
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Returns the tree without the empty thing at a path; none if there is no such thing.
fn take(store: &Store, tree: ContentDigest, path: &str, names: &[&str]) -> Result<Option<ContentDigest>, Failure> {
    let Some((name, below)) = names.split_first() else { return Ok(None) };
    let mut node = (*store.node(tree).map_err(Failure::of)?).clone();
    let Some(entry) = node.get(name.as_bytes()).cloned() else { return Ok(None) };
    if below.is_empty() {
        if !is_untouched(path, &entry) {
            return Ok(None);
        }
        node.take(name.as_bytes());
    } else {
        let Some(directory) = entry.directory() else { return Ok(None) };
        let Some(digest) = take(store, directory, path, below)? else { return Ok(None) };
        node.put(Entry { kind: Kind::Directory { digest }, ..entry });
    }
    store.put_node(node).map(Some).map_err(Failure::of)
}

fn is_untouched(path: &str, entry: &Entry) -> bool {
    match &entry.kind {
        Kind::Directory { digest } => *digest == empty_tree(),
        Kind::File { size, .. } => *size == 0,
        Kind::Symlink { target } => path == LINK.0 && target.as_ref() == LINK.1,
        Kind::Fifo | Kind::Machine { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use graph::FileOp;

    use super::*;

    fn tree(store: &Store, paths: &[&str]) -> ContentDigest {
        paths.iter().fold(empty_tree(), |tree, path| {
            let contents: &[u8] = if path.ends_with("full") { b"x" } else { b"" };
            let at = TreePath::parse(path).unwrap();
            let op = match path.strip_suffix('/') {
                Some(_) => FileOp::MakeDirectory { path: at, mode: 0o755, owner: None },
                None if *path == "var/run" => FileOp::Symlink { target: "../run".into(), path: at },
                None if *path == LINK.0 => FileOp::Symlink { target: "/proc/mounts".into(), path: at },
                None => FileOp::MakeFile { path: at, contents: contents.into(), mode: 0o644, owner: None },
            };
            store.apply(&op, tree, None).unwrap()
        })
    }

    fn check(before: &[&str], after: &[&str], expect: &[&str]) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let candidates =
            with_parents(["mnt/in", "dev/.host", "etc/mtab", "etc/hosts", "var/run/x"].map(str::to_owned).to_vec());
        let (left, _) = remove(&store, tree(&store, after), tree(&store, before), &candidates).unwrap();
        assert_eq!(store.glob(left, &TreePath::root(), "**").unwrap(), expect, "{after:?}");
    }

    #[test]
    fn what_was_there_or_was_filled_stays() {
        check(&[], &["mnt/in/", "dev/.host/", "etc/mtab", "etc/hosts", "a"], &["a"]);
        check(&["mnt/"], &["mnt/in/", "dev/"], &["mnt/"]);
        check(&[], &["mnt/in/full", "etc/hosts"], &["mnt/", "mnt/in/", "mnt/in/full"]);
        check(&["etc/hosts"], &["etc/hosts", "etc/mtab"], &["etc/", "etc/hosts"]);
        check(&["var/run", "run/a"], &["var/run", "run/a", "run/x/"], &["run/", "run/a", "var/", "var/run"]);
    }
}
