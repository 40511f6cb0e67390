//! From a command and its directories to the step that the zone runs. Without IO.

use evaluate::Command;
use graph::{ExecOp, Limits, Reuse, TreePath};
use zone::{ExecSpec, Network, SecretBytes, Stdin, UserSpec};

use super::mounts::LaidOut;

/// Makes the step of a command.
pub(crate) fn prepare<F: Clone>(command: &Command<'_, F>, laid_out: LaidOut) -> ExecSpec {
    // Without `..`: a new field does not compile until this function says what becomes of it.
    let ExecOp {
        args,
        env: _,
        volatile_env: _,
        secret_env: _,
        cwd,
        user: _,
        platform: _,
        mounts: _,
        stdin,
        redirect_stdout,
        redirect_stderr,
        expect: _,
        timeout: _,
        network: _,
        reuse: Reuse::Allowed | Reuse::Never,
        limits,
        new_privileges: _,
    } = command.op;
    let LaidOut { root, mounts, after } = laid_out;
    let path = |path: &Option<TreePath>| path.as_ref().map(TreePath::to_absolute);
    let user = &command.user;
    let secret = |(name, value): &(String, Vec<u8>)| (name.clone(), SecretBytes(value.clone()));
    ExecSpec {
        mounts,
        env: command.environment(),
        secret_env: command.secret_env.iter().map(secret).collect(),
        cwd: cwd.to_absolute(),
        user: UserSpec { uid: user.uid, gid: user.gid, groups: user.groups.clone() },
        stdin: match stdin {
            graph::Stdin::Empty => Stdin::Empty,
            graph::Stdin::Text(text) => Stdin::Bytes(SecretBytes(text.as_bytes().to_vec())),
            graph::Stdin::File(path) => Stdin::File(path.to_absolute()),
        },
        redirect_stdout: path(redirect_stdout),
        redirect_stderr: path(redirect_stderr),
        timeout: command.timeout,
        network: if command.has_network { Network::Outside } else { Network::None },
        limits: limits_of(*limits),
        gains_privileges: command.gains_privileges,
        after: Some(after),
        ..ExecSpec::new(root, args.iter().cloned())
    }
}

fn limits_of(limits: Limits) -> zone::Limits {
    let Limits { memory_bytes, processes, cpu_millis } = limits;
    zone::Limits { memory_bytes, n_pids: processes, cpu_millis }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use evaluate::{Tree, User};
    use graph::{Expect, Platform};
    use zone::{After, RootSpec};

    use super::*;

    fn op() -> ExecOp {
        ExecOp {
            args: vec!["make".into()],
            env: [("A", "1")].into_iter().collect(),
            volatile_env: graph::Pairs::default(),
            secret_env: Vec::new(),
            cwd: TreePath::parse("src").unwrap(),
            user: None,
            platform: Platform::of_this_machine(),
            mounts: Vec::new(),
            stdin: graph::Stdin::Text("hi".into()),
            redirect_stdout: Some(TreePath::parse("out").unwrap()),
            redirect_stderr: None,
            expect: Expect::Any,
            timeout: Some(Duration::from_secs(9)),
            network: true,
            reuse: Reuse::Allowed,
            limits: Limits { processes: Some(5), ..Limits::default() },
            new_privileges: true,
        }
    }

    fn prepared(op: &ExecOp, has_network: bool) -> ExecSpec {
        let root = RootSpec { lowers: vec!["l".into()], upper: "u".into(), work: "w".into(), read_only_binds: vec![] };
        let after = After { name: "collect".into(), payload: vec![], codes: None };
        let vertex = graph::Vertex::scratch();
        let command: Command<'_, ()> = Command {
            vertex: &vertex,
            op,
            root: Tree::of(store::empty_tree()),
            mounts: Vec::new(),
            user: User { uid: 7, gid: 8, groups: vec![8, 9], home: "/home/app".into() },
            secret_env: Vec::new(),
            secrets: Vec::new(),
            timeout: Some(Duration::from_secs(5)),
            max_output_bytes: 1 << 20,
            has_network,
            gains_privileges: false,
        };
        prepare(&command, LaidOut { root, mounts: vec![], after })
    }

    #[test]
    fn a_step_has_what_its_operation_asks_for() {
        let spec = prepared(&op(), true);
        assert_eq!((spec.cwd.as_str(), spec.user.uid, spec.limits.n_pids), ("/src", 7, Some(5)));
        assert_eq!(spec.redirect_stdout.as_deref(), Some("/out"));
        assert_eq!(spec.stdin, Stdin::Bytes(SecretBytes(b"hi".to_vec())));
        assert_eq!(spec.timeout, Some(Duration::from_secs(5)));
        assert!(!spec.gains_privileges);
    }

    #[test]
    fn a_step_has_a_network_if_its_command_has_one() {
        assert_eq!(prepared(&op(), true).network, Network::Outside);
        assert_eq!(prepared(&op(), false).network, Network::None);
    }

    #[test]
    fn path_and_home_are_there_unless_they_are_set() {
        let names = |op: &ExecOp| prepared(op, true).env.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&op()), ["PATH", "HOME", "A"]);
        let set = ExecOp { env: [("PATH", "/bin")].into_iter().collect(), ..op() };
        assert_eq!(names(&set), ["HOME", "PATH"]);
    }
}
