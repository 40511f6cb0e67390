//! The checks of every case: the message, the exit code, no data, no panic, and a store that works.

use std::fmt::Write as _;

use testkit::{Answer, Scratch, guest};

/// The exit code of a pipeline that failed.
pub(crate) const VERDICT: i32 = 1;
/// The exit code of wrong usage.
pub(crate) const USAGE: i32 = 2;
/// The exit code of a wrong input.
pub(crate) const INPUT: i32 = 3;
/// The exit code of a machine that lacks something.
pub(crate) const ENVIRONMENT: i32 = 4;

/// The flags of `host call` that grant all powers.
pub(crate) const ALLOW: &str = "--allow machine --allow sources --allow effects --allow secret-access";

/// A row of a table: a name, the arguments of `host`, the exit code, and parts of the message.
pub(crate) type Row<'a> = (&'a str, &'a str, i32, &'a [&'a str]);

/// Runs each row with one store, reports the wrong ones by name, and makes sure
/// that the store still works.
pub(crate) fn check(scratch: &Scratch, rows: &[Row<'_>]) {
    let mut wrong = String::new();
    for (name, words, code, says) in rows {
        if let Err(why) = refusal(&scratch.host(split(words)), *code, says) {
            let _ = writeln!(wrong, "{name}: host {words}\n{why}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    works(scratch);
}

/// Runs `host call` on a guest for each row, whose arguments begin after the module.
pub(crate) fn check_calls(scratch: &Scratch, module: &str, rows: &[Row<'_>]) {
    let module = guest(module).display().to_string();
    let words: Vec<String> = rows.iter().map(|row| format!("call -m {module} {}", row.1)).collect();
    let rows: Vec<Row<'_>> =
        rows.iter().zip(&words).map(|(row, words)| (row.0, words.as_str(), row.2, row.3)).collect();
    check(scratch, &rows);
}

/// Checks the exit code and the message of one answer.
#[track_caller]
pub(crate) fn refused(answer: &Answer, code: i32, says: &[&str]) {
    if let Err(why) = refusal(answer, code, says) {
        panic!("\n{why}");
    }
}

/// Makes sure that a good call works with a store: it computes, makes a file and reads it.
#[track_caller]
pub(crate) fn works(scratch: &Scratch) {
    let answer = scratch.host(good());
    assert_eq!((answer.code, &*answer.stdout), (Some(0), "good\n"), "the store is not whole: {}", answer.stderr);
}

/// Returns the arguments of the good call.
pub(crate) fn good() -> Vec<String> {
    call("values", "base with-new-file --path f --contents good file --path f contents -q")
}

/// Returns the arguments of a call of a guest.
pub(crate) fn call(module: &str, words: &str) -> Vec<String> {
    let mut all = vec!["call".to_owned(), "-m".to_owned(), guest(module).display().to_string()];
    all.extend(split(words));
    all
}

fn refusal(answer: &Answer, code: i32, says: &[&str]) -> Result<(), String> {
    let Answer { stdout, stderr, code: got } = answer;
    let shown = || format!("exit code {got:?}\nstdout: {stdout}\nstderr: {stderr}");
    let lines = || stderr.lines().filter(|line| line.starts_with("error: "));
    match says.iter().find(|phrase| !stderr.contains(**phrase)) {
        _ if *got != Some(code) => Err(format!("the exit code is not {code}\n{}", shown())),
        Some(phrase) => Err(format!("it does not say: {phrase}\n{}", shown())),
        None if !stdout.is_empty() => Err(format!("there is data\n{}", shown())),
        None if lines().count() == 0 => Err(format!("no line begins with `error: `\n{}", shown())),
        None if stderr.contains("panicked") => Err(format!("it panicked\n{}", shown())),
        None => Ok(()),
    }
}

/// Splits a text at spaces that are not in single quotes.
fn split(words: &str) -> Vec<String> {
    let mut split = Vec::new();
    for (n, part) in words.split('\'').enumerate() {
        if n % 2 == 1 {
            split.push(part.to_owned());
        } else {
            split.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    split
}
