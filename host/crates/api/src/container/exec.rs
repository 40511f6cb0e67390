//! The method `with-exec`: from a container and options to an [`ExecOp`].

use std::sync::Arc;

use engine::FailureCode;
use graph::{Edge, ExecOp, Mount, MountKind, Op, Pairs, Reuse, SecretName, Selection, Stdin, TreePath, Vertex};

use super::{Container, MAX_EXPANDED_BYTES, MountSource, too_long};
use crate::options::ExecOptions;

impl Container {
    /// Returns the container after a command that runs in it.
    #[must_use]
    pub fn with_exec(&self, args: Vec<String>, options: &ExecOptions) -> Self {
        if self.failure().is_some() {
            return self.clone();
        }
        match self.exec_op(args, options) {
            Err((code, message)) => self.with_error(code, message),
            Ok((op, inputs)) => self.after(op, inputs),
        }
    }

    fn exec_op(
        &self,
        args: Vec<String>,
        options: &ExecOptions,
    ) -> Result<(ExecOp, Vec<Selection>), (FailureCode, String)> {
        let path = |path: &Option<String>| {
            path.as_ref()
                .map(|path| self.config.workdir.join(path))
                .transpose()
                .map_err(|error| (FailureCode::InvalidPath, error.to_string()))
        };
        let mut inputs = vec![self.rootfs.clone()];
        let mounts = self.mount_ops(&mut inputs);
        let op = ExecOp {
            args: self.command(args, options)?,
            env: self.stable_env(),
            volatile_env: self.config.volatile_env.clone(),
            secret_env: self.stable_secrets(),
            cwd: self.config.workdir.clone(),
            user: self.config.user.clone(),
            platform: self.platform.clone(),
            mounts,
            stdin: match (&options.stdin, path(&options.redirect_stdin)?) {
                (None, None) => Stdin::Empty,
                (Some(text), None) => Stdin::Text(text.as_str().into()),
                (None, Some(path)) => Stdin::File(path),
                (Some(_), Some(_)) => {
                    let message = "`with-stdin` and `with-redirect-stdin` cannot both be set".to_owned();
                    return Err((FailureCode::InvalidArgument, message));
                }
            },
            redirect_stdout: path(&options.redirect_stdout)?,
            redirect_stderr: path(&options.redirect_stderr)?,
            expect: options.expect.clone(),
            timeout: options.timeout,
            network: options.network,
            reuse: if options.is_cached { Reuse::Allowed } else { Reuse::Never },
            limits: options.limits,
            new_privileges: options.new_privileges,
        };
        Ok((op, inputs))
    }

    /// Returns the variables but for those that a volatile one hides.
    fn stable_env(&self) -> Pairs {
        let mut env = self.config.env.clone();
        self.config.volatile_env.entries().iter().for_each(|(name, _)| env.remove(name));
        env
    }

    fn stable_secrets(&self) -> Vec<(String, SecretName)> {
        let is_hidden = |name: &str| self.config.volatile_env.get(name).is_some();
        self.config.secret_env.iter().filter(|(name, _)| !is_hidden(name)).cloned().collect()
    }

    /// Returns the arguments of the command that is run.
    fn command(&self, args: Vec<String>, options: &ExecOptions) -> Result<Vec<String>, (FailureCode, String)> {
        let args = if args.is_empty() { self.config.default_args.to_vec() } else { args };
        let prefix: &[String] = if options.use_entrypoint { &self.config.entrypoint } else { &[] };
        let args: Vec<String> = prefix.iter().cloned().chain(args).collect();
        if args.is_empty() {
            return Err((
                FailureCode::NoExec,
                "no command has been set: `with-exec` got no arguments and there are no default arguments".to_owned(),
            ));
        }
        if !options.expand {
            return Ok(args);
        }
        let (mut expanded, mut n_bytes) = (Vec::with_capacity(args.len()), 0);
        for arg in &args {
            let word = self.expand(arg).map_err(|message| (FailureCode::InvalidArgument, message))?;
            n_bytes += word.len();
            if n_bytes > MAX_EXPANDED_BYTES {
                return Err((FailureCode::InvalidArgument, too_long("the arguments of a command")));
            }
            expanded.push(word);
        }
        Ok(expanded)
    }

    /// Returns the mounts of a command, and adds their sources to `inputs`.
    fn mount_ops(&self, inputs: &mut Vec<Selection>) -> Vec<Mount> {
        let mut n_outputs = 1;
        let mut add = |selection: &Selection| {
            inputs.push(selection.clone());
            inputs.len() - 1
        };
        let mut mounts = Vec::with_capacity(self.mounts.len());
        for mount in self.mounts.iter() {
            let kind = match &mount.source {
                MountSource::Directory { selection, read_only, owner } => {
                    let output = (!read_only).then_some(n_outputs);
                    n_outputs += u32::from(!read_only);
                    MountKind::Bind { input: add(selection), output, owner: owner.clone() }
                }
                MountSource::File { selection, owner } => {
                    MountKind::Bind { input: add(selection), output: None, owner: owner.clone() }
                }
                MountSource::Cache { key, sharing, owner, seed } => MountKind::Cache {
                    key: key.clone(),
                    sharing: *sharing,
                    owner: owner.clone(),
                    seed: seed.as_ref().map(&mut add),
                },
                MountSource::Secret { name, owner, mode } => {
                    MountKind::Secret { name: name.clone(), owner: owner.clone(), mode: *mode }
                }
                MountSource::Temp { size_bytes, mode } => MountKind::Tmpfs { size_bytes: *size_bytes, mode: *mode },
            };
            mounts.push(Mount { path: mount.path.clone(), kind });
        }
        mounts
    }

    /// Returns the container after a command. The outputs of the command replace the trees that it changed.
    fn after(&self, op: ExecOp, inputs: Vec<Selection>) -> Self {
        let outputs: Vec<Option<u32>> = op
            .mounts
            .iter()
            .map(|mount| match mount.kind {
                MountKind::Bind { output, .. } => output,
                _ => None,
            })
            .collect();
        let vertex = Vertex::new(Op::Exec(Box::new(op)), inputs);
        let mut after = self.clone();
        after.rootfs = Edge::first(vertex.clone()).at(TreePath::root());
        let is_changed = outputs.iter().any(Option::is_some);
        let mounts = is_changed.then(|| Arc::make_mut(&mut after.mounts).iter_mut()).into_iter().flatten();
        for (mount, output) in mounts.zip(outputs) {
            if let (MountSource::Directory { selection, owner, .. }, Some(output)) = (&mut mount.source, output) {
                *selection = Edge { vertex: vertex.clone(), output }.at(TreePath::root());
                // The command has given the files to their owner.
                *owner = None;
            }
        }
        after.last_exec = Some(Edge::first(vertex));
        after
    }
}
