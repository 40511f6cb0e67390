//! The system directories of this machine as a tree, which is a root file system without an image.
//!
//! `/usr` is a read-only view. `/bin`, `/lib` and the like are links into it, or views as well. `/etc` has copies
//! of the files that programs need to run; users, keys and the configuration of the machine are left out. The key
//! of a view stands for everything that a command can see in it.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use graph::{Blame, ContentDigest, Diagnostic, KeyHasher};
use rusqlite::OptionalExtension;

use crate::blob::{BlobError, Stamp};
use crate::db::DbError;
use crate::fs::{self, IoError};
use crate::nodes::{NodeError, empty_tree};
use crate::store::Store;
use crate::tree::deep::{Next, descend};
use crate::tree::node::{Entry, Kind, Mtime, Node, Owned};
use crate::tree::resolve::mode_of;

/// The files and directories that change when a package is installed.
const DATABASES: [&str; 8] = [
    "/var/lib/dpkg/status",
    "/var/lib/rpm/rpmdb.sqlite",
    "/var/lib/rpm/Packages",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/lib/apk/db/installed",
    "/usr/lib/apk/db/installed",
    "/var/lib/pacman/local",
    "/etc/ld.so.cache",
];

/// The directories into which programs and libraries are put without a package manager.
const DIRECTORIES: [&str; 16] = [
    "/usr",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/share",
    "/usr/include",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/lib",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
];

/// The directories of the root that have programs and libraries. On many systems they are links into `/usr`.
const TOP: [&str; 7] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32"];

/// The entries of `/etc` that say nothing about the machine or its users. Directories are copied with everything
/// in them, except for the names in `SECRET` and for files that not everybody may read.
const ETC: [&str; 22] = [
    "alternatives",
    "bash.bashrc",
    "ca-certificates",
    "ca-certificates.conf",
    "debian_version",
    "fonts",
    "inputrc",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "perl",
    "pki",
    "profile",
    "protocols",
    "services",
    "ssl",
    "terminfo",
    "timezone",
];
/// Beginnings of the names of further directories of `/etc` that are copied.
const ETC_PREFIXES: [&str; 2] = ["python3", "java"];
const SECRET: [&str; 3] = ["private", "security", "management"];

/// The accounts that programs expect, without the users of the machine.
const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
";
const GROUP: &str = "root:x:0:
daemon:x:1:
tty:x:5:
nogroup:x:65534:
";
const HOSTS: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";

/// Why the tree of the machine could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// A file or a directory of the machine cannot be read.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The tree cannot be stored.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The tree cannot be stored.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The tree cannot be stored.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Diagnostic for MachineError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(error) => error.hint(),
            Self::Node(error) => error.hint(),
            Self::Blob(error) => error.hint(),
            Self::Db(error) => error.hint(),
        }
    }
}

/// The tree, and the stamps of everything that it was made of. It is valid as long as the stamps are the same.
#[derive(serde::Serialize, serde::Deserialize)]
struct Memo {
    looked_at: Vec<(PathBuf, Option<Stamp>)>,
    machine: String,
    tree: ContentDigest,
}

impl Store {
    /// Returns the tree of the system directories of this machine, without anything of its users.
    ///
    /// # Errors
    /// If the machine cannot be read or the tree cannot be stored.
    pub fn machine(&self) -> Result<ContentDigest, MachineError> {
        let memo = self.db().with("read what the machine is", |db| {
            let mut query = db.prepare_cached("SELECT value FROM meta WHERE key = 'machine'")?;
            query.query_row([], |row| row.get::<_, Vec<u8>>(0)).optional()
        })?;
        let memo: Option<Memo> = memo.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        if let Some(memo) = memo {
            let is_same =
                memo.machine == machine_name() && memo.looked_at.iter().all(|(path, stamp)| look(path) == *stamp);
            if is_same && self.has_node(memo.tree)? {
                return Ok(memo.tree);
            }
        }
        let mut builder = Builder { store: self, looked_at: Vec::new() };
        let tree = builder.build()?;
        let memo = Memo { looked_at: builder.looked_at, machine: machine_name(), tree };
        // A memo that cannot be stored is made again by the next run.
        let bytes = postcard::to_allocvec(&memo).unwrap_or_default();
        self.db().with("note what the machine is", |db| {
            db.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('machine', ?1)", [bytes])
        })?;
        Ok(tree)
    }
}

fn machine_name() -> String {
    rustix::system::uname().machine().to_string_lossy().into_owned()
}

fn look(path: &Path) -> Option<Stamp> {
    fs::lstat_if_there(path).ok().flatten().map(|metadata| Stamp::of(&metadata))
}

struct Builder<'a> {
    store: &'a Store,
    looked_at: Vec<(PathBuf, Option<Stamp>)>,
}

