//! Steps that cannot run.

use testkit::{Scratch, require};

use crate::case::{Row, VERDICT, check_calls};

/// Returns a store, with a root file system of busybox in the directory `root`.
fn scratch() -> Option<Scratch> {
    if !require("crun") || !require("busybox") {
        return None;
    }
    let scratch = Scratch::new();
    std::fs::create_dir_all(scratch.path("work/root/bin")).unwrap();
    std::fs::copy("/bin/busybox", scratch.path("work/root/bin/sh")).unwrap();
    scratch.write("root/bin/text", "no program");
    scratch.write("root/etc/passwd", "root:x:0:0::/:/bin/sh\n");
    Some(scratch)
}

#[test]
fn a_command_that_cannot_be_run_has_the_exit_code_of_a_shell() {
    let Some(scratch) = scratch() else { return };
    let rows: &[Row<'_>] = &[
        (
            "missing",
            "base with-rootfs --source root with-exec --args nosuch sync",
            VERDICT,
            &["error: command `nosuch` was not found (exit code 127)", "nosuch: command not found"],
        ),
        ("missing, by path", "base with-rootfs --source root with-exec --args /bin/no sync", VERDICT, &["code 127"]),
        ("no program", "base with-rootfs --source root with-exec --args text sync", VERDICT, &["`text`", "code 126"]),
        ("a directory", "base with-rootfs --source root with-exec --args /bin sync", VERDICT, &["`/bin`", "code 126"]),
        ("an empty root", "base with-exec --args sh sync", VERDICT, &["command `sh` was not found (exit code 127)"]),
        ("no arguments", "base with-exec --args [] sync", VERDICT, &["no command has been set: `with-exec` got no"]),
        (
            "fails",
            "base with-rootfs --source root with-exec --args sh --args -c --args 'echo why >&2; exit 7' sync",
            VERDICT,
            &["exited with code 7", "  stderr:\n    why"],
        ),
    ];
    check_calls(&scratch, "values", rows);
}

#[test]
fn the_user_of_a_command_has_to_exist() {
    let Some(scratch) = scratch() else { return };
    let run = "with-exec --args sh --args -c --args true sync";
    let user = format!("base with-rootfs --source root with-user --user nosuch {run}");
    let group = format!("base with-rootfs --source root with-user --user root:nosuch {run}");
    let other = format!("base with-rootfs --source root with-platform --platform linux/s390x {run}");
    let owner = "directory --value root with-owner --path / --owner nosuch sync";
    let rows: &[Row<'_>] = &[
        ("unknown user", &user, VERDICT, &["user `nosuch` is not in the container's `/etc/passwd`"]),
        ("unknown group", &group, VERDICT, &["`nosuch`", "`/etc/group`"]),
        ("unknown owner", owner, VERDICT, &["`nosuch`", "hint: give numbers, as in `1000:1000`"]),
        (
            "wrong platform",
            &other,
            VERDICT,
            &["platform `linux/s390x` cannot be run on this machine, which is `linux/"],
        ),
        ("no platform", "base with-platform --platform x sync", VERDICT, &["`x` is not a platform"]),
    ];
    check_calls(&scratch, "values", rows);
}

#[test]
fn options_of_a_command_that_contradict_each_other_are_named() {
    let Some(scratch) = scratch() else { return };
    let with = "base with-rootfs --source root with-exec-options --args sh";
    let both = format!("{with} --stdin x --redirect-stdin /x sync");
    let stdin = format!("{with} --redirect-stdin /no/such sync");
    let seconds = format!("{with} --timeout-seconds soon sync");
    let rows: &[Row<'_>] = &[
        ("two inputs", &both, VERDICT, &["`with-stdin` and `with-redirect-stdin` cannot both be set"]),
        ("an input that is not there", &stdin, VERDICT, &["/no/such"]),
        ("no number", &seconds, 2, &["timeout-seconds` of method `with-exec` takes", "not `soon`"]),
        ("nothing was run", "base stdout", VERDICT, &["no command has been run in this container"]),
        (
            "a name of a variable",
            "base with-env-variable --name A=B --value x sync",
            VERDICT,
            &["variable name \"A=B\""],
        ),
        ("a mistake on purpose", "base with-error --message mine sync", VERDICT, &["error: mine"]),
    ];
    check_calls(&scratch, "values", rows);
}

#[test]
fn what_is_too_deep_or_has_too_many_holes_is_refused() {
    if !require("crun") {
        return;
    }
    let run = "--allow machine --no-network machine with-exec";
    let deep = "for (1..20000) { mkdir(q(d)) || die; chdir(q(d)) || die }";
    let deep = format!("{run} --args perl --args -e --args '{deep}' stdout");
    let sparse = format!("{run} --args truncate --args -s --args 100G --args /f stdout");
    let rows: &[Row<'_>] = &[
        ("20,000 deep", &deep, VERDICT, &["more than 4096 deep, below `/d/d/d`", "hint: let the command remove them"]),
        ("100 GiB of holes", &sparse, VERDICT, &["holes of more than 68719476736 bytes together, with `/f`"]),
    ];
    check_calls(&Scratch::new(), "pipelines", rows);
}
