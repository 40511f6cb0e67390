//! Steps that cannot be run as they were asked for.

use support::{Place, require};

use crate::case::{Row, VERDICT, check_calls};

/// A place with a root file system of busybox in `root`.
fn place() -> Option<Place> {
    if !require("crun") || !require("busybox") {
        return None;
    }
    let place = Place::new();
    std::fs::create_dir_all(place.path("work/root/bin")).unwrap();
    std::fs::copy("/bin/busybox", place.path("work/root/bin/sh")).unwrap();
    place.write("root/bin/text", "no program");
    place.write("root/etc/passwd", "root:x:0:0::/:/bin/sh\n");
    Some(place)
}

#[test]
fn a_command_that_cannot_be_run_has_the_exit_code_of_a_shell() {
    let Some(place) = place() else { return };
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
    check_calls(&place, "values", rows);
}

#[test]
fn what_a_command_is_run_as_has_to_exist() {
    let Some(place) = place() else { return };
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
    check_calls(&place, "values", rows);
}

#[test]
fn options_of_a_command_that_contradict_each_other_are_named() {
    let Some(place) = place() else { return };
    let with = "base with-rootfs --source root with-exec-options --args sh";
    let both = format!("{with} --stdin x --redirect-stdin /x sync");
    let stdin = format!("{with} --redirect-stdin /no/such sync");
    let seconds = format!("{with} --timeout-seconds soon sync");
    let rows: &[Row<'_>] = &[
        ("two inputs", &both, VERDICT, &["`with-stdin` and `with-redirect-stdin` cannot both be set"]),
        ("an input that is not there", &stdin, VERDICT, &["/no/such"]),
        ("no number", &seconds, 2, &["timeout-seconds` of method `with-exec-options` takes", "not `soon`"]),
        ("nothing was run", "base stdout", VERDICT, &["no command has been run in this container"]),
        (
            "a name of a variable",
            "base with-env-variable --name A=B --value x sync",
            VERDICT,
            &["variable name \"A=B\""],
        ),
        ("a mistake on purpose", "base with-error --message mine sync", VERDICT, &["error: mine"]),
    ];
    check_calls(&place, "values", rows);
}
