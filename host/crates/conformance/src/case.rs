//! What a behaviour is given.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api::{Directory, Secret, Value};
use backend::Failure;
use graph::{Op, SecretName, Selection, SourceOp};

use crate::arg::Arg as _;
use crate::handle::Handle;
use crate::session::{Session, SessionOptions};
use crate::suite::Suite;

/// A session over the backend under test, and what to begin with.
pub struct Case<'a> {
    suite: &'a Suite,
    /// The session.
    pub session: Arc<Session>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(suite: &'a Suite, session: Arc<Session>) -> Self {
        Self { suite, session }
    }

    /// Begins another session over the same store.
    ///
    /// # Errors
    /// If the backend cannot be had.
    pub async fn again(&self, options: &SessionOptions) -> Result<Self, Failure> {
        Ok(Self { suite: self.suite, session: self.suite.session(options).await? })
    }

    /// Returns whether what this backend makes is what others are compared with.
    pub(crate) fn is_reference(&self) -> bool {
        self.suite.is_reference()
    }

    fn make(&self, resource: &str, args: Vec<Value>) -> Handle {
        let interface = match resource {
            "cache-volume" => "cache",
            other => other,
        };
        Handle::of(&self.session, interface, &format!("[constructor]{resource}"), args)
    }

    /// An empty container.
    #[must_use]
    pub fn container(&self) -> Handle {
        self.make("container", Vec::new())
    }

    /// A container with busybox, `root`, `app` (1000, also in `staff`, 50) and `nobody`.
    #[must_use]
    pub fn base(&self) -> Handle {
        match self.suite.registry() {
            Some(_) => self.image("busybox:1"),
            None => self.busybox_from_files(),
        }
    }

    /// The same, out of files of this machine.
    #[must_use]
    pub fn busybox_from_files(&self) -> Handle {
        self.container().with_rootfs(&self.local_directory(&self.suite.directory("base")))
    }

    /// A container with nothing in its root file system, and busybox mounted at `/bin`.
    #[must_use]
    pub fn bare(&self) -> Handle {
        let bin = self.local_directory(&self.suite.directory("base").join("bin"));
        self.container().with_mounted_directory_options("/bin", &bin, &self.mount_options().read_only())
    }

    /// A container from an image of the registry, as in `busybox:1`.
    #[must_use]
    pub fn image(&self, name: &str) -> Handle {
        self.container().from_image(&self.address(name))
    }

    /// The address of an image of the registry.
    #[must_use]
    pub fn address(&self, name: &str) -> String {
        format!("{}/{name}", self.suite.registry().unwrap_or("127.0.0.1:1"))
    }

    /// A word that no other behaviour of any backend has: they share the registry.
    #[must_use]
    pub fn unique(&self) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// An empty directory.
    #[must_use]
    pub fn directory(&self) -> Handle {
        self.make("directory", Vec::new())
    }

    /// A directory with these files, which may have a `/` at the end and are then empty directories.
    #[must_use]
    pub fn tree(&self, files: &[(&str, &str)]) -> Handle {
        files.iter().fold(self.directory(), |tree, (path, contents)| {
            if path.ends_with('/') { tree.with_new_directory(path) } else { tree.with_new_file(path, contents) }
        })
    }

    /// A file.
    #[must_use]
    pub fn file(&self, name: &str, contents: &str) -> Handle {
        self.make("file", vec![name.value(), contents.value()])
    }

    /// A cache volume. Behaviours share the store, so that keys are theirs alone.
    #[must_use]
    pub fn cache(&self, key: &str) -> Handle {
        self.make("cache-volume", vec![key.value()])
    }

    /// A secret of the caller.
    #[must_use]
    pub fn secret(&self, name: &str, value: &str) -> Handle {
        self.session.add_secret(name, value.as_bytes());
        Handle::new(&self.session, Secret { name: SecretName(name.to_owned()) })
    }

    /// A directory of this machine, as the command line hands one over.
    #[must_use]
    pub fn local_directory(&self, path: &Path) -> Handle {
        let path = path.to_string_lossy().into_owned();
        let op = SourceOp::Local { path, include: Vec::new(), exclude: Vec::new() };
        Handle::new(&self.session, Directory::at(Selection::of(Op::Source(op), Vec::new())))
    }

    /// An empty directory of this machine, to be written.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn local_place(&self) -> std::io::Result<std::path::PathBuf> {
        Ok(tempfile::tempdir_in(self.suite.directory("local"))?.keep())
    }

    /// The tools of this machine: `machine.rootfs`.
    #[must_use]
    pub fn machine(&self) -> Handle {
        Handle::of(&self.session, "machine", "rootfs", Vec::new())
    }

    /// Calls a function of the interface `effects`.
    ///
    /// # Errors
    /// What it fails with.
    pub async fn effect(&self, function: &str, args: Vec<Value>) -> Result<Value, Failure> {
        api::invoke(&*self.session, "effects", function, args).await
    }

    /// `exec-options`
    #[must_use]
    pub fn exec_options(&self) -> Handle {
        Handle::of(&self.session, "container", "[constructor]exec-options", Vec::new())
    }

    /// `mount-options`
    #[must_use]
    pub fn mount_options(&self) -> Handle {
        Handle::of(&self.session, "container", "[constructor]mount-options", Vec::new())
    }

    /// `copy-options`
    #[must_use]
    pub fn copy_options(&self) -> Handle {
        Handle::of(&self.session, "directory", "[constructor]copy-options", Vec::new())
    }

    /// `new-options`
    #[must_use]
    pub fn new_options(&self) -> Handle {
        Handle::of(&self.session, "directory", "[constructor]new-options", Vec::new())
    }

    /// `search-options`
    #[must_use]
    pub fn search_options(&self) -> Handle {
        Handle::of(&self.session, "directory", "[constructor]search-options", Vec::new())
    }
}
