//! From a command of the graph to one of LLB.

use std::collections::HashMap;
use std::sync::Arc;

use bollard_buildkit_proto::pb;
use engine::{Failure, FailureCode, MAX_OUTPUT_BYTES, Reason};
use graph::{
    CacheKey, CacheSharing, ContentDigest, ExecOp, FileOp, KeyHasher, Limits, Mount, MountKind, Op, Reuse, Selection,
    Stdin, TreePath, Vertex,
};
use store::{Entry, Kind, Node, Owned, Selected, Store, empty_tree};
use trees::failure::{edit_failure, read_failure};

use super::definition::{self, FileAction, Llb, Note, Out, index};
use super::evaluator::LlbEvaluator;
use super::step::Step;
use super::value::{Remote, Tree, Value};
use crate::buildkit::random;
use crate::images::archive;
use crate::step::{
    self, BEFORE, Bounds, OUTPUT, OUTPUT_FILES, PARAMS, PLACES, PREVIOUS, SHIM, StartOptions, TOOLS, arguments,
    environment, mounts_below, params_id,
};

/// The name under which what is mounted stands in the image that has it.
const WRAPPED: &str = "root";

/// Makes the step of a command. Runs nothing, but fetches trees of which something has to be known.
pub(crate) async fn lower(
    engine: &LlbEvaluator,
    vertex: &Arc<Vertex>,
    op: &ExecOp,
    values: &[Value],
) -> Result<Value, Failure> {
    check(op)?;
    let rules = engine.io.rules;
    let has_fixed_privileges = !(op.new_privileges && rules.new_privileges);
    let secrets = secrets_of(engine, op)?;
    let options = StartOptions { has_fixed_privileges, secrets, ..StartOptions::default() };
    let mut lowering = Lowering { engine, vertex, op, values, inputs: Vec::new(), mounts: Vec::new(), options };
    lowering.root().await?;
    let mut subs = vec![""];
    for mount in &op.mounts {
        subs.extend(lowering.mount(mount, index(subs.len())).await?);
    }
    let output = index(subs.len());
    lowering.tools(output);
    let Lowering { inputs, mounts, options, .. } = lowering;
    let make = |generation: Option<String>| {
        let options = StartOptions { generation, ..options.clone() };
        exec(vertex, op, &inputs, &mounts, &options, rules.network)
    };
    let step = find(engine, vertex, op, output, make)?;
    if step.record().is_none() {
        evaluate::check::platform(op, engine.docker.get().await?.platform(), "by Docker here")?;
    }
    let trees = subs.into_iter().enumerate();
    let trees = trees.map(|(n, sub)| Tree::Remote(Remote { out: step.llb.out(index(n)), sub, root: Some(n) }));
    Ok(Value::step(trees.collect(), engine.keep_step(step)))
}

/// Returns what the secrets of a command are for BuildKit, whose own keys do not have their values; nothing if they are
/// known by their names alone.
fn secrets_of(engine: &LlbEvaluator, op: &ExecOp) -> Result<Option<String>, Failure> {
    let parts = engine.secrets.parts(op)?;
    let mut hasher = KeyHasher::new("docker-secrets/1");
    parts.hash_into(&mut hasher);
    Ok((!parts.is_empty()).then(|| hasher.cache_key().to_hex()))
}

/// Refuses what cannot be run.
fn check(op: &ExecOp) -> Result<(), Failure> {
    evaluate::check::command(op)?;
    if op.limits != Limits::default() {
        return Err(Failure::Invalid {
            code: FailureCode::Incapable,
            message: "limits on memory, processes and processors (`limits`) are not available with Docker's BuildKit"
                .to_owned(),
            hint: Some("use `--engine embedded`, or take the limits away".to_owned()),
        });
    }
    Ok(())
}

