//! An engine under test, with everything that its behaviours share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::{Caps, Engine, Failure, SessionIo};
use futures::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::answer::Wrong;
use crate::base;
use crate::session::{Draft, Session, SessionOptions};

/// Opens an engine for one session.
pub type Open = Box<dyn Fn(SessionIo) -> BoxFuture<'static, Result<Arc<dyn Engine>, Failure>> + Send + Sync>;

/// An engine under test, with a store that nothing else uses.
pub struct Suite {
    open: Open,
    place: PathBuf,
    registry: String,
    is_reference: bool,
    caps: OnceCell<Caps>,
}

impl Suite {
    /// Prepares the store and the files of the suite in `place`, an empty directory. `registry` is the address of a
    /// registry that has the images of [`crate::images`].
    ///
    /// # Panics
    /// If the place cannot be written, or `busybox` is missing.
    #[must_use]
    pub fn new(place: &Path, registry: String, open: Open) -> Self {
        base::write(&place.join("base")).expect("the place can be written and busybox-static is installed");
        for name in ["store", "exports", "local"] {
            std::fs::create_dir(place.join(name)).expect("the place is empty and can be written");
        }
        Self { open, place: place.to_owned(), registry, is_reference: false, caps: OnceCell::new() }
    }

    /// Writes the digests of trees, with which other engines are compared, instead of checking them.
    #[must_use]
    pub fn as_reference(self) -> Self {
        Self { is_reference: true, ..self }
    }

    /// Returns whether digests of trees are written.
    pub(crate) fn is_reference(&self) -> bool {
        self.is_reference
    }

    /// Returns a directory inside that of the suite.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// Returns the address of the registry.
    pub(crate) fn registry(&self) -> &str {
        &self.registry
    }

    /// Opens a session. Its exports go into a directory of their own.
    pub(crate) async fn session(&self, options: &SessionOptions) -> Result<Arc<Session>, Failure> {
        let draft = Draft::new(options, self.directory("store"));
        let engine = (self.open)(draft.io.clone()).await?;
        let exports = tempfile::tempdir_in(self.directory("exports"));
        let exports = exports.map_err(|error| Failure::environment(format!("no export root: {error}"), None))?;
        Ok(draft.over(engine, exports.keep()))
    }

    /// Returns the capabilities of the engine; `ask` finds them out the first time.
    pub(crate) async fn caps(&self, ask: impl Future<Output = Result<Caps, Wrong>>) -> Result<&Caps, Wrong> {
        self.caps.get_or_try_init(|| ask).await
    }
}
