//! From a command of the graph to one of LLB.

use std::collections::HashMap;
use std::sync::Arc;

use backend::{Failure, FailureCode, Reason};
use bollard_buildkit_proto::pb;
use graph::{
    CacheKey, CacheSharing, ContentDigest, ExecOp, FileOp, KeyHasher, Limits, Mount, MountKind, Op, Reuse, Selection,
    Stdin, TreePath, Vertex,
};
use store::{Entry, Node, Selected, Store};
use trees::failure::{edit_failure, failure, read_failure};

use crate::engine::Engine;
use crate::llb::{self, FileAction, Llb, Note, Out, index};
use crate::archive;
use crate::buildkit::random;
use crate::step::{self, BEFORE, OUTPUT, OUTPUT_FILES, PARAMS, SHIM, Step, TOOLS, arguments, environment, params_id};
use crate::value::{Remote, Tree, Value};

/// The name under which a file that is mounted alone stands in its tree.
const SINGLE: &str = "file";

/// Makes the step of a command. Runs nothing, but fetches trees of which something has to be known.
pub(crate) async fn lower(engine: &Engine, vertex: &Arc<Vertex>, op: &ExecOp, values: &[Value]) -> Result<Value, Failure> {
    check(engine, op)?;
    let mut lowering = Lowering { engine, vertex, values, inputs: Vec::new(), mounts: Vec::new() };
    lowering.root().await?;
    let mut n_outputs = 1;
    for mount in &op.mounts {
        if lowering.mount(mount, index(n_outputs)).await? {
            n_outputs += 1;
        }
    }
    let output = index(n_outputs);
    lowering.tools(op, output);
    let Lowering { inputs, mounts, .. } = lowering;
    let make = |generation: Option<&str>| exec(vertex, op, &inputs, &mounts, generation, engine.io.is_network_allowed);
    let step = find(engine, vertex, op, output, make)?;
    let trees = (0..n_outputs).map(|n| Tree::Remote(Remote { out: step.llb.out(index(n)), root: Some(n) }));
    Ok(Value::step(trees.collect(), engine.keep_step(step)))
}

/// Refuses what cannot be run.
fn check(engine: &Engine, op: &ExecOp) -> Result<(), Failure> {
    let refuse = |message: String| Err(Failure::invalid(FailureCode::InvalidArgument, message));
    if op.stdin == Stdin::Both {
        return refuse("`with-stdin` and `with-redirect-stdin` cannot both be set".to_owned());
    }
    let words = op.args.iter().chain(op.env.iter().flat_map(|(name, value)| [name, value]));
    if let Some(word) = words.into_iter().find(|word| word.contains('\0')) {
        return refuse(format!("argument or variable {word:?} has a NUL byte, which no command can get"));
    }
    let machine = &engine.platform;
    if (&op.platform.os, &op.platform.architecture) != (&machine.os, &machine.architecture) {
        let message = format!("platform `{}` cannot be run by Docker here, which is `{machine}`", op.platform);
        return Err(Failure::invalid(FailureCode::Unavailable, message));
    }
    if op.limits != Limits::default() {
        return Err(Failure::Invalid {
            code: FailureCode::Unavailable,
            message: "limits on memory, processes and processors are not available with Docker's BuildKit".to_owned(),
            hint: Some("use `--engine docker-classic` or `--engine embedded`, or take the limits away".to_owned()),
        });
    }
    Ok(())
}

fn exec(
    vertex: &Vertex,
    op: &ExecOp,
    inputs: &[Out],
    mounts: &[pb::Mount],
    generation: Option<&str>,
    is_network_allowed: bool,
) -> Llb {
    let meta = pb::Meta {
        args: arguments(op, generation),
        env: environment(op),
        cwd: op.cwd.to_absolute(),
        user: op.user.clone().unwrap_or_default(),
        remove_mount_stubs_recursive: true,
        ..pb::Meta::default()
    };
    let network = if op.network && is_network_allowed { pb::NetMode::Unset } else { pb::NetMode::None };
    let kind = pb::op::Op::Exec(pb::ExecOp {
        meta: Some(meta),
        mounts: mounts.to_vec(),
        network: network.into(),
        ..pb::ExecOp::default()
    });
    let note = Note { name: vertex.op().describe(), step: Some(vertex.digest()), ..Note::default() };
    Llb::new(kind, inputs.to_vec(), note)
}

