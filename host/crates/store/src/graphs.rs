//! The values of whole graphs: the result of a large graph is found without looking at the results in it.
//!
//! The value of a graph is concluded from the results of its vertices. It is stored as a result of its own, with a
//! key of another domain, and is valid as long as none of these results was removed or replaced. The store counts the
//! transactions that do so, and each value has the count from before the look-ups that it was concluded from.
//!
//! A value that is an hour old is not used. The results are then looked up one by one, which records that they are in
//! use, so that they are not collected as unused.

use graph::CacheKey;
use rusqlite::OptionalExtension;

use crate::db::{DbError, now};
use crate::process::boot_id;
use crate::results::{NewResult, USE_GRANULARITY_SECONDS, whole_value};
use crate::store::Store;

/// The number of transactions that have removed or replaced results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Losses(i64);

impl Store {
    /// Returns how often results were removed or replaced. It has to be called before the first look-up of a graph.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn losses(&self) -> Result<Losses, DbError> {
        let found = self.db().with("read what was removed", |db| {
            let mut query = db.prepare_cached("SELECT value FROM meta WHERE key = 'n_losses'")?;
            query.query_row([], |row| row.get(0)).optional()
        })?;
        Ok(Losses(found.unwrap_or(0)))
    }

    /// Returns the value of a graph, if all results that it was concluded from are still stored.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn graph_value(&self, key: CacheKey) -> Result<Option<Vec<u8>>, DbError> {
        // One statement reads the value and the count, so that no transaction comes between the two.
        let sql =
            "SELECT value, refs, checksum, created_at, (SELECT value FROM meta WHERE key = 'n_losses') FROM results
                   WHERE key = ?1 AND (boot_id IS NULL OR boot_id = ?2)";
        let found = self.db().with("look up a graph", |db| {
            let row = |row: &rusqlite::Row<'_>| Ok((whole_value(key, row)?, row.get(3)?, row.get(4)?));
            db.prepare_cached(sql)?.query_row((key.as_bytes(), boot_id()), row).optional()
        })?;
        let Some((Some(mut value), created_at, losses)): Option<(Option<Vec<u8>>, i64, Option<i64>)> = found else {
            return Ok(None);
        };
        let Some(value_at) = value.len().checked_sub(8) else { return Ok(None) };
        let known = value.split_off(value_at).try_into().map_or(-1, i64::from_le_bytes);
        let is_young = (0..USE_GRANULARITY_SECONDS).contains(&(now() - created_at));
        Ok((is_young && known == losses.unwrap_or(0)).then_some(value))
    }

    /// Stores the value of a graph, which was concluded from results that were looked up or stored after the call of
    /// [`Store::losses`] that returned `losses`.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn put_graph_value(&self, result: &NewResult<'_>, losses: Losses) -> Result<(), DbError> {
        let value = [result.value, &losses.0.to_le_bytes()].concat();
        self.put_conclusion(&NewResult { value: &value, ..*result })
    }
}

#[cfg(test)]
mod tests {
    use graph::{CacheKey, KeyHasher};

    use crate::tree::tests::store;
    use crate::{NewResult, Store};

    fn key(text: &str) -> CacheKey {
        let mut hasher = KeyHasher::new("test/1");
        hasher.text(text);
        hasher.cache_key()
    }

    fn result<'a>(name: &str, value: &'a [u8]) -> NewResult<'a> {
        NewResult { key: key(name), value, trees: &[], blobs: &[] }
    }

    /// A store with a result and the value of a graph that was concluded from it.
    fn with_graph() -> (tempfile::TempDir, Store) {
        let (dir, store) = store();
        let losses = store.losses().unwrap();
        store.put_result(&result("vertex", b"one")).unwrap();
        store.put_graph_value(&result("graph", b"all"), losses).unwrap();
        assert_eq!(store.graph_value(key("graph")).unwrap().as_deref(), Some(&b"all"[..]));
        (dir, store)
    }

    fn is_found(store: &Store) -> bool {
        store.graph_value(key("graph")).unwrap().is_some()
    }

    #[test]
    fn a_graph_is_found_while_other_results_come() {
        let (_dir, store) = with_graph();
        store.put_result(&result("other", b"two")).unwrap();
        store.put_result(&result("vertex", b"one")).unwrap();
        assert!(is_found(&store), "the same value again replaces nothing");
    }

    #[test]
    fn a_graph_is_not_found_after_a_result_was_removed() {
        let (_dir, store) = with_graph();
        store.remove_result(key("vertex")).unwrap();
        assert!(!is_found(&store));
    }

    #[test]
    fn a_graph_is_not_found_after_a_result_was_replaced() {
        let (_dir, store) = with_graph();
        store.put_result(&result("vertex", b"another")).unwrap();
        assert!(!is_found(&store));
    }

    #[test]
    fn a_graph_is_not_found_after_something_was_collected() {
        let (_dir, store) = with_graph();
        store.put_result(&result("graph2", b"")).unwrap();
        let item = crate::Item::Result(key("graph2"));
        store.remove(&[item]).unwrap();
        assert!(!is_found(&store));
    }

    #[test]
    fn a_graph_whose_results_were_lost_while_they_were_looked_up_is_not_found() {
        let (_dir, store) = store();
        let losses = store.losses().unwrap();
        store.put_result(&result("vertex", b"one")).unwrap();
        store.remove_result(key("vertex")).unwrap();
        store.put_graph_value(&result("graph", b"all"), losses).unwrap();
        assert!(!is_found(&store));
    }

    #[test]
    fn a_graph_that_was_stored_again_is_found() {
        let (_dir, store) = with_graph();
        store.remove_result(key("vertex")).unwrap();
        let losses = store.losses().unwrap();
        store.put_result(&result("vertex", b"one")).unwrap();
        store.put_graph_value(&result("graph", b"all"), losses).unwrap();
        assert!(is_found(&store), "replacing the value of a graph is no loss");
    }

    #[test]
    fn a_graph_that_is_an_hour_old_is_not_found() {
        let (_dir, store) = with_graph();
        let sql = "UPDATE results SET created_at = created_at - 3601";
        store.db().with("age a result", |db| db.execute(sql, [])).unwrap();
        assert!(!is_found(&store));
    }
}
