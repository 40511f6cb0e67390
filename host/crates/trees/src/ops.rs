//! Sources that are on this machine, and operations on trees.

use std::path::Path;

use engine::{Event, Failure};
use graph::{ContentDigest, FileOp, Op, SourceOp};
use store::{Origin, Store, empty_tree};

use crate::failure::{edit_failure, read_failure};
use crate::{Input, Trees};

/// Evaluates a vertex that is not a command.
pub(crate) fn evaluate(trees: &Trees, op: &Op, inputs: &[Input<'_>]) -> Result<ContentDigest, Failure> {
    let store = &trees.store;
    match op {
        Op::Source(SourceOp::Scratch) => Ok(empty_tree()),
        Op::Source(SourceOp::Local { path, include, exclude }) => {
            let scanned = store.scan(Path::new(path), include, exclude).map_err(Failure::of)?;
            for path in scanned.skipped {
                let message =
                    format!("`{}` was left out: sockets, pipes and devices can be in no tree", path.display());
                (trees.events)(Event::Warning { message });
            }
            Ok(scanned.tree)
        }
        Op::Source(SourceOp::Machine) => store.machine().map_err(Failure::of),
        Op::File(op) => apply(store, op, inputs),
        Op::Merge => {
            let trees: Result<Vec<_>, _> = inputs.iter().map(|input| subtree(store, Some(input))).collect();
            store.merge(&trees?).map_err(Failure::of)
        }
        Op::Diff => {
            let (base, other) = (subtree(store, inputs.first())?, subtree(store, inputs.get(1))?);
            store.diff(base, other).map_err(Failure::of)
        }
        Op::Source(_) | Op::Exec(_) | Op::Image(_) | Op::Pack(_) | Op::Fail(_) => {
            Err(Failure::bug(format!("`{}` is no operation on trees", op.describe())))
        }
    }
}

fn apply(store: &Store, op: &FileOp, inputs: &[Input<'_>]) -> Result<ContentDigest, Failure> {
    let base = subtree(store, inputs.first())?;
    let from = inputs.get(1).map(|input| Origin { tree: input.tree, path: input.path });
    store.apply(op, base, from).map_err(edit_failure)
}

/// Returns the directory that an input selects, as a tree.
fn subtree(store: &Store, input: Option<&Input<'_>>) -> Result<ContentDigest, Failure> {
    let Some(input) = input else { return Ok(empty_tree()) };
    store.subtree(input.tree, input.path).map_err(read_failure)
}
