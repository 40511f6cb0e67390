//! Operations: what a vertex does with its inputs.
//!
//! Each operation feeds a hasher with its fields by exhaustive destructuring: a new field
//! does not compile until someone says whether it belongs to the definition digest, to the
//! cache key, or to neither. `docs/cache-keys.md` is the table of these decisions.

use std::sync::Arc;
use std::time::Duration;

use crate::digest::KeyHasher;
use crate::image::{ImageOp, PackOp};
use crate::path::TreePath;
use crate::platform::Platform;

/// What a vertex does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Brings something in from outside the graph. No inputs.
    Source(SourceOp),
    /// Runs a command. Input 0 is its root file system, the others are named by its mounts.
    Exec(Box<ExecOp>),
    /// Makes a tree from a tree. Input 0 is the tree that is changed.
    File(FileOp),
    /// Lays all inputs over each other; the later wins.
    Merge,
    /// What is in input 1 and not, or not the same, in input 0.
    Diff,
    /// Unpacks an image. Input 0, if it comes from one, is a file or a directory with it.
    Image(Box<ImageOp>),
    /// Makes an image. The inputs are root file systems, lowest first.
    Pack(Box<PackOp>),
    /// Cannot be evaluated.
    Fail(FailOp),
}

/// An operation that fails: a mistake that was made while the graph was built, kept until a
/// leaf asks for the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailOp {
    /// As in `invalid-path`; see `errors.wit`.
    pub code: String,
    /// One sentence that names the thing.
    pub message: String,
}

/// Where a tree comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceOp {
    /// An empty tree.
    Scratch,
    /// A directory or a file of this machine. It is read once a session.
    Local {
        /// The absolute path.
        path: String,
        /// Takes only what matches, in the syntax of `.dockerignore`.
        include: Vec<String>,
        /// Leaves out what matches.
        exclude: Vec<String>,
    },
    /// The system directories of this machine, read-only.
    Machine,
    /// The tree of a git repository.
    Git {
        /// Where it is cloned from.
        url: String,
        /// A branch, a tag or a commit.
        reference: String,
    },
    /// A file by its URL; the tree has it under the last component of the URL's path.
    Http {
        /// Where it is.
        url: String,
        /// 64 hex digits that its contents must have.
        sha256: Option<String>,
    },
}

/// How a tree is made from a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOp {
    /// Makes a file; parents are made.
    MakeFile {
        /// Where.
        path: TreePath,
        /// What is in it.
        contents: Arc<[u8]>,
        /// The permission bits.
        mode: u32,
        /// `user`, `user:group`, `uid` or `uid:gid`; root if none.
        owner: Option<String>,
    },
    /// Makes a directory and its parents; what is there stays.
    MakeDirectory {
        /// Where.
        path: TreePath,
        /// The permission bits.
        mode: u32,
        /// As above.
        owner: Option<String>,
    },
    /// Copies from input 1.
    Copy(CopyOp),
    /// Makes a symbolic link where nothing is.
    Symlink {
        /// What it points to, not looked at.
        target: String,
        /// Where it is.
        path: TreePath,
    },
    /// Removes what matches, if anything does.
    Remove {
        /// A path or a glob, relative to `base`.
        pattern: String,
        /// The directory that the pattern is relative to.
        base: TreePath,
        /// What may be removed.
        kind: RemoveKind,
    },
    /// Keeps what matches.
    Filter {
        /// Everything, if empty.
        include: Vec<String>,
        /// Beats `include`.
        exclude: Vec<String>,
    },
    /// Gives all at and under a path to an owner.
    Chown {
        /// Where.
        path: TreePath,
        /// `uid`, `uid:gid` or names of the tree's `/etc/passwd`.
        owner: String,
    },
    /// Sets all modification times.
    Timestamps {
        /// Since 1970.
        seconds: u64,
    },
    /// Makes a tree of one file from the file that input 1 selects, with text replaced. Input 0 is
    /// scratch.
    Replace {
        /// The name of the file in the tree that is made.
        name: String,
        /// What is replaced.
        search: String,
        /// By what.
        replacement: String,
        /// Every occurrence; else there must be exactly one.
        all: bool,
    },
}

/// What a removal takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoveKind {
    /// Files and links; a directory that matches is an error.
    File,
    /// Directories with all in them; other things stay.
    Directory,
}

/// A copy from input 1 into input 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOp {
    /// Where to.
    pub dest: TreePath,
    /// What input 1 selects.
    pub source: CopySource,
    /// Takes only what matches; everything, if empty.
    pub include: Vec<String>,
    /// Leaves out what matches; beats `include`.
    pub exclude: Vec<String>,
    /// The owner of all that is copied; root if none.
    pub owner: Option<String>,
    /// Permission bits for all that is copied; directories get an `x` for every `r`.
    pub mode: Option<u32>,
    /// Keeps owners instead of giving everything to root; for parts of one container's tree.
    pub keep_owner: bool,
}

/// What is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopySource {
    /// The contents of a directory, merged into what is at `dest`.
    Contents,
    /// A file. If `into`, or if `dest` is a directory, it goes into it under `name`.
    File {
        /// The name that it is known by.
        name: String,
        /// `dest` was written as a directory.
        into: bool,
    },
}

