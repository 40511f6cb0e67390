//! A command as Docker runs it: under the shim, whose flags say what it can observe.
//!
//! The shim and all that it needs are mounted below `/dev`, which is in memory in every container: nothing of it
//! is in the tree that the command leaves.

pub(crate) mod trailer;

use std::sync::Arc;
use std::time::Duration;

use engine::{ExecResult, Failure, OutputRef, Redactor};
use evaluate::command::{is_set, with_path};
use graph::{ExecOp, Expect, KeyHasher, Mount, MountKind, Op, Stdin, TreePath};
use serde::{Deserialize, Serialize};
use store::{Owned, Store};
use trees::Archive;

pub(crate) use pid1::SHIM;

/// Where the shim is mounted, with what it reads.
pub(crate) const TOOLS: &str = "/dev/.host";
/// Where it writes what the command printed.
pub(crate) const OUTPUT: &str = "/dev/.host-output";
/// A file with what no key depends on.
pub(crate) const PARAMS: &str = "/dev/.host-params";
/// The root as it was before anything was mounted on it.
pub(crate) const BEFORE: &str = "/dev/.host-before";
/// What the step before wrote.
pub(crate) const PREVIOUS: &str = "/dev/.host-previous";
/// The files of [`OUTPUT`].
pub(crate) const OUTPUT_FILES: [&str; 6] = ["stdout", "stderr", "combined", "status", "roots", "stubs"];

/// Where the shim finds what it reads and writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    /// The directory with the files of [`OUTPUT_FILES`].
    pub(crate) output: &'static str,
    /// A file with what no key depends on.
    pub(crate) params: &'static str,
    /// The root as it was before anything was mounted on it; writable mounts have a number behind it.
    pub(crate) before: &'static str,
    /// What the step before wrote.
    pub(crate) previous: &'static str,
}

/// The places of a command in LLB, which has a mount for each of them.
pub(crate) const PLACES: Places = Places { output: OUTPUT, params: PARAMS, before: BEFORE, previous: PREVIOUS };

/// What container runtimes mount in every container, and make mountpoints for.
const RUNTIME_MOUNTS: [&str; 5] = ["proc", "sys", "dev", "etc/hosts", "etc/resolv.conf"];

/// What is known of a command that did what was expected.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) exec: Arc<ExecResult>,
    /// The modes and owners of its root and of its writable mounts, in the order of outputs.
    pub(crate) roots: Vec<(u32, u32, u32)>,
    /// Mountpoints that were not there before it ran, with the number of the output that they are in.
    pub(crate) stubs: Vec<(usize, String)>,
}

impl Record {
    /// Returns the mode and owner of an output's root.
    pub(crate) fn root(&self, index: usize) -> Owned {
        self.roots.get(index).map_or(Owned::DIRECTORY, |(mode, uid, gid)| Owned { mode: *mode, uid: *uid, gid: *gid })
    }
}

/// Reads what the shim wrote of a command that did what was expected.
pub(crate) fn record(store: &Store, files: &Archive<'_>) -> Result<Record, Failure> {
    let missing = |name: &str| Failure::bug(format!("a command left no `{name}`"));
    let output = |name: &str| -> Result<OutputRef, Failure> {
        let digest = files.file(name).ok_or_else(|| missing(name))?;
        let (_, size_bytes, _) = store.open_blob(&digest).map_err(Failure::of)?;
        Ok(OutputRef { digest, size_bytes })
    };
    let text = |name: &str| -> Result<String, Failure> {
        let digest = files.file(name).ok_or_else(|| missing(name))?;
        let bytes = store.read_blob(&digest).map_err(Failure::of)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let root = |line: &str| {
        let mut numbers = line.split(' ').map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next()??, numbers.next()??))
    };
    let stub = |line: &str| {
        let (n, path) = line.split_once(' ')?;
        Some((n.parse().ok()?, path.trim_start_matches('/').to_owned()))
    };
    let exit_code = text("status")?.trim().parse().map_err(|_| missing("status"))?;
    let exec =
        ExecResult { exit_code, stdout: output("stdout")?, stderr: output("stderr")?, combined: output("combined")? };
    Ok(Record {
        exec: Arc::new(exec),
        roots: text("roots")?.lines().filter_map(root).collect(),
        stubs: text("stubs")?.lines().filter_map(stub).collect(),
    })
}

/// Returns the id of the params of an operation: the same for every command that is the same but for its inputs.
pub(crate) fn params_id(op: &Op) -> String {
    let mut hasher = KeyHasher::new("params/1");
    op.hash_into(&mut hasher);
    format!("params-{}", hasher.cache_key().to_hex())
}

