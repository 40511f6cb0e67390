//! Compares the help of every command with its snapshot.

use expect_test::{ExpectFile, expect_file};

use crate::world::World;

fn help(words: &[&str], expect: &ExpectFile) {
    expect.assert_eq(&World::new().run(words));
}

#[test]
fn every_command_has_its_help() {
    help(&["--help"], &expect_file!["help/host.txt"]);
    help(&["call", "--help"], &expect_file!["help/call.txt"]);
    help(&["plan", "--help"], &expect_file!["help/plan.txt"]);
    help(&["graph", "--help"], &expect_file!["help/graph.txt"]);
    help(&["watch", "--help"], &expect_file!["help/watch.txt"]);
    help(&["run", "--help"], &expect_file!["help/run.txt"]);
    help(&["check", "--help"], &expect_file!["help/check.txt"]);
    help(&["functions", "--help"], &expect_file!["help/functions.txt"]);
    help(&["init", "-h"], &expect_file!["help/init.txt"]);
    help(&["build", "--help"], &expect_file!["help/build.txt"]);
    help(&["wit", "--help"], &expect_file!["help/wit.txt"]);
    help(&["inspect", "--help"], &expect_file!["help/inspect.txt"]);
    help(&["engine", "--help"], &expect_file!["help/engine.txt"]);
    help(&["cache", "--help"], &expect_file!["help/cache.txt"]);
    help(&["help", "doctor"], &expect_file!["help/doctor.txt"]);
}

#[test]
fn a_stage_has_its_help() {
    help(&["call", "build", "--help"], &expect_file!["help/stage-build.txt"]);
    help(&["call", "limit", "--help"], &expect_file!["help/stage-limit.txt"]);
    help(&["call", "render", "-h"], &expect_file!["help/stage-undocumented.txt"]);
    help(&["call", "shell", "with-exec-options", "--help"], &expect_file!["help/method.txt"]);
}

#[test]
fn without_a_command_the_help_is_talk() {
    let shown = World::new().run(&[]);
    assert!(shown.starts_with("exit 2\n-- stderr\nRuns delivery pipelines"), "{shown}");
}
