//! The names that a module of stages needs: `use guest_sdk::prelude::*;`.

pub use crate::{
    BuildOptions, CacheSharing, CacheVolume, Container, Context, CopyOptions, Directory, Enum, Error, ExecOptions,
    File, Lazy, MountOptions, NewOptions, Object, Port, Protocol, Record, Report, Result, SearchOptions, SearchResult,
    Secret, Service, Stat, TestCase, Variant, Verdict, args, bail, code, effects, ensure, log, machine, secret_access,
    sources, sync_all,
};
