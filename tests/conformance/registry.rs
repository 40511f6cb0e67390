//! The registry of the suite: Debian's `docker-registry` on a port of the loopback interface, filled with test images.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use conformance::images::{Registry, push_all};

use crate::backends::{finds, place};

/// The program, and the package that has it.
const PROGRAM: &str = "docker-registry";

static RUNNING: OnceLock<Option<Running>> = OnceLock::new();

struct Running {
    child: Mutex<Child>,
    address: String,
    _place: tempfile::TempDir,
}

/// Says why there is none.
pub(crate) fn available() -> Result<(), String> {
    if finds(PROGRAM) { Ok(()) } else { Err(format!("`{PROGRAM}` is missing")) }
}

/// Returns its address; the first call begins it. None where the program is missing.
pub(crate) fn address() -> Option<String> {
    let running = RUNNING.get_or_init(|| available().ok().map(|()| Running::begin()));
    running.as_ref().map(|running| running.address.clone())
}

/// Ends it.
pub(crate) fn stop() {
    if let Some(Some(running)) = RUNNING.get() {
        let mut child = running.child.lock().unwrap_or_else(PoisonError::into_inner);
        drop(child.stdin.take());
        let _ = child.wait();
        let _ = std::fs::remove_dir_all(running._place.path());
    }
}

impl Running {
    fn begin() -> Self {
        let place = place();
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let address = port.expect("this machine has a loopback interface").to_string();
        let config = place.path().join("config.yml");
        std::fs::write(&config, configuration(&address, place.path())).expect("the place can be written");
        // The shell ends it when this process ends, however that is: then the pipe is closed.
        let child = Command::new("sh")
            .args(["-c", "\"$0\" serve \"$1\" & read -r _; kill $!; wait", PROGRAM])
            .arg(&config)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("every machine has a shell");
        let registry = Registry::at(&address);
        registry.wait().expect("a registry begins within seconds");
        push_all(&registry).expect("a new registry takes images");
        Self { child: Mutex::new(child), address, _place: place }
    }
}

/// Source: the documentation of `distribution/distribution` 2.8, "Configuring a registry".
fn configuration(address: &str, place: &Path) -> String {
    let root = place.join("registry");
    format!(
        "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
        root.display()
    )
}
