//! What end-to-end tests share: the real binary, guest programs, a store of one's own.

#![allow(clippy::panic, clippy::print_stderr, reason = "a test says what it lacks, and fails by a panic")]

mod docker;
mod polyglot;
mod registry;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

pub use docker::Docker;
pub use polyglot::Language;
pub use registry::{PASSWORD, Registry, USER};

/// Returns the root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Returns the directory of everything that is built.
#[must_use]
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Says whether a tool that a test needs is there. Without it the test says so and passes; where
/// `REQUIRE` names the tool, as in CI, its absence is a failure.
///
/// # Panics
/// If the tool is required and missing.
#[must_use]
pub fn require(tool: &str) -> bool {
    let is_there = match tool {
        "crun" => finds("crun"),
        "make" => finds("make"),
        "newuidmap" => finds("newuidmap"),
        "busybox" => Path::new("/bin/busybox").is_file(),
        "cargo-wasm" => finds("cargo"),
        "root" => is_root(),
        "python" => finds("python3"),
        "node" => finds("npm"),
        "docker-registry" => finds("docker-registry"),
        "docker" => finds("docker") && (finds("dockerd") || Path::new("/usr/sbin/dockerd").is_file()),
        other => panic!("nobody knows the tool `{other}`"),
    };
    let required = std::env::var("REQUIRE").unwrap_or_default();
    assert!(is_there || !required.split(',').any(|name| name == tool), "`{tool}` is required and missing");
    if !is_there {
        eprintln!("skipped: `{tool}` is missing");
    }
    is_there
}

fn finds(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Returns the binary `host`, built from this tree in the profile of the tests; the one that
/// `HOST_BIN` names where the tests run again as another user, who cannot build.
///
/// # Panics
/// If it cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(binary) = std::env::var_os("HOST_BIN") {
            return binary.into();
        }
        let status = Command::new("cargo")
            .args(["build", "--quiet", "--locked", "-p", "host"])
            .current_dir(root())
            .status()
            .expect("cargo runs, as it runs this test");
        assert!(status.success(), "the binary cannot be built");
        target_dir().join("debug/host")
    })
}

/// Builds a guest program of `tests/functions` and returns its component; `HOST_GUESTS` names the
/// directory where they are already.
///
/// # Panics
/// If it cannot be built.
pub fn guest(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let dir = BUILT.get_or_init(|| {
        if let Some(dir) = std::env::var_os("HOST_GUESTS") {
            return dir.into();
        }
        let target = target_dir().join("guests");
        let status = Command::new("cargo")
            .args(["build", "--quiet", "--release", "--locked", "--target", "wasm32-wasip2", "--workspace"])
            .current_dir(root().join("tests/functions"))
            .env("CARGO_TARGET_DIR", &target)
            .status()
            .expect("cargo runs, as it runs this test");
        assert!(status.success(), "the guest programs cannot be built");
        target.join("wasm32-wasip2/release")
    });
    dir.join(format!("{}.wasm", name.replace('-', "_")))
}

/// Returns the directory, on the file system of the build, that has the directories of tests.
fn places() -> PathBuf {
    let places = target_dir().join("test-places");
    std::fs::create_dir_all(&places).expect("the build directory can be written");
    places
}

/// A store and a working directory of one test.
pub struct Place {
    dir: tempfile::TempDir,
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
}

impl Place {
    /// Makes an empty one, on the file system of the build.
    ///
    /// # Panics
    /// If the disk is full.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("place-").tempdir_in(places());
        let place = Self { dir: dir.expect("the build directory can be written") };
        std::fs::create_dir(place.path("work")).expect("it was just made");
        place
    }

    /// Returns a path in it.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Writes a file below its working directory; parents are made.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("work").join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(&path)).expect("the place can be written");
        std::fs::write(&path, contents).expect("the place can be written");
        path
    }

    /// Makes a command that runs `host` in it, with its store and without an environment of the caller's.
    #[must_use]
    pub fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(binary());
        command.args(args).current_dir(self.path("work")).stdin(Stdio::null()).env_clear();
        for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOST_STORE", self.path("store"));
        command
    }

    /// Runs `host` in it.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn host(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Answer {
        self.command(args).output().map(Answer::from).expect("the binary was built")
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}
