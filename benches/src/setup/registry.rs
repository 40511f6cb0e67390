//! A registry of images on the loopback interface.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::at_end::AtEnd;
use super::program;
use crate::children;

/// The number of ports that are tried, because another program can take a free port first.
const N_PORTS: usize = 3;

/// The longest time for a start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running registry. It ends when this is dropped.
pub(crate) struct Registry {
    /// The address, which is the first part of the names of its images.
    pub(crate) address: String,
    server: Child,
    /// Ends the registry if this program is killed. It is set when the registry answers.
    end: Option<AtEnd>,
}

impl Registry {
    /// Starts a registry with its images in a directory.
    pub(super) fn start(directory: &Path) -> Result<Self> {
        let program = program("docker-registry", "docker-registry")?;
        let log = directory.join("log");
        for _ in 0..N_PORTS {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            let port = free.context("cannot find a free port")?.port();
            let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
            let file = directory.join("config.json");
            super::write(&file, configuration(directory, address))?;
            let said = File::create(&log).with_context(|| format!("cannot make `{}`", log.display()))?;
            let mut command = Command::new(&program);
            command.arg("serve").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
            let server = children::start(&mut command)?;
            let mut registry = Self { address: address.to_string(), server, end: None };
            if registry.answers(address)? {
                let id = registry.server.id().to_string();
                registry.end = Some(AtEnd::run(Command::new("sh").args(["-c", "kill \"$1\"", "sh", &id]))?);
                return Ok(registry);
            }
        }
        let said = fs::read_to_string(&log).unwrap_or_default();
        bail!("`docker-registry` ends at once: {}", said.trim())
    }

    /// Waits until the registry accepts connections; returns false if it has ended.
    fn answers(&mut self, address: SocketAddrV4) -> Result<bool> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let is_reached = TcpStream::connect(address).is_ok();
            if self.server.try_wait().context("cannot wait for `docker-registry`")?.is_some() {
                return Ok(false);
            }
            if is_reached {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(10));
        }
        bail!("`docker-registry` does not listen at {address} after {} s", PATIENCE.as_secs())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // The waiting process ends first, before the id of the registry can be that of another process.
        self.end = None;
        // The registry has no data to save.
        let _ = self.server.kill();
        let _ = self.server.wait();
        children::ended(self.server.id());
    }
}

/// Returns the configuration. Every JSON document is a YAML document.
///
/// Source: the file `docs/configuration.md` of distribution 2.8.
fn configuration(directory: &Path, address: SocketAddrV4) -> String {
    json!({
        "version": "0.1",
        "log": { "level": "error", "accesslog": { "disabled": true } },
        "storage": { "filesystem": { "rootdirectory": directory.join("images") } },
        "http": { "addr": address.to_string() },
    })
    .to_string()
}
