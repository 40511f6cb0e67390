//! The trait `Runner`, and what it is given.

use std::fmt;

use async_trait::async_trait;
use engine::{Caps, Failure, FailureCode};
use graph::{ImageOp, Op, Platform};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use trees::images::{Download, Layer};

use crate::command::Command;
use crate::ended::Ended;
use crate::output::Report;
use crate::value::Tree;

/// A place where commands run: a helper process of this machine, the containers of Docker.
///
/// A runner lays out the trees that a command needs, runs it, and returns what it wrote as trees of the store. It does
/// not look anything up and records nothing: it is asked only when a command has to run. Its methods are called at the
/// same time for different commands, at most as many as the session allows.
#[async_trait]
pub trait Runner: Send + Sync + 'static {
    /// What the runner knows of a tree besides its contents, such as the directories in which it is laid out. It is
    /// recorded together with the tree. `()` if there is nothing.
    type Form: Clone + fmt::Debug + Default + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// The domain of the keys of commands and images. Runners have different domains, because a command can observe
    /// where it runs; results of operations on trees are shared by all of them.
    const DOMAIN: &'static str;

    /// Where commands run, as it stands in errors behind "cannot be run": `on this machine`.
    const PLACE: &'static str;

    /// Returns what can be done with this runner. The name is the engine's, as `--engine` takes it.
    fn caps(&self) -> Caps;

    /// Returns the platform that commands run on.
    fn platform(&self) -> Platform;

    /// Returns whether everything that the form of a tree refers to is still there.
    fn is_there(&self, tree: &Tree<Self::Form>) -> bool;

    /// Runs a command to its end. `report` takes what it prints as it is printed, with secrets replaced.
    ///
    /// When `cancel` is triggered, the runner stops the command and returns `Failure::Cancelled`. Nothing of the command
    /// runs any more when this returns, and nothing that was made for it is left.
    ///
    /// # Errors
    /// `Cancelled`; `Incapable` for what this runner cannot do; `Environment` or `Bug` if it could not be found out how
    /// the command ends. That a command fails is no error, but [`Ended::Failed`].
    async fn run(
        &self,
        command: &Command<'_, Self::Form>,
        report: &Report,
        cancel: &CancellationToken,
    ) -> Result<Ended<Self::Form>, Failure>;

    /// Unpacks one layer of an image over what the layers below it have. It is read while it is being fetched, or
    /// afterwards, as the runner likes.
    ///
    /// # Errors
    /// If it cannot be fetched, is not what it should be, or cannot be written.
    async fn unpack(
        &self,
        layer: NewLayer<'_>,
        below: Tree<Self::Form>,
    ) -> Result<UnpackedLayer<Self::Form>, LayerFault>;
}

/// A layer that is to be unpacked.
#[derive(Clone, Copy)]
pub struct NewLayer<'a> {
    /// What the manifest and the configuration of the image say of it.
    pub layer: &'a Layer,
    /// The download of its compressed bytes.
    pub download: &'a Download,
}

/// What an image is after one more layer.
#[derive(Debug, Clone)]
pub struct UnpackedLayer<F> {
    /// The root file system up to this layer.
    pub tree: Tree<F>,
    /// What a person should know, a sentence each.
    pub warnings: Vec<String>,
}

/// Why a layer could not be unpacked.
#[derive(Debug, Clone)]
pub enum LayerFault {
    /// The layer is damaged, is not the one that the configuration names, or exceeds a limit: the image is to blame.
    Broken(String),
    /// The failure has another reason.
    Failed(Failure),
}

impl LayerFault {
    /// Makes the failure of an image one of whose layers cannot be unpacked.
    #[must_use]
    pub fn failure(self, layer: &oci::Digest, op: &ImageOp) -> Failure {
        match self {
            Self::Broken(why) => {
                let message = format!("layer {layer} of {}: {why}", Op::Image(Box::new(op.clone())).describe());
                Failure::invalid(FailureCode::InvalidArgument, message)
            }
            Self::Failed(failure) => failure,
        }
    }
}

impl From<Failure> for LayerFault {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Returns what is said of a layer of which entries were left out: `skipped` are the first of `n_skipped`.
#[must_use]
pub fn unpack_warnings(skipped: &[oci::layer::Skipped], n_skipped: u64) -> Vec<String> {
    let Some(first) = skipped.first() else { return Vec::new() };
    let others = n_skipped.saturating_sub(1);
    let others = if others > 0 { format!(", and {others} others") } else { String::new() };
    vec![format!("`{}` was left out: {}{others}", first.name, first.why)]
}