fn exec(
    vertex: &Vertex,
    op: &ExecOp,
    inputs: &[Out],
    mounts: &[pb::Mount],
    options: &StartOptions,
    is_network_allowed: bool,
) -> Llb {
    let meta = pb::Meta {
        args: arguments(op, options, &PLACES),
        env: environment(op).into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
        // The shim goes to the working directory, and becomes the user.
        cwd: "/".to_owned(),
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
    engine: &LlbEvaluator,
    vertex: &Arc<Vertex>,
    op: &ExecOp,
    output: i64,
    make: impl Fn(Option<String>) -> Llb,
) -> Result<Step, Failure> {
    let new = |llb, key, generation, reason, record| {
        Step::new(Arc::clone(vertex), llb, output, key, generation, reason, record)
    };
    if op.reuse == Reuse::Never {
        return Ok(new(make(Some(random())), None, None, Reason::Never, None));
    }
    // A run without the cache makes results of its own generation, which later runs then use.
    let first = make(None);
    let generation_key = key("docker-generation/2", op, &first);
    if !engine.io.is_cache_used {
        let generation = random();
        let llb = make(Some(generation.clone()));
        let key = key("docker-step/2", op, &llb);
        return Ok(new(llb, Some(key), Some((generation_key, generation)), Reason::NoCache, None));
    }
    let store = engine.trees.store();
    let generation = store.result(generation_key).map_err(Failure::of)?;
    let llb = match generation.and_then(|generation| String::from_utf8(generation).ok()) {
        Some(generation) => make(Some(generation)),
        None => first,
    };
    let key = key("docker-step/2", op, &llb);
    let found = store.result(key).map_err(Failure::of)?;
    let record = found.and_then(|bytes| postcard::from_bytes(&bytes).ok());
    Ok(new(llb, Some(key), None, Reason::NeverRan, record))
}

fn key(domain: &str, op: &ExecOp, llb: &Llb) -> CacheKey {
    let mut hasher = KeyHasher::new(domain);
    // Docker may be another machine in another run, and is not asked for what is known.
    hasher.text(&op.platform.to_string());
    hasher.text(llb.digest());
    hasher.cache_key()
}

struct Lowering<'a> {
    engine: &'a LlbEvaluator,
    vertex: &'a Vertex,
    op: &'a ExecOp,
    values: &'a [Value],
    inputs: Vec<Out>,
    mounts: Vec<pb::Mount>,
    options: StartOptions,
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
            Tree::Remote(Remote { out, sub: "", .. }) if path.is_root() => Some(out),
            tree => {
                let digest = self.engine.local(&tree).await?;
                let digest = self.store().subtree(digest, &path).map_err(read_failure)?;
                let owned = self.store().node(digest).map_err(Failure::of)?.owned();
                if owned != Owned::DIRECTORY {
                    // Docker gives the root of every image the usual mode and owner.
                    self.options.owned.push(("/".to_owned(), owned));
                }
                (digest != empty_tree()).then(|| image(digest))
            }
        };
        let previous = out.as_ref().and_then(|out| self.engine.step(out.llb.digest()));
        let number = match out {
            Some(out) => self.number(out),
            None => -1,
        };
        self.push(pb::Mount { input: number, dest: "/".to_owned(), ..pb::Mount::default() });
        // What a step before left as mountpoints of the runtime it has noted; a second view of the root is not free.
        if previous.is_none() || !self.op.mounts.is_empty() {
            self.options.has_before = true;
            let before = if number >= 0 { number } else { self.number(nothing()) };
            self.push(read_only(before, "", BEFORE));
        }
        if let Some(step) = previous.filter(|step| step.op().is_some_and(|op| !op.mounts.is_empty())) {
            self.options.has_previous = true;
            let stubs = self.number(step.llb.out(step.output));
            self.push(read_only(stubs, "", PREVIOUS));
        }
        Ok(())
    }

    /// Mounts the shim and what it reads and writes.
    fn tools(&mut self, output: i64) {
        let stdin = if let Stdin::Text(text) = &self.op.stdin { Some(text.as_bytes()) } else { None };
        let tools = self.number(tools(stdin));
        self.push(read_only(tools, "", TOOLS));
        let files = self.number(output_files());
        self.push(pb::Mount { input: files, dest: OUTPUT.to_owned(), output, ..pb::Mount::default() });
        let id = params_id(self.vertex.op());
        self.secret(PARAMS, pb::SecretOpt { id, mode: 0o400, optional: true, ..pb::SecretOpt::default() });
    }

    fn secret(&mut self, dest: &str, secret: pb::SecretOpt) {
        self.push(pb::Mount {
            input: -1,
            dest: dest.to_owned(),
            output: -1,
            mount_type: pb::MountType::Secret.into(),
            secret_opt: Some(secret),
            ..pb::Mount::default()
        });
    }

    /// Adds a mount; returns where its tree is in the output, if it is one.
    async fn mount(&mut self, mount: &Mount, output: i64) -> Result<Option<&'static str>, Failure> {
        let dest = mount.path.to_absolute();
        match &mount.kind {
            MountKind::Bind { input, output: Some(_), owner } => {
                return self.writable(*input, owner.as_deref(), mount, output).await.map(Some);
            }
            MountKind::Bind { input, output: None, owner } => self.read_only(*input, owner.as_deref(), &dest).await?,
            MountKind::Cache { key, sharing, owner, seed } => {
                let (uid, gid) = self.owner(owner.as_deref()).await?;
                self.cache(key, *sharing, (uid, gid), *seed, dest).await?;
            }
            MountKind::Secret { name, owner, mode } => {
                let (uid, gid) = self.owner(owner.as_deref()).await?;
                let id = secret_id(&name.0);
                self.secret(&dest, pb::SecretOpt { id, uid, gid, mode: *mode, optional: false });
            }
            MountKind::Tmpfs { size_bytes, mode } => {
                let size = size_bytes.map_or(0, |size| i64::try_from(size).unwrap_or(i64::MAX));
                self.options.owned.push((dest.clone(), Owned { mode: *mode, uid: 0, gid: 0 }));
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
        Ok(None)
    }

    /// Mounts what an input selects so that it cannot be written to.
    ///
    /// It is copied, which makes one layer of it: of several, older versions of BuildKit make a directory that can be
    /// written to, although nothing of what is written stays.
    async fn read_only(&mut self, input: usize, owner: Option<&str>, dest: &str) -> Result<(), Failure> {
        let (selection, tree) = self.input(input)?;
        let (out, from) = match tree {
            Tree::Remote(Remote { out, sub: "", .. }) if owner.is_none() && !selection.path.is_root() => {
                (out, selection.path.to_absolute())
            }
            tree => {
                let path = selection.path.clone();
                let tree = self.engine.local(&tree).await?;
                let selected = self.store().select(tree, &path).map_err(read_failure)?;
                let wrapped = match selected {
                    Selected::Directory(digest) => self.wrapped(self.chown(digest, owner).await?)?,
                    Selected::File(entry) => self.chown(self.single(entry)?, owner).await?,
                };
                (image(wrapped), format!("/{WRAPPED}"))
            }
        };
        let copy = FileAction::copy(0, &from, &format!("/{WRAPPED}"), false);
        let note = Note { name: "what is mounted".to_owned(), ..Note::default() };
        let number = self.number(definition::files(None, vec![out], vec![copy], note));
        self.push(read_only(number, &format!("/{WRAPPED}"), dest));
        Ok(())
    }

    /// Mounts what an input selects so that it can be written to; returns where it is in the output.
    async fn writable(
        &mut self,
        input: usize,
        owner: Option<&str>,
        mount: &Mount,
        output: i64,
    ) -> Result<&'static str, Failure> {
        let (selection, tree) = self.input(input)?;
        let (out, sub) = match tree {
            Tree::Remote(Remote { out, sub, .. }) if owner.is_none() && selection.path.is_root() => (out, sub),
            tree => {
                let path = selection.path.clone();
                let tree = self.engine.local(&tree).await?;
                let tree = match self.store().select(tree, &path).map_err(read_failure)? {
                    Selected::Directory(tree) => tree,
                    // A file that is mounted alone cannot be written to.
                    Selected::File(_) => {
                        self.read_only(input, owner, &mount.path.to_absolute()).await?;
                        return Ok("");
                    }
                };
                (image(self.wrapped(self.chown(tree, owner).await?)?), WRAPPED)
            }
        };
        let (number, selector) = (self.number(out), if sub.is_empty() { String::new() } else { format!("/{sub}") });
        if mounts_below(self.op, &mount.path).next().is_some() {
            self.push(read_only(number, &selector, &format!("{BEFORE}-{output}")));
        }
        self.push(pb::Mount {
            input: number,
            selector,
            dest: mount.path.to_absolute(),
            output,
            ..pb::Mount::default()
        });
        Ok(sub)
    }

    async fn cache(
        &mut self,
        key: &str,
        sharing: CacheSharing,
        (uid, gid): (u32, u32),
        seed: Option<usize>,
        dest: String,
    ) -> Result<(), Failure> {
        let input = match seed {
            None => -1,
            Some(seed) => {
                let (selection, tree) = self.input(seed)?;
                let path = selection.path.clone();
                let tree = self.engine.local(&tree).await?;
                let tree = self.store().subtree(tree, &path).map_err(read_failure)?;
                let tree = self.chown(tree, Some(&format!("{uid}:{gid}"))).await?;
                self.number(image(tree))
            }
        };
        if (uid, gid) != (0, 0) {
            self.options.new.push((dest.clone(), uid, gid));
        }
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
            cache_opt: Some(pb::CacheOpt { id: volume_id(self.store(), key), sharing: sharing.into() }),
            ..pb::Mount::default()
        });
        Ok(())
    }

    /// Makes a tree in which another is a directory, so that its root has a mode and an owner.
    fn wrapped(&self, tree: ContentDigest) -> Result<ContentDigest, Failure> {
        let owned = self.store().node(tree).map_err(Failure::of)?.owned();
        // The node of an entry has no mode of its own.
        let mut node = (*self.store().node(tree).map_err(Failure::of)?).clone();
        node.root = None;
        let digest = self.store().put_node(node).map_err(Failure::of)?;
        let entry = Entry::new(WRAPPED.as_bytes(), Kind::Directory { digest }, owned);
        self.store().put_node(Node::of(vec![entry])).map_err(Failure::of)
    }

    /// Makes a tree of one file.
    fn single(&self, entry: Entry) -> Result<ContentDigest, Failure> {
        let entry = Entry { name: WRAPPED.as_bytes().into(), ..entry };
        self.store().put_node(Node::of(vec![entry])).map_err(Failure::of)
    }

    async fn chown(&self, tree: ContentDigest, owner: Option<&str>) -> Result<ContentDigest, Failure> {
        if owner.is_none() {
            return Ok(tree);
        }
        let (uid, gid) = self.owner(owner).await?;
        let op = FileOp::Chown { path: TreePath::root(), owner: format!("{uid}:{gid}") };
        self.store().apply(&op, tree, None).map_err(edit_failure)
    }

    /// Returns the numbers of an owner; names are those of the root's own files.
    async fn owner(&self, owner: Option<&str>) -> Result<(u32, u32), Failure> {
        let Some(owner) = owner else { return Ok((0, 0)) };
        if owner.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') {
            return self.store().resolve_owner(empty_tree(), owner).map_err(edit_failure);
        }
        let (selection, tree) = self.input(0)?;
        let path = selection.path.clone();
        let tree = self.engine.local(&tree).await?;
        let tree = self.store().subtree(tree, &path).map_err(read_failure)?;
        self.store().resolve_owner(tree, owner).map_err(edit_failure)
    }
}

