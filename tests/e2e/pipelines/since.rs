//! `--only-changed-since`.

use std::process::Command;

use super::Pipeline;
use support::require;

const STAGES: &str = r#"
[stages.front]
call = "say"
args = { script = "echo front", src = "front" }
ignore = ["*.md"]
[stages.back]
call = "make"
args = { script = "echo back > a", src = "back" }
[stages.ship]
call = "say"
args = { script = "cat /first/a", first = { from = "back" } }
"#;

fn git(pipeline: &Pipeline, words: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(pipeline.place.path("work")).args(["-c", "user.name=a", "-c", "user.email=a@b.example"]);
    let output = command.args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn only_stages_run_that_are_given_something_that_changed() {
    if !require("crun") {
        return;
    }
    let pipeline = Pipeline::new(STAGES);
    for file in ["front/a", "front/b.md", "back/a"] {
        pipeline.place.write(file, "1\n");
    }
    // What tests leave there is no change.
    pipeline.place.write(".gitignore", "ignored\n");
    git(&pipeline, &["init", "-q"]);
    git(&pipeline, &["add", "-A"]);
    git(&pipeline, &["commit", "-q", "-m", "all"]);
    let reached = || pipeline.run(&["run", "--only-changed-since", "HEAD"]);

    let ran = reached();
    assert_eq!(ran.answer.code, Some(0), "{}", ran.answer.stderr);
    let said = "nothing to run: what changed since `HEAD` reaches no stage\n";
    assert!(ran.answer.stderr.ends_with(said), "{}", ran.answer.stderr);

    // Left out by a pattern, ignored by git: no change.
    pipeline.place.write("front/b.md", "2\n");
    pipeline.place.write("front/ignored", "2\n");
    assert_eq!(reached().outcomes(), Vec::<String>::new());
    pipeline.place.write("front/new", "1\n");
    assert_eq!(reached().outcomes(), ["done front"]);
    // What feeds a leaf is part of it.
    std::fs::remove_file(pipeline.place.path("work/back/a")).unwrap();
    assert_eq!(reached().outcomes(), ["done front", "done ship"]);
    git(&pipeline, &["add", "-A"]);
    git(&pipeline, &["commit", "-q", "-m", "more"]);
    assert_eq!(reached().outcomes(), Vec::<String>::new());
    let named = pipeline.run(&["run", "ship", "front", "--only-changed-since", "HEAD~1"]);
    assert_eq!(named.outcomes(), ["done ship", "done front"]);
    // The manifest says what stages do.
    pipeline.place.write("host.toml", std::fs::read_to_string(pipeline.place.path("work/host.toml")).unwrap() + "\n");
    assert_eq!(reached().outcomes(), ["done front", "done ship"]);

    let ran = pipeline.run(&["run", "--only-changed-since", "--help"]);
    assert_eq!(ran.answer.code, Some(3), "{}", ran.answer.stderr);
    assert!(ran.answer.stderr.contains("the git repository has no commit `--help`"), "{}", ran.answer.stderr);
}
