//! From a vertex and the values of its inputs to a command with everything that it needs.

use engine::{Failure, FailureCode, SessionIo};
use graph::{ContentDigest, ExecOp, FileOp, MountKind, Selection, TreePath, Vertex};
use store::{Owned, Selected, StatKind, Store};
use trees::failure::{edit_failure, read_failure};

use crate::command::{CacheMount, Command, Mount, Mounted};
use crate::user::{self, User};
use crate::value::{Tree, Value};

/// Gathers what a command needs. Lays nothing out.
///
/// # Errors
/// If an input does not have what is mounted, a user is unknown, or a secret cannot be had.
pub(crate) fn gather<'a, F: Clone + Default>(
    store: &Store,
    io: &SessionIo,
    vertex: &'a Vertex,
    op: &'a ExecOp,
    inputs: &[Value<F>],
) -> Result<Command<'a, F>, Failure> {
    let mut gatherer = Gatherer { store, io, vertex, inputs, secrets: Vec::new() };
    let root = gatherer.tree(0)?;
    let user = gatherer.user(&root, op.user.as_deref())?;
    gatherer.check_workdir(&root, op)?;
    let mut mounts = Vec::with_capacity(op.mounts.len());
    for mount in &op.mounts {
        mounts.push(Mount { path: &mount.path, what: gatherer.mount(&mount.kind, &root)? });
    }
    let mut secret_env = Vec::with_capacity(op.secret_env.len());
    for (name, secret) in &op.secret_env {
        secret_env.push((name.clone(), gatherer.secret(secret)?));
    }
    Ok(Command {
        vertex,
        op,
        root,
        mounts,
        user,
        secret_env,
        secrets: gatherer.secrets,
        timeout: [op.timeout, io.timeout].into_iter().flatten().min(),
        max_output_bytes: io.max_output_bytes,
        has_network: op.network && io.rules.network,
        gains_privileges: op.new_privileges && io.rules.new_privileges,
    })
}

struct Gatherer<'a, 'b, F> {
    store: &'b Store,
    io: &'b SessionIo,
    vertex: &'a Vertex,
    inputs: &'b [Value<F>],
    /// The values of all secrets so far.
    secrets: Vec<Vec<u8>>,
}

impl<'a, F: Clone + Default> Gatherer<'a, '_, F> {
    fn input(&self, index: usize) -> Result<(&'a Selection, Tree<F>), Failure> {
        let input = self.vertex.inputs().get(index).zip(self.inputs.get(index));
        let (selection, value) = input.ok_or_else(|| Failure::bug("a mount names an input that is not there"))?;
        Ok((selection, value.output(selection.edge.output)))
    }

    /// Returns the directory that an input selects, as a tree.
    fn tree(&self, index: usize) -> Result<Tree<F>, Failure> {
        let (selection, tree) = self.input(index)?;
        if selection.path.is_root() {
            return Ok(tree);
        }
        self.store.subtree(tree.digest, &selection.path).map(Tree::of).map_err(read_failure)
    }

    fn secret(&mut self, name: &graph::SecretName) -> Result<Vec<u8>, Failure> {
        let value = self.io.secrets.value(name)?;
        self.secrets.push(value.clone());
        Ok(value)
    }

    fn user(&self, root: &Tree<F>, user: Option<&str>) -> Result<User, Failure> {
        let text = |path: &str| {
            let path = TreePath::parse(path).unwrap_or_default();
            let bytes = self.store.read_file(root.digest, &path, 0, None).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        user::resolve(user, &text("etc/passwd"), &text("etc/group"))
            .map_err(|unknown| Failure::invalid(FailureCode::InvalidArgument, unknown.to_string()))
    }

    /// Refuses a working directory that is something else. One in a mount is looked at when it is entered.
    fn check_workdir(&self, root: &Tree<F>, op: &ExecOp) -> Result<(), Failure> {
        if op.mounts.iter().any(|mount| op.cwd.below(&mount.path).is_some()) {
            return Ok(());
        }
        match self.store.stat(root.digest, &op.cwd, true).map_err(read_failure)? {
            Some(stat) if stat.kind != StatKind::Directory => Err(crate::Refusal::Directory.failure(op)),
            _ => Ok(()),
        }
    }

    /// Returns the numbers of an owner; names are those of the root's own files.
    fn owner(&self, root: &Tree<F>, owner: Option<&str>) -> Result<(u32, u32), Failure> {
        let Some(owner) = owner else { return Ok((0, 0)) };
        self.store.resolve_owner(root.digest, owner).map_err(edit_failure)
    }

    fn mount(&mut self, kind: &'a MountKind, root: &Tree<F>) -> Result<Mounted<'a, F>, Failure> {
        Ok(match kind {
            MountKind::Bind { input, output, owner } => self.bind(*input, *output, owner.as_deref(), root)?,
            MountKind::Cache { key, sharing, owner, seed } => Mounted::Cache(CacheMount {
                key,
                sharing: *sharing,
                owner: self.owner(root, owner.as_deref())?,
                seed: seed.map(|seed| Ok::<_, Failure>(self.tree(seed)?.digest)).transpose()?,
            }),
            MountKind::Secret { name, owner, mode } => {
                let (uid, gid) = self.owner(root, owner.as_deref())?;
                Mounted::Secret { value: self.secret(name)?, owned: Owned { mode: *mode, uid, gid } }
            }
            MountKind::Tmpfs { size_bytes, mode } => Mounted::Tmpfs { size_bytes: *size_bytes, mode: *mode },
        })
    }

    fn bind(
        &self,
        input: usize,
        output: Option<u32>,
        owner: Option<&str>,
        root: &Tree<F>,
    ) -> Result<Mounted<'a, F>, Failure> {
        let owner = owner.map(|owner| self.owner(root, Some(owner))).transpose()?;
        let (selection, tree) = self.input(input)?;
        match self.store.select(tree.digest, &selection.path).map_err(read_failure)? {
            Selected::File(entry) => {
                let owned = owner.map_or(entry.owned, |(uid, gid)| Owned { uid, gid, ..entry.owned });
                Ok(Mounted::File(store::Entry { owned, ..entry }))
            }
            Selected::Directory(digest) => {
                let tree = if digest == tree.digest { tree } else { Tree::of(digest) };
                Ok(Mounted::Directory { tree: self.chown(tree, owner)?, output })
            }
        }
    }

    fn chown(&self, tree: Tree<F>, owner: Option<(u32, u32)>) -> Result<Tree<F>, Failure> {
        let Some((uid, gid)) = owner else { return Ok(tree) };
        let op = FileOp::Chown { path: TreePath::root(), owner: format!("{uid}:{gid}") };
        let digest: ContentDigest = self.store.apply(&op, tree.digest, None).map_err(edit_failure)?;
        Ok(Tree { near: vec![tree.digest], ..Tree::of(digest) })
    }
}
