//! The builder resources that carry options.

use std::time::Duration;

use engine::SearchQuery;
use graph::{CacheSharing, Expect, KeyHasher, Limits, Selection};

/// Options for copies, the resource `directory.copy-options`.
#[derive(Debug, Clone, Default)]
pub struct CopyOptions {
    /// Patterns of the entries that are copied; all entries if the list is empty.
    pub include: Vec<String>,
    /// Patterns of entries that are left out. They win over `include`.
    pub exclude: Vec<String>,
    /// The owner of every copied entry; root if there is none.
    pub owner: Option<String>,
    /// Whether the owner is the user of the container, if no other is given.
    pub inherit_owner: bool,
    /// The permission bits of every copied entry; unchanged if there are none.
    pub mode: Option<u32>,
}

impl CopyOptions {
    // Here and below there is no `..`: a new field does not compile until someone decides whether it is part of the
    // identity.
    pub(crate) fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { include, exclude, owner, inherit_owner, mode } = self;
        hasher.flag(*inherit_owner);
        for patterns in [include, exclude] {
            hasher.list(patterns.iter(), |h, pattern| h.text(pattern));
        }
        hasher.option(owner.as_deref(), KeyHasher::text);
        hasher.option(*mode, |h, mode| h.number(u64::from(mode)));
    }
}

/// Options for new files and directories, the resource `directory.new-options`.
#[derive(Debug, Clone, Default)]
pub struct NewOptions {
    /// The permission bits; 0644 for a file and 0755 for a directory if there are none.
    pub mode: Option<u32>,
    /// Whether a file also gets the set-user-ID, set-group-ID and sticky bits of `mode`.
    pub special_bits: bool,
    /// The owner; root if there is none.
    pub owner: Option<String>,
    /// Whether the owner is the user of the container, if no other is given.
    pub inherit_owner: bool,
}

impl NewOptions {
    /// Returns the permission bits of a new file.
    pub(crate) fn file_mode(&self) -> u32 {
        let mask = if self.special_bits { 0o7777 } else { 0o777 };
        self.mode.unwrap_or(0o644) & mask
    }

    pub(crate) fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { mode, special_bits, owner, inherit_owner } = self;
        hasher.flag(*inherit_owner);
        hasher.option(*mode, |h, mode| h.number(u64::from(mode)));
        hasher.flag(*special_bits);
        hasher.option(owner.as_deref(), KeyHasher::text);
    }
}

/// Options for a search, the resource `directory.search-options`.
#[derive(Debug, Clone, Default)]
pub struct SearchOptions {
    /// The query without its pattern.
    pub query: SearchQuery,
}

impl SearchOptions {
    pub(crate) fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { query: SearchQuery { pattern, is_literal, is_insensitive, globs, limit, files_only, skip_hidden } } =
            self;
        hasher.text(pattern);
        hasher.flag(*is_literal);
        hasher.flag(*is_insensitive);
        hasher.list(globs.iter(), |h, glob| h.text(glob));
        hasher.option(*limit, |h, limit| h.number(u64::from(limit)));
        hasher.flag(*files_only);
        hasher.flag(*skip_hidden);
    }
}

/// Options for a command, the resource `container.exec-options`.
#[derive(Debug, Clone)]
pub struct ExecOptions {
    /// The text of standard input.
    pub stdin: Option<String>,
    /// The path of a file that is standard input.
    pub redirect_stdin: Option<String>,
    /// The path of a file that gets a copy of standard output.
    pub redirect_stdout: Option<String>,
    /// The path of a file that gets a copy of standard error.
    pub redirect_stderr: Option<String>,
    /// The exit codes that are not a failure.
    pub expect: Expect,
    /// The time after which the command is killed.
    pub timeout: Option<Duration>,
    /// Whether the command may use the network.
    pub network: bool,
    /// Whether the result of another run may be used.
    pub is_cached: bool,
    /// Whether the entrypoint is put before the arguments.
    pub use_entrypoint: bool,
    /// Whether variables in the arguments are expanded.
    pub expand: bool,
    /// The limits on memory, processes and processor time.
    pub limits: Limits,
    /// Whether the command may gain privileges.
    pub new_privileges: bool,
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
            new_privileges: true,
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
            new_privileges,
        } = self;
        for text in [stdin, redirect_stdin, redirect_stdout, redirect_stderr] {
            hasher.option(text.as_deref(), KeyHasher::text);
        }
        expect.hash_into(hasher);
        hasher.option(*timeout, |h, timeout| h.text(&timeout.as_nanos().to_string()));
        for flag in [network, is_cached, use_entrypoint, expand, new_privileges] {
            hasher.flag(*flag);
        }
        limits.hash_into(hasher);
    }
}

/// Options for a mount, the resource `container.mount-options`.
#[derive(Debug, Clone)]
pub struct MountOptions {
    /// Whether writes are refused.
    pub read_only: bool,
    /// The owner; root if there is none.
    pub owner: Option<String>,
    /// The permission bits of a secret or of a temporary directory.
    pub mode: Option<u32>,
    /// The limit on the size of a temporary directory, in bytes.
    pub size_bytes: Option<u64>,
    /// The way in which commands share a cache volume.
    pub sharing: CacheSharing,
    /// The directory that an empty cache volume is filled with.
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

/// Options for a build, the resource `container.build-options`. Dockerfiles cannot be built in this version.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// The path of the Dockerfile; `Dockerfile` if there is none.
    pub dockerfile: Option<String>,
    /// The name of the build stage; the last stage if there is none.
    pub target: Option<String>,
    /// The build arguments: names and values.
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
