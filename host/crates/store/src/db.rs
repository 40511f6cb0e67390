//! The database of nodes, results, history, layers and leases.
//!
//! It is the file `db-v1.sqlite`, in WAL mode with `synchronous = NORMAL`. A commit does not wait for the disk. A
//! power cut can lose the last transactions, but it never loses one and keeps a later one. The database is opened
//! at the first use, so that a run that only scans an unchanged directory does not wait for it.
//!
//! SQLite does not notice every damage to its file. So a row that says what is true has a checksum, and a damaged row is
//! as good as none. A file that SQLite finds damaged is marked, and made anew when it is opened the next time: everything
//! in the store can be made again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use graph::{Blame, Diagnostic};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::FlockOperation;

use crate::fs::{self, DAMAGED_HINT, NEWER_HINT, NO_SPACE_HINT, STORE_HINT};

/// The version of the schema, which is stored in `user_version`.
pub(crate) const SCHEMA_VERSION: i64 = 2;
/// The greatest version that a newer program can have made. A greater one is damage.
const MAX_VERSION: i64 = 1000;
/// The longest wait for another process that writes. A transaction takes milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

const SCHEMA: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE nodes(digest BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE results(key BLOB PRIMARY KEY, value BLOB NOT NULL, refs BLOB NOT NULL,
  created_at INTEGER NOT NULL, last_used_at INTEGER NOT NULL, boot_id BLOB, checksum BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE history(definition BLOB PRIMARY KEY, key BLOB NOT NULL, inputs BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE layers(id TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL, last_used_at INTEGER NOT NULL, boot_id BLOB) WITHOUT ROWID;
CREATE TABLE materialised(tree BLOB PRIMARY KEY, layers TEXT NOT NULL, checksum BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE leases(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, what BLOB NOT NULL,
  pid INTEGER NOT NULL, started INTEGER NOT NULL, expires_at INTEGER NOT NULL);
CREATE TABLE volumes(digest BLOB PRIMARY KEY, key TEXT NOT NULL,
  created_at INTEGER NOT NULL, last_used_at INTEGER NOT NULL) WITHOUT ROWID;
";

/// The tables of version 1 whose rows had no checksums. What they had is made again.
const WITHOUT_CHECKSUMS: [&str; 4] = ["nodes", "results", "materialised", "layers"];

/// The files of the database.
pub(crate) const FILES: [&str; 3] = ["db-v1.sqlite", "db-v1.sqlite-wal", "db-v1.sqlite-shm"];
/// The file that marks the database as damaged.
pub(crate) const DAMAGED: &str = "db-damaged";

/// The message of SQLite. Its own errors repeat the message in their causes.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SqlError(String);

/// Why the database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A newer version of this program made the database.
    #[error("store at `{}` is of version {found}, newer than this program", root.display())]
    NewerVersion {
        /// The directory of the store.
        root: PathBuf,
        /// The version of the schema.
        found: i64,
    },
    /// The disk is full.
    #[error("no space left for store at `{}`", root.display())]
    NoSpace {
        /// The directory of the store.
        root: PathBuf,
    },
    /// This user may not write to the database.
    #[error("store at `{}` cannot be written", root.display())]
    ReadOnly {
        /// The directory of the store.
        root: PathBuf,
        /// The message of SQLite.
        source: SqlError,
    },
    /// The file of the database is damaged.
    #[error("database of the store at `{}` is damaged", root.display())]
    Damaged {
        /// The directory of the store.
        root: PathBuf,
        /// The message of SQLite.
        source: SqlError,
    },
    /// SQLite reports another error.
    #[error("cannot {action} in the store at `{}`", root.display())]
    Sql {
        /// What failed, such as "read a directory".
        action: &'static str,
        /// The directory of the store.
        root: PathBuf,
        /// The message of SQLite.
        source: SqlError,
    },
}

impl DbError {
    fn new(action: &'static str, root: &Path, source: rusqlite::Error) -> Self {
        let root = root.to_owned();
        let code = source.sqlite_error_code();
        let is_damage = is_damage(&source);
        let source = SqlError(source.to_string());
        match code {
            Some(ErrorCode::DiskFull) => Self::NoSpace { root },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::ReadOnly { root, source }
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged { root, source },
            _ if is_full(&root) => Self::NoSpace { root },
            _ if is_damage => Self::Damaged { root, source },
            _ => Self::Sql { action, root, source },
        }
    }
}

/// Returns whether an error can only come from damage that SQLite has not noticed: a column with a value of another type,
/// a table that is missing, or a file that is too short.
fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::QueryReturnedNoRows => true,
        rusqlite::Error::SqliteFailure(failure, message) => {
            let message = message.as_deref().unwrap_or_default();
            // Source: sqlite.org/rescode.html: `SQLITE_ERROR` is also the code of a statement that names no table.
            matches!(failure.extended_code, SHORT_READ | rusqlite::ffi::SQLITE_MISMATCH)
                || (failure.extended_code == rusqlite::ffi::SQLITE_ERROR
                    && ["no such table", "no such column", "has no column"].iter().any(|what| message.contains(what)))
        }
        _ => false,
    }
}

/// Source: sqlite.org/rescode.html, `SQLITE_IOERR_SHORT_READ`.
const SHORT_READ: i32 = rusqlite::ffi::SQLITE_IOERR_SHORT_READ;

/// Returns whether the disk is full. SQLite reports some writes to a full disk, such as those to its shared
/// memory, as other errors.
fn is_full(root: &Path) -> bool {
    rustix::fs::statvfs(root).is_ok_and(|stat| stat.f_bavail == 0)
}

impl Diagnostic for DbError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NewerVersion { .. } => NEWER_HINT.to_owned(),
            Self::NoSpace { .. } => NO_SPACE_HINT.to_owned(),
            Self::ReadOnly { .. } => STORE_HINT.to_owned(),
            Self::Damaged { .. } => DAMAGED_HINT.to_owned(),
            Self::Sql { .. } => return None,
        })
    }
}

