//! Exports of functions that would leave their directory.

use std::fs;
use std::os::unix::fs::symlink;

use testkit::Scratch;

use crate::case::{ALLOW, Row, VERDICT, check_calls};

#[test]
fn an_export_stays_below_the_export_root() {
    let scratch = Scratch::new();
    let outside = scratch.path("outside");
    fs::create_dir(&outside).unwrap();
    scratch.write("tree/f", "f");
    scratch.write("file", "kept");
    symlink(&outside, scratch.path("work/link")).unwrap();
    symlink(outside.join("new"), scratch.path("work/dangling")).unwrap();
    let absolute = outside.join("x").display().to_string();
    let file = |path: &str| format!("{ALLOW} export-file --contents x --path {path}");
    let tree = |path: &str| format!("{ALLOW} export-directory --tree tree --path {path}");
    let leaves = "leaves the export root";
    let words = [
        (file("../x"), leaves),
        (file("a/../../x"), leaves),
        (file(&absolute), leaves),
        (file("link/x"), leaves),
        (file("dangling"), leaves),
        (tree("../x"), leaves),
        (tree("link/x"), leaves),
        (tree("link"), leaves),
        (tree("dangling"), leaves),
        (tree("file"), "is in the way: it is not a directory"),
        (file("tree"), "is in the way: it is not a file"),
    ];
    let says: Vec<[&str; 2]> = words.iter().map(|(_, why)| ["failed\n  caused by: ", *why]).collect();
    let rows: Vec<Row<'_>> = words
        .iter()
        .zip(&says)
        .map(|((words, _), says)| (words.as_str(), words.as_str(), VERDICT, &says[..]))
        .collect();
    check_calls(&scratch, "powers", &rows);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "something was written outside");
    assert_eq!(fs::read_to_string(scratch.path("work/file")).unwrap(), "kept");
}

#[test]
fn an_output_is_not_written_through_links_in_its_target() {
    let scratch = Scratch::new();
    let outside = scratch.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(scratch.path("work/out")).unwrap();
    symlink(&outside, scratch.path("work/out/d")).unwrap();
    let words = "base with-rootfs --source tree with-new-file --path /d/f --contents x -o out";
    fs::create_dir(scratch.path("work/tree")).unwrap();
    let answer = scratch.host(crate::case::call("values", words));
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "written through a link: {}", answer.stderr);
    crate::case::works(&scratch);
}