impl Builder<'_> {
    fn look(&mut self, path: &Path) -> Option<Stamp> {
        let stamp = look(path);
        self.looked_at.push((path.to_owned(), stamp));
        stamp
    }

    fn build(&mut self) -> Result<ContentDigest, MachineError> {
        let key = self.key()?;
        let mut root = Node::default();
        root.put(view("usr", key));
        for name in TOP {
            let path = Path::new("/").join(name);
            match fs::lstat_if_there(&path)? {
                Some(metadata) if metadata.is_symlink() => {
                    let target = fs::read_link(&path)?.into();
                    root.put(Entry::new(name.as_bytes(), Kind::Symlink { target }, Owned::SYMLINK));
                }
                Some(metadata) if metadata.is_dir() => root.put(view(name, key)),
                _ => {}
            }
        }
        let etc = self.etc()?;
        root.put(directory("etc", self.store.put_node(etc)?, 0o755));
        let empty = self.store.put_node(Node::default())?;
        for (name, mode) in [
            ("tmp", 0o1777),
            ("root", 0o700),
            ("home", 0o755),
            ("run", 0o755),
            ("proc", 0o755),
            ("sys", 0o755),
            ("dev", 0o755),
        ] {
            root.put(directory(name, empty, mode));
        }
        let var = Node::of(vec![
            directory("cache", empty, 0o755),
            directory("lib", empty, 0o755),
            directory("log", empty, 0o755),
            directory("tmp", empty, 0o1777),
        ]);
        root.put(directory("var", self.store.put_node(var)?, 0o755));
        Ok(self.store.put_node(root)?)
    }

    /// Returns the key that stands for the contents of all views.
    fn key(&mut self) -> Result<ContentDigest, MachineError> {
        let mut hasher = KeyHasher::new("machine/1");
        hasher.text(&machine_name());
        for path in DATABASES {
            let path = Path::new(path);
            let stamp = self.look(path);
            hasher.flag(stamp.is_some());
            if let Some(stamp) = stamp {
                hasher.number(stamp.mtime_ns.cast_unsigned());
                if path.is_file() {
                    hasher.bytes(ContentDigest::of(&fs::read(path)?).as_bytes());
                }
            }
        }
        let mut directories: Vec<PathBuf> = DIRECTORIES.iter().map(PathBuf::from).collect();
        // A library can be put by hand into a directory such as `/usr/lib/x86_64-linux-gnu`.
        directories.push(PathBuf::from(format!("/usr/lib/{}-linux-gnu", machine_name())));
        for path in directories {
            let stamp = self.look(&path);
            hasher.option(stamp, |h, stamp| h.number(stamp.mtime_ns.cast_unsigned()));
        }
        Ok(hasher.content())
    }

    fn etc(&mut self) -> Result<Node, MachineError> {
        let etc = Path::new("/etc");
        self.look(etc);
        let mut node = Node::default();
        for name in fs::names(etc)? {
            let Some(text) = name.to_str() else { continue };
            let is_wanted = ETC.contains(&text) || ETC_PREFIXES.iter().any(|prefix| text.starts_with(prefix));
            if is_wanted && let Some(entry) = self.take(&etc.join(text))? {
                node.put(entry);
            }
        }
        for (name, text) in [("passwd", PASSWD), ("group", GROUP), ("hosts", HOSTS)] {
            let digest = self.store.put_blob(text.as_bytes())?;
            node.put(Entry::new(name.as_bytes(), Kind::File { digest, size: text.len() as u64 }, Owned::FILE));
        }
        Ok(node)
    }

    /// Copies an entry of `/etc`, if everybody may read it.
    fn take(&mut self, path: &Path) -> Result<Option<Entry>, MachineError> {
        let first = self.begin(path.to_owned())?;
        descend(first, |level, below, _| self.work(level, below))
    }

    /// Copies an entry; a directory is begun.
    fn begin(&mut self, path: PathBuf) -> Result<Next<Taking, Option<Entry>>, MachineError> {
        let Some(metadata) = fs::lstat_if_there(&path)? else { return Ok(Next::Done(None)) };
        let name = path.file_name().map(std::ffi::OsStr::as_encoded_bytes).unwrap_or_default();
        let mode = mode_of(&metadata);
        let entry = |kind| {
            let mtime = Mtime::Seen(crate::blob::nanoseconds(metadata.mtime(), metadata.mtime_nsec()));
            Entry { name: name.into(), kind, owned: Owned { mode, uid: 0, gid: 0 }, mtime }
        };
        if metadata.is_symlink() {
            // A link changes only when it is replaced, which changes the time of its directory.
            let kind = Kind::Symlink { target: fs::read_link(&path)?.into() };
            return Ok(Next::Done(Some(entry(kind))));
        }
        if metadata.is_dir() && mode & 0o5 == 0o5 && !SECRET.iter().any(|secret| name == secret.as_bytes()) {
            self.look(&path);
            let names = fs::names(&path)?.into_iter();
            let entry = entry(Kind::Directory { digest: empty_tree() });
            return Ok(Next::Down(Taking { names, node: Node::default(), entry, path }));
        }
        if metadata.is_file() && mode & 0o4 != 0 && metadata.len() < 16 << 20 {
            self.look(&path);
            // The contents are copied, so that a later run finds them in the store.
            let (digest, size) = self.store.put_file(&path)?;
            return Ok(Next::Done(Some(entry(Kind::File { digest, size }))));
        }
        Ok(Next::Done(None))
    }

    fn work(
        &mut self,
        level: &mut Taking,
        below: Option<Option<Entry>>,
    ) -> Result<Next<Taking, Option<Entry>>, MachineError> {
        if let Some(entry) = below.flatten() {
            level.node.put(entry);
        }
        for name in level.names.by_ref() {
            match self.begin(level.path.join(name))? {
                Next::Done(entry) => entry.into_iter().for_each(|entry| level.node.put(entry)),
                down => return Ok(down),
            }
        }
        let digest = self.store.put_node(std::mem::take(&mut level.node))?;
        Ok(Next::Done(Some(Entry { kind: Kind::Directory { digest }, ..level.entry.clone() })))
    }
}

/// A directory of `/etc` that is being copied.
struct Taking {
    path: PathBuf,
    names: std::vec::IntoIter<OsString>,
    node: Node,
    entry: Entry,
}

fn view(name: &str, key: ContentDigest) -> Entry {
    let host_path = format!("/{name}").into_bytes().into();
    Entry::new(name.as_bytes(), Kind::Machine { host_path, key }, Owned::DIRECTORY)
}

fn directory(name: &str, digest: ContentDigest, mode: u32) -> Entry {
    Entry::new(name.as_bytes(), Kind::Directory { digest }, Owned { mode, uid: 0, gid: 0 })
}
