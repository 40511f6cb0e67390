//! Compares the help of every command with its snapshot.

use expect_test::{ExpectFile, expect, expect_file};

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
    help(&["call", "shell", "with-exec", "--help"], &expect_file!["help/method.txt"]);
}

#[test]
fn without_a_command_the_help_is_talk() {
    let shown = World::new().run(&[]);
    assert!(shown.starts_with("exit 2\n-- stderr\nRuns delivery pipelines"), "{shown}");
    let (_, stages) = shown.split_once("makes a module and calls it\n").unwrap();
    expect![[r#"

        Stages of module `demo`:
          hello          Greets someone.
          add
          switch
          render
          limit          Sets limits.
          limit-all
          mixed
          pair
          build          Compiles the source.
          sum
          login
          cached
          test
          shell
          all
          names
          info
          maybe
          nothing
          bytes
          refuse
          command-fails
          trap
          cancelled
          broken

        Examples:
          host call hello --help
              shows the flags of `hello` and what can be done with its result
          host run
              runs every stage that no other stage needs, with what it needs
    "#]]
    .assert_eq(stages);
}

#[test]
fn without_a_command_a_module_that_was_never_built_is_not_built() {
    let world = World::new();
    world.write("host.toml", "name = \"demo\"\nversion = \"0.1.0\"\nlanguage = \"rust\"\n");
    for words in [&[][..], &["call", "--help"]] {
        let shown = world.run(words);
        let (_, stages) = shown.split_once("Stages of module `demo`:\n").unwrap();
        let expected = "  host functions  builds the module, which was not built before, and lists them\n";
        assert_eq!(stages, expected);
    }
}