/// The connection to the database, which is opened at the first use.
pub(crate) struct Db {
    root: PathBuf,
    /// The lock that says that the store is used.
    in_use: File,
    connection: Mutex<Option<Connection>>,
}

impl Db {
    pub(crate) fn new(root: PathBuf, in_use: File) -> Self {
        Self { root, in_use, connection: Mutex::new(None) }
    }

    /// Runs `work` with the connection. `action` is a part of the error message, such as "read a directory".
    pub(crate) fn with<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DbError> {
        let mut guard = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match guard.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        let connection = guard.insert(connection);
        work(connection).map_err(|e| self.error(action, e))
    }

    /// Makes an error, and marks a database that is damaged.
    fn error(&self, action: &'static str, source: rusqlite::Error) -> DbError {
        let error = DbError::new(action, &self.root, source);
        if let DbError::Damaged { .. } = &error {
            self.mark_damaged();
        }
        error
    }

    /// Marks the database as damaged, so that it is made anew when it is opened the next time.
    pub(crate) fn mark_damaged(&self) {
        // Without the mark the next run meets the same damage.
        let _ = fs::create_new(&self.root.join(DAMAGED), 0o600);
    }

    /// Removes the files of a damaged database. Returns false if another process uses the store, or they cannot be removed.
    fn remove(&self) -> bool {
        let is_alone = rustix::fs::flock(&self.in_use, FlockOperation::NonBlockingLockExclusive).is_ok();
        let is_removed =
            is_alone && FILES.iter().chain(&[DAMAGED]).all(|name| fs::remove_all(&self.root.join(name)).is_ok());
        // A conversion of a lock that is refused can lose the lock that was held.
        let _ = rustix::fs::flock(&self.in_use, FlockOperation::LockShared);
        is_removed
    }

    /// Runs `work` in one transaction, which has the right to write from its beginning.
    pub(crate) fn transaction<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DbError> {
        self.with(action, |connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
    }

    /// Opens the database. One that is damaged is made anew, unless another process uses it.
    fn open(&self) -> Result<Connection, DbError> {
        let is_marked = matches!(fs::lstat_if_there(&self.root.join(DAMAGED)), Ok(Some(_)));
        if is_marked {
            self.remove();
        }
        match self.open_once() {
            Err(DbError::Damaged { .. }) if self.remove() => self.open_once(),
            opened => opened,
        }
    }

    fn open_once(&self) -> Result<Connection, DbError> {
        let fail = |source| self.error("open the database", source);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(self.root.join(FILES[0]), flags).map_err(fail)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(fail)?;
        connection.set_prepared_statement_cache_capacity(64);
        match user_version(&connection).map_err(fail)? {
            0 => create(&connection).map_err(fail)?,
            SCHEMA_VERSION => {}
            1 => upgrade(&mut connection).map_err(fail)?,
            found @ 0..=MAX_VERSION => return Err(DbError::NewerVersion { root: self.root.clone(), found }),
            _ => {
                self.mark_damaged();
                let source = SqlError("its version is none".to_owned());
                return Err(DbError::Damaged { root: self.root.clone(), source });
            }
        }
        let pragmas = "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;";
        connection.execute_batch(pragmas).map_err(fail)?;
        Ok(connection)
    }
}

/// Returns the checksum of a row.
pub(crate) fn checksum(columns: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for column in columns {
        hasher.update(&(column.len() as u64).to_le_bytes());
        hasher.update(column);
    }
    let mut sum = [0; 16];
    hasher.finalize_xof().fill(&mut sum);
    sum
}

/// Makes the tables of version 1 anew, unless another process has done so.
fn upgrade(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    if user_version(&transaction)? == 1 {
        for table in WITHOUT_CHECKSUMS {
            transaction.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?;
        }
        transaction.execute_batch(&SCHEMA.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS"))?;
        transaction.execute("DELETE FROM meta WHERE key = 'machine'", [])?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    transaction.commit()
}

fn user_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Makes the tables, unless another process has made them.
fn create(connection: &Connection) -> rusqlite::Result<()> {
    // The mode is a property of the file, so that it is set once.
    let mut tries = 0;
    while let Err(error) = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
        // SQLite does not wait here when two processes make the same store.
        if tries == 200 || error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) {
            return Err(error);
        }
        tries += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let made = match user_version(connection) {
        Ok(0) => connection
            .execute_batch(SCHEMA)
            .and_then(|()| connection.pragma_update(None, "user_version", SCHEMA_VERSION)),
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    match made {
        Ok(()) => connection.execute_batch("COMMIT"),
        Err(error) => {
            // The error above is the one that is returned.
            let _ = connection.execute_batch("ROLLBACK");
            Err(error)
        }
    }
}

/// Returns the present time in seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Converts seconds since 1970 to a time.
pub(crate) fn time_of(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
