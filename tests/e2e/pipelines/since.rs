//! The option `--only-changed-since` of `host run`.

use std::process::Command;

use super::Pipeline;
use testkit::require;

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
    command.current_dir(pipeline.scratch.path("work")).args(["-c", "user.name=a", "-c", "user.email=a@b.example"]);
    let output = command.args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn only_stages_run_whose_inputs_changed() {
    if !require("crun") {
        return;
    }
    let pipeline = Pipeline::new(STAGES);
    for file in ["front/a", "front/b.md", "back/a"] {
        pipeline.scratch.write(file, "1\n");
    }
    // A file that the test has put into the repository is not a change.
    pipeline.scratch.write(".gitignore", "ignored\n");
    git(&pipeline, &["init", "-q"]);
    git(&pipeline, &["add", "-A"]);
    git(&pipeline, &["commit", "-q", "-m", "all"]);
    let reached = || pipeline.run(&["run", "--only-changed-since", "HEAD"]);

    let ran = reached();
    assert_eq!(ran.answer.code, Some(0), "{}", ran.answer.stderr);
    let said = "nothing to run: what changed since `HEAD` reaches no stage\n";
    assert!(ran.answer.stderr.ends_with(said), "{}", ran.answer.stderr);

    // A file that a pattern excludes, or that git ignores, is not a change.
    pipeline.scratch.write("front/b.md", "2\n");
    pipeline.scratch.write("front/ignored", "2\n");
    assert_eq!(reached().outcomes(), Vec::<String>::new());
    pipeline.scratch.write("front/new", "1\n");
    assert_eq!(reached().outcomes(), ["done front"]);
    // A change of a stage that feeds another reaches the other.
    std::fs::remove_file(pipeline.scratch.path("work/back/a")).unwrap();
    assert_eq!(reached().outcomes(), ["done front", "done ship"]);
    git(&pipeline, &["add", "-A"]);
    git(&pipeline, &["commit", "-q", "-m", "more"]);
    assert_eq!(reached().outcomes(), Vec::<String>::new());
    let named = pipeline.run(&["run", "ship", "front", "--only-changed-since", "HEAD~1"]);
    assert_eq!(named.outcomes(), ["done ship", "done front"]);
    // A change of the manifest reaches every stage.
    pipeline
        .scratch
        .write("host.toml", std::fs::read_to_string(pipeline.scratch.path("work/host.toml")).unwrap() + "\n");
    assert_eq!(reached().outcomes(), ["done front", "done ship"]);

    let ran = pipeline.run(&["run", "--only-changed-since=--help"]);
    assert_eq!(ran.answer.code, Some(3), "{}", ran.answer.stderr);
    assert!(ran.answer.stderr.contains("the git repository has no commit `--help`"), "{}", ran.answer.stderr);
}
