//! Finds or builds what the figures need: the binary, modules, directories, Docker, registries and images.

mod at_end;
mod docker;
pub(crate) mod image;
mod large;
mod registry;

use std::cell::OnceCell;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::measure;

pub(crate) use docker::Docker;
pub(crate) use image::Image;
pub(crate) use registry::Registry;

/// The error for a program or a file that is missing, with the way to get it.
#[derive(Debug)]
pub(crate) struct Missing {
    what: String,
    how: String,
}

impl Missing {
    /// Returns the error for `what`; `how` tells the way to get it.
    pub(crate) fn new(what: impl Into<String>, how: impl Into<String>) -> Self {
        Self { what: what.into(), how: how.into() }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is missing: {}", self.what, self.how)
    }
}

impl std::error::Error for Missing {}

/// The age from which on a file is known by its times, and a little more.
const YOUNG: Duration = Duration::from_millis(2500);

/// The resources that the figures share.
pub(crate) struct Bench {
    /// The directory of the repository.
    pub(crate) root: PathBuf,
    /// The target directory of cargo.
    pub(crate) target: PathBuf,
    /// It comes before the directory that has its files, because fields are dropped in order.
    docker: OnceCell<Docker>,
    /// A directory on the file system of the target directory, which is removed at the end.
    temporary: TempDir,
    host: OnceCell<PathBuf>,
    tree: OnceCell<PathBuf>,
}

