//! The environment of the process. Nothing else reads it.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The settings that come from the environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// The working directory.
    pub cwd: PathBuf,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// The directory of the store: `HOST_STORE`, or the usual place.
    pub store: PathBuf,
    /// `HOST_ENGINE`.
    pub engine: Option<String>,
    /// Whether colours may be used, which `NO_COLOR` forbids.
    pub is_color_allowed: bool,
    /// Whether this is a CI job: `CI` is set.
    pub is_ci: bool,
    /// Whether the terminal cannot redraw lines: `TERM` is `dumb`.
    pub is_terminal_dumb: bool,
    /// `PATH`.
    pub path: Vec<PathBuf>,
    /// `CARGO`: the cargo that builds modules.
    pub cargo: Option<PathBuf>,
    /// `CARGO_TARGET_DIR`.
    pub target_dir: Option<PathBuf>,
    /// The path of this program.
    pub program: Option<PathBuf>,
    /// The name of the user, for `/etc/subuid`.
    pub user: Option<String>,
    /// `HOST_COMPLETE`: the shell that asks what can be typed next.
    pub complete: Option<String>,
    /// The settings of Docker and of registries.
    pub docker: DockerConfig,
    /// The variables that secrets can name.
    pub variables: Variables,
}

/// The settings of Docker and of registries, from the variables that Docker's own command line reads, too.
#[derive(Debug, Clone, Default)]
pub struct DockerConfig {
    /// `DOCKER_HOST`.
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub context: Option<String>,
    /// `DOCKER_CONFIG`, or `~/.docker`.
    pub directory: Option<PathBuf>,
    /// `DOCKER_TLS_VERIFY` is set.
    pub is_tls_verified: bool,
    /// `DOCKER_CERT_PATH`.
    pub certificates: Option<PathBuf>,
    /// `HOST_REGISTRY_MIRRORS`: base URLs that are tried before a registry, as in
    /// `docker.io=https://mirror.example,quay.io=http://127.0.0.1:5000`.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// `HOST_INSECURE_REGISTRIES`: registries that are spoken to without TLS, separated by commas.
    pub insecure: Vec<String>,
}

/// The variables that secrets can name.
#[derive(Debug, Clone)]
pub enum Variables {
    /// The variables of this process.
    Process,
    /// A fixed set of variables, for tests.
    Fixed(BTreeMap<String, String>),
}

impl Variables {
    /// Returns the value of a variable, if it is set and UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        match self {
            Self::Process => env::var(name).ok(),
            Self::Fixed(variables) => variables.get(name).cloned(),
        }
    }
}

impl Config {
    /// Reads the environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let home = path("HOME");
        let search: Vec<PathBuf> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
        Self {
            cwd: env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            store: store(
                rustix::process::geteuid().is_root(),
                path("HOST_STORE"),
                path("XDG_DATA_HOME"),
                home.as_deref(),
            ),
            engine: env::var("HOST_ENGINE").ok().filter(|name| !name.is_empty()),
            is_color_allowed: variable("NO_COLOR").is_none(),
            is_ci: variable("CI").is_some_and(|value| value != "false" && value != "0"),
            is_terminal_dumb: variable("TERM").is_some_and(|value| value == "dumb"),
            cargo: path("CARGO"),
            target_dir: path("CARGO_TARGET_DIR"),
            program: env::current_exe().ok(),
            user: env::var("USER").or_else(|_| env::var("LOGNAME")).ok(),
            path: search,
            complete: text("HOST_COMPLETE"),
            docker: DockerConfig::of_process(home.as_deref()),
            home,
            variables: Variables::Process,
        }
    }

    /// Returns the cargo that builds modules: from `CARGO`, the `PATH`, or the usual place of rustup. It is searched for
    /// only when it is needed.
    #[must_use]
    pub fn cargo(&self) -> PathBuf {
        self.cargo.clone().unwrap_or_else(|| cargo(&self.path, self.home.as_deref()))
    }

    /// Finds a program on the `PATH`.
    #[must_use]
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        find_program(&self.path, name)
    }

    /// Returns the absolute path of a path on the command line. `~/` is the home directory, and relative paths start at
    /// the working directory.
    #[must_use]
    pub fn resolve(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            (None, Some(home)) if path == "~" => home.clone(),
            _ => self.cwd.join(path),
        }
    }
}

impl DockerConfig {
    fn of_process(home: Option<&Path>) -> Self {
        let list = |name: &str| -> Vec<String> {
            let text = text(name).unwrap_or_default();
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        };
        let mut mirrors: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for item in list("HOST_REGISTRY_MIRRORS") {
            if let Some((registry, url)) = item.split_once('=') {
                mirrors.entry(registry.to_owned()).or_default().push(url.to_owned());
            }
        }
        Self {
            host: text("DOCKER_HOST"),
            context: text("DOCKER_CONTEXT"),
            directory: path("DOCKER_CONFIG").or_else(|| home.map(|home| home.join(".docker"))),
            is_tls_verified: variable("DOCKER_TLS_VERIFY").is_some(),
            certificates: path("DOCKER_CERT_PATH"),
            mirrors,
            insecure: list("HOST_INSECURE_REGISTRIES"),
        }
    }
}

/// Returns a variable; none if it is empty.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn text(name: &str) -> Option<String> {
    variable(name).and_then(|value| value.into_string().ok())
}

fn path(name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from)
}

fn find_program(search: &[PathBuf], name: &str) -> Option<PathBuf> {
    search.iter().map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// Finds cargo. `sudo` removes the directory of rustup from the `PATH`, so its usual place is searched, too.
fn cargo(search: &[PathBuf], home: Option<&Path>) -> PathBuf {
    let rustup = || home.map(|home| home.join(".cargo/bin/cargo")).filter(|path| path.is_file());
    find_program(search, "cargo").or_else(rustup).unwrap_or_else(|| PathBuf::from("cargo"))
}

/// Returns the directory of the store.
/// Source: XDG Base Directory Specification 0.8, `$XDG_DATA_HOME`; the root's is where daemons keep theirs.
fn store(is_root: bool, asked: Option<PathBuf>, data_home: Option<PathBuf>, home: Option<&Path>) -> PathBuf {
    match (asked, is_root, data_home.filter(|path| path.is_absolute()), home) {
        (Some(asked), ..) => asked,
        (None, true, ..) => PathBuf::from("/var/lib/host"),
        (None, false, Some(data_home), _) => data_home.join("host"),
        (None, false, None, Some(home)) => home.join(".local/share/host"),
        (None, false, None, None) => env::temp_dir().join("host"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_where_it_was_asked_for_or_in_the_usual_place() {
        let home = Some(Path::new("/home/a"));
        let check = |got: PathBuf, expect: &str| assert_eq!(got, Path::new(expect));
        check(store(true, None, None, home), "/var/lib/host");
        check(store(true, Some("/s".into()), None, home), "/s");
        check(store(false, None, None, home), "/home/a/.local/share/host");
        check(store(false, None, Some("/data".into()), home), "/data/host");
        check(store(false, None, Some("relative".into()), home), "/home/a/.local/share/host");
    }
}
