//! The operations of vertices.
//!
//! Each operation feeds a hasher with its fields by exhaustive destructuring. A new field does not compile until
//! someone decides whether it belongs to the definition digest, to the cache key, or to neither. `docs/cache-keys.md`
//! lists these decisions.

mod secrets;
mod words;

use std::sync::Arc;
use std::time::Duration;

use crate::contents::Contents;
use crate::digest::KeyHasher;
use crate::image::{ImageOp, PackOp};
use crate::pairs::Pairs;
use crate::path::TreePath;
use crate::platform::Platform;

pub use words::shell_words;

/// The operation of a vertex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Brings a tree in from outside the graph. It has no inputs.
    Source(SourceOp),
    /// Runs a command. Input 0 is its root file system; its mounts name the other inputs.
    Exec(Box<ExecOp>),
    /// Makes a tree by changing the tree of input 0.
    File(FileOp),
    /// Lays all inputs over each other. A later input wins over an earlier one.
    Merge,
    /// Keeps the entries of input 1 that input 0 does not have, or has differently.
    Diff,
    /// Unpacks an image. If the image is in a file or a directory, that is input 0.
    Image(Box<ImageOp>),
    /// Makes an image. The inputs are root file systems, lowest first.
    Pack(Box<PackOp>),
    /// Fails when it is evaluated.
    Fail(FailOp),
}

/// An operation that fails. It keeps a mistake in the graph until a leaf asks for the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailOp {
    /// The code of the failure, as in `invalid-path`; `errors.wit` lists the codes.
    pub code: String,
    /// The message: one sentence that names the thing that is wrong.
    pub message: String,
}

/// The source of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceOp {
    /// An empty tree.
    Scratch,
    /// A directory or a file of this machine. It is read once in a session.
    Local {
        /// The absolute path on this machine.
        path: String,
        /// Patterns in the syntax of `.dockerignore`. Only matching entries are taken; all entries if the list is
        /// empty.
        include: Vec<String>,
        /// Patterns of entries that are left out.
        exclude: Vec<String>,
    },
    /// The system directories of this machine, read-only.
    Machine,
    /// The tree of a commit in a git repository.
    Git {
        /// The URL that the repository is cloned from.
        url: String,
        /// A branch, a tag or a commit.
        reference: String,
    },
    /// A file that is downloaded. The tree has it under the last component of the URL's path.
    Http {
        /// The URL of the file.
        url: String,
        /// The SHA-256 digest that the contents must have, as 64 hex digits.
        sha256: Option<String>,
    },
}

/// An operation that makes a tree from a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOp {
    /// Makes a file, and the directories above it.
    MakeFile {
        /// The path of the file.
        path: TreePath,
        /// The contents of the file.
        contents: Contents,
        /// The permission bits of the file.
        mode: u32,
        /// The owner: `user`, `user:group`, `uid` or `uid:gid`; root if there is none.
        owner: Option<String>,
    },
    /// Makes a directory and the directories above it. Existing entries stay.
    MakeDirectory {
        /// The path of the directory.
        path: TreePath,
        /// The permission bits of the directory.
        mode: u32,
        /// The owner: `user`, `user:group`, `uid` or `uid:gid`; root if there is none.
        owner: Option<String>,
    },
    /// Copies from input 1 into the tree.
    Copy(CopyOp),
    /// Makes a symbolic link at a path that has no entry yet.
    Symlink {
        /// The target of the link. It need not exist.
        target: String,
        /// The path of the link.
        path: TreePath,
    },
    /// Removes the entries that match. It is no failure if none does.
    Remove {
        /// A path or a glob, relative to `base`.
        pattern: String,
        /// The directory that the pattern is relative to.
        base: TreePath,
        /// The kind of entries that are removed.
        kind: RemoveKind,
    },
    /// Keeps only the entries that match.
    Filter {
        /// Patterns of the entries that are kept; all entries if the list is empty.
        include: Vec<String>,
        /// Patterns of entries that are removed. They win over `include`.
        exclude: Vec<String>,
    },
    /// Gives the entry at a path, and everything below it, to an owner.
    Chown {
        /// The path of the entry.
        path: TreePath,
        /// The owner: `uid`, `uid:gid`, or names that the tree's `/etc/passwd` has.
        owner: String,
    },
    /// Sets the modification time of every entry.
    Timestamps {
        /// The time in seconds since 1970-01-01 00:00 UTC.
        seconds: u64,
    },
    /// Makes a tree of one file: the file that input 1 selects, with text replaced. Input 0 is an empty tree.
    Replace {
        /// The name of the file in the new tree.
        name: String,
        /// The text that is replaced.
        search: String,
        /// The text that replaces it.
        replacement: String,
        /// Replaces every occurrence. Without it, there must be exactly one occurrence.
        all: bool,
    },
}