/// What decides about a start of the shim besides the operation.
#[derive(Debug, Clone, Default)]
pub(crate) struct StartOptions {
    /// Tells runs apart that must not share a result.
    pub(crate) generation: Option<String>,
    /// Tells commands apart whose secrets have other values. The shim makes nothing of it.
    pub(crate) secrets: Option<String>,
    /// Whether the command can gain no privileges.
    pub(crate) has_fixed_privileges: bool,
    /// Whether the root is shown as it was before anything was mounted on it.
    pub(crate) has_before: bool,
    /// Whether the step before may have left mountpoints.
    pub(crate) has_previous: bool,
    /// Directories that get a mode and an owner.
    pub(crate) owned: Vec<(String, Owned)>,
    /// Directories that get an owner if they are empty.
    pub(crate) new: Vec<(String, u32, u32)>,
}

/// Returns the arguments of the shim, which end with the command.
pub(crate) fn arguments(op: &ExecOp, options: &StartOptions, places: &Places) -> Vec<String> {
    let Places { output, params, before, previous } = places;
    let mut args = vec![format!("{TOOLS}/shim"), format!("d{output}"), format!("p{params}")];
    args.push(format!("u{}", op.user.as_deref().unwrap_or("0")));
    args.push(format!("w{}", op.cwd.to_absolute()));
    args.extend((!is_set(op, "HOME")).then(|| "h".to_owned()));
    args.extend(options.has_fixed_privileges.then(|| "l".to_owned()));
    match &op.expect {
        Expect::Any => args.push("x*".to_owned()),
        Expect::Codes(codes) => args.extend(codes.iter().map(|code| format!("x{code}"))),
    }
    match &op.stdin {
        Stdin::Text(_) => args.push(format!("i{TOOLS}/stdin")),
        Stdin::File(path) => args.push(format!("i{}", path.to_absolute())),
        Stdin::Empty => {}
    }
    args.extend(op.redirect_stdout.as_ref().map(|path| format!("o{}", path.to_absolute())));
    args.extend(op.redirect_stderr.as_ref().map(|path| format!("r{}", path.to_absolute())));
    args.extend(writable_binds(op).map(|path| format!("m{}", path.to_absolute())));
    let own = |(path, owned): &(String, Owned)| format!("k{:o}:{}:{}{path}", owned.mode, owned.uid, owned.gid);
    args.extend(options.owned.iter().map(own));
    args.extend(options.new.iter().map(|(path, uid, gid)| format!("q{uid}:{gid}{path}")));
    for mount in &op.mounts {
        if let MountKind::Tmpfs { size_bytes: Some(size), .. } = &mount.kind {
            args.push(format!("z{size}{}", mount.path.to_absolute()));
        }
    }
    args.extend(options.has_previous.then(|| format!("f{previous}/stubs")));
    if options.has_before {
        args.push(format!("b{before}"));
        args.extend(mountpoints(op).into_iter().map(|path| format!("c/{path}")));
    }
    for (n, bind) in writable_binds(op).enumerate() {
        args.push(format!("b{before}-{}", n + 1));
        args.extend(mounts_below(op, bind).map(|path| format!("c/{path}")));
    }
    args.extend(options.secrets.as_ref().map(|secrets| format!("s{secrets}")));
    args.extend(options.generation.as_ref().map(|generation| format!("g{generation}")));
    args.push("--".to_owned());
    args.extend(op.args.iter().cloned());
    args
}

/// Returns where the writable mounts are, in the order of outputs.
fn writable_binds(op: &ExecOp) -> impl Iterator<Item = &TreePath> {
    let is_writable = |mount: &&Mount| matches!(mount.kind, MountKind::Bind { output: Some(_), .. });
    op.mounts.iter().filter(is_writable).map(|mount| &mount.path)
}

/// Returns what is mounted inside another mount, as paths from that one.
pub(crate) fn mounts_below<'a>(op: &'a ExecOp, outer: &TreePath) -> impl Iterator<Item = &'a str> {
    let prefix = format!("{}/", outer.as_str());
    op.mounts.iter().filter_map(move |mount| mount.path.as_str().strip_prefix(&prefix))
}

/// Returns everything that is mounted on, and the directories above it, deepest first.
fn mountpoints(op: &ExecOp) -> Vec<String> {
    let mounted = op.mounts.iter().map(|mount| mount.path.as_str().to_owned());
    let mut paths: Vec<String> = mounted.chain(RUNTIME_MOUNTS.map(str::to_owned)).collect();
    let mut parents = Vec::new();
    for path in &paths {
        parents.extend(path.match_indices('/').map(|(at, _)| path[..at].to_owned()));
    }
    paths.extend(parents);
    paths.retain(|path| !path.is_empty());
    deepest_first(&mut paths);
    paths
}

/// Sorts paths so that what is inside of a directory comes before it, each once.
pub(crate) fn deepest_first(paths: &mut Vec<String>) {
    paths.sort_by(|a, b| b.matches('/').count().cmp(&a.matches('/').count()).then_with(|| a.cmp(b)));
    paths.dedup();
}

/// Returns the variables that no key depends on, as the shim gets them.
pub(crate) fn volatile_environment(op: &ExecOp) -> impl Iterator<Item = (String, Vec<u8>)> {
    op.volatile_env.to_vec().into_iter().map(|(name, value)| (name, value.into_bytes()))
}

