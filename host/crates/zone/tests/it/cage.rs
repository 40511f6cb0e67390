//! The cage of a step beside that of Docker, item by item.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testkit::{docker_address, is_root};
use zone::{ExecSpec, RootSpec};

use crate::harness::{Ground, helper, make_busybox};

/// Items of a probe by name. A mount, as all items, has the last of what is at the same place.
type Items = BTreeMap<String, String>;

fn parse(printed: &str) -> Items {
    printed.lines().filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// Makes a root with busybox and the probe, with the libraries that it needs.
fn make_root(root: &Path) {
    make_busybox(root);
    std::fs::copy(helper(), root.join("probe")).unwrap();
    let output = Command::new("ldd").arg(helper()).output().unwrap();
    for path in String::from_utf8(output.stdout).unwrap().split_whitespace().filter(|word| word.starts_with('/')) {
        let copy = root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(path, copy).unwrap();
    }
    for directory in ["proc", "sys", "dev", "etc", "tmp"] {
        std::fs::create_dir_all(root.join(directory)).unwrap();
    }
}

fn docker(address: &str, args: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(["--host", address]).args(args);
    command
}

fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn probe_docker(address: &str, root: &Path) -> Items {
    let mut tar = Command::new("tar").arg("-C").arg(root).args(["-c", "."]).stdout(Stdio::piped()).spawn().unwrap();
    let image = printed(docker(address, &["import", "-"]).stdin(tar.stdout.take().unwrap()));
    assert!(tar.wait().unwrap().success());
    let items = printed(&mut docker(address, &["run", "--rm", "--network=none", image.trim(), "/probe", "probe"]));
    printed(&mut docker(address, &["rmi", image.trim()]));
    parse(&items)
}

async fn probe_zone(ground: &Ground, root: PathBuf) -> Items {
    let (upper, work) = ground.base.uppers();
    let root = RootSpec { lowers: vec![root], upper, work, read_only_binds: Vec::new() };
    let ran = ground.run(&ExecSpec::new(root, ["/probe", "probe"])).await;
    assert_eq!(ran.stderr, "");
    parse(&ran.stdout)
}

/// Returns how an item of a step is weaker than Docker's; nothing if it is as strong, or stronger.
fn weakness(name: &str, ours: Option<&str>, docker: Option<&str>) -> Option<String> {
    let is_weaker = match (name.split(' ').next().unwrap_or(name), ours, docker) {
        ("status", Some(ours), docker) => match name.starts_with("status Cap") {
            true => bits(ours) & !bits(docker.unwrap_or("0")) != 0,
            false => ours < docker.unwrap_or("0"),
        },
        ("call", Some("allowed"), docker) => docker != Some("allowed") && !NEWER.contains(&name),
        ("call", Some(_), _) => false,
        ("device" | "openable", Some(ours), docker) => docker != Some(ours),
        ("device" | "openable", None, _) => false,
        ("limit", Some(ours), Some(docker)) => limits(ours).zip(limits(docker)).any(|(ours, docker)| ours > docker),
        ("mount", Some(ours), Some(docker)) => {
            let lacks = |flag: &&str| has(docker, flag) && !has(ours, flag);
            ["ro", "nosuid", "nodev", "noexec"].iter().any(lacks)
        }
        // Docker shows control groups read-only, and a step has none.
        ("mount", None, Some(_)) => ["/proc", "/sys"].iter().any(|path| is_at(name, path)) && !is_at(name, CGROUPS),
        // Docker has devices in its `/dev`; here each is mounted.
        ("mount", Some(ours), None) => !(is_at(name, "/dev") && has(ours, "ro") && has(ours, "nosuid")),
        ("masked", ours, _) => ours.is_none(),
        ("namespace", Some(ours), Some(docker)) => is_of_machine(name, ours) && !is_of_machine(name, docker),
        ("descriptors", ours, _) => ours != Some("hidden"),
        _ => true,
    };
    is_weaker.then(|| format!("{name}: {} instead of {}", ours.unwrap_or("none"), docker.unwrap_or("none")))
}

/// The calls that the profile of Docker allows in its newest version, and that older versions, or those with an
/// older libseccomp, refuse: name_to_handle_at, process_vm_readv and -writev, pkey_mprotect, -alloc and -free,
/// landlock_restrict_self, and those since Linux 6.5. Source: moby/profiles, `seccomp/default.json` v0.3.0.
const NEWER: [&str; 19] = [
    "call 303", "call 310", "call 311", "call 329", "call 330", "call 331", "call 446", "call 451", "call 452",
    "call 454", "call 455", "call 456", "call 457", "call 458", "call 462", "call 463", "call 464", "call 465",
    "call 466",
];

const CGROUPS: &str = "/sys/fs/cgroup";

/// Returns whether a mount is at a path or below it.
fn is_at(name: &str, path: &str) -> bool {
    name.strip_prefix("mount ").is_some_and(|at| Path::new(at).starts_with(path))
}

fn bits(hex: &str) -> u64 {
    u64::from_str_radix(hex, 16).unwrap()
}

fn limits(text: &str) -> impl Iterator<Item = u64> {
    text.split(' ').map(|value| value.parse().unwrap_or(u64::MAX))
}

fn has(options: &str, flag: &str) -> bool {
    options.split(',').any(|option| option == flag)
}

/// Returns whether a namespace is the one that this test is in.
fn is_of_machine(name: &str, id: &str) -> bool {
    let name = name.trim_start_matches("namespace ");
    std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap() == Path::new(id)
}

#[test]
fn an_item_is_weaker_if_it_allows_more() {
    let check = |name: &str, ours: Option<&str>, docker: Option<&str>, is_weaker: bool| {
        assert_eq!(weakness(name, ours, docker).is_some(), is_weaker, "{name} {ours:?} {docker:?}");
    };
    check("status CapEff", Some("3"), Some("1"), true);
    check("status CapEff", Some("1"), Some("3"), false);
    check("status Seccomp", Some("0"), Some("2"), true);
    check("call 1", Some("allowed"), Some("refused"), true);
    check("call 1", Some("refused"), Some("allowed"), false);
    check("openable b 7:0", Some("yes"), None, true);
    check("limit Max processes", Some("unlimited 7"), Some("7 7"), true);
    check("limit Max processes", Some("5 7"), Some("7 7"), false);
    check("mount /", Some("rw,nodev"), Some("rw"), false);
    check("mount /proc", Some("rw,nosuid"), Some("rw,nosuid,nodev"), true);
    check("mount /proc/keys", None, Some("ro"), true);
    check("mount /etc/resolv.conf", None, Some("rw"), false);
    check("masked /proc/keys", None, Some("yes"), true);
    check("masked /proc/keys", Some("yes"), None, false);
    check("mount /new", Some("ro,nosuid"), None, true);
    check("something new", Some("1"), Some("1"), true);
}

#[tokio::test]
async fn no_item_of_the_cage_is_weaker_than_that_of_docker() {
    if !is_root() {
        return;
    }
    let Some(address) = docker_address() else { return };
    let ground = Ground::new().await;
    let root = ground.base.path().join("probe-root");
    make_root(&root);
    let docker = probe_docker(&address, &root);
    let ours = probe_zone(&ground, root).await;
    assert!(ours.len() > 450 && docker.len() > 450, "{} {}", ours.len(), docker.len());
    let names: std::collections::BTreeSet<&String> = ours.keys().chain(docker.keys()).collect();
    let mut weaker = Vec::new();
    for name in names {
        let (ours, docker) = (ours.get(name).map(String::as_str), docker.get(name).map(String::as_str));
        if ours != docker && !name.starts_with("namespace") {
            println!("{name}: step {}, Docker {}", ours.unwrap_or("none"), docker.unwrap_or("none"));
        }
        weaker.extend(weakness(name, ours, docker));
    }
    assert_eq!(weaker, Vec::<String>::new());
}
