//! A registry of this machine: Debian's `docker-registry` on the loopback interface.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The user of a registry with a password.
pub const USER: &str = "ann";
/// Her password.
pub const PASSWORD: &str = "swordfish";
/// Both as `htpasswd -B` writes them.
const HTPASSWD: &str = "ann:$2y$05$abcdefghijklmnopqrstuupWDwJQeCHYIBQy8WvkVB6ImhZ476YYy\n";

/// A registry on a port of its own, with what was asked of it. It ends with its owner.
pub struct Registry {
    dir: tempfile::TempDir,
    address: String,
    has_password: bool,
    child: Option<Child>,
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Registry {
    /// Starts an empty one.
    ///
    /// # Panics
    /// If it does not start; see [`require`](crate::require).
    #[must_use]
    pub fn start() -> Self {
        Self::begin(false)
    }

    /// Starts one that wants [`USER`] and [`PASSWORD`].
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start_with_password() -> Self {
        Self::begin(true)
    }

    fn begin(has_password: bool) -> Self {
        let dir = tempfile::Builder::new().prefix("registry-").tempdir_in(crate::places());
        let dir = dir.expect("the build directory can be written");
        // The kernel chooses the port, which the log then has.
        let mut registry = Self { dir, address: "127.0.0.1:0".to_owned(), has_password, child: None };
        registry.restart();
        registry
    }

    /// Returns its host and port, as they stand in the names of its images.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the name of an image in it.
    #[must_use]
    pub fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    /// Returns the directory where it keeps what it was given.
    #[must_use]
    pub fn storage(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Ends it; what it has stays.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it, again with the address that it had.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        self.stop();
        let config = self.dir.path().join("config.yml");
        fs::write(self.dir.path().join("htpasswd"), HTPASSWD).expect("the directory was just made");
        fs::write(&config, self.configuration()).expect("the directory was just made");
        let log = File::create(self.log()).expect("the directory was just made");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().expect("`docker-registry` is there, as a test asked for it"));
        let deadline = Instant::now() + Duration::from_secs(20);
        self.address = loop {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            if let Some(address) = field(&log, "listening on ", '"') {
                break address.to_owned();
            }
            assert!(Instant::now() < deadline, "`docker-registry` does not listen: {log}");
            std::thread::sleep(Duration::from_millis(10));
        };
    }

    /// Returns what was asked since it was last started, as in `PUT /v2/app/manifests/1`; without queries.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let of_line = |line: &str| {
            let method = field(line, "\"http.request.method\":\"", '"')?;
            let path = field(line, "\"http.request.uri\":\"", '"')?;
            let is_answer = line.contains("http.response.status");
            is_answer.then(|| format!("{method} {}", path.split('?').next().unwrap_or_default()))
        };
        log.lines().filter_map(of_line).collect()
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// Source: the documentation of `distribution/distribution` 2.8, "Configuring a registry".
    fn configuration(&self) -> String {
        let (dir, address): (&Path, &str) = (self.dir.path(), &self.address);
        let dir = dir.display();
        let mut config = format!(
            "version: 0.1\nlog: {{level: info, formatter: json, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {dir}/data}}}}\nhttp: {{addr: '{address}', secret: tests}}\n"
        );
        if self.has_password {
            config += &format!("auth: {{htpasswd: {{realm: tests, path: {dir}/htpasswd}}}}\n");
        }
        config
    }
}

/// Returns what is behind a text, up to a character.
fn field<'a>(text: &'a str, before: &str, end: char) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(end).map(|(field, _)| field)
}
