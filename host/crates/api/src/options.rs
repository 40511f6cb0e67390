//! The builder resources that carry options.

use std::time::Duration;

use backend::SearchQuery;
use graph::{CacheSharing, Expect, KeyHasher, Limits, Selection};

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

impl CopyOptions {
    // Here and below without `..`: a new field does not compile until its part in the identity is decided.
    pub(crate) fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { include, exclude, owner, mode } = self;
        for patterns in [include, exclude] {
            hasher.list(patterns.iter(), |h, pattern| h.text(pattern));
        }
        hasher.option(owner.as_deref(), KeyHasher::text);
        hasher.option(*mode, |h, mode| h.number(u64::from(mode)));
    }
}

/// `directory.new-options`
#[derive(Debug, Clone, Default)]
pub struct NewOptions {
    /// 0644 or 0755 if none.
    pub mode: Option<u32>,
    /// Root if none.
    pub owner: Option<String>,
}

impl NewOptions {
    pub(crate) fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { mode, owner } = self;
        hasher.option(*mode, |h, mode| h.number(u64::from(mode)));
        hasher.option(owner.as_deref(), KeyHasher::text);
    }
}

/// `directory.search-options`
#[derive(Debug, Clone, Default)]
pub struct SearchOptions {
    /// All but the pattern.
    pub query: SearchQuery,
}

impl SearchOptions {
    pub(crate) fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { query: SearchQuery { pattern, is_literal, is_insensitive, globs, limit, files_only } } = self;
        hasher.text(pattern);
        hasher.flag(*is_literal);
        hasher.flag(*is_insensitive);
        hasher.list(globs.iter(), |h, glob| h.text(glob));
        hasher.option(*limit, |h, limit| h.number(u64::from(limit)));
        hasher.flag(*files_only);
    }
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

impl ExecOptions {
    pub(crate) fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self {
            stdin,
            redirect_stdin,
            redirect_stdout,
            redirect_stderr,
            expect,
            timeout,
            network,
            is_cached,
            use_entrypoint,
            expand,
            limits,
        } = self;
        for text in [stdin, redirect_stdin, redirect_stdout, redirect_stderr] {
            hasher.option(text.as_deref(), KeyHasher::text);
        }
        expect.hash_into(hasher);
        hasher.option(*timeout, |h, timeout| h.text(&timeout.as_nanos().to_string()));
        for flag in [network, is_cached, use_entrypoint, expand] {
            hasher.flag(*flag);
        }
        limits.hash_into(hasher);
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
    pub seed: Option<Selection>,
}

impl Default for MountOptions {
    fn default() -> Self {
        Self { read_only: false, owner: None, mode: None, size_bytes: None, sharing: CacheSharing::Shared, seed: None }
    }
}

impl MountOptions {
    pub(crate) fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { read_only, owner, mode, size_bytes, sharing, seed } = self;
        hasher.flag(*read_only);
        hasher.option(owner.as_deref(), KeyHasher::text);
        hasher.option(*mode, |h, mode| h.number(u64::from(mode)));
        hasher.option(*size_bytes, KeyHasher::number);
        sharing.hash_into(hasher);
        hasher.option(seed.as_ref(), |h, seed| seed.hash_into(h));
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

impl BuildOptions {
    pub(crate) fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { dockerfile, target, arguments } = self;
        for text in [dockerfile, target] {
            hasher.option(text.as_deref(), KeyHasher::text);
        }
        hasher.list(arguments.iter(), |h, (name, value)| {
            h.text(name);
            h.text(value);
        });
    }
}