/// Finds out what is known of a command from earlier runs.
fn find(
    engine: &Engine,
    vertex: &Arc<Vertex>,
    op: &ExecOp,
    output: i64,
    make: impl Fn(Option<&str>) -> Llb,
) -> Result<Step, Failure> {
    let new = |llb, key, generation, reason, record| {
        Step::new(Arc::clone(vertex), llb, output, key, generation, reason, record)
    };
    if op.reuse == Reuse::Never {
        return Ok(new(make(Some(&random())), None, None, Reason::Never, None));
    }
    // A run without the cache makes results of its own generation, which later runs then use.
    let first = make(None);
    let generation_key = key("docker-generation/1", &first);
    if !engine.io.is_cache_used {
        let generation = random();
        let llb = make(Some(&generation));
        let key = key("docker-step/1", &llb);
        return Ok(new(llb, Some(key), Some((generation_key, generation)), Reason::NoCache, None));
    }
    let store = engine.trees.store();
    let generation = store.result(generation_key).map_err(|error| failure(&error))?;
    let llb = match generation.as_deref().map(String::from_utf8_lossy) {
        Some(generation) => make(Some(&generation)),
        None => first,
    };
    let key = key("docker-step/1", &llb);
    let found = store.result(key).map_err(|error| failure(&error))?;
    let record = found.and_then(|bytes| postcard::from_bytes(&bytes).ok());
    Ok(new(llb, Some(key), None, Reason::NeverRan, record))
}

fn key(domain: &str, llb: &Llb) -> CacheKey {
    let mut hasher = KeyHasher::new(domain);
    hasher.text(llb.digest());
    hasher.cache_key()
}

struct Lowering<'a> {
    engine: &'a Engine,
    vertex: &'a Vertex,
    values: &'a [Value],
    inputs: Vec<Out>,
    mounts: Vec<pb::Mount>,
}

