//! The session and the objects that a behaviour begins with.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api::{Directory, Secret, Value};
use engine::Failure;
use graph::{Op, SecretName, Selection, SourceOp};

use crate::arg::Arg as _;
use crate::handle::Handle;
use crate::session::{Session, SessionOptions};
use crate::suite::Suite;

/// A session over the engine under test, with constructors of objects.
pub struct Case<'a> {
    suite: &'a Suite,
    /// The session that objects of this case belong to.
    pub session: Arc<Session>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(suite: &'a Suite, session: Arc<Session>) -> Self {
        Self { suite, session }
    }

    /// Opens another session over the same store.
    ///
    /// # Errors
    /// If the engine cannot be opened.
    pub async fn again(&self, options: &SessionOptions) -> Result<Self, Failure> {
        Ok(Self { suite: self.suite, session: self.suite.session(options).await? })
    }

    /// Returns whether the digests of trees are written instead of checked.
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

    /// Returns an empty container.
    #[must_use]
    pub fn container(&self) -> Handle {
        self.make("container", Vec::new())
    }

    /// Returns a container with busybox and the users `root`, `app` (1000, also in the group `staff`, 50) and `nobody`.
    #[must_use]
    pub fn base(&self) -> Handle {
        self.image("busybox:1")
    }

    /// Returns the container of [`base`](Self::base), made of files of this machine.
    #[must_use]
    pub fn busybox_from_files(&self) -> Handle {
        self.container().with_rootfs(&self.local_directory(&self.suite.directory("base")))
    }

    /// Returns a container with an empty root file system and busybox mounted at `/bin`.
    #[must_use]
    pub fn bare(&self) -> Handle {
        let bin = self.local_directory(&self.suite.directory("base").join("bin"));
        self.container().with_mounted_directory_options("/bin", &bin, &self.mount_options().read_only())
    }

    /// Returns a container from an image of the registry, as in `busybox:1`.
    #[must_use]
    pub fn image(&self, name: &str) -> Handle {
        self.container().from_image(&self.address(name))
    }

    /// Returns the address of an image of the registry.
    #[must_use]
    pub fn address(&self, name: &str) -> String {
        format!("{}/{name}", self.suite.registry())
    }

    /// Returns a word that no other behaviour of any engine has, for names in the registry that all share.
    #[must_use]
    pub fn unique(&self) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns an empty directory.
    #[must_use]
    pub fn directory(&self) -> Handle {
        self.make("directory", Vec::new())
    }

    /// Returns a directory with these files. A path that ends with `/` is an empty directory.
    #[must_use]
    pub fn tree(&self, files: &[(&str, &str)]) -> Handle {
        files.iter().fold(self.directory(), |tree, (path, contents)| {
            if path.ends_with('/') { tree.with_new_directory(path) } else { tree.with_new_file(path, contents) }
        })
    }

    /// Returns a file with a name and contents.
    #[must_use]
    pub fn file(&self, name: &str, contents: &str) -> Handle {
        self.make("file", vec![name.value(), contents.value()])
    }

    /// Returns a cache volume. Behaviours share the store, so each uses keys of its own.
    #[must_use]
    pub fn cache(&self, key: &str) -> Handle {
        self.make("cache-volume", vec![key.value()])
    }

    /// Returns a secret whose value the session knows.
    #[must_use]
    pub fn secret(&self, name: &str, value: &str) -> Handle {
        self.session.add_secret(name, value.as_bytes());
        Handle::new(&self.session, Secret { name: SecretName(name.to_owned()) })
    }

    /// Returns a secret of whose value no key has anything.
    #[must_use]
    pub fn secret_by_name(&self, name: &str, value: &str) -> Handle {
        self.session.know_by_name(name);
        self.secret(name, value)
    }

    /// Returns a directory of this machine, as the command line passes one to a stage.
    #[must_use]
    pub fn local_directory(&self, path: &Path) -> Handle {
        let path = path.to_string_lossy().into_owned();
        let op = SourceOp::Local { path, include: Vec::new(), exclude: Vec::new() };
        Handle::new(&self.session, Directory::at(Selection::of(Op::Source(op), Vec::new())))
    }

    /// Makes an empty directory on this machine.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn local_place(&self) -> std::io::Result<std::path::PathBuf> {
        Ok(tempfile::tempdir_in(self.suite.directory("local"))?.keep())
    }

    /// Returns a container with the tools of this machine: `machine.rootfs`.
    #[must_use]
    pub fn machine(&self) -> Handle {
        Handle::of(&self.session, "machine", "rootfs", Vec::new())
    }

    /// Calls a function of the interface `effects`.
    ///
    /// # Errors
    /// If the function fails.
    pub async fn effect(&self, function: &str, args: Vec<Value>) -> Result<Value, Failure> {
        api::invoke(&*self.session, "effects", function, args).await
    }

    /// Returns empty `exec-options`.
    #[must_use]
    pub fn exec_options(&self) -> Handle {
        Handle::of(&self.session, "container", "[constructor]exec-options", Vec::new())
    }

    /// Returns empty `mount-options`.
    #[must_use]
    pub fn mount_options(&self) -> Handle {
        Handle::of(&self.session, "container", "[constructor]mount-options", Vec::new())
    }

    /// Returns empty `copy-options`.
    #[must_use]
    pub fn copy_options(&self) -> Handle {
        Handle::of(&self.session, "directory", "[constructor]copy-options", Vec::new())
    }

    /// Returns empty `new-options`.
    #[must_use]
    pub fn new_options(&self) -> Handle {
        Handle::of(&self.session, "directory", "[constructor]new-options", Vec::new())
    }

    /// Returns empty `search-options`.
    #[must_use]
    pub fn search_options(&self) -> Handle {
        Handle::of(&self.session, "directory", "[constructor]search-options", Vec::new())
    }
}
