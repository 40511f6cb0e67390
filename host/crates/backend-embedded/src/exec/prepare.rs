//! From an operation and what was gathered for it to the step that the zone runs. Pure.

use std::path::PathBuf;
use std::time::Duration;

use graph::{ExecOp, Limits, Reuse, TreePath};

use super::user::User;
use zone::{After, ExecSpec, MountSpec, Network, RootSpec, SecretBytes, Stdin, UserSpec};

/// Where commands are looked for in a container that does not say.
/// Source: Docker's default, `oci/defaults.go`.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What an operation needs besides itself.
pub(crate) struct Gathered {
    /// The layers of the root, the directories for what is written, the machine's directories.
    pub(crate) root: RootSpec,
    /// The mounts in the order of the operation.
    pub(crate) mounts: Vec<MountSpec>,
    /// Who the command runs as.
    pub(crate) user: User,
    /// The values of the secret variables.
    pub(crate) secret_env: Vec<(String, SecretBytes)>,
    /// Reads what was written when the command has exited.
    pub(crate) after: After,
    /// The session's bound on every command.
    pub(crate) timeout: Option<Duration>,
}

/// Makes the step of an operation. `is_network_allowed` is what the run says of all commands.
pub(crate) fn prepare(op: &ExecOp, is_network_allowed: bool, gathered: Gathered) -> ExecSpec {
    // Without `..`: a new field does not compile until this function says what becomes of it.
    let ExecOp {
        args,
        env,
        secret_env: _,
        cwd,
        user: _,
        platform: _,
        mounts: _,
        stdin,
        redirect_stdout,
        redirect_stderr,
        expect: _,
        timeout,
        network,
        reuse: Reuse::Allowed | Reuse::Never,
        limits,
    } = op;
    let Gathered { root, mounts, user, secret_env, after, timeout: bound } = gathered;
    let path = |path: &Option<TreePath>| path.as_ref().map(TreePath::to_absolute);
    ExecSpec {
        mounts,
        env: environment(env, &user, &secret_env),
        secret_env,
        cwd: cwd.to_absolute(),
        user: UserSpec { uid: user.uid, gid: user.gid, groups: user.groups },
        stdin: match stdin {
            graph::Stdin::Empty => Stdin::Empty,
            graph::Stdin::Text(text) => Stdin::Bytes(SecretBytes(text.as_bytes().to_vec())),
            graph::Stdin::File(path) => Stdin::File(path.to_absolute()),
        },
        redirect_stdout: path(redirect_stdout),
        redirect_stderr: path(redirect_stderr),
        timeout: [*timeout, bound].into_iter().flatten().min(),
        network: if *network && is_network_allowed { Network::Outside } else { Network::None },
        limits: limits_of(*limits),
        after: Some(after),
        ..ExecSpec::new(root, args.iter().cloned())
    }
}

/// Adds what every command can rely on: `PATH` and `HOME`.
fn environment(env: &[(String, String)], user: &User, secret_env: &[(String, SecretBytes)]) -> Vec<(String, String)> {
    let is_set =
        |name: &str| env.iter().any(|(other, _)| other == name) || secret_env.iter().any(|(other, _)| other == name);
    let defaults = [("PATH", DEFAULT_PATH), ("HOME", user.home.as_str())];
    let defaults = defaults.into_iter().filter(|(name, _)| !is_set(name));
    defaults.map(|(name, value)| (name.to_owned(), value.to_owned())).chain(env.iter().cloned()).collect()
}

fn limits_of(limits: Limits) -> zone::Limits {
    let Limits { memory_bytes, processes, cpu_millis } = limits;
    zone::Limits { memory_bytes, n_pids: processes, cpu_millis }
}

/// The directories of a writable overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Writable {
    /// Gets what is written.
    pub(crate) upper: PathBuf,
    /// For the overlay's own use.
    pub(crate) work: PathBuf,
}

#[cfg(test)]
mod tests {
    use graph::{Expect, Platform};

    use super::*;

    fn op() -> ExecOp {
        ExecOp {
            args: vec!["make".into()],
            env: vec![("A".into(), "1".into())],
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
        }
    }

    fn gathered() -> Gathered {
        let root = RootSpec { lowers: vec!["l".into()], upper: "u".into(), work: "w".into(), read_only_binds: vec![] };
        let user = User { uid: 7, gid: 8, groups: vec![9], home: "/home/app".into() };
        let after = After { name: "collect".into(), payload: vec![], codes: None };
        Gathered { root, mounts: vec![], user, secret_env: vec![], after, timeout: Some(Duration::from_secs(5)) }
    }

    #[test]
    fn a_step_has_what_its_operation_asks_for() {
        let spec = prepare(&op(), true, gathered());
        assert_eq!((spec.cwd.as_str(), spec.user.uid, spec.limits.n_pids), ("/src", 7, Some(5)));
        assert_eq!(spec.redirect_stdout.as_deref(), Some("/out"));
        assert_eq!(spec.stdin, Stdin::Bytes(SecretBytes(b"hi".to_vec())));
        assert_eq!(spec.timeout, Some(Duration::from_secs(5)), "the shorter of two");
    }

    #[test]
    fn a_step_has_a_network_if_neither_it_nor_the_run_refuses() {
        let check = |network: bool, is_allowed: bool, expect: Network| {
            assert_eq!(prepare(&ExecOp { network, ..op() }, is_allowed, gathered()).network, expect);
        };
        check(true, true, Network::Outside);
        check(false, true, Network::None);
        check(true, false, Network::None);
    }

    #[test]
    fn path_and_home_are_there_unless_they_are_set() {
        let names = |spec: &ExecSpec| spec.env.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&prepare(&op(), true, gathered())), ["PATH", "HOME", "A"]);
        let set = ExecOp { env: vec![("PATH".into(), "/bin".into())], ..op() };
        assert_eq!(names(&prepare(&set, true, gathered())), ["HOME", "PATH"]);
    }
}
