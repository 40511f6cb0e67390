//! Resources of the package as a caller has them. Every method is a call through the table of methods in `api`.

use std::sync::Arc;

use api::Value;
use engine::Failure;
use futures::FutureExt as _;

use crate::answer::Answer;
use crate::arg::{Arg, Case};
use crate::session::Session;

/// A resource of any kind. Its methods are those of the WIT package; a method that its kind does not have makes the next
/// leaf method fail.
#[derive(Clone)]
pub struct Handle {
    session: Arc<Session>,
    value: Result<Value, Failure>,
}

impl Handle {
    /// Makes a handle of an object.
    pub(crate) fn new(session: &Arc<Session>, object: impl Into<Value>) -> Self {
        Self { session: Arc::clone(session), value: Ok(object.into()) }
    }

    /// Calls a constructor or another function that is not a method.
    pub(crate) fn of(session: &Arc<Session>, interface: &str, function: &str, args: Vec<Value>) -> Self {
        Self { session: Arc::clone(session), value: now(session, interface, function, args) }
    }

    /// Returns the same object in another session.
    #[must_use]
    pub fn within(&self, session: &Arc<Session>) -> Self {
        Self { session: Arc::clone(session), value: self.value.clone() }
    }

    /// Returns the object as a value.
    ///
    /// # Errors
    /// If one of the calls that made it failed.
    pub fn object(&self) -> Result<Value, Failure> {
        self.value.clone()
    }

    /// Calls a lazy method.
    #[must_use]
    pub fn call(&self, method: &str, args: Vec<Value>) -> Self {
        let value = self.value.clone().and_then(|this| {
            let (interface, function) = names(&this, method);
            now(&self.session, &interface, &function, std::iter::once(this).chain(args).collect())
        });
        Self { session: Arc::clone(&self.session), value }
    }

    /// Calls a leaf method.
    ///
    /// # Errors
    /// If the method fails.
    pub async fn ask(&self, method: &str, args: Vec<Value>) -> Result<Value, Failure> {
        let this = self.value.clone()?;
        let (interface, function) = names(&this, method);
        let args = std::iter::once(this).chain(args).collect();
        api::invoke(&*self.session, &interface, &function, args).await
    }

    fn leaf(&self, method: &'static str, args: Vec<Value>) -> Answer {
        let handle = self.clone();
        Answer::new(method, async move { handle.ask(method, args).await })
    }
}

impl Arg for &Handle {
    fn value(self) -> Value {
        self.value.clone().unwrap_or_else(|_| Value::unit())
    }
}

impl Arg for &[&Handle] {
    fn value(self) -> Value {
        Value::List(self.iter().map(|handle| handle.value()).collect())
    }
}

/// Calls a lazy function: one that never waits.
fn now(session: &Arc<Session>, interface: &str, function: &str, args: Vec<Value>) -> Result<Value, Failure> {
    let called = api::invoke(&**session, interface, function, args).now_or_never();
    called.unwrap_or_else(|| Err(Failure::bug(format!("lazy function `{function}` waited"))))
}

/// Returns the interface of an object's method and its name in it.
fn names(this: &Value, method: &str) -> (String, String) {
    let resource = match this {
        Value::Object(object) => object.name(),
        _ => "container",
    };
    let interface = match resource {
        "container" | "exec-options" | "mount-options" | "build-options" => "container",
        "directory" | "copy-options" | "new-options" | "search-options" => "directory",
        "cache-volume" => "cache",
        other => other,
    };
    (interface.to_owned(), format!("[method]{resource}.{method}"))
}

macro_rules! lazy_methods {
    ($($name:ident($($arg:ident: $type:ty),*) = $wit:literal;)*) => {
        impl Handle {
            $(
                #[doc = concat!("Calls the lazy method `", $wit, "`.")]
                #[must_use]
                pub fn $name(&self, $($arg: $type),*) -> Self {
                    self.call($wit, vec![$($arg.value()),*])
                }
            )*
        }
    };
}

