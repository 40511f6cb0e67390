//! A backend under test, with everything that its behaviours share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::Bridge as _;
use backend::{Backend, Caps, Failure, SessionIo};
use futures::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::answer::Wrong;
use crate::base;
use crate::case::Case;
use crate::session::{Draft, Session, SessionOptions};

/// Makes a backend for one session.
pub type Open = Box<dyn Fn(SessionIo) -> BoxFuture<'static, Result<Arc<dyn Backend>, Failure>> + Send + Sync>;

/// A backend under test. It has a store that nothing else uses.
pub struct Suite {
    open: Open,
    place: PathBuf,
    registry: Option<String>,
    is_reference: bool,
    caps: OnceCell<Caps>,
}

impl Suite {
    /// Makes a suite.
    ///
    /// `place` is an empty directory that can be written; `registry` is the address of a registry that has the images
    /// of [`crate::images`].
    ///
    /// # Panics
    /// If the place cannot be written, or `busybox` is missing.
    #[must_use]
    pub fn new(place: &Path, registry: Option<String>, open: Open) -> Self {
        base::write(&place.join("base")).expect("the place can be written and busybox-static is installed");
        for name in ["store", "exports", "local"] {
            std::fs::create_dir(place.join(name)).expect("the place is empty and can be written");
        }
        Self { open, place: place.to_owned(), registry, is_reference: false, caps: OnceCell::new() }
    }

    /// Makes it the one that others are compared with: the digests of its trees are written down.
    #[must_use]
    pub fn as_reference(self) -> Self {
        Self { is_reference: true, ..self }
    }

    /// Returns whether it is that.
    pub(crate) fn is_reference(&self) -> bool {
        self.is_reference
    }

    /// Returns a directory of the place.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// Returns the address of the registry.
    pub(crate) fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// Begins a session; its exports go into a directory of their own.
    pub(crate) async fn session(&self, options: &SessionOptions) -> Result<Arc<Session>, Failure> {
        let draft = Draft::new(options, self.directory("store"));
        let backend = (self.open)(draft.io.clone()).await?;
        let exports = tempfile::tempdir_in(self.directory("exports"));
        let exports = exports.map_err(|error| Failure::environment(format!("no export root: {error}"), None))?;
        Ok(draft.over(backend, exports.keep()))
    }

    /// Returns what the backend can do. It is asked after a command, because some learn it from the first.
    ///
    /// # Errors
    /// If that command fails.
    pub async fn caps(&self) -> Result<&Caps, Wrong> {
        let ask = async {
            let session = self.session(&SessionOptions::default()).await?;
            let case = Case::new(self, session);
            case.busybox_from_files().sh("true").sync().is("").await?;
            Ok(case.session.backend().caps())
        };
        self.caps.get_or_try_init(|| ask).await
    }
}