/// The kind of entries that a removal takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoveKind {
    /// Files and links. A directory that matches is an error.
    File,
    /// Directories with everything in them. Another entry at the path is an error; a pattern leaves other entries
    /// where they are.
    Directory,
}

/// A copy from input 1 into input 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOp {
    /// The destination in input 0.
    pub dest: TreePath,
    /// The kind of source that input 1 selects.
    pub source: CopySource,
    /// Patterns of the entries that are copied; all entries if the list is empty.
    pub include: Vec<String>,
    /// Patterns of entries that are left out. They win over `include`.
    pub exclude: Vec<String>,
    /// The owner of every copied entry; root if there is none.
    pub owner: Option<String>,
    /// The permission bits of every copied entry. Directories get an `x` for every `r`.
    pub mode: Option<u32>,
    /// Keeps the owners of the source instead of giving everything to root. It is used between trees of one container.
    pub keep_owner: bool,
}

/// The source of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopySource {
    /// The contents of a directory. They are merged into the directory at `dest`.
    Contents,
    /// A file. If `into` is set, or if `dest` is a directory, the file gets `name` in that directory.
    File {
        /// The name of the file.
        name: String,
        /// Whether `dest` was written as a directory.
        into: bool,
    },
}

/// A command, with everything that it can observe besides the contents of its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOp {
    /// The program and its arguments. The list is never empty.
    pub args: Vec<String>,
    /// The environment variables, in the order in which they were set.
    pub env: Pairs,
    /// Environment variables that are part of neither the identity nor the key, such as the number of a build.
    pub volatile_env: Pairs,
    /// The environment variables whose values are secrets.
    pub secret_env: Vec<(String, SecretName)>,
    /// The working directory. It is made if it is missing.
    pub cwd: TreePath,
    /// The user: `name`, `name:group`, `uid` or `uid:gid`; root if there is none.
    pub user: Option<String>,
    /// The platform that the command runs on.
    pub platform: Platform,
    /// The mounts, in the order in which they are mounted.
    pub mounts: Vec<Mount>,
    /// The standard input of the command.
    pub stdin: Stdin,
    /// A file that gets a copy of the standard output.
    pub redirect_stdout: Option<TreePath>,
    /// A file that gets a copy of the standard error.
    pub redirect_stderr: Option<TreePath>,
    /// The exit codes that are not a failure.
    pub expect: Expect,
    /// The time after which the command is killed.
    pub timeout: Option<Duration>,
    /// Whether the command may use the network.
    pub network: bool,
    /// Whether the result of another run may be used.
    pub reuse: Reuse,
    /// The limits on memory, processes and processor time.
    pub limits: Limits,
    /// Whether the command may gain privileges, as by a set-user-ID program.
    pub new_privileges: bool,
}

/// The name of a secret. The graph never has the value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(pub String);

/// A mount over a path of the root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The path in the container.
    pub path: TreePath,
    /// The kind of mount.
    pub kind: MountKind,
}

/// The kind of a mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountKind {
    /// A directory or a file of an input.
    Bind {
        /// The number of the input. Its selection is mounted.
        input: usize,
        /// The output of the command that has the changed directory; none if the mount is read-only.
        output: Option<u32>,
        /// The owner: `user`, `user:group`, `uid` or `uid:gid`.
        owner: Option<String>,
    },
    /// A cache volume.
    Cache {
        /// The key of the volume. Equal keys are the same volume.
        key: String,
        /// The way in which commands share the volume.
        sharing: CacheSharing,
        /// The owner of a new volume.
        owner: Option<String>,
        /// The number of the input that a new volume is filled with.
        seed: Option<usize>,
    },
    /// A secret as a file.
    Secret {
        /// The name of the secret.
        name: SecretName,
        /// The owner of the file.
        owner: Option<String>,
        /// The permission bits of the file.
        mode: u32,
    },
    /// A directory in memory.
    Tmpfs {
        /// The limit on its size, in bytes.
        size_bytes: Option<u64>,
        /// The permission bits of the directory.
        mode: u32,
    },
}