macro_rules! leaf_methods {
    ($($name:ident($($arg:ident: $type:ty),*) = $wit:literal;)*) => {
        impl Handle {
            $(
                #[doc = concat!("Prepares a call of the leaf method `", $wit, "`.")]
                pub fn $name(&self, $($arg: $type),*) -> Answer {
                    self.leaf($wit, vec![$($arg.value()),*])
                }
            )*
        }
    };
}

// Of containers and, where they have them, of directories.
lazy_methods! {
    with_platform(platform: &str) = "with-platform";
    from_image(address: &str) = "from-image";
    import_image(source: &Self, tag: Option<&str>) = "import-image";
    with_rootfs(source: &Self) = "with-rootfs";
    rootfs() = "rootfs";
    with_env_variable(name: &str, value: &str) = "with-env-variable";
    with_env_variable_expanded(name: &str, value: &str) = "with-env-variable-expanded";
    without_env_variable(name: &str) = "without-env-variable";
    with_secret_variable(name: &str, value: &Self) = "with-secret-variable";
    without_secret_variable(name: &str) = "without-secret-variable";
    with_workdir(path: &str) = "with-workdir";
    without_workdir() = "without-workdir";
    with_user(user: &str) = "with-user";
    without_user() = "without-user";
    with_entrypoint(args: &[&str]) = "with-entrypoint";
    without_entrypoint() = "without-entrypoint";
    with_default_args(args: &[&str]) = "with-default-args";
    without_default_args() = "without-default-args";
    with_volatile_variable(name: &str, value: &str) = "with-volatile-variable";
    without_volatile_variable(name: &str) = "without-volatile-variable";
    with_label(name: &str, value: &str) = "with-label";
    without_label(name: &str) = "without-label";
    with_annotation(name: &str, value: &str) = "with-annotation";
    without_annotation(name: &str) = "without-annotation";
    with_exposed_port(port: u16, protocol: Case) = "with-exposed-port";
    without_exposed_port(port: u16, protocol: Case) = "without-exposed-port";
    with_new_file(path: &str, contents: &str) = "with-new-file";
    with_new_file_options(path: &str, contents: &[u8], options: &Self) = "with-new-file-options";
    with_new_directory(path: &str) = "with-new-directory";
    with_new_directory_options(path: &str, options: &Self) = "with-new-directory-options";
    with_file(path: &str, source: &Self) = "with-file";
    with_file_options(path: &str, source: &Self, options: &Self) = "with-file-options";
    with_files(path: &str, sources: &[&Self]) = "with-files";
    with_directory(path: &str, source: &Self) = "with-directory";
    with_directory_options(path: &str, source: &Self, options: &Self) = "with-directory-options";
    with_symlink(target: &str, link_name: &str) = "with-symlink";
    without_file(path: &str) = "without-file";
    without_files(paths: &[&str]) = "without-files";
    without_directory(path: &str) = "without-directory";
    with_mounted_directory(path: &str, source: &Self) = "with-mounted-directory";
    with_mounted_directory_options(path: &str, source: &Self, options: &Self) = "with-mounted-directory-options";
    with_mounted_file(path: &str, source: &Self) = "with-mounted-file";
    with_mounted_cache(path: &str, cache: &Self) = "with-mounted-cache";
    with_mounted_cache_options(path: &str, cache: &Self, options: &Self) = "with-mounted-cache-options";
    with_mounted_secret(path: &str, source: &Self) = "with-mounted-secret";
    with_mounted_secret_options(path: &str, source: &Self, options: &Self) = "with-mounted-secret-options";
    with_mounted_temp(path: &str) = "with-mounted-temp";
    with_mounted_temp_options(path: &str, options: &Self) = "with-mounted-temp-options";
    without_mount(path: &str) = "without-mount";
    with_exec(args: &[&str]) = "with-exec";
    with_exec_options(args: &[&str], options: &Self) = "with-exec-options";
    with_error(message: &str) = "with-error";
    directory(path: &str) = "directory";
    file(path: &str) = "file";
    as_tarball() = "as-tarball";
    as_docker_tarball() = "as-docker-tarball";
    start() = "start";
}

