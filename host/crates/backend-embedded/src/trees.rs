//! Everything that is not a command: sources, and operations on trees.

use std::path::Path;

use backend::{Event, Failure};
use graph::{FileOp, Op, SourceOp, Vertex};
use store::{Origin, empty_tree};

use crate::engine::Engine;
use crate::failure::{edit_failure, failure, read_failure};
use crate::value::{Tree, Value};

/// Evaluates a vertex that is not a command. Blocks.
pub(crate) fn evaluate(engine: &Engine, vertex: &Vertex, inputs: &[Value]) -> Result<Value, Failure> {
    let store = &engine.store;
    let digest = match vertex.op() {
        Op::Source(SourceOp::Local { path, include, exclude }) => {
            let scanned = store.scan(Path::new(path), include, exclude).map_err(|error| failure(&error))?;
            for path in scanned.skipped {
                let message =
                    format!("`{}` was left out: sockets, pipes and devices can be in no tree", path.display());
                (engine.io.events)(Event::Warning { message });
            }
            scanned.tree
        }
        Op::Source(SourceOp::Machine) => store.machine().map_err(|error| failure(&error))?,
        Op::File(op) => apply(engine, op, vertex, inputs)?,
        Op::Merge => {
            let trees: Result<Vec<_>, _> =
                (0..inputs.len()).map(|index| subtree(engine, vertex, inputs, index)).collect();
            store.merge(&trees?).map_err(|error| failure(&error))?
        }
        Op::Diff => {
            let (base, other) = (subtree(engine, vertex, inputs, 0)?, subtree(engine, vertex, inputs, 1)?);
            store.diff(base, other).map_err(|error| failure(&error))?
        }
        Op::Source(_) | Op::Exec(_) | Op::Fail(_) => return Err(Failure::bug("this operation is not one on trees")),
    };
    Ok(Value::tree(Tree::of(digest)))
}

fn apply(engine: &Engine, op: &FileOp, vertex: &Vertex, inputs: &[Value]) -> Result<graph::ContentDigest, Failure> {
    let base = subtree(engine, vertex, inputs, 0)?;
    let from = vertex.inputs().get(1).zip(inputs.get(1));
    let from = from.map(|(input, value)| Origin { tree: value.output(input.edge.output).digest, path: &input.path });
    engine.store.apply(op, base, from).map_err(|error| edit_failure(&error))
}

/// Returns the directory that an input selects, as a tree.
fn subtree(engine: &Engine, vertex: &Vertex, inputs: &[Value], index: usize) -> Result<graph::ContentDigest, Failure> {
    let (Some(input), Some(value)) = (vertex.inputs().get(index), inputs.get(index)) else { return Ok(empty_tree()) };
    let tree = value.output(input.edge.output).digest;
    engine.store.subtree(tree, &input.path).map_err(|error| read_failure(&error))
}
