//! A store, a root made of busybox, and a zone.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use engine::OutputStream;
use tokio_util::sync::CancellationToken;
use zone::{ExecReply, ExecSpec, RootSpec, Zone, ZoneConfig, ZoneError};

/// Everything of one test, below a directory that goes with it.
pub(crate) struct Ground {
    pub(crate) zone: Zone,
    pub(crate) base: Base,
}

/// A directory on the disk, with a store and a root in it.
pub(crate) struct Base {
    directory: tempfile::TempDir,
    n_steps: std::sync::atomic::AtomicUsize,
}

/// What a step left.
pub(crate) struct Ran {
    pub(crate) reply: ExecReply,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) upper: PathBuf,
}

impl Base {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        make_busybox(&directory.path().join("busybox"));
        std::fs::create_dir(directory.path().join("store")).unwrap();
        Self { directory, n_steps: 0.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path().join("store")
    }

    pub(crate) fn config(&self) -> ZoneConfig {
        ZoneConfig { executable: helper(), ..ZoneConfig::new(self.store()) }
    }

    /// Makes fresh directories for an overlay and returns the upper one and the one for its own use.
    pub(crate) fn uppers(&self) -> (PathBuf, PathBuf) {
        let n = self.n_steps.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (upper, work) = (self.store().join(format!("upper{n}")), self.store().join(format!("work{n}")));
        std::fs::create_dir(&upper).unwrap();
        std::fs::create_dir(&work).unwrap();
        (upper, work)
    }

    /// Makes a step over busybox.
    pub(crate) fn step(&self, args: &[&str]) -> ExecSpec {
        let (upper, work) = self.uppers();
        let lowers = vec![self.path().join("busybox")];
        let root = RootSpec { lowers, upper, work, read_only_binds: Vec::new() };
        let mut spec = ExecSpec::new(root, args.iter().copied());
        spec.env.push(("PATH".to_owned(), "/usr/bin:/bin".to_owned()));
        spec
    }

    /// Makes a step that runs a script.
    pub(crate) fn sh(&self, script: &str) -> ExecSpec {
        self.step(&["sh", "-c", script])
    }
}

impl Ground {
    pub(crate) async fn new() -> Self {
        let base = Base::new();
        let zone = Zone::start(base.config()).await.unwrap();
        Self { zone, base }
    }

    pub(crate) async fn run(&self, spec: &ExecSpec) -> Ran {
        run(&self.zone, spec).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs a step that cannot be run and returns why.
    pub(crate) async fn refused(&self, spec: &ExecSpec) -> ZoneError {
        match run(&self.zone, spec).await {
            Ok(ran) => panic!("it ran: {:?} {}", ran.reply, ran.stderr),
            Err(error) => error,
        }
    }

    /// Runs a script and returns what it printed, which must be to standard output only.
    pub(crate) async fn output(&self, script: &str) -> String {
        let ran = self.run(&self.base.sh(script)).await;
        assert_eq!(ran.stderr, "", "{script}");
        ran.stdout
    }
}

pub(crate) async fn run(zone: &Zone, spec: &ExecSpec) -> Result<Ran, ZoneError> {
    run_until(zone, spec, &CancellationToken::new()).await
}

pub(crate) async fn run_until(zone: &Zone, spec: &ExecSpec, cancel: &CancellationToken) -> Result<Ran, ZoneError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let reply = zone
        .exec(spec, cancel, |stream, bytes| match stream {
            OutputStream::Stdout => stdout.extend_from_slice(bytes),
            OutputStream::Stderr => stderr.extend_from_slice(bytes),
        })
        .await?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Ran { reply, stdout: text(stdout), stderr: text(stderr), upper: spec.root.upper.clone() })
}

/// Returns the zone's binary; another copy where another user runs these tests.
pub(crate) fn helper() -> PathBuf {
    std::env::var_os("ZONE_HELPER").map_or_else(|| env!("CARGO_BIN_EXE_zone-helper").into(), PathBuf::from)
}

/// Makes a root with busybox and without any mountpoint.
pub(crate) fn make_busybox(root: &Path) {
    std::fs::create_dir_all(root.join("bin")).unwrap();
    std::fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox-static is installed");
    for name in [
        "sh", "true", "false", "echo", "cat", "ls", "sleep", "id", "mount", "mkdir", "rm", "touch", "ln", "chmod",
        "chown", "mknod", "hostname", "unshare", "env", "wc", "dd", "head", "grep", "kill", "stat", "ip", "find",
        "test", "ps", "seq", "umount", "nproc", "mv", "cut", "tr", "readlink", "realpath", "awk", "cp", "wget", "nc",
        "nslookup", "ping",
    ] {
        symlink("busybox", root.join("bin").join(name)).unwrap();
    }
}

/// Returns the paths below a directory, sorted, as far as they can be read.
pub(crate) fn tree(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).into_iter().flatten() {
            let path = entry.unwrap().path();
            found.push(path.strip_prefix(directory).unwrap().to_string_lossy().into_owned());
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            }
        }
    }
    found.sort();
    found
}
