//! What is told about machines.

use std::path::PathBuf;

use expect_test::{Expect, expect};
use module::{Distribution, LanguageTools};

use super::checks::checks;
use super::facts::{Cgroup, Facts, NamespaceProblem, StoreFacts};
use super::text;

fn good() -> Facts {
    Facts {
        is_root: false,
        may_mount: false,
        distribution: Distribution::Debian,
        kernel: "6.1.0-13-amd64".to_owned(),
        crun: Some((PathBuf::from("/usr/bin/crun"), "crun version 1.8".to_owned())),
        has_overlay: true,
        user_namespaces: None,
        newuidmap: Some(PathBuf::from("/usr/bin/newuidmap")),
        has_subordinate_ids: true,
        user: (1000, Some("ann".to_owned())),
        cgroup: Cgroup::V2,
        cargo: Some((PathBuf::from("/home/ann/.cargo/bin/cargo"), "cargo 1.95.0".to_owned())),
        has_wasm_target: Some(true),
        languages: Vec::new(),
        store: StoreFacts {
            path: PathBuf::from("/home/ann/.local/share/host"),
            is_writable: true,
            file_system: "ext4",
            free_bytes: 40 << 30,
        },
        program: Some(PathBuf::from("/home/ann/.cargo/bin/host")),
        other_hosts: Vec::new(),
    }
}

fn check(facts: &Facts, expect: &Expect) {
    expect.assert_eq(&text(&checks(facts)));
}

#[test]
fn a_good_machine_needs_nothing() {
    check(
        &good(),
        &expect![[r"
        ok       crun                crun version 1.8 (/usr/bin/crun)
        ok       overlayfs           Linux 6.1.0-13-amd64
        ok       user namespaces     can be made
        ok       newuidmap           /usr/bin/newuidmap
        ok       cgroup              version 2
        ok       cargo               cargo 1.95.0 (/home/ann/.cargo/bin/cargo)
        ok       wasm32-wasip2       installed
        ok       store               /home/ann/.local/share/host (ext4, 40.0 GiB free)

        Everything that is needed is there
    "]],
    );
}

#[test]
fn what_is_missing_comes_with_the_command_that_gets_it() {
    let facts = Facts {
        crun: None,
        user_namespaces: Some(NamespaceProblem::AppArmor),
        newuidmap: None,
        cargo: None,
        has_wasm_target: None,
        languages: vec![LanguageTools {
            language: "python",
            found: "`python3` was not found".into(),
            fix: Some("get it".into()),
        }],
        cgroup: Cgroup::Absent,
        store: StoreFacts { is_writable: false, ..good().store },
        other_hosts: vec![PathBuf::from("/usr/bin/host")],
        ..good()
    };
    check(
        &facts,
        &expect![[r#"
            MISSING  crun                not found on the PATH
                                         -> sudo apt-get install -y crun
            ok       overlayfs           Linux 6.1.0-13-amd64
            MISSING  user namespaces     AppArmor refuses them
                                         -> sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
            note     newuidmap           not found: all files in containers belong to one user
                                         -> sudo apt-get install -y uidmap
            note     cgroup              none: limits on memory and processes cannot be set
            note     cargo               not found: modules in Rust cannot be built
                                         -> curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh
            note     wasm32-wasip2       not known without a Rust compiler
            note     python              `python3` was not found
                                         -> get it
            MISSING  store               /home/ann/.local/share/host cannot be written
                                         -> set HOST_STORE to a directory that you can write, or run `sudo chown $USER /home/ann/.local/share/host`
            note     name                `/usr/bin/host` is another program of this name, and comes first on the PATH
                                         -> put it first: export PATH="/home/ann/.cargo/bin:$PATH"

            3 things that are needed are missing
        "#]],
    );
}

#[test]
fn a_user_without_a_name_or_without_ids_is_told() {
    let newuidmap = |facts: Facts| text(&checks(&facts)).lines().skip(3).take(2).collect::<Vec<_>>().join("\n");
    expect![[r#"
        note     newuidmap           `/etc/subuid` or `/etc/subgid` does not have `ann`: all files in containers belong to one user
                                     -> sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ann"#]].assert_eq(&newuidmap(Facts { has_subordinate_ids: false, ..good() }));
    expect![[r#"
        note     newuidmap           the user 4321 has no name on this machine: all files in containers belong to one user
                                     -> give it one: sudo useradd --uid 4321 NAME"#]].assert_eq(&newuidmap(Facts { user: (4321, None), has_subordinate_ids: false, ..good() }));
}
