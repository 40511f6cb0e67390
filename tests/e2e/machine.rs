//! Steps with the tools of this machine, which they cannot change.

use std::process::Command;

use testkit::{Scratch, require};

use crate::run::Chain;

fn output(scratch: &Scratch, script: &str) -> String {
    Chain::machine().sh(script).stdout().run(scratch).ok().trim_end().to_owned()
}

#[test]
fn a_step_uses_this_machines_tools_and_cannot_change_them() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    assert_eq!(output(&scratch, "ls --version | head -1 | cut -d' ' -f1"), "ls");
    for path in ["/usr/bin/broken", "/bin/broken", "/lib/broken"] {
        let refused = Chain::machine().sh(&format!("echo broken > {path}")).then(&["sync"]).run(&scratch);
        let said = refused.fails(1);
        assert!(said.contains("Read-only file system") || said.contains("Permission denied"), "{path}: {said}");
    }
    assert!(!std::path::Path::new("/usr/bin/broken").exists());
    // `/etc` is a copy for each step.
    let ours = std::fs::read("/etc/passwd").unwrap();
    assert_eq!(output(&scratch, "echo changed > /etc/passwd; cat /etc/passwd"), "changed");
    assert_eq!(std::fs::read("/etc/passwd").unwrap(), ours);
}

#[test]
fn private_files_of_the_machine_are_not_in_a_step() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    assert_eq!(output(&scratch, "ls -A /root /home /work /var/lib 2>/dev/null | grep -v : || true").trim(), "");
    assert_eq!(output(&scratch, "cat /etc/shadow /etc/gshadow /etc/ssh/* 2>/dev/null | wc -c"), "0");
    assert_eq!(output(&scratch, "[ -e /etc/passwd ] && [ -d /tmp ] && echo there"), "there");
}

#[test]
fn a_step_does_not_see_the_environment_of_the_caller() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let chain = Chain::machine().sh("env | cut -d= -f1 | sort | tr '\\n' ' '").stdout();
    let ran = chain.run_with(&scratch, |command| {
        command.env("CALLERS_OWN", "x").env("LD_PRELOAD", "").env("XDG_RUNTIME_DIR", "/run");
    });
    assert_eq!(ran.ok(), "HOME PATH PWD \n");
}

#[test]
fn a_step_without_network_has_only_its_own_loopback() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let alone = |script: &str| {
        let ran = Chain::machine().sh(script).stdout().run_with(&scratch, |command| {
            command.arg("--no-network");
        });
        ran.ok().trim().to_owned()
    };
    assert_eq!(alone("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"), "lo");
    assert_eq!(alone("tail -n +2 /proc/net/route | wc -l"), "0");
}

#[test]
fn a_step_sees_only_its_own_processes_and_no_descriptors_of_others() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    assert_eq!(
        output(&scratch, "cat /proc/1/comm; ls -d /proc/[0-9]* | wc -l | (read n; [ $n -lt 9 ] && echo few)"),
        ".init\nfew"
    );
    assert_eq!(output(&scratch, "ls /proc/self/fd | tr '\\n' ' '"), "0 1 2 3");
    assert_eq!(output(&scratch, "hostname; grep NoNewPrivs /proc/self/status | cut -f2").lines().last(), Some("0"));
}

#[test]
fn a_step_that_writes_nothing_changes_nothing() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let before = Chain::machine().then(&["rootfs", "digest"]).run(&scratch);
    let after = Chain::machine().sh("true").then(&["rootfs", "digest"]).run(&scratch);
    assert_eq!(after.ok(), before.ok());
}

#[test]
fn a_container_with_only_a_static_program_works() {
    if !require("crun") || !require("busybox") {
        return;
    }
    let scratch = Scratch::new();
    let words = ["with-file-options", "--path", "/bin/busybox", "--source", "/bin/busybox", "--with-mode", "0o755"];
    let container = Chain::new("empty").then(&words);
    let listed = container.clone().then(&["with-exec", "--args", "/bin/busybox,ls,-A,/", "stdout"]).run(&scratch);
    let listed: Vec<&str> = listed.ok().lines().collect();
    assert!(listed.contains(&"bin") && !listed.contains(&"usr"), "{listed:?}");
    let links = container.then(&["with-exec", "--args", "/bin/busybox,--install,-s,/bin"]);
    assert_eq!(links.clone().sh("echo $(id -u) > /made; cat /made").stdout().run(&scratch).ok(), "0\n");
    let entries = links.sh("echo 1 > /made").then(&["rootfs", "entries"]).run(&scratch);
    assert_eq!(entries.ok(), "bin/\nmade\n");
}

/// Makes the store a directory on an overlay, as the root of a container is one, and runs a command then.
const OVERLAY: &str = r#"
    at=$1; shift
    mkdir -p "$at/lower" "$at/upper" "$at/work" "$HOST_STORE" &&
        mount -t overlay -o "lowerdir=$at/lower,upperdir=$at/upper,workdir=$at/work" none "$HOST_STORE" || exit 99
    exec "$@"
"#;

#[test]
fn steps_can_delete_on_a_store_that_is_on_an_overlay() {
    if !require("root") || !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let on_overlay = |command: &mut Command| {
        let mut wrapped = Command::new("unshare");
        wrapped.args(["--mount", "--propagation", "private", "sh", "-c", OVERLAY, "sh"]).arg(scratch.path("overlay"));
        wrapped.arg(command.get_program()).args(command.get_args());
        wrapped.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        wrapped.current_dir(scratch.path("work"));
        *command = wrapped;
    };
    let then = |script: &str| {
        let chain = Chain::machine()
            .sh("mkdir -p /d/in /gone; touch /d/in/x /d/a /d/b /gone/x /file")
            .sh("rm -r /d/a /d/in /gone /file; ls /d");
        chain.sh(script).stdout().run_with(&scratch, on_overlay).ok().to_owned()
    };
    assert_eq!(then("ls -d /gone /file 2>/dev/null; ls /d; mkdir /d/in; ls -A /d/in"), "b\n");
    // In another run, over layers that the store has.
    assert_eq!(then("rm -r /d; mkdir /d; touch /d/last; ls /d"), "last\n");
}
