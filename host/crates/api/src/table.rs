//! The table of the functions of the WIT package. A row has everything that is known of one function.

mod container;
mod directory;
mod file;
mod options;
mod powers;
mod row;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use row::LeafFuture;
pub(crate) use row::{Answer, Kind, LeafFn, NameOf, Row};

static BY_METHOD: LazyLock<HashMap<&'static str, &'static Row>> =
    LazyLock::new(|| rows().map(|row| (row.method, row)).collect());

/// Returns the row of a method, as in `container.with-exec` or `machine/rootfs`; none if the table has no such row.
pub(crate) fn row_of(method: &str) -> Option<&'static Row> {
    BY_METHOD.get(method).copied()
}

/// Returns all rows.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    let large = container::ROWS.iter().chain(directory::ROWS).chain(options::ROWS).copied();
    large.chain([file::ROWS, powers::ROWS]).flatten()
}
