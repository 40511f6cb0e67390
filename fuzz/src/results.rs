//! Rows of results in the database of a store.

use std::sync::{Mutex, OnceLock, PoisonError};

use rusqlite::Connection;
use rusqlite::types::Value;
use store::{GcError, NewResult, Store};

/// A store with one result in it, and another connection to its database, which damages it.
struct Ground {
    store: Store,
    damager: Connection,
    _directory: tempfile::TempDir,
}

impl Ground {
    fn make() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let store = Store::open(directory.path()).expect("a store can be made");
        store.put_result(&RESULT).expect("a result can be stored");
        let damager = Connection::open(directory.path().join("db-v1.sqlite")).expect("the database is there");
        Self { store, damager, _directory: directory }
    }
}

const RESULT: NewResult<'static> =
    NewResult { key: graph::CacheKey::from_bytes([7; 32]), value: b"what was computed", trees: &[], blobs: &[] };

/// Puts bytes in the place of a column of a row. The first says which column, and as what kind of value. The store gives
/// the value that was stored, or none, or finds the damage; and what it gives stays so when it compares everything.
pub(super) fn results(bytes: &[u8]) {
    static GROUND: OnceLock<Mutex<Ground>> = OnceLock::new();
    let ground = GROUND.get_or_init(|| Mutex::new(Ground::make())).lock().unwrap_or_else(PoisonError::into_inner);
    let Some((kind, rest)) = bytes.split_first() else { return };
    ground.store.put_result(&RESULT).expect("a result can be stored");
    let column = ["value", "refs", "checksum"][usize::from(kind % 3)];
    let sql = format!("UPDATE results SET {column} = ?1");
    // The database itself refuses a value that is none: a number that is no number becomes one.
    if ground.damager.execute(&sql, [value(kind / 3, rest)]).is_err() {
        return;
    }
    let found = ground.store.result(RESULT.key);
    if let Ok(Some(found)) = &found {
        assert_eq!(found, RESULT.value);
    }
    let Ok(verified) = ground.store.verify::<GcError>(|_| Ok(Vec::new())) else { return };
    assert_eq!(verified.damaged.is_empty(), matches!(found, Ok(Some(_))));
    assert_eq!(ground.store.result(RESULT.key).ok(), found.ok());
}

/// Returns a value of one of the kinds that a database can have.
fn value(kind: u8, bytes: &[u8]) -> Value {
    let number = bytes.iter().fold(0, |number: i64, byte| number << 8 | i64::from(*byte));
    match kind % 4 {
        0 => Value::Integer(number),
        1 => Value::Real(f64::from_bits(number.cast_unsigned())),
        2 => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        _ => Value::Blob(bytes.to_vec()),
    }
}