/// Returns the environment but for `HOME`, which the shim knows.
pub(crate) fn environment(op: &ExecOp) -> Vec<(String, String)> {
    with_path(op).into_iter().chain(op.env.to_vec()).collect()
}

/// How long a command may run, and how much it may print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) timeout: Option<Duration>,
    /// The most bytes of each stream that are kept.
    pub(crate) max_output_bytes: usize,
}

impl Bounds {
    /// Returns the time-out in milliseconds; 0 if there is none.
    pub(crate) fn timeout_ms(self) -> u64 {
        self.timeout.map_or(0, |after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Writes what no key depends on, as the shim reads it: the bounds, variables, and what of the values of secrets is to
/// be replaced in the output.
pub(crate) fn params(bounds: Bounds, env: &[(String, Vec<u8>)], secrets: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut put = |tag: u8, contents: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&length(contents));
        out.extend_from_slice(contents);
    };
    if let Some(timeout) = bounds.timeout {
        put(b't', timeout.as_millis().max(1).to_string().as_bytes());
    }
    put(b'l', bounds.max_output_bytes.to_string().as_bytes());
    for (name, value) in env {
        put(b'e', &[name.as_bytes(), b"=", value, b"\0"].concat());
    }
    put(b'n', &Redactor::texts(secrets.iter().map(Vec::as_slice)));
    out
}

/// Lengths are of this machine's order of bytes, which is that of the platform that commands run on.
fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use graph::{Limits, Platform, Reuse};

    use super::*;

    fn op() -> ExecOp {
        ExecOp {
            args: vec!["make".into(), "all".into()],
            env: [("A", "1")].into_iter().collect(),
            volatile_env: graph::Pairs::default(),
            secret_env: Vec::new(),
            cwd: TreePath::root(),
            user: Some("app".into()),
            platform: Platform::of_this_machine(),
            mounts: vec![Mount {
                path: TreePath::parse("/mnt/x").unwrap(),
                kind: MountKind::Tmpfs { size_bytes: None, mode: 0o700 },
            }],
            stdin: Stdin::File(TreePath::parse("in").unwrap()),
            redirect_stdout: Some(TreePath::parse("out").unwrap()),
            redirect_stderr: None,
            expect: Expect::Codes(vec![0, 3]),
            timeout: None,
            network: true,
            reuse: Reuse::Allowed,
            limits: Limits::default(),
            new_privileges: true,
        }
    }

    #[test]
    fn the_shim_gets_all_that_is_asked_for() {
        assert_eq!(
            arguments(&op(), &StartOptions { has_before: true, ..StartOptions::default() }, &PLACES).join(" "),
            "/dev/.host/shim d/dev/.host-output p/dev/.host-params uapp w/ h x0 x3 i/in o/out b/dev/.host-before \
             c/etc/hosts c/etc/resolv.conf c/mnt/x c/dev c/etc c/mnt c/proc c/sys -- make all"
        );
        let set = ExecOp { env: [("HOME", "/h"), ("PATH", "/b")].into_iter().collect(), ..op() };
        assert!(!arguments(&set, &StartOptions::default(), &PLACES).contains(&"h".to_owned()));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(environment(&set), [pair("HOME", "/h"), pair("PATH", "/b")]);
        let owned = Owned { mode: 0o2750, uid: 1, gid: 2 };
        let options = StartOptions {
            generation: Some("7".into()),
            secrets: Some("5".into()),
            has_fixed_privileges: true,
            has_before: true,
            has_previous: true,
            owned: vec![("/".into(), owned)],
            new: vec![("/c".into(), 3, 4)],
        };
        let words = arguments(&op(), &options, &PLACES).join(" ");
        assert!(words.contains(" h l x0 "), "{words}");
        assert!(words.contains(" k2750:1:2/ q3:4/c f/dev/.host-previous/stubs b/"), "{words}");
        assert!(words.contains(" s5 g7 -- "), "{words}");
    }

    #[test]
    fn the_params_have_the_bounds_and_variables() {
        let bounds = Bounds { timeout: Some(Duration::from_secs(2)), max_output_bytes: 65536 };
        let bytes = params(bounds, &[("P".into(), b"pw".to_vec())], &[]);
        let expect: &[u8] = b"t\x04\0\0\x002000l\x05\0\0\x0065536e\x05\0\0\0P=pw\0n\0\0\0\0";
        assert_eq!(bytes, expect);
    }

    #[test]
    fn the_shim_replaces_what_the_redactor_replaces() {
        let secrets = [b"first line\nsecond=1\n".to_vec(), b"abc".to_vec()];
        let listed = ["first line", "first line\nsecond=1", "second=1"];
        let listed: Vec<u8> =
            listed.iter().flat_map(|text| [&length(text.as_bytes())[..], text.as_bytes()].concat()).collect();
        assert_eq!(Redactor::texts(secrets.iter().map(Vec::as_slice)), listed);
        let bounds = Bounds { timeout: None, max_output_bytes: 7 };
        assert_eq!(params(bounds, &[], &secrets), [b"l\x01\0\0\x007n", &length(&listed)[..], &listed].concat());
    }
}
