//! What of a secret is part of a key: a hash of its value with a key of the store, or its name alone.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use engine::{Failure, SecretProvider, SessionIo};
use graph::{Edge, ExecOp, KeyHasher, Op, SecretDigest, SecretName};

/// The file of the store with the key. It is made at first use, and nobody but the owner of the store can read it.
const KEY_FILE: &str = "secret-key-v1";

/// Hashes the values of a session's secrets.
pub struct SecretHasher {
    store: PathBuf,
    provider: Arc<dyn SecretProvider>,
    is_dry: bool,
    key: OnceLock<[u8; 32]>,
}

/// What of the secrets of a command is part of its key.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SecretParts(Vec<(SecretName, Part)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Nothing but the name, which the operation has.
    Name,
    Value(SecretDigest),
    /// A value that cannot be read. Only a dry session goes on with it, and finds no result.
    Unreadable,
}

impl SecretHasher {
    /// Makes the hasher of a session over the store in this directory.
    #[must_use]
    pub fn new(store: &Path, io: &SessionIo) -> Self {
        let provider = Arc::clone(&io.secrets);
        Self { store: store.to_owned(), provider, is_dry: io.is_dry, key: OnceLock::new() }
    }

    /// Returns what of the secrets of a command is part of its key.
    ///
    /// # Errors
    /// If a value cannot be read, unless the session is a dry one, and if the key of the store cannot be read or made.
    pub fn parts(&self, op: &ExecOp) -> Result<SecretParts, Failure> {
        let parts = op.secrets().map(|name| Ok((name.clone(), self.part(name)?)));
        parts.collect::<Result<_, Failure>>().map(SecretParts)
    }

    fn part(&self, name: &SecretName) -> Result<Part, Failure> {
        if self.provider.is_known_by_name(name) {
            return Ok(Part::Name);
        }
        match self.provider.value(name) {
            Ok(value) => Ok(Part::Value(SecretDigest::of(self.key()?, &value))),
            Err(_) if self.is_dry => Ok(Part::Unreadable),
            Err(failure) => Err(failure),
        }
    }

    fn key(&self) -> Result<&[u8; 32], Failure> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let path = self.store.join(KEY_FILE);
        let key = read_or_make(&path).map_err(|error| {
            Failure::environment(format!("cannot use the key for secrets `{}`: {error}", path.display()), None)
        })?;
        Ok(self.key.get_or_init(|| key))
    }
}

impl SecretParts {
    /// Adds them to a key.
    pub fn hash_into(&self, hasher: &mut KeyHasher) {
        hasher.list(self.0.iter(), |h, (_, part)| match part {
            Part::Name => h.number(0),
            Part::Value(digest) => {
                h.number(1);
                h.bytes(digest.as_bytes());
            }
            Part::Unreadable => h.number(2),
        });
    }

    /// Returns whether there is something besides names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, part)| *part == Part::Name)
    }

    /// Returns the digests of the values that are part of the key.
    pub(crate) fn digests(&self) -> Vec<SecretDigest> {
        self.values().map(|(_, digest)| digest).collect()
    }

    /// Returns the name of the secret whose digest is the one with this index.
    pub(crate) fn name(&self, index: usize) -> Option<&SecretName> {
        self.values().nth(index).map(|(name, _)| name)
    }

    fn values(&self) -> impl Iterator<Item = (&SecretName, SecretDigest)> {
        self.0.iter().filter_map(|(name, part)| match part {
            Part::Value(digest) => Some((name, *digest)),
            Part::Name | Part::Unreadable => None,
        })
    }
}

/// Reads the values of the secrets of a graph, so that no look-up waits for a program that tells one. A value that cannot
/// be read is told by the command that needs it.
pub async fn read_ahead(provider: &Arc<dyn SecretProvider>, outputs: &[Edge]) {
    let (mut open, mut seen) = (outputs.iter().map(|edge| &edge.vertex).collect::<Vec<_>>(), HashSet::new());
    let mut names = BTreeSet::new();
    while let Some(vertex) = open.pop() {
        if !seen.insert(vertex.digest()) {
            continue;
        }
        open.extend(vertex.inputs().iter().map(|input| &input.edge.vertex));
        if let Op::Exec(op) = vertex.op() {
            names.extend(op.secrets().filter(|name| !provider.is_known_by_name(name)).cloned());
        }
    }
    if names.is_empty() {
        return;
    }
    let provider = Arc::clone(provider);
    let read = move || names.iter().for_each(|name| drop(provider.value(name)));
    // What goes wrong is told by the look-up.
    let _ = tokio::task::spawn_blocking(read).await;
}

/// Reads the key, or makes one that nobody knows. Of several processes that do so at once, all get the same.
fn read_or_make(path: &Path) -> io::Result<[u8; 32]> {
    match fs::read(path).map(<[u8; 32]>::try_from) {
        Ok(Ok(key)) => return Ok(key),
        // After a power cut it may be cut off.
        Ok(Err(_)) => fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut key = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    static N_MADE: AtomicU64 = AtomicU64::new(0);
    let new = path.with_extension(format!("{}-{}", std::process::id(), N_MADE.fetch_add(1, Ordering::Relaxed)));
    let written = write(&new, &key).and_then(|()| match fs::hard_link(&new, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read(path),
    });
    let _ = fs::remove_file(&new);
    <[u8; 32]>::try_from(written?).map_err(|_| io::Error::other("it has not 32 bytes"))
}

fn write(path: &Path, key: &[u8; 32]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(key)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_of_a_store_is_made_once_and_only_its_owner_can_read_it() {
        let store = tempfile::tempdir().unwrap();
        let path = store.path().join(KEY_FILE);
        let key = read_or_make(&path).unwrap();
        assert_ne!(key, [0; 32]);
        assert_eq!(read_or_make(&path).unwrap(), key);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(store.path()).unwrap().count(), 1);
        let at_once = tempfile::tempdir().unwrap();
        let path = at_once.path().join(KEY_FILE);
        let keys = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| read_or_make(&path).unwrap())).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect::<HashSet<_>>()
        });
        assert_eq!(keys.len(), 1, "several at once get the same");
        let other = tempfile::tempdir().unwrap();
        assert_ne!(read_or_make(&other.path().join(KEY_FILE)).unwrap(), key);
    }

    #[test]
    fn a_key_that_is_cut_off_is_made_anew() {
        let store = tempfile::tempdir().unwrap();
        let path = store.path().join(KEY_FILE);
        fs::write(&path, b"half").unwrap();
        let key = read_or_make(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), key);
    }

    #[test]
    fn keys_differ_by_the_value_and_by_how_a_secret_is_known() {
        let parts = |part| SecretParts(vec![(SecretName("s".to_owned()), part)]);
        let of = |value: &[u8], store: u8| Part::Value(SecretDigest::of(&[store; 32], value));
        let key = |part| {
            let mut hasher = KeyHasher::new("test");
            parts(part).hash_into(&mut hasher);
            hasher.cache_key()
        };
        let same = key(of(b"one", 1));
        assert_eq!(same, key(of(b"one", 1)));
        for other in [of(b"two", 1), of(b"one", 2), Part::Name, Part::Unreadable] {
            assert_ne!(same, key(other), "{other:?}");
        }
        assert!(parts(Part::Name).is_empty() && !parts(of(b"", 1)).is_empty());
        assert_eq!(parts(of(b"", 1)).name(0), Some(&SecretName("s".to_owned())));
    }
}
