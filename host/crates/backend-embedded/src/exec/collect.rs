//! From what a command wrote to trees, layers and a result.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use backend::{ExecResult, Failure, OutputRef};
use serde::{Deserialize, Serialize};
use store::{IdMap, LayerContents, LayerId, ingest_layer};

use super::gather::Work;
use super::output::Printed;
use crate::engine::Engine;
use crate::layout;
use crate::value::{Tree, Value};
use trees::failure::failure;
use zone::ExecReply;

/// The name of [`ingest`] in the zone's table.
pub(crate) const NAME: &str = "ingest";

/// What [`ingest`] reads: called in the zone, where all files can be read.
#[derive(Serialize, Deserialize)]
pub(crate) struct Uppers {
    pub(crate) uppers: Vec<PathBuf>,
    pub(crate) blobs: PathBuf,
}

impl Uppers {
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Postcard fails only on paths that are not UTF-8, and the zone has refused such a store.
        postcard::to_stdvec(self).unwrap_or_default()
    }
}

/// Reads what a command wrote and makes blobs of its files.
pub(crate) fn ingest(payload: &[u8]) -> Result<Vec<u8>, String> {
    let Uppers { uppers, blobs } = postcard::from_bytes(payload).map_err(|error| error.to_string())?;
    let contents: Result<Vec<LayerContents>, _> =
        uppers.iter().map(|upper| ingest_layer(upper, &blobs, &IdMap::default())).collect();
    let contents = contents.map_err(|error| trees::failure::chain(&error))?;
    postcard::to_stdvec(&contents).map_err(|error| error.to_string())
}

/// Makes the value of a command that did what was expected.
pub(crate) async fn collect(
    engine: &Arc<Engine>,
    work: Work,
    reply: ExecReply,
    exit_code: i32,
    printed: Printed,
) -> Result<Value, Failure> {
    let mut layers = Vec::with_capacity(work.uppers.len());
    for upper in &work.uppers {
        let id = LayerId::new();
        let dir = layout::adopt(engine, &id, upper).await?;
        layers.push((id, dir));
    }
    let engine = Arc::clone(engine);
    let task = tokio::task::spawn_blocking(move || {
        let contents = contents_of(&reply)?;
        if contents.len() != work.uppers.len() {
            return Err(Failure::bug("the zone read other directories than it was asked to"));
        }
        let parts = work.bases.iter().zip(layers).zip(&contents);
        let outputs: Result<Vec<Tree>, Failure> =
            parts.map(|((base, (id, dir)), contents)| output(&engine, base, id, &dir, contents)).collect();
        let outputs = outputs?;
        let exec = ExecResult {
            exit_code,
            stdout: keep(&engine, &printed.stdout)?,
            stderr: keep(&engine, &printed.stderr)?,
            combined: keep(&engine, &printed.combined)?,
        };
        Ok(Value::exec(outputs, exec))
    });
    task.await.unwrap_or_else(|error| Err(Failure::bug(format!("collecting a result panicked: {error}"))))
}

fn contents_of(reply: &ExecReply) -> Result<Vec<LayerContents>, Failure> {
    match &reply.after {
        Some(Ok(bytes)) => {
            postcard::from_bytes(bytes).map_err(|error| Failure::bug(format!("the zone's answer: {error}")))
        }
        Some(Err(message)) => {
            Err(Failure::environment(format!("what the command wrote cannot be read: {message}"), None))
        }
        None => Err(Failure::bug("what the command wrote was not read")),
    }
}

/// Makes a tree of what was written over `base`, and a layer of the directory itself.
fn output(engine: &Engine, base: &Tree, layer: LayerId, dir: &Path, contents: &LayerContents) -> Result<Tree, Failure> {
    if contents.changes.is_empty() {
        // Nothing refers to it, wherever it is.
        let _ = store::remove_stubborn(dir);
        return Ok(base.clone());
    }
    let store = &engine.store;
    let digest = store.apply_changes(base.digest, contents).map_err(|error| failure(&error))?;
    let lowers = layout::known(engine, base)?;
    store.add_layer(&layer, dir, contents.size_bytes).map_err(|error| failure(&error))?;
    let layers: Vec<_> = lowers.into_iter().chain([layer]).collect();
    store.note_materialised(digest, &layers).map_err(|error| failure(&error))?;
    Ok(Tree { layers, near: vec![base.digest], ..Tree::of(digest) })
}

fn keep(engine: &Engine, bytes: &[u8]) -> Result<OutputRef, Failure> {
    let digest = engine.store.put_blob(bytes).map_err(|error| failure(&error))?;
    Ok(OutputRef { digest, size_bytes: bytes.len() as u64 })
}