/// A command, and all that it can observe besides its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOp {
    /// The program and its arguments; never empty.
    pub args: Vec<String>,
    /// Variables in the order in which they were set, names unique.
    pub env: Vec<(String, String)>,
    /// Variables whose values are secrets.
    pub secret_env: Vec<(String, SecretName)>,
    /// The working directory, made if it is missing.
    pub cwd: TreePath,
    /// `name`, `name:group`, `uid` or `uid:gid`; root if none.
    pub user: Option<String>,
    /// What it is run as.
    pub platform: Platform,
    /// In the order in which they are mounted.
    pub mounts: Vec<Mount>,
    /// What its standard input is.
    pub stdin: Stdin,
    /// Where its standard output also goes.
    pub redirect_stdout: Option<TreePath>,
    /// Where its standard error also goes.
    pub redirect_stderr: Option<TreePath>,
    /// Which exit codes are no failure.
    pub expect: Expect,
    /// Kills it after this time.
    pub timeout: Option<Duration>,
    /// Whether it may use the network.
    pub network: bool,
    /// Whether a result of another run may be used.
    pub reuse: Reuse,
    /// What it may use of the machine.
    pub limits: Limits,
}

/// The name under which a secret was handed over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(pub String);

/// Something mounted over a path of the root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub path: TreePath,
    /// What.
    pub kind: MountKind,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountKind {
    /// A directory or a file of an input.
    Bind {
        /// Which input; its selection is what is mounted.
        input: usize,
        /// Which output of the command has it after the command ran; none if read-only.
        output: Option<u32>,
        /// As `user`, `user:group`, `uid`, `uid:gid`.
        owner: Option<String>,
    },
    /// A cache volume.
    Cache {
        /// The volume's key.
        key: String,
        /// How commands share it.
        sharing: CacheSharing,
        /// Who owns a new one.
        owner: Option<String>,
        /// Which input an empty one starts with.
        seed: Option<usize>,
    },
    /// A secret as a file.
    Secret {
        /// Which.
        name: SecretName,
        /// Who owns the file.
        owner: Option<String>,
        /// Its permission bits.
        mode: u32,
    },
    /// A directory in memory.
    Tmpfs {
        /// The most bytes.
        size_bytes: Option<u64>,
        /// Its permission bits.
        mode: u32,
    },
}

/// How commands that run at the same time share a cache volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheSharing {
    /// All write to it at once.
    Shared,
    /// One after the other.
    Locked,
    /// Each gets a copy of its own; the first that ends well is kept.
    Private,
}

/// What a command reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stdin {
    /// Nothing.
    Empty,
    /// This text.
    Text(Arc<str>),
    /// A file of its root file system or of a mount.
    File(TreePath),
}

/// Which exit codes are no failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// These.
    Codes(Vec<i32>),
    /// All of them. A signal, a time-out and a lack of memory are failures all the same.
    Any,
}

impl Expect {
    /// Returns whether a command that exits with `code` did what was expected.
    #[must_use]
    pub fn accepts(&self, code: i32) -> bool {
        match self {
            Self::Codes(codes) => codes.contains(&code),
            Self::Any => true,
        }
    }

    /// Feeds `hasher` with the codes.
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
    /// Feeds `hasher` with the way in which the volume is shared.
    pub fn hash_into(self, hasher: &mut KeyHasher) {
        hasher.number(match self {
            Self::Shared => 0,
            Self::Locked => 1,
            Self::Private => 2,
        });
    }
}

impl Limits {
    /// Feeds `hasher` with every limit.
    pub fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { memory_bytes, processes, cpu_millis } = self;
        hasher.option(*memory_bytes, KeyHasher::number);
        hasher.option(*processes, |h, n| h.number(u64::from(n)));
        hasher.option(*cpu_millis, |h, n| h.number(u64::from(n)));
    }
}

/// Whether a result of another run may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// If its cache key is the same.
    Allowed,
    /// Never: it runs in every run.
    Never,
}

/// What a command may use of the machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The most memory.
    pub memory_bytes: Option<u64>,
    /// The most processes and threads.
    pub processes: Option<u32>,
    /// The most processor time, in thousandths of a processor.
    pub cpu_millis: Option<u32>,
}

impl Op {
    /// Feeds `hasher` with what a cache key takes from the operation itself. The contents of the
    /// inputs are added by whoever evaluates them.
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

    /// Feeds `hasher` with what only tells definitions apart and no result can depend on.
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

    /// Returns the number of outputs.
    #[must_use]
    pub fn n_outputs(&self) -> u32 {
        let Self::Exec(op) = self else { return 1 };
        let writable = op.mounts.iter().filter(|m| matches!(m.kind, MountKind::Bind { output: Some(_), .. })).count();
        1 + u32::try_from(writable).unwrap_or(u32::MAX - 1)
    }

    /// Returns the operation in one line, for people.
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
                hasher.text("make-file");
                hasher.text(path.as_str());
                hasher.bytes(contents);
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
    /// Feeds `hasher` with everything that the command can observe besides the contents of its inputs.
    fn hash_into(&self, hasher: &mut KeyHasher) {
        // Without `..`: a new field does not compile until this function says whether it
        // is part of the key.
        let Self {
            args,
            env,
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
        } = self;
        hasher.text("exec/1");
        texts(hasher, args);
        hasher.list(env.iter(), |h, (name, value)| {
            h.text(name);
            h.text(value);
        });
        hasher.list(secret_env.iter(), |h, (name, secret)| {
            h.text(name);
            h.text(&secret.0);
        });
        hasher.text(cwd.as_str());
        // Root by any of its names is the same user.
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
        // Bounds the run; a run that ends in time has the same result without it.
        let _ = timeout;
        // Says whether the key is looked up, not what it is.
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
                // How it is shared and what it starts with change what it holds, and that is
                // no part of any key.
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

/// Joins words as a shell would read them back, for people.
#[must_use]
pub fn shell_words(words: &[String]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| {
            let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./=:,+@%".contains(c));
            if plain { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) }
        })
        .collect();
    quoted.join(" ")
}

#[cfg(test)]
mod tests;
