//! The store: trees and blobs by digest, layers on disk, the result cache.
//!
//! It is synchronous, is shared by processes, and knows nothing of operations except how a
//! [`graph::FileOp`] makes a tree from a tree. It fetches nothing and mounts nothing.
//!
//! ```text
//! store-version            the version of the layout
//! db-v1.sqlite             nodes, results, history, layers, leases
//! blobs-v1/ab/cdef…        contents of files by their digest
//! layers-v1/<id>/          directories in the format of an overlay's upper
//! caches-v1/<digest>/data  cache volumes
//! stat-cache-v1/<digest>   what scanned directories looked like the last time
//! locks-v1/                one file per key that is being evaluated
//! tmp-v1/<pid>-<start>/    temporary files of a process
//! trash-v1/                what garbage collection is removing
//! ```
//!
//! # Trees
//! A tree is a [`graph::ContentDigest`]; [`empty_tree`] is the one with nothing in it.
//! - made: [`Store::apply`] (each `FileOp`, with an [`Origin`] to copy from), [`Store::merge`],
//!   [`Store::diff`], [`Store::put_node`], [`Store::scan`], [`Store::machine`], [`Store::apply_changes`]
//! - read: [`Store::stat`], [`Store::entries`], [`Store::glob`], [`Store::search`], [`Store::read_file`],
//!   [`Store::digest_at`], [`Store::contents_digest`], [`Store::subtree`], [`Store::select`],
//!   [`Store::node`], [`Store::resolve_owner`]
//!
//! # Blobs
//! [`Store::put_blob`], [`Store::put_file`], [`Store::put_hardlink`], [`Store::read_blob`],
//! [`Store::open_blob`], [`Store::has_blob`], [`Store::keep_blob`] (copies a scanned file's contents in).
//! The contents of scanned files stay where they are, in [`ExternalBlobs`].
//!
//! # Layers
//! [`Store::plan_layer`] says what has to be written so that an overlay over `base` is `target`;
//! [`write_layer`] writes it and [`ingest_layer`] reads what a command wrote, both without a store, in
//! whatever process and namespace; [`Store::apply_changes`] makes the tree of that.
//! [`Store::export`] writes a tree to a directory of the user.
//!
//! # Results
//! [`Store::result`], [`Store::put_result`], [`Store::note_history`], [`Store::explain_miss`],
//! [`Store::sync_older_rows`] (in the background). Of whole graphs: [`Store::losses`],
//! [`Store::graph_value`], [`Store::put_graph_value`].
//!
//! # Sharing and collecting
//! [`Store::lock_key`], [`Store::volume`], [`Store::lease`], [`Store::usage`], [`Store::gc`],
//! [`Store::clear`], [`Store::remove`], [`Store::sweep`].
//!
//! Read first: [`Node`], then `tree/resolve.rs`, then [`Store`].

mod blob;
mod db;
mod export;
mod fs;
mod gc;
mod graphs;
mod heal;
mod layer;
mod lock;
mod machine;
mod nodes;
mod process;
mod results;
mod scan;
mod store;
mod tree;

pub use blob::{BlobError, ExternalBlobs, ExternalFile, Stamp, blob_path};
pub use db::{DbError, SqlError};
pub use export::{ExportError, Exported};
pub use fs::IoError;
pub use gc::{Collected, GcError, Item, Lease, Leased, Record, Usage, plan_gc};
pub use graphs::Losses;
pub use layer::ingest::{IngestError, ingest_layer};
pub use layer::plan::PlanError;
pub use layer::record::LayerId;
pub use layer::write::{WriteError, write_layer};
pub use layer::{Change, ChangeKind, IdMap, IdRange, LayerContents, LayerPlan, PlanEntry, PlanKind, Written};
pub use lock::{FileLock, KeyLock, Volume, remove_stubborn};
pub use machine::MachineError;
pub use nodes::{NodeError, empty_tree};
pub use results::{Miss, NewResult, SyncError};
pub use scan::{ScanError, Scanned};
pub use store::{OpenError, Store};
pub use tree::edit::{EditError, Origin};
pub use tree::node::{Entry, Kind, Mtime, Node, Owned};
pub use tree::pattern::{PatternError, Selector};
pub use tree::read::{Selected, Stat, StatKind, file_digest};
pub use tree::resolve::ReadError;
pub use tree::search::{Match, Query};