/// The way in which commands that run at the same time share a cache volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheSharing {
    /// All commands write to the volume at the same time.
    Shared,
    /// The commands use the volume one after the other.
    Locked,
    /// Each command gets a copy. The first copy whose command succeeds is kept.
    Private,
}

/// The standard input of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stdin {
    /// Standard input is empty.
    Empty,
    /// Standard input is this text.
    Text(Arc<str>),
    /// Standard input is a file in the root file system or in a mount.
    File(TreePath),
}

/// The exit codes that are not a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Only these codes.
    Codes(Vec<i32>),
    /// All codes. A signal, a timeout and a lack of memory are failures all the same.
    Any,
}

impl Expect {
    /// Returns whether exit code `code` is one of the expected codes.
    #[must_use]
    pub fn accepts(&self, code: i32) -> bool {
        match self {
            Self::Codes(codes) => codes.contains(&code),
            Self::Any => true,
        }
    }

    /// Feeds `hasher` with the expected codes.
    pub fn hash_into(&self, hasher: &mut KeyHasher) {
        match self {
            Self::Any => hasher.flag(true),
            Self::Codes(codes) => {
                hasher.flag(false);
                hasher.list(codes.iter(), |h, code| h.text(&code.to_string()));
            }
        }
    }
}

impl CacheSharing {
    /// Feeds `hasher` with the kind of sharing.
    pub fn hash_into(self, hasher: &mut KeyHasher) {
        hasher.number(match self {
            Self::Shared => 0,
            Self::Locked => 1,
            Self::Private => 2,
        });
    }
}

impl Limits {
    /// Feeds `hasher` with all limits.
    pub fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { memory_bytes, processes, cpu_millis } = self;
        hasher.option(*memory_bytes, KeyHasher::number);
        hasher.option(*processes, |h, n| h.number(u64::from(n)));
        hasher.option(*cpu_millis, |h, n| h.number(u64::from(n)));
    }
}

/// Whether the result of another run may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// A result with the same cache key is used.
    Allowed,
    /// The command runs in every run.
    Never,
}

/// Limits on the resources of a command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The limit on memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// The limit on the number of processes and threads.
    pub processes: Option<u32>,
    /// The limit on processor time, in thousandths of a processor.
    pub cpu_millis: Option<u32>,
}

impl Op {
    /// Feeds `hasher` with the operation's part of a cache key. The evaluator adds the contents of the inputs.
    pub fn hash_into(&self, hasher: &mut KeyHasher) {
        match self {
            Self::Source(op) => op.hash_into(hasher),
            Self::Exec(op) => op.hash_into(hasher),
            Self::File(op) => op.hash_into(hasher),
            Self::Merge => hasher.text("merge/1"),
            Self::Diff => hasher.text("diff/1"),
            Self::Image(op) => op.hash_into(hasher),
            Self::Pack(op) => op.hash_into(hasher),
            Self::Fail(FailOp { code, message }) => {
                hasher.text("fail/1");
                hasher.text(code);
                hasher.text(message);
            }
        }
    }