// Of directories and files alone.
lazy_methods! {
    subdirectory(path: &str) = "subdirectory";
    filter(includes: &[&str], excludes: &[&str]) = "filter";
    diff(other: &Self) = "diff";
    merge(others: &[&Self]) = "merge";
    chown(path: &str, owner: &str) = "with-owner";
    with_timestamps(seconds: u64) = "with-timestamps";
    with_name(name: &str) = "with-name";
    with_replaced(search: &str, replacement: &str, all: bool) = "with-replaced";
}

// Of the resources that carry options.
lazy_methods! {
    with_stdin(text: &str) = "with-stdin";
    with_redirect_stdin(path: &str) = "with-redirect-stdin";
    with_redirect_stdout(path: &str) = "with-redirect-stdout";
    with_redirect_stderr(path: &str) = "with-redirect-stderr";
    with_expected_codes(codes: &[i32]) = "with-expected-codes";
    with_any_code() = "with-any-code";
    with_timeout_seconds(seconds: u32) = "with-timeout-seconds";
    without_network() = "without-network";
    without_new_privileges() = "without-new-privileges";
    without_cache() = "without-cache";
    use_entrypoint() = "use-entrypoint";
    expand() = "expand";
    with_memory_limit(bytes: u64) = "with-memory-limit";
    with_process_limit(processes: u32) = "with-process-limit";
    with_cpu_limit(millis: u32) = "with-cpu-limit";
    read_only() = "read-only";
    with_owner(owner: &str) = "with-owner";
    inherit_owner() = "inherit-owner";
    with_mode(mode: u32) = "with-mode";
    with_special_bits() = "with-special-bits";
    with_size(bytes: u64) = "with-size";
    with_sharing(sharing: Case) = "with-sharing";
    with_seed(source: &Self) = "with-seed";
    with_include(patterns: &[&str]) = "with-include";
    with_exclude(patterns: &[&str]) = "with-exclude";
    literal() = "literal";
    insensitive() = "insensitive";
    with_globs(globs: &[&str]) = "with-globs";
    with_limit(limit: u32) = "with-limit";
    files_only() = "files-only";
    skip_hidden() = "skip-hidden";
}

leaf_methods! {
    id() = "id";
    name() = "name";
    stdout() = "stdout";
    stderr() = "stderr";
    combined_output() = "combined-output";
    exit_code() = "exit-code";
    env_variable(name: &str) = "env-variable";
    env_variables() = "env-variables";
    entrypoint() = "entrypoint";
    default_args() = "default-args";
    user() = "user";
    workdir() = "workdir";
    platform() = "platform";
    label(name: &str) = "label";
    labels() = "labels";
    annotations() = "annotations";
    exposed_ports() = "exposed-ports";
    mounts() = "mounts";
    image_ref() = "image-ref";
    exists(path: &str) = "exists";
    sync() = "sync";
    glob(pattern: &str) = "glob";
    search(pattern: &str, options: &Self) = "search";
    search_matches(pattern: &str, options: &Self) = "search-matches";
    stat_at(path: &str) = "stat";
    stat() = "stat";
    digest() = "digest";
    contents() = "contents";
    read(offset: u64, max: u32) = "read";
    size() = "size";
}

impl Handle {
    /// Calls `with-exec` with a script for `sh`.
    #[must_use]
    pub fn sh(&self, script: &str) -> Self {
        self.with_exec(&["sh", "-c", script])
    }

    /// Calls `with-exec-options` with a script for `sh`.
    #[must_use]
    pub fn sh_options(&self, script: &str, options: &Self) -> Self {
        self.with_exec_options(&["sh", "-c", script], options)
    }

    /// Prepares a call of `entries` for the directory itself.
    pub fn entries(&self) -> Answer {
        self.leaf("entries", vec![None.value()])
    }

    /// Prepares a call of `find-up`.
    pub fn find_up(&self, name: &str, start: Option<&str>) -> Answer {
        self.leaf("find-up", vec![name.value(), start.value()])
    }

    /// Prepares a call of `entries` for a directory inside.
    pub fn entries_at(&self, path: &str) -> Answer {
        self.leaf("entries", vec![Some(path).value()])
    }
}
