//! Docker's containers without BuildKit: what is particular to them. The conformance suite shows the rest.

use graph::{Mount, MountKind, SecretName};

use crate::harness::{Session, Settings, base, command, docker, exec, open_classic, path, sh, unique};

async fn open(store: &std::path::Path) -> Option<Session> {
    let docker = docker()?;
    let settings = Settings { secrets: vec![("pw", "hunter2-value")], ..Settings::default() };
    Some(open_classic(&docker, store, settings).await)
}

#[tokio::test]
async fn a_chain_leaves_the_files_of_all_its_steps_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let Some(session) = open(dir.path()).await else { return };
    let before = session.list(&base()).await;
    let one = sh(&base(), &format!("echo {} > /bin/unique; rm /bin/unique; mkdir -m 2750 /d; echo a > /d/a", unique()));
    let two = sh(&one, "chmod 4711 /d/a; ln -s /nowhere /d/link; echo out; echo err >&2; rm /bin/date");
    assert_eq!(session.stdout(&two).await, "out\n");
    let expect =
        before.replace("\nbin/date 777 7", "").replace("\netc/ ", "\nd/ 2750 0\nd/a 4711 2\nd/link 777 8\netc/ ");
    assert_eq!(session.list(&two).await, expect);
    assert_eq!(session.outcomes(), ["Ran never-ran", "Ran never-ran"]);
    let again = open(dir.path()).await.unwrap();
    assert_eq!(again.stdout(&two).await, "out\n");
    assert_eq!(again.outcomes(), ["Cached hit", "Cached hit"]);
}

#[tokio::test]
async fn a_command_gets_nothing_of_the_one_before_but_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let Some(session) = open(dir.path()).await else { return };
    let mut op = command(&format!("touch /made-{}", unique()));
    op.env.set("A", "1");
    let kind = MountKind::Tmpfs { size_bytes: Some(1 << 20), mode: 0o1777 };
    op.mounts = vec![Mount { path: path("mnt/deep"), kind }];
    let one = exec(op, vec![base()]);
    let two = sh(&one, "echo [$A]; env | grep -c HOSTNAME; ls -a / | grep -e mnt -e docker; mkdir -p /mnt/deep");
    assert_eq!(session.stdout(&sh(&two, "ls -d /mnt/deep")).await, "/mnt/deep\n");
    assert_eq!(session.stdout(&two).await, "[]\n0\n");
}

#[tokio::test]
async fn values_of_secrets_are_in_memory_and_on_no_disk() {
    let dir = tempfile::tempdir().unwrap();
    let Some(session) = open(dir.path()).await else { return };
    // The kernel says of each mount what kind of file system it is.
    let script = "while read -r _ _ _ _ at _ rest; do case $at in /run/pw | /dev/.host/secret) \
                  echo $at ${rest#*- };; esac; done < /proc/self/mountinfo; \
                  cat /dev/.host/params 2>/dev/null; ls /dev/.host/secret";
    let mut op = command(&format!("{script}; : {}", unique()));
    op.secret_env = vec![("PW".into(), SecretName("pw".into()))];
    let kind = MountKind::Secret { name: SecretName("pw".into()), owner: None, mode: 0o400 };
    op.mounts = vec![Mount { path: path("run/pw"), kind }];
    let printed = session.stdout(&exec(op, vec![base()])).await;
    let lines: Vec<String> =
        printed.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["/dev/.host/secret tmpfs", "/run/pw tmpfs", "files", "params"], "{printed}");
}