/// The id of a volume: those of different stores are different, although one Docker has them.
fn volume_id(store: &Store, key: &str) -> String {
    let mut hasher = KeyHasher::new("docker-volumes/1");
    hasher.bytes(store.root().as_os_str().as_encoded_bytes());
    format!("host/{}/{key}", &hasher.cache_key().to_hex()[..16])
}

/// The id of a secret that is mounted as a file.
pub(crate) fn secret_id(name: &str) -> String {
    format!("secret-{name}")
}

fn read_only(input: i64, selector: &str, dest: &str) -> pb::Mount {
    let selector = selector.to_owned();
    pb::Mount { input, selector, dest: dest.to_owned(), output: -1, readonly: true, ..pb::Mount::default() }
}

/// Returns a tree that Docker has as an image.
fn image(tree: ContentDigest) -> Out {
    let identifier = format!("docker-image://{}", archive::name_of(tree));
    let source = pb::SourceOp { identifier, attrs: [].into() };
    let note = Note { name: format!("tree {}", tree.short()), tree: Some(tree), ..Note::default() };
    Llb::new(pb::op::Op::Source(source), Vec::new(), note).out(0)
}

fn nothing() -> Out {
    let note = Note { name: "nothing".to_owned(), ..Note::default() };
    definition::files(None, Vec::new(), vec![FileAction::directory("/.host", 0o755)], note)
}

