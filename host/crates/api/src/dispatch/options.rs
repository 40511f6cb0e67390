//! Builder resources, secrets and cache volumes.

use std::sync::Arc;
use std::time::Duration;

use graph::{CacheSharing, Expect};

use super::{Entry, lazy};
use crate::args::{EnumCase, List};
use crate::directory::Directory;
use crate::object::{CacheVolume, Secret};
use crate::options::{BuildOptions, CopyOptions, ExecOptions, MountOptions, NewOptions, SearchOptions};

/// Makes a method that changes a copy of its options.
macro_rules! set {
    ($type:ty, |$options:ident $(, $arg:ident: $arg_type:ty)*| $body:expr) => {
        lazy!(args => {
            let mut $options = <$type>::clone(&*args.next::<Arc<$type>>()?);
            $(let $arg = args.next::<$arg_type>()?;)*
            $body;
            $options
        })
    };
}

pub(super) fn find(method: &str) -> Option<Entry> {
    exec(method).or_else(|| mount(method)).or_else(|| tree(method)).or_else(|| small(method))
}

fn exec(method: &str) -> Option<Entry> {
    Some(match method {
        "exec-options.new" => lazy!(_args => ExecOptions::default()),
        "exec-options.with-stdin" => set!(ExecOptions, |o, text: String| o.stdin = Some(text)),
        "exec-options.with-redirect-stdin" => set!(ExecOptions, |o, path: String| o.redirect_stdin = Some(path)),
        "exec-options.with-redirect-stdout" => set!(ExecOptions, |o, path: String| o.redirect_stdout = Some(path)),
        "exec-options.with-redirect-stderr" => set!(ExecOptions, |o, path: String| o.redirect_stderr = Some(path)),
        "exec-options.with-expected-codes" => {
            set!(ExecOptions, |o, codes: List<i32>| o.expect = Expect::Codes(codes.0))
        }
        "exec-options.with-any-code" => set!(ExecOptions, |o| o.expect = Expect::Any),
        "exec-options.with-timeout-seconds" => {
            set!(ExecOptions, |o, seconds: u32| o.timeout = Some(Duration::from_secs(u64::from(seconds))))
        }
        "exec-options.without-network" => set!(ExecOptions, |o| o.network = false),
        "exec-options.without-cache" => set!(ExecOptions, |o| o.is_cached = false),
        "exec-options.use-entrypoint" => set!(ExecOptions, |o| o.use_entrypoint = true),
        "exec-options.expand" => set!(ExecOptions, |o| o.expand = true),
        "exec-options.with-memory-limit" => set!(ExecOptions, |o, n: u64| o.limits.memory_bytes = Some(n)),
        "exec-options.with-process-limit" => set!(ExecOptions, |o, n: u32| o.limits.processes = Some(n)),
        "exec-options.with-cpu-limit" => set!(ExecOptions, |o, n: u32| o.limits.cpu_millis = Some(n)),
        _ => return None,
    })
}

fn mount(method: &str) -> Option<Entry> {
    Some(match method {
        "mount-options.new" => lazy!(_args => MountOptions::default()),
        "mount-options.read-only" => set!(MountOptions, |o| o.read_only = true),
        "mount-options.with-owner" => set!(MountOptions, |o, owner: String| o.owner = Some(owner)),
        "mount-options.with-mode" => set!(MountOptions, |o, mode: u32| o.mode = Some(mode & 0o7777)),
        "mount-options.with-size" => set!(MountOptions, |o, bytes: u64| o.size_bytes = Some(bytes)),
        "mount-options.with-sharing" => set!(MountOptions, |o, case: EnumCase| o.sharing = sharing(&case.0)),
        "mount-options.with-seed" => {
            set!(MountOptions, |o, seed: Arc<Directory>| o.seed = Some(seed.selection.clone()))
        }
        _ => return None,
    })
}

fn sharing(case: &str) -> CacheSharing {
    match case {
        "locked" => CacheSharing::Locked,
        "private" => CacheSharing::Private,
        _ => CacheSharing::Shared,
    }
}

fn tree(method: &str) -> Option<Entry> {
    Some(match method {
        "copy-options.new" => lazy!(_args => CopyOptions::default()),
        "copy-options.with-include" => set!(CopyOptions, |o, patterns: List<String>| o.include.extend(patterns.0)),
        "copy-options.with-exclude" => set!(CopyOptions, |o, patterns: List<String>| o.exclude.extend(patterns.0)),
        "copy-options.with-owner" => set!(CopyOptions, |o, owner: String| o.owner = Some(owner)),
        "copy-options.with-mode" => set!(CopyOptions, |o, mode: u32| o.mode = Some(mode & 0o7777)),
        "new-options.new" => lazy!(_args => NewOptions::default()),
        "new-options.with-mode" => set!(NewOptions, |o, mode: u32| o.mode = Some(mode & 0o7777)),
        "new-options.with-owner" => set!(NewOptions, |o, owner: String| o.owner = Some(owner)),
        "search-options.new" => lazy!(_args => SearchOptions::default()),
        "search-options.literal" => set!(SearchOptions, |o| o.query.is_literal = true),
        "search-options.insensitive" => set!(SearchOptions, |o| o.query.is_insensitive = true),
        "search-options.with-globs" => set!(SearchOptions, |o, globs: List<String>| o.query.globs.extend(globs.0)),
        "search-options.with-limit" => set!(SearchOptions, |o, limit: u32| o.query.limit = Some(limit)),
        "search-options.files-only" => set!(SearchOptions, |o| o.query.files_only = true),
        _ => return None,
    })
}

fn small(method: &str) -> Option<Entry> {
    Some(match method {
        "build-options.new" => lazy!(_args => BuildOptions::default()),
        "build-options.with-dockerfile" => set!(BuildOptions, |o, path: String| o.dockerfile = Some(path)),
        "build-options.with-target" => set!(BuildOptions, |o, target: String| o.target = Some(target)),
        "build-options.with-argument" => {
            set!(BuildOptions, |o, name: String, value: String| o.arguments.push((name, value)))
        }
        "secret.name" => lazy!(args => args.next::<Arc<Secret>>()?.name.0.clone()),
        "cache-volume.new" => lazy!(args => CacheVolume { key: args.next()? }),
        "cache-volume.key" => lazy!(args => args.next::<Arc<CacheVolume>>()?.key.clone()),
        _ => return None,
    })
}
