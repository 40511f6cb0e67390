//! Paths that leave their root, for every method that takes a path.

use testkit::{Scratch, require};

use crate::case::{ALLOW, Row, VERDICT, check_calls};

/// The messages for the path `../../../x`.
const LEAVES: &[&str] = &["path `../../../x` leaves its root", "hint: a path stays in the directory or container"];

fn rows<'a>(words: &'a [String]) -> Vec<Row<'a>> {
    words.iter().map(|words| (words.as_str(), words.as_str(), VERDICT, LEAVES)).collect()
}

#[test]
fn no_method_of_a_directory_takes_a_path_out_of_it() {
    let scratch = Scratch::new();
    scratch.write("tree/f", "f");
    let methods = [
        "file --path ../../../x contents",
        "subdirectory --path ../../../x entries",
        "with-new-file --path ../../../x --contents a sync",
        "with-new-directory --path ../../../x sync",
        "with-file --path ../../../x --source tree/f sync",
        "with-directory --path ../../../x --source tree sync",
        "with-symlink --target f --link-name ../../../x sync",
        "without-file --path ../../../x sync",
        "without-directory --path ../../../x sync",
        "with-owner --path ../../../x --owner 0 sync",
        "stat --path ../../../x",
        "exists --path ../../../x",
        "entries --path ../../../x",
        "filter --includes ../../../x --excludes y sync",
    ];
    let words: Vec<String> = methods.iter().map(|method| format!("directory --value tree {method}")).collect();
    let mut rows = rows(&words);
    if let Some(pattern) = rows.last_mut() {
        pattern.3 = &["pattern `../../../x` leaves its root"];
    }
    check_calls(&scratch, "values", &rows);
}

#[test]
fn no_method_of_a_container_takes_a_path_out_of_it() {
    let scratch = Scratch::new();
    scratch.write("tree/f", "f");
    let run = "with-exec --args true sync";
    let methods = [
        "file --path ../../../x contents".to_owned(),
        "directory --path ../../../x entries".to_owned(),
        "with-new-file --path ../../../x --contents a sync".to_owned(),
        "with-file --path ../../../x --source tree/f sync".to_owned(),
        "with-directory --path ../../../x --source tree sync".to_owned(),
        "with-symlink --target f --link-name ../../../x sync".to_owned(),
        "without-file --path ../../../x sync".to_owned(),
        "with-workdir --path ../../../x sync".to_owned(),
        "with-workdir --path ../../../x workdir".to_owned(),
        "with-mounted-directory --path ../../../x --source tree mounts".to_owned(),
        format!("with-mounted-directory --path ../../../x --source tree {run}"),
        format!("with-mounted-file --path ../../../x --source tree/f {run}"),
        format!("with-mounted-cache --path ../../../x --cache k {run}"),
        format!("with-mounted-secret --path ../../../x --source file:tree/f {run}"),
        format!("with-mounted-temp --path ../../../x {run}"),
        "with-exec-options --args true --redirect-stdin ../../../x sync".to_owned(),
        "with-exec-options --args true --redirect-stdout ../../../x sync".to_owned(),
        "with-exec-options --args true --redirect-stderr ../../../x sync".to_owned(),
    ];
    let words: Vec<String> = methods.iter().map(|method| format!("base {method}")).collect();
    check_calls(&scratch, "values", &rows(&words));
}

#[test]
fn an_absolute_path_is_one_of_the_tree() {
    let scratch = Scratch::new();
    scratch.write("tree/f", "f");
    let rows: &[Row<'_>] = &[
        ("above the root", "directory --value tree file --path /../x contents", VERDICT, &["`/../x` leaves its root"]),
        ("through a name", "directory --value tree file --path f/../../x contents", VERDICT, &["leaves its root"]),
        ("of the machine", "directory --value tree file --path /etc/passwd contents", VERDICT, &["`/etc/passwd`"]),
        ("the root as a file", "directory --value tree file --path / contents", VERDICT, &["`/` is a directory"]),
        (
            "over the root",
            "directory --value tree with-new-file --path . --contents x sync",
            VERDICT,
            &["`/` is a dir"],
        ),
        (
            "a mount over the root",
            "base with-mounted-temp --path / with-exec --args true sync",
            VERDICT,
            &["path `/` cannot be mounted over"],
        ),
        (
            "a mistake in what is known",
            "base with-platform --platform plan9 platform",
            VERDICT,
            &["`plan9` is not a platform"],
        ),
    ];
    check_calls(&scratch, "values", rows);
}

#[test]
fn a_function_gets_no_path_out_of_its_trees() {
    let rows = format!("{ALLOW} path-escape");
    let rows: &[Row<'_>] = &[("a guest", &rows, VERDICT, &["stage `path-escape` failed", "`../../etc/passwd` leaves"])];
    check_calls(&Scratch::new(), "hostile", rows);
}

#[test]
fn a_link_in_a_tree_does_not_leave_it() {
    let scratch = Scratch::new();
    let outside = scratch.path("outside");
    std::fs::write(&outside, "kept outside").unwrap();
    scratch.write("tree/f", "f");
    let with = "directory --value tree with-symlink --link-name l --target";
    let out = outside.display();
    let words = [
        format!("{with} {out} file --path l contents"),
        format!("{with} ../outside file --path l contents"),
        format!("{with} ../../../../../../../../{out} file --path l contents"),
        format!("{with} / subdirectory --path l/etc entries"),
    ];
    let mut rows: Vec<Row<'_>> =
        words.iter().map(|words| (words.as_str(), words.as_str(), VERDICT, &["nothing is at `/l"][..])).collect();
    let circle = format!("{with} l file --path l contents");
    rows.push(("a circle", &circle, VERDICT, &["`/l` goes through more than 40 symbolic links", "hint: its links"]));
    check_calls(&scratch, "values", &rows);
    if require("crun") && require("busybox") {
        // A command that writes through a link stays in its root.
        std::fs::create_dir_all(scratch.path("work/root/bin")).unwrap();
        std::fs::copy("/bin/busybox", scratch.path("work/root/bin/sh")).unwrap();
        let words = format!(
            "base with-rootfs --source root with-symlink --target {} --link-name /l \
             with-exec-options --args sh --args -c --args 'echo changed > /l || echo refused' --any-code stdout",
            outside.display()
        );
        let _ = scratch.host(crate::case::call("values", &words));
    }
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "kept outside");
}