fn tools(stdin: Option<&[u8]>) -> Out {
    let shim = FileAction::file("/shim", 0o555, SHIM.to_vec());
    let stdin = stdin.map(|stdin| FileAction::file("/stdin", 0o444, stdin.to_vec()));
    let note = Note { name: "shim".to_owned(), ..Note::default() };
    definition::files(None, Vec::new(), std::iter::once(shim).chain(stdin).collect(), note)
}

/// Returns the files that the shim writes to.
fn output_files() -> Out {
    let files = OUTPUT_FILES.iter().map(|name| FileAction::file(&format!("/{name}"), 0o644, Vec::new()));
    let note = Note { name: "files for the output".to_owned(), ..Note::default() };
    definition::files(None, Vec::new(), files.collect(), note)
}

/// Returns what a session has to offer for these commands.
pub(crate) fn params_of(
    engine: &LlbEvaluator,
    step: &Step,
    offered: &mut HashMap<String, Vec<u8>>,
) -> Result<(), Failure> {
    let Some(op) = step.op() else { return Ok(()) };
    let mut values = Vec::new();
    for mount in &op.mounts {
        if let MountKind::Secret { name, .. } = &mount.kind {
            let value = engine.io.secrets.value(name)?;
            values.push(value.clone());
            offered.insert(secret_id(&name.0), value);
        }
    }
    let mut env: Vec<(String, Vec<u8>)> = step::volatile_environment(op).collect();
    for (variable, name) in &op.secret_env {
        let value = engine.io.secrets.value(name)?;
        values.push(value.clone());
        env.push((variable.clone(), value));
    }
    let timeout = [op.timeout, engine.io.timeout].into_iter().flatten().min();
    let bounds = Bounds { timeout, max_output_bytes: engine.io.max_output_bytes };
    if timeout.is_some() || bounds.max_output_bytes != MAX_OUTPUT_BYTES || !env.is_empty() || !values.is_empty() {
        let params = step::params(bounds, &env, &values);
        offered.insert(params_id(&Op::Exec(Box::new(op.clone()))), params);
    }
    Ok(())
}
