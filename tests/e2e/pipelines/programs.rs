//! Programs that contain a whole pipeline.

use expect_test::expect;
use testkit::{Scratch, guest, require};

fn words<'a>(program: &'a str, options: &[&'a str], args: &[&'a str]) -> Vec<&'a str> {
    [&["run", "--progress", "plain"], options, &[program], args].concat()
}

#[test]
fn a_program_writes_its_output_takes_its_arguments_and_gives_its_exit_code() {
    if !require("crun") {
        return;
    }
    let (scratch, program) = (Scratch::new(), guest("program"));
    let program = program.to_str().unwrap();
    let answer = scratch.host(words(program, &["--allow", "machine"], &["ann", "--json"]));
    assert_eq!(answer.stdout, "testing 2 greetings\nann: hello, ann\n--json: hello, --json\npacked 2 files\n");
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(answer.stderr.contains("+ exec sh -e -c"), "{}", answer.stderr);
    let answer = scratch.host(words(program, &["-q", "--allow", "machine"], &[]));
    assert_eq!((answer.code, &*answer.stdout), (Some(1), ""), "{}", answer.stderr);
    expect![[r#"
        Error: nobody to greet: give names as arguments
    "#]]
    .assert_eq(&answer.stderr);
}

#[test]
fn a_program_has_no_power_that_it_was_not_granted_and_no_stages() {
    let (scratch, program) = (Scratch::new(), guest("program"));
    let program = program.to_str().unwrap();
    let answer = scratch.host(words(program, &[], &["ann"]));
    assert_eq!(answer.code, Some(3), "{}", answer.stderr);
    assert!(answer.stderr.contains("needs the power `machine`"), "{}", answer.stderr);
    assert!(answer.stderr.contains("hint: grant it with `--allow machine`\n"), "{}", answer.stderr);
    for command in ["call", "run", "check"] {
        let answer = scratch.host([command, "-m", program]);
        assert_eq!(answer.code, Some(2), "{}", answer.stderr);
        let said = format!("is a program, and has no stages\nhint: `host run {program} [ARGS]...` runs it\n");
        assert!(answer.stderr.contains(&said), "{}", answer.stderr);
    }
    let steps = guest("steps");
    let answer = scratch.host(["run", steps.to_str().unwrap()]);
    assert_eq!(answer.code, Some(2), "{}", answer.stderr);
    assert!(answer.stderr.contains("is no program: it has the stages"), "{}", answer.stderr);
}
