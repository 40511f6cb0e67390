//! The rows of the builder resources, of secrets and of cache volumes.

use std::sync::Arc;
use std::time::Duration;

use graph::{CacheSharing, Expect};

use super::row::{Row, lazy};
use crate::args::{EnumCase, List};
use crate::directory::Directory;
use crate::options::{BuildOptions, CopyOptions, ExecOptions, MountOptions, NewOptions, SearchOptions};
use crate::resources::{CacheVolume, Secret};

/// Makes a method that changes a copy of its options.
macro_rules! set {
    ($method:literal, $type:ident, |$options:ident $(, $arg:ident: $arg_type:ty)*| $body:expr) => {
        lazy!($method, $type, args => {
            let mut $options = $type::clone(&*args.next::<Arc<$type>>()?);
            $(let $arg = args.next::<$arg_type>()?;)*
            $body;
            $options
        })
    };
}

pub(super) const ROWS: &[&[Row]] = &[EXEC, MOUNT, TREE, SMALL];

const EXEC: &[Row] = &[
    lazy!("exec-options.new", ExecOptions, _args => ExecOptions::default()),
    set!("exec-options.with-stdin", ExecOptions, |o, text: String| o.stdin = Some(text)),
    set!("exec-options.with-redirect-stdin", ExecOptions, |o, path: String| o.redirect_stdin = Some(path)),
    set!("exec-options.with-redirect-stdout", ExecOptions, |o, path: String| o.redirect_stdout = Some(path)),
    set!("exec-options.with-redirect-stderr", ExecOptions, |o, path: String| o.redirect_stderr = Some(path)),
    set!("exec-options.with-expected-codes", ExecOptions, |o, codes: List<i32>| o.expect = Expect::Codes(codes.0)),
    set!("exec-options.with-any-code", ExecOptions, |o| o.expect = Expect::Any),
    set!("exec-options.with-timeout-seconds", ExecOptions, |o, seconds: u32| o.timeout =
        Some(Duration::from_secs(u64::from(seconds)))),
    set!("exec-options.without-network", ExecOptions, |o| o.network = false),
    set!("exec-options.without-new-privileges", ExecOptions, |o| o.new_privileges = false),
    set!("exec-options.without-cache", ExecOptions, |o| o.is_cached = false),
    set!("exec-options.use-entrypoint", ExecOptions, |o| o.use_entrypoint = true),
    set!("exec-options.expand", ExecOptions, |o| o.expand = true),
    set!("exec-options.with-memory-limit", ExecOptions, |o, n: u64| o.limits.memory_bytes = Some(n)),
    set!("exec-options.with-process-limit", ExecOptions, |o, n: u32| o.limits.processes = Some(n)),
    set!("exec-options.with-cpu-limit", ExecOptions, |o, n: u32| o.limits.cpu_millis = Some(n)),
];

const MOUNT: &[Row] = &[
    lazy!("mount-options.new", MountOptions, _args => MountOptions::default()),
    set!("mount-options.read-only", MountOptions, |o| o.read_only = true),
    set!("mount-options.with-owner", MountOptions, |o, owner: String| o.owner = Some(owner)),
    set!("mount-options.with-mode", MountOptions, |o, mode: u32| o.mode = Some(mode & 0o7777)),
    set!("mount-options.with-size", MountOptions, |o, bytes: u64| o.size_bytes = Some(bytes)),
    set!("mount-options.with-sharing", MountOptions, |o, case: EnumCase| o.sharing = sharing(&case.0)),
    set!("mount-options.with-seed", MountOptions, |o, seed: Arc<Directory>| o.seed = Some(seed.selection.clone())),
];

fn sharing(case: &str) -> CacheSharing {
    match case {
        "locked" => CacheSharing::Locked,
        "private" => CacheSharing::Private,
        _ => CacheSharing::Shared,
    }
}

const TREE: &[Row] = &[
    lazy!("copy-options.new", CopyOptions, _args => CopyOptions::default()),
    set!("copy-options.with-include", CopyOptions, |o, patterns: List<String>| o.include.extend(patterns.0)),
    set!("copy-options.with-exclude", CopyOptions, |o, patterns: List<String>| o.exclude.extend(patterns.0)),
    set!("copy-options.with-owner", CopyOptions, |o, owner: String| o.owner = Some(owner)),
    set!("copy-options.inherit-owner", CopyOptions, |o| o.inherit_owner = true),
    set!("copy-options.with-mode", CopyOptions, |o, mode: u32| o.mode = Some(mode & 0o7777)),
    lazy!("new-options.new", NewOptions, _args => NewOptions::default()),
    set!("new-options.with-mode", NewOptions, |o, mode: u32| o.mode = Some(mode & 0o7777)),
    set!("new-options.with-special-bits", NewOptions, |o| o.special_bits = true),
    set!("new-options.with-owner", NewOptions, |o, owner: String| o.owner = Some(owner)),
    set!("new-options.inherit-owner", NewOptions, |o| o.inherit_owner = true),
    lazy!("search-options.new", SearchOptions, _args => SearchOptions::default()),
    set!("search-options.literal", SearchOptions, |o| o.query.is_literal = true),
    set!("search-options.insensitive", SearchOptions, |o| o.query.is_insensitive = true),
    set!("search-options.with-globs", SearchOptions, |o, globs: List<String>| o.query.globs.extend(globs.0)),
    set!("search-options.with-limit", SearchOptions, |o, limit: u32| o.query.limit = Some(limit)),
    set!("search-options.skip-hidden", SearchOptions, |o| o.query.skip_hidden = true),
    set!("search-options.files-only", SearchOptions, |o| o.query.files_only = true),
];

const SMALL: &[Row] = &[
    lazy!("build-options.new", BuildOptions, _args => BuildOptions::default()),
    set!("build-options.with-dockerfile", BuildOptions, |o, path: String| o.dockerfile = Some(path)),
    set!("build-options.with-target", BuildOptions, |o, target: String| o.target = Some(target)),
    set!("build-options.with-argument", BuildOptions, |o, name: String, value: String| o.arguments.push((name, value))),
    lazy!("secret.name", args => args.next::<Arc<Secret>>()?.name.0.clone()),
    lazy!("cache-volume.new", CacheVolume, args => CacheVolume { key: args.next()? }),
    lazy!("cache-volume.key", args => args.next::<Arc<CacheVolume>>()?.key.clone()),
];