impl Bench {
    /// Makes the temporary directory; builds nothing.
    pub(crate) fn new() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("this package is in no workspace")?;
        let program = env::current_exe().context("cannot find this program")?;
        // TARGET/release/bench
        let target = program.ancestors().nth(2).context("this program is in no target directory")?.to_owned();
        let temporary = tempfile::Builder::new().prefix("bench-").tempdir_in(&target);
        let temporary = temporary.with_context(|| format!("cannot write to `{}`", target.display()))?;
        Ok(Self {
            root: root.to_owned(),
            target,
            docker: OnceCell::new(),
            temporary,
            host: OnceCell::new(),
            tree: OnceCell::new(),
        })
    }

    /// Makes an empty directory, which is removed at the end.
    pub(crate) fn directory(&self, name: &str) -> Result<PathBuf> {
        let path = self.temporary.path().join(name);
        empty(&path)?;
        Ok(path)
    }

    /// Returns a directory that is kept between runs, for files that take long to make.
    pub(crate) fn kept(&self, name: &str) -> PathBuf {
        self.target.join("bench").join(name)
    }

    /// Returns the generated tree; `make` fills it the first time.
    pub(crate) fn tree(&self, make: impl FnOnce(&Path) -> Result<()>) -> Result<&Path> {
        if self.tree.get().is_none() {
            let path = self.directory("tree")?;
            make(&path)?;
            let _ = self.tree.set(path);
        }
        self.tree.get().map(PathBuf::as_path).context("the tree was not kept")
    }

    /// Returns the binary: `HOST_BIN`, or the one in the target directory of this program, where `scripts/demo`
    /// builds it. It is built if it is missing.
    pub(crate) fn host(&self) -> Result<&Path> {
        if self.host.get().is_none() {
            let path = match env::var_os("HOST_BIN").filter(|path| !path.is_empty()) {
                Some(path) => fs::canonicalize(&path).with_context(|| format!("cannot find HOST_BIN {path:?}"))?,
                None => {
                    let built = self.target.join("release/host");
                    if built.is_file() {
                        self.warn_if_old(&built)?;
                    } else {
                        crate::say("building host, which takes some minutes");
                        self.cargo(&["-p", "host"])?;
                    }
                    built
                }
            };
            let _ = self.host.set(path);
        }
        self.host.get().map(PathBuf::as_path).context("the binary was not kept")
    }

    /// Prints a warning if a source file is newer than the binary.
    fn warn_if_old(&self, binary: &Path) -> Result<()> {
        let mut newer = Command::new("find");
        newer.arg(self.root.join("host")).args(["-name", "*.rs", "-newer"]).arg(binary).args(["-print", "-quit"]);
        let source = measure::output(&mut newer)?;
        if !source.is_empty() {
            let path = binary.display();
            crate::say(&format!("warning: `{path}` is older than {}; remove it to have it built", source.trim()));
        }
        Ok(())
    }

    /// Returns the Docker of `DOCKER_HOST`, or one that ends with this program.
    pub(crate) fn docker(&self) -> Result<&Docker> {
        if self.docker.get().is_none() {
            let docker = match env::var("DOCKER_HOST").ok().filter(|address| !address.is_empty()) {
                Some(address) => Docker::at(address)?,
                None => Docker::start(&self.root, &self.directory("docker")?)?,
            };
            let _ = self.docker.set(docker);
        }
        self.docker.get().context("Docker was not kept")
    }

    /// Starts an empty registry. `name` is the name of its directory.
    pub(crate) fn registry(&self, name: &str) -> Result<Registry> {
        Registry::start(&self.directory(name)?)
    }

    /// Makes an image of busybox.
    pub(crate) fn busybox(&self, name: &str) -> Result<Image> {
        image::busybox(&self.directory(name)?)
    }

    /// Returns the image of 400 MB, which is made once and kept.
    pub(crate) fn large_image(&self) -> Result<Image> {
        large::image(&self.kept("image-v1"))
    }

    /// Returns an example of a crate: from beside `HOST_BIN`, or built.
    pub(crate) fn example(&self, room: &str, name: &str) -> Result<PathBuf> {
        let beside = self.host()?.with_file_name("examples").join(name);
        if env::var_os("HOST_BIN").is_none_or(|path| path.is_empty()) || !beside.is_file() {
            self.cargo(&["-p", room, "--example", name])?;
            return Ok(self.target.join("release/examples").join(name));
        }
        Ok(beside)
    }

    /// Builds a part of the workspace in release form.
    pub(crate) fn cargo(&self, what: &[&str]) -> Result<()> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--release", "--quiet"]).args(what).arg("--target-dir").arg(&self.target);
        measure::output(command.current_dir(&self.root)).map(|_| ())
    }

    /// Returns a command of the binary with a store of its own.
    pub(crate) fn command(&self, store: &Path, args: &[&str]) -> Result<Command> {
        let mut command = Command::new(self.host()?);
        command.args(args).env("HOST_STORE", store).env_remove("HOST_ENGINE").current_dir(&self.root);
        Ok(command)
    }

    /// Runs a call until its results are cached, and returns its output.
    pub(crate) fn warm(&self, call: &mut Command) -> Result<String> {
        measure::output(call)?;
        // A component is read again as long as its times could hide a change of it.
        thread::sleep(YOUNG);
        measure::output(call)
    }

    /// Builds a module of the repository and returns its path.
    pub(crate) fn module(&self, path: &str) -> Result<String> {
        let module = text(&self.root.join(path))?.to_owned();
        let store = self.temporary.path().join("store-of-builds");
        measure::output(&mut self.command(&store, &["build", "-m", &module])?)?;
        Ok(module)
    }

    /// Builds a module of the repository and returns its component.
    pub(crate) fn component(&self, path: &str) -> Result<PathBuf> {
        let module = PathBuf::from(self.module(path)?);
        let name = module.file_name().context("a module has a name")?.to_owned();
        // The component is in the target directory of the module, which the environment can set.
        let target = env::var_os("CARGO_TARGET_DIR").filter(|path| !path.is_empty()).unwrap_or_else(|| "target".into());
        let component = module.join(target).join("host").join(name).with_extension("wasm");
        let is_there = component.is_file().then_some(());
        is_there.with_context(|| format!("`host build` made no `{}`", component.display()))?;
        Ok(component)
    }
}

/// Makes an empty directory, and removes what was in it.
pub(crate) fn empty(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("cannot remove `{}`", path.display()))?;
    }
    fs::create_dir_all(path).with_context(|| format!("cannot make `{}`", path.display()))
}

/// Returns a path as the text of an argument.
pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("`{}` is not UTF-8", path.display()))
}

/// Waits until earlier writes are on the disk, so that they do not slow down the next command.
pub(crate) fn sync_disk(path: &Path) -> Result<()> {
    measure::output(Command::new("sync").arg("--file-system").arg(path)).map(|_| ())
}

/// Returns whether this program runs as root.
pub(crate) fn is_root() -> Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(fs::metadata("/proc/self").context("cannot see who runs this")?.uid() == 0)
}

/// Writes a file.
pub(crate) fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    fs::write(path, contents).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Returns the path of a program in `PATH`, or in the directories that have programs for root.
///
/// # Errors
/// [`Missing`], with the Debian package of the program.
pub(crate) fn program(name: &str, package: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let found = directories.map(|directory| directory.join(name)).find(|path| path.is_file());
    found
        .ok_or_else(|| Missing::new(format!("`{name}`"), format!("install it with `apt-get install {package}`")).into())
}