    /// Feeds `hasher` with the fields that tell definitions apart and that no result can depend on.
    pub(crate) fn hash_definition_only(&self, hasher: &mut KeyHasher) {
        match self {
            Self::Exec(op) => {
                hasher
                    .option(op.timeout, |h, timeout| h.number(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)));
                hasher.flag(op.reuse == Reuse::Never);
            }
            Self::Image(op) => op.hash_definition_only(hasher),
            Self::Source(_) | Self::File(_) | Self::Merge | Self::Diff | Self::Pack(_) | Self::Fail(_) => {}
        }
    }

    /// Returns the bytes that the operation takes, if `n_hashed` bytes of it were hashed.
    pub(crate) fn n_bytes(&self, n_hashed: u64) -> u64 {
        match self {
            // Of long contents only the digest is hashed.
            Self::File(FileOp::MakeFile { contents, .. }) => n_hashed + contents.n_bytes_kept(),
            // Variables are shared with the container that has them.
            Self::Exec(op) => n_hashed.saturating_sub(op.env.n_bytes()),
            _ => n_hashed,
        }
    }

    /// Returns the number of outputs of the operation.
    #[must_use]
    pub fn n_outputs(&self) -> u32 {
        let Self::Exec(op) = self else { return 1 };
        let writable = op.mounts.iter().filter(|m| matches!(m.kind, MountKind::Bind { output: Some(_), .. })).count();
        1 + u32::try_from(writable).unwrap_or(u32::MAX - 1)
    }

    /// Returns a description of the operation in one line, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Source(op) => op.describe(),
            Self::Exec(op) => format!("exec {}", shell_words(&op.args)),
            Self::File(op) => op.describe(),
            Self::Merge => "merge".to_owned(),
            Self::Diff => "diff".to_owned(),
            Self::Image(op) => op.describe(),
            Self::Pack(op) => op.describe(),
            Self::Fail(op) => format!("fail {}", op.code),
        }
    }
}

fn texts(hasher: &mut KeyHasher, texts: &[String]) {
    hasher.list(texts.iter(), |h, text| h.text(text));
}

fn owner_into(hasher: &mut KeyHasher, owner: Option<&String>) {
    hasher.option(owner, |h, owner| h.text(owner));
}

impl SourceOp {
    fn hash_into(&self, hasher: &mut KeyHasher) {
        hasher.text("source/1");
        match self {
            Self::Scratch => hasher.text("scratch"),
            Self::Local { path, include, exclude } => {
                hasher.text("local");
                hasher.text(path);
                texts(hasher, include);
                texts(hasher, exclude);
            }
            Self::Machine => hasher.text("machine"),
            Self::Git { url, reference } => {
                hasher.text("git");
                hasher.text(url);
                hasher.text(reference);
            }
            Self::Http { url, sha256 } => {
                hasher.text("http");
                hasher.text(url);
                hasher.option(sha256.as_ref(), |h, digest| h.text(digest));
            }
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Scratch => "scratch".to_owned(),
            Self::Local { path, .. } => format!("local {path}"),
            Self::Machine => "machine rootfs".to_owned(),
            Self::Git { url, reference } => format!("git {url}#{reference}"),
            Self::Http { url, .. } => format!("http {url}"),
        }
    }
}

impl FileOp {
    fn hash_into(&self, hasher: &mut KeyHasher) {
        hasher.text("file/1");
        match self {
            Self::MakeFile { path, contents, mode, owner } => {
                hasher.text("make-file/2");
                hasher.text(path.as_str());
                // The digest, for contents in the store are the same as contents in memory.
                hasher.bytes(contents.digest().as_bytes());
                hasher.number(u64::from(*mode));
                owner_into(hasher, owner.as_ref());
            }
            Self::MakeDirectory { path, mode, owner } => {
                hasher.text("make-directory");
                hasher.text(path.as_str());
                hasher.number(u64::from(*mode));
                owner_into(hasher, owner.as_ref());
            }
            Self::Copy(op) => op.hash_into(hasher),
            Self::Symlink { target, path } => {
                hasher.text("symlink");
                hasher.text(target);
                hasher.text(path.as_str());
            }
            Self::Remove { pattern, base, kind } => {
                hasher.text("remove");
                hasher.text(pattern);
                hasher.text(base.as_str());
                hasher.flag(*kind == RemoveKind::Directory);
            }
            Self::Filter { include, exclude } => {
                hasher.text("filter");
                texts(hasher, include);
                texts(hasher, exclude);
            }
            Self::Chown { path, owner } => {
                hasher.text("chown");
                hasher.text(path.as_str());
                hasher.text(owner);
            }
            Self::Timestamps { seconds } => {
                hasher.text("timestamps");
                hasher.number(*seconds);
            }
            Self::Replace { name, search, replacement, all } => {
                hasher.text("replace");
                hasher.text(name);
                hasher.text(search);
                hasher.text(replacement);
                hasher.flag(*all);
            }
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::MakeFile { path, .. } => format!("make file {path}"),
            Self::MakeDirectory { path, .. } => format!("make directory {path}"),
            Self::Copy(op) => format!("copy to {}", op.dest),
            Self::Symlink { path, target } => format!("symlink {path} -> {target}"),
            Self::Remove { pattern, .. } => format!("remove {pattern}"),
            Self::Filter { .. } => "filter".to_owned(),
            Self::Chown { path, owner } => format!("chown {owner} {path}"),
            Self::Timestamps { seconds } => format!("timestamps {seconds}"),
            Self::Replace { name, .. } => format!("replace in {name}"),
        }
    }
}

