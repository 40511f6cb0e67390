use super::*;

fn exec() -> ExecOp {
    ExecOp {
        args: vec!["make".into()],
        env: [("A", "1")].into_iter().collect(),
        volatile_env: Pairs::default(),
        secret_env: Vec::new(),
        cwd: TreePath::root(),
        user: None,
        platform: "linux/amd64".parse().unwrap(),
        mounts: Vec::new(),
        stdin: Stdin::Empty,
        redirect_stdout: None,
        redirect_stderr: None,
        expect: Expect::Codes(vec![0]),
        timeout: None,
        network: true,
        reuse: Reuse::Allowed,
        limits: Limits::default(),
        new_privileges: true,
    }
}

fn key(change: impl FnOnce(&mut ExecOp)) -> crate::CacheKey {
    let mut op = exec();
    change(&mut op);
    let mut hasher = KeyHasher::new("test");
    Op::Exec(Box::new(op)).hash_into(&mut hasher);
    hasher.cache_key()
}

#[test]
fn what_a_command_can_observe_changes_its_key() {
    let same = key(|_| ());
    assert_ne!(same, key(|op| op.args.push("x".into())));
    assert_ne!(same, key(|op| op.env.set("A", "2")));
    assert_ne!(same, key(|op| op.cwd = TreePath::parse("/src").unwrap()));
    assert_ne!(same, key(|op| op.user = Some("app".into())));
    assert_ne!(same, key(|op| op.stdin = Stdin::Text("".into())));
    assert_eq!(same, key(|op| op.volatile_env.set("V", "1")));
    assert_ne!(same, key(|op| op.new_privileges = false));
    assert_ne!(same, key(|op| op.redirect_stdout = Some(TreePath::parse("o").unwrap())));
    assert_ne!(same, key(|op| op.redirect_stderr = Some(TreePath::parse("o").unwrap())));
    assert_ne!(same, key(|op| op.expect = Expect::Any));
    assert_ne!(same, key(|op| op.network = false));
    assert_ne!(same, key(|op| op.limits.processes = Some(1)));
    assert_ne!(same, key(|op| op.secret_env.push(("T".into(), SecretName("t".into())))));
}

#[test]
fn what_it_cannot_observe_does_not() {
    let same = key(|_| ());
    assert_eq!(same, key(|op| op.timeout = Some(Duration::from_secs(1))));
    assert_eq!(same, key(|op| op.reuse = Reuse::Never));
    assert_eq!(same, key(|op| op.user = Some("root".into())));
}

#[test]
fn a_command_is_shown_as_a_shell_would_read_it() {
    let words = |words: &[&str]| shell_words(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
    assert_eq!(words(&["sh", "-c", "echo 'hi'; true", ""]), r"sh -c 'echo '\''hi'\''; true' ''");
}
