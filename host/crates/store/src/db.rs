//! The database of nodes, results, history, layers and leases.
//!
//! It is the file `db-v1.sqlite`, in WAL mode with `synchronous = NORMAL`. A commit does not wait for the disk. A
//! power cut can lose the last transactions, but it never loses one and keeps a later one. The database is opened
//! at the first use, so that a run that only scans an unchanged directory does not wait for it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use graph::{Blame, Diagnostic};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::fs::{NO_SPACE_HINT, STORE_HINT};

/// The version of the schema, which is stored in `user_version`.
pub(crate) const SCHEMA_VERSION: i64 = 1;
/// The longest wait for another process that writes. A transaction takes milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

const SCHEMA: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE nodes(digest BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE results(key BLOB PRIMARY KEY, value BLOB NOT NULL, refs BLOB NOT NULL,
  created_at INTEGER NOT NULL, last_used_at INTEGER NOT NULL, boot_id BLOB) WITHOUT ROWID;
CREATE TABLE history(definition BLOB PRIMARY KEY, key BLOB NOT NULL, inputs BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE layers(id TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL, last_used_at INTEGER NOT NULL, boot_id BLOB) WITHOUT ROWID;
CREATE TABLE materialised(tree BLOB PRIMARY KEY, layers TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE leases(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, what BLOB NOT NULL,
  pid INTEGER NOT NULL, started INTEGER NOT NULL, expires_at INTEGER NOT NULL);
CREATE TABLE volumes(digest BLOB PRIMARY KEY, key TEXT NOT NULL,
  created_at INTEGER NOT NULL, last_used_at INTEGER NOT NULL) WITHOUT ROWID;
";

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
        let source = SqlError(source.to_string());
        match code {
            Some(ErrorCode::DiskFull) => Self::NoSpace { root },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::ReadOnly { root, source }
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged { root, source },
            _ if is_full(&root) => Self::NoSpace { root },
            _ => Self::Sql { action, root, source },
        }
    }
}

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
            Self::NewerVersion { .. } => {
                "update this program, or name another directory with HOST_STORE for this version".to_owned()
            }
            Self::NoSpace { .. } => NO_SPACE_HINT.to_owned(),
            Self::ReadOnly { .. } => STORE_HINT.to_owned(),
            Self::Damaged { root, .. } => format!("remove it with `rm -r {}`; it is only a cache", root.display()),
            Self::Sql { .. } => return None,
        })
    }
}

/// The connection to the database, which is opened at the first use.
pub(crate) struct Db {
    root: PathBuf,
    connection: Mutex<Option<Connection>>,
}

impl Db {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, connection: Mutex::new(None) }
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
        work(connection).map_err(|e| DbError::new(action, &self.root, e))
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

    fn open(&self) -> Result<Connection, DbError> {
        let fail = |source| DbError::new("open the database", &self.root, source);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.root.join("db-v1.sqlite"), flags).map_err(fail)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(fail)?;
        connection.set_prepared_statement_cache_capacity(64);
        let version = user_version(&connection).map_err(fail)?;
        if version > SCHEMA_VERSION {
            return Err(DbError::NewerVersion { root: self.root.clone(), found: version });
        }
        if version == 0 {
            create(&connection).map_err(fail)?;
        }
        let pragmas = "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;";
        connection.execute_batch(pragmas).map_err(fail)?;
        Ok(connection)
    }
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
