//! The store: trees and blobs by digest, layers on disk, and the result cache.
//!
//! All functions are synchronous. A store can be shared by processes. It fetches nothing, mounts nothing, and knows
//! no operations but those on files, [`graph::FileOp`].
//!
//! ```text
//! store-version            the version of the layout
//! db-v1.sqlite             nodes, results, history, layers, leases
//! blobs-v1/ab/cdef…        contents of files, named by their digests
//! layers-v1/<id>/          directories in the format of the upper directory of an overlay
//! stamps-v1/<id>           what a layer was on the disk when it was finished
//! caches-v1/<digest>/data  cache volumes
//! stat-cache-v1/<digest>   stamps and digests of scanned directories
//! locks-v1/                a file for each key that is being evaluated
//! tmp-v1/<pid>-<start>/    temporary files of a process
//! trash-v1/                directories that are being removed
//! ```
//!
//! # Trees
//! A tree is named by a [`graph::ContentDigest`]. [`empty_tree`] is the tree without entries.
//! - Functions that make trees: [`Store::apply`] (every `FileOp`, with an [`Origin`] to copy from), [`Store::merge`],
//!   [`Store::diff`], [`Store::put_node`], [`Store::scan`], [`Store::machine`], [`Store::apply_changes`].
//! - Functions that read trees: [`Store::stat`], [`Store::entries`], [`Store::glob`], [`Store::search`],
//!   [`Store::read_file`], [`Store::digest_at`], [`Store::contents_digest`], [`Store::subtree`], [`Store::select`],
//!   [`Store::node`], [`Store::resolve_owner`].
//!
//! # Blobs
//! [`Store::put_blob`], [`Store::put_file`], [`Store::put_hardlink`], [`Store::read_blob`], [`Store::open_blob`],
//! [`Store::has_blob`]. The contents of scanned files stay in these files, which [`ExternalBlobs`] registers;
//! [`Store::keep_blob`] copies them into the store.
//!
//! # Layers
//! [`Store::plan_layer`] lists the entries that have to be written so that an overlay over a base shows a tree.
//! [`write_layer`] writes them, and [`ingest_layer`] reads the changes that a command made. Both take paths and no
//! store, so that they run in any process and namespace. [`Store::apply_changes`] makes a tree of the changes.
//! [`Store::export`] writes a tree into a directory of the user.
//!
//! # Damage
//! [`Stamps`] say what a layer was when it was finished. [`Store::layers_to_check`], [`check_layer`] and
//! [`Store::note_checked`] compare it before a command uses it. [`Store::verify`] compares everything, and [`empty`] empties
//! a store that cannot be opened.
//!
//! # Results
//! [`Store::result`], [`Store::put_result`], [`Store::note_history`], [`Store::explain_miss`], and
//! [`Store::sync_older_rows`] in the background. For whole graphs: [`Store::losses`], [`Store::graph_value`],
//! [`Store::put_graph_value`].
//!
//! # Sharing and collecting
//! [`Store::lock_key`], [`Store::volume`], [`Store::lease_layers`], [`Store::usage`], [`Store::gc`], [`Store::clear`],
//! [`Store::remove`], [`Store::sweep`].
//!
//! # Limits
//! Work on trees counts against [`Limits`], which [`Store::with_limits`] sets for a run.
//!
//! To understand the code, begin with [`Node`], `tree/resolve.rs` and [`Store`].

mod blob;
mod budget;
mod db;
mod empty;
mod export;
mod fs;
mod gc;
mod graphs;
mod heal;
mod layer;
mod lease;
mod lock;
mod machine;
mod nodes;
mod process;
mod results;
mod scan;
mod store;
mod tree;
mod verify;

pub use blob::{BlobError, ExternalBlobs, ExternalFile, Stamp, blob_path};
pub use budget::{BudgetError, Limits};
pub use db::{DbError, SqlError};
pub use empty::{Emptied, empty};
pub use export::{ExportError, Exported};
pub use fs::IoError;
pub use gc::{Collected, GcError, Item, Record, Usage, plan_gc};
pub use graphs::Losses;
pub use layer::check::{CheckedLayer, LayerCheck, check_layer};
pub use layer::ingest::{IngestError, IngestLimits, ingest_layer};
pub use layer::plan::PlanError;
pub use layer::record::LayerId;
pub use layer::stamps::Stamps;
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
pub use verify::{Damage, Verified};