impl Lowering<'_> {
    fn store(&self) -> &Store {
        self.engine.trees.store()
    }

    fn input(&self, index: usize) -> Result<(&Selection, Tree), Failure> {
        let input = self.vertex.inputs().get(index).zip(self.values.get(index));
        let (selection, value) = input.ok_or_else(|| Failure::bug("a mount names an input that is not there"))?;
        Ok((selection, value.output(selection.edge.output)))
    }

    /// Returns the number of an input of LLB.
    fn number(&mut self, out: Out) -> i64 {
        let name = out.name();
        let found = self.inputs.iter().position(|other| other.name() == name);
        index(found.unwrap_or_else(|| {
            self.inputs.push(out);
            self.inputs.len() - 1
        }))
    }

    fn push(&mut self, mount: pb::Mount) {
        self.mounts.push(mount);
    }

    /// Mounts the root, and once more as it is before anything is mounted on it.
    async fn root(&mut self) -> Result<(), Failure> {
        let (selection, tree) = self.input(0)?;
        let path = selection.path.clone();
        let out = match tree {
            Tree::Remote(Remote { out, .. }) if path.is_root() => Some(out),
            tree => {
                let digest = self.engine.local(&tree).await?;
                let digest = self.store().subtree(digest, &path).map_err(|error| read_failure(&error))?;
                (digest != store::empty_tree()).then(|| local(digest))
            }
        };
        let number = match out {
            Some(out) => self.number(out),
            None => -1,
        };
        self.push(pb::Mount { input: number, dest: "/".to_owned(), ..pb::Mount::default() });
        if number >= 0 {
            self.push(read_only(number, "/", BEFORE));
        } else {
            let nothing = self.number(nothing());
            self.push(read_only(nothing, "/", BEFORE));
        }
        Ok(())
    }

    /// Mounts the shim and what it reads and writes.
    fn tools(&mut self, op: &ExecOp, output: i64) {
        let stdin = if let Stdin::Text(text) = &op.stdin { Some(text.as_bytes()) } else { None };
        let tools = self.number(tools(stdin));
        self.push(read_only(tools, "/", TOOLS));
        let files = self.number(output_files());
        self.push(pb::Mount { input: files, dest: OUTPUT.to_owned(), output, ..pb::Mount::default() });
        let secret = pb::SecretOpt {
            id: params_id(self.vertex.op()),
            mode: 0o444,
            optional: true,
            ..pb::SecretOpt::default()
        };
        self.push(pb::Mount {
            input: -1,
            dest: PARAMS.to_owned(),
            output: -1,
            mount_type: pb::MountType::Secret.into(),
            secret_opt: Some(secret),
            ..pb::Mount::default()
        });
    }

    /// Adds a mount; returns whether it is an output.
    async fn mount(&mut self, mount: &Mount, output: i64) -> Result<bool, Failure> {
        let dest = mount.path.to_absolute();
        match &mount.kind {
            MountKind::Bind { input, output: Some(_), owner } => {
                self.writable(*input, owner.as_deref(), dest, output).await?;
                return Ok(true);
            }
            MountKind::Bind { input, output: None, owner } => {
                let (out, selector) = self.source(*input, owner.as_deref()).await?;
                let number = self.number(out);
                self.push(read_only(number, &selector, &dest));
            }
            MountKind::Cache { key, sharing, owner, seed } => {
                let (uid, gid) = self.owner(owner.as_deref()).await?;
                self.cache(key, *sharing, (uid, gid), *seed, dest).await?;
            }
            MountKind::Secret { name, owner, mode } => {
                let (uid, gid) = self.owner(owner.as_deref()).await?;
                let id = secret_id(&name.0);
                let secret = pb::SecretOpt { id, uid, gid, mode: *mode, optional: false };
                self.push(pb::Mount {
                    input: -1,
                    dest,
                    output: -1,
                    mount_type: pb::MountType::Secret.into(),
                    secret_opt: Some(secret),
                    ..pb::Mount::default()
                });
            }
            MountKind::Tmpfs { size_bytes, mode: _ } => {
                let size = size_bytes.map_or(0, |size| i64::try_from(size).unwrap_or(i64::MAX));
                self.push(pb::Mount {
                    input: -1,
                    dest,
                    output: -1,
                    mount_type: pb::MountType::Tmpfs.into(),
                    tmpfs_opt: Some(pb::TmpfsOpt { size }),
                    ..pb::Mount::default()
                });
            }
        }
        Ok(false)
    }

    /// Returns what an input selects, with the path at which it is.
    async fn source(&self, input: usize, owner: Option<&str>) -> Result<(Out, String), Failure> {
        let (selection, tree) = self.input(input)?;
        let tree = match tree {
            Tree::Remote(remote) if owner.is_none() => return Ok((remote.out, selection.path.to_absolute())),
            tree => self.engine.local(&tree).await?,
        };
        let selected = self.store().select(tree, &selection.path).map_err(|error| read_failure(&error))?;
        let (digest, is_file) = match selected {
            Selected::Directory(digest) => (digest, false),
            Selected::File(entry) => (self.single(entry)?, true),
        };
        let digest = self.chown(digest, owner).await?;
        Ok((local(digest), if is_file { format!("/{SINGLE}") } else { "/".to_owned() }))
    }

    /// Mounts what an input selects so that it can be written to.
    async fn writable(&mut self, input: usize, owner: Option<&str>, dest: String, output: i64) -> Result<(), Failure> {
        let (selection, tree) = self.input(input)?;
        let out = match tree {
            Tree::Remote(remote) if owner.is_none() && selection.path.is_root() => remote.out,
            tree => {
                let path = selection.path.clone();
                let tree = self.engine.local(&tree).await?;
                let tree = self.store().subtree(tree, &path).map_err(|error| read_failure(&error))?;
                local(self.chown(tree, owner).await?)
            }
        };
        let number = self.number(out);
        self.push(pb::Mount { input: number, dest, output, ..pb::Mount::default() });
        Ok(())
    }

    async fn cache(
        &mut self,
        key: &str,
        sharing: CacheSharing,
        (uid, gid): (u32, u32),
        seed: Option<usize>,
        dest: String,
    ) -> Result<(), Failure> {
        let owner = format!("{uid}:{gid}");
        let first = match seed {
            Some(seed) => {
                let (selection, tree) = self.input(seed)?;
                let path = selection.path.clone();
                let tree = self.engine.local(&tree).await?;
                Some(self.store().subtree(tree, &path).map_err(|error| read_failure(&error))?)
            }
            None => ((uid, gid) != (0, 0)).then(store::empty_tree),
        };
        let input = match first {
            None => -1,
            Some(tree) => {
                let tree = self.chown(tree, Some(&owner)).await?;
                self.number(local(tree))
            }
        };
        let sharing = match sharing {
            CacheSharing::Shared => pb::CacheSharingOpt::Shared,
            CacheSharing::Locked => pb::CacheSharingOpt::Locked,
            CacheSharing::Private => pb::CacheSharingOpt::Private,
        };
        self.push(pb::Mount {
            input,
            dest,
            output: -1,
            mount_type: pb::MountType::Cache.into(),
            cache_opt: Some(pb::CacheOpt { id: format!("host/{key}"), sharing: sharing.into() }),
            ..pb::Mount::default()
        });
        Ok(())
    }

    /// Makes a tree of one file.
    fn single(&self, entry: Entry) -> Result<ContentDigest, Failure> {
        let entry = Entry { name: SINGLE.as_bytes().into(), ..entry };
        self.store().put_node(Node::of(vec![entry])).map_err(|error| failure(&error))
    }

    async fn chown(&self, tree: ContentDigest, owner: Option<&str>) -> Result<ContentDigest, Failure> {
        if owner.is_none() {
            return Ok(tree);
        }
        let (uid, gid) = self.owner(owner).await?;
        let op = FileOp::Chown { path: TreePath::root(), owner: format!("{uid}:{gid}") };
        self.store().apply(&op, tree, None).map_err(|error| edit_failure(&error))
    }

    /// Returns the numbers of an owner; names are those of the root's own files.
    async fn owner(&self, owner: Option<&str>) -> Result<(u32, u32), Failure> {
        let Some(owner) = owner else { return Ok((0, 0)) };
        if owner.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') {
            return self.store().resolve_owner(store::empty_tree(), owner).map_err(|error| edit_failure(&error));
        }
        let (selection, tree) = self.input(0)?;
        let path = selection.path.clone();
        let tree = self.engine.local(&tree).await?;
        let tree = self.store().subtree(tree, &path).map_err(|error| read_failure(&error))?;
        self.store().resolve_owner(tree, owner).map_err(|error| edit_failure(&error))
    }
}

