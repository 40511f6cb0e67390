//! A registry on the loopback interface: the program `docker-registry` of the Debian package of that name.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The user that a registry with a password knows.
pub const USER: &str = "ann";
/// The password of [`USER`].
pub const PASSWORD: &str = "swordfish";
/// [`USER`] and [`PASSWORD`] as `htpasswd -B` writes them.
const HTPASSWD: &str = "ann:$2y$05$abcdefghijklmnopqrstuupWDwJQeCHYIBQy8WvkVB6ImhZ476YYy\n";

/// A registry on a port of its own, with a log of its requests. It ends when it is dropped, and when the process of the
/// test ends.
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
    /// Starts an empty registry. A test calls `require("docker-registry")` before.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::begin(false)
    }

    /// Starts an empty registry that asks for [`USER`] and [`PASSWORD`].
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start_with_password() -> Self {
        Self::begin(true)
    }

    fn begin(has_password: bool) -> Self {
        let dir = crate::scratch_dir("registry-");
        // The kernel chooses the port, and the log has it.
        let mut registry = Self { dir, address: "127.0.0.1:0".to_owned(), has_password, child: None };
        registry.restart();
        registry
    }

    /// Returns the host and the port, as the names of images have them.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the full name of an image of this registry.
    #[must_use]
    pub fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    /// Returns the directory of its blobs and manifests.
    #[must_use]
    pub fn storage(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Ends the process. The images stay for [`restart`](Self::restart).
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }

    /// Starts the process again, at the same address.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        self.stop();
        let config = self.dir.path().join("config.yml");
        fs::write(self.dir.path().join("htpasswd"), HTPASSWD).expect("the directory was just made");
        fs::write(&config, self.configuration()).expect("the directory was just made");
        let log = File::create(self.log()).expect("the directory was just made");
        // The shell kills it when the pipe is closed, which also happens when this process ends in any way.
        let mut command = Command::new("sh");
        command.args(["-c", "docker-registry serve \"$0\" & read -r _; kill -9 $!; wait"]).arg(config);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().expect("every machine has a shell"));
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

    /// Returns the requests since the last start, as in `PUT /v2/app/manifests/1`, without queries.
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
        let (dir, address) = (self.dir.path().display(), &self.address);
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

/// Returns the text between `before` and the character `end`.
fn field<'a>(text: &'a str, before: &str, end: char) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(end).map(|(field, _)| field)
}