impl CopyOp {
    fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { dest, source, include, exclude, owner, mode, keep_owner } = self;
        hasher.text("copy");
        hasher.text(dest.as_str());
        match source {
            CopySource::Contents => hasher.flag(false),
            CopySource::File { name, into } => {
                hasher.flag(true);
                hasher.text(name);
                hasher.flag(*into);
            }
        }
        texts(hasher, include);
        texts(hasher, exclude);
        owner_into(hasher, owner.as_ref());
        hasher.option(*mode, |h, mode| h.number(u64::from(mode)));
        hasher.flag(*keep_owner);
    }
}

impl ExecOp {
    /// Everything that the command can observe is hashed, besides the contents of its inputs and the values of its
    /// secrets.
    fn hash_into(&self, hasher: &mut KeyHasher) {
        // There is no `..`: a new field does not compile until someone decides whether it is part of the key.
        let Self {
            args,
            env,
            volatile_env,
            secret_env,
            cwd,
            user,
            platform,
            mounts,
            stdin,
            redirect_stdout,
            redirect_stderr,
            expect,
            timeout,
            network,
            reuse,
            limits,
            new_privileges,
        } = self;
        hasher.text("exec/2");
        texts(hasher, args);
        hasher.list(env.entries().into_iter(), |h, (name, value)| {
            h.text(name);
            h.text(value);
        });
        hasher.list(secret_env.iter(), |h, (name, secret)| {
            h.text(name);
            h.text(&secret.0);
        });
        hasher.text(cwd.as_str());
        // Every name of root is the same user.
        hasher.option(
            user.as_ref().filter(|user| !["root", "0", "0:0", "root:root"].contains(&user.as_str())),
            |h, user| {
                h.text(user);
            },
        );
        hasher.text(&platform.to_string());
        hasher.list(mounts.iter(), |h, mount| mount.hash_into(h));
        match stdin {
            Stdin::Empty => hasher.number(0),
            Stdin::Text(text) => {
                hasher.number(1);
                hasher.text(text);
            }
            Stdin::File(path) => {
                hasher.number(2);
                hasher.text(path.as_str());
            }
        }
        for redirect in [redirect_stdout, redirect_stderr] {
            hasher.option(redirect.as_ref(), |h, path| h.text(path.as_str()));
        }
        // A result that was good for one expectation may be a failure for another.
        expect.hash_into(hasher);
        hasher.flag(*network);
        limits.hash_into(hasher);
        hasher.flag(*new_privileges);
        // The timeout only bounds the run: a run that ends in time has the same result without it.
        let _ = timeout;
        // Whoever sets such a variable says that its value does not matter.
        let _ = volatile_env;
        // This decides whether the key is looked up. It is not part of the key.
        let _ = reuse;
    }
}

impl Mount {
    fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { path, kind } = self;
        hasher.text(path.as_str());
        match kind {
            MountKind::Bind { input, output, owner } => {
                hasher.text("bind");
                hasher.number(*input as u64);
                hasher.option(*output, |h, n| h.number(u64::from(n)));
                owner_into(hasher, owner.as_ref());
            }
            MountKind::Cache { key, sharing, owner, seed } => {
                hasher.text("cache");
                hasher.text(key);
                owner_into(hasher, owner.as_ref());
                // Sharing and seed change the contents of the volume, and these are part of no key.
                let _ = (sharing, seed);
            }
            MountKind::Secret { name, owner, mode } => {
                hasher.text("secret");
                hasher.text(&name.0);
                owner_into(hasher, owner.as_ref());
                hasher.number(u64::from(*mode));
            }
            MountKind::Tmpfs { size_bytes, mode } => {
                hasher.text("tmpfs");
                hasher.option(*size_bytes, KeyHasher::number);
                hasher.number(u64::from(*mode));
            }
        }
    }
}

#[cfg(test)]
mod tests;