/// The id of a secret that is mounted as a file.
pub(crate) fn secret_id(name: &str) -> String {
    format!("secret-{name}")
}

fn read_only(input: i64, selector: &str, dest: &str) -> pb::Mount {
    let selector = if selector == "/" { String::new() } else { selector.to_owned() };
    pb::Mount { input, selector, dest: dest.to_owned(), output: -1, readonly: true, ..pb::Mount::default() }
}

/// Returns a tree that Docker has as an image.
pub(crate) fn local(tree: ContentDigest) -> Out {
    let identifier = format!("docker-image://{}", archive::name_of(tree));
    let source = pb::SourceOp { identifier, attrs: [].into() };
    let note = Note { name: format!("tree {}", tree.short()), tree: Some(tree), step: None };
    Llb::new(pb::op::Op::Source(source), Vec::new(), note).out(0)
}

fn nothing() -> Out {
    let note = Note { name: "nothing".to_owned(), ..Note::default() };
    llb::files(None, Vec::new(), vec![FileAction::directory("/.host", 0o755)], note)
}

fn tools(stdin: Option<&[u8]>) -> Out {
    let shim = FileAction::file("/shim", 0o555, SHIM.to_vec());
    let stdin = stdin.map(|stdin| FileAction::file("/stdin", 0o444, stdin.to_vec()));
    let note = Note { name: "shim".to_owned(), ..Note::default() };
    llb::files(None, Vec::new(), std::iter::once(shim).chain(stdin).collect(), note)
}

/// Returns the files that the shim writes to, whoever it runs as: what is made gets the permissions that the umask
/// leaves, what is copied gets those that are asked for.
fn output_files() -> Out {
    let empty = llb::files(None, Vec::new(), vec![FileAction::file("/empty", 0o644, Vec::new())], Note::default());
    let copies = OUTPUT_FILES.iter().map(|name| FileAction::copy_with_mode(0, "/empty", &format!("/{name}"), 0o666));
    let note = Note { name: "files for the output".to_owned(), ..Note::default() };
    llb::files(None, vec![empty], copies.collect(), note)
}

/// Returns what a session has to offer for these commands.
pub(crate) fn params_of(engine: &Engine, step: &Step, offered: &mut HashMap<String, Vec<u8>>) -> Result<(), Failure> {
    let Some(op) = step.op() else { return Ok(()) };
    let mut values = Vec::new();
    for mount in &op.mounts {
        if let MountKind::Secret { name, .. } = &mount.kind {
            let value = engine.io.secrets.value(name)?;
            values.push(value.clone());
            offered.insert(secret_id(&name.0), value);
        }
    }
    let mut secret_env = Vec::new();
    for (variable, name) in &op.secret_env {
        let value = engine.io.secrets.value(name)?;
        values.push(value.clone());
        secret_env.push((variable.clone(), value));
    }
    let timeout = [op.timeout, engine.io.timeout].into_iter().flatten().min();
    if timeout.is_some() || !values.is_empty() {
        let params = step::params(timeout, &secret_env, &crate::secrets::needles(&values));
        offered.insert(params_id(&Op::Exec(Box::new(op.clone()))), params);
    }
    Ok(())
}
