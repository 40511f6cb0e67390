//! The builder resources that carry options.

use std::time::Duration;

use backend::SearchQuery;
use graph::{CacheSharing, Expect, Limits};

use crate::directory::Directory;

/// `directory.copy-options`
#[derive(Debug, Clone, Default)]
pub struct CopyOptions {
    /// Everything, if empty.
    pub include: Vec<String>,
    /// Beats `include`.
    pub exclude: Vec<String>,
    /// Root if none.
    pub owner: Option<String>,
    /// As they are if none.
    pub mode: Option<u32>,
}

/// `directory.new-options`
#[derive(Debug, Clone, Default)]
pub struct NewOptions {
    /// 0644 or 0755 if none.
    pub mode: Option<u32>,
    /// Root if none.
    pub owner: Option<String>,
}

/// `directory.search-options`
#[derive(Debug, Clone, Default)]
pub struct SearchOptions {
    /// All but the pattern.
    pub query: SearchQuery,
}

/// `container.exec-options`
#[derive(Debug, Clone)]
pub struct ExecOptions {
    /// Text for standard input.
    pub stdin: Option<String>,
    /// A file for standard input.
    pub redirect_stdin: Option<String>,
    /// Where standard output also goes.
    pub redirect_stdout: Option<String>,
    /// Where standard error also goes.
    pub redirect_stderr: Option<String>,
    /// Which exit codes are no failure.
    pub expect: Expect,
    /// Kills it after this time.
    pub timeout: Option<Duration>,
    /// Whether it may use the network.
    pub network: bool,
    /// Whether a result of another run may be used.
    pub is_cached: bool,
    /// Puts the entrypoint before the arguments.
    pub use_entrypoint: bool,
    /// Expands variables in the arguments.
    pub expand: bool,
    /// What it may use of the machine.
    pub limits: Limits,
}

impl Default for ExecOptions {
    fn default() -> Self {
        Self {
            stdin: None,
            redirect_stdin: None,
            redirect_stdout: None,
            redirect_stderr: None,
            expect: Expect::Codes(vec![0]),
            timeout: None,
            network: true,
            is_cached: true,
            use_entrypoint: false,
            expand: false,
            limits: Limits::default(),
        }
    }
}

/// `container.mount-options`
#[derive(Debug, Clone)]
pub struct MountOptions {
    /// Refuses writes.
    pub read_only: bool,
    /// Root if none.
    pub owner: Option<String>,
    /// Of a secret or a temporary directory.
    pub mode: Option<u32>,
    /// Of a temporary directory.
    pub size_bytes: Option<u64>,
    /// Of a cache volume.
    pub sharing: CacheSharing,
    /// What an empty cache volume starts with.
    pub seed: Option<Directory>,
}

impl Default for MountOptions {
    fn default() -> Self {
        Self { read_only: false, owner: None, mode: None, size_bytes: None, sharing: CacheSharing::Shared, seed: None }
    }
}

/// `container.build-options`. Dockerfiles cannot be built in this version.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// `Dockerfile` if none.
    pub dockerfile: Option<String>,
    /// The last if none.
    pub target: Option<String>,
    /// Name and value.
    pub arguments: Vec<(String, String)>,
}
