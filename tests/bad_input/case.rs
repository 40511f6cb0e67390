//! What every case holds: the message, the exit code, no data, no panic, a store that works.

use std::fmt::Write as _;

use support::{Answer, Place, guest};

/// The pipeline's own verdict.
pub(crate) const VERDICT: i32 = 1;
/// What was typed is wrong.
pub(crate) const USAGE: i32 = 2;
/// What was named is wrong.
pub(crate) const INPUT: i32 = 3;
/// The machine cannot do it.
pub(crate) const ENVIRONMENT: i32 = 4;

/// All powers, as `host call` takes them.
pub(crate) const ALLOW: &str = "--allow machine --allow sources --allow effects --allow secret-access";

/// A name, the words after `host`, the exit code, and what the message says.
pub(crate) type Row<'a> = (&'a str, &'a str, i32, &'a [&'a str]);

/// Runs each row in one place, reports those that are not as they should be by name, and makes sure
/// that the store still works.
pub(crate) fn check(place: &Place, rows: &[Row<'_>]) {
    let mut wrong = String::new();
    for (name, words, code, says) in rows {
        if let Err(why) = refusal(&place.host(split(words)), *code, says) {
            let _ = writeln!(wrong, "{name}: host {words}\n{why}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    works(place);
}

/// Runs `host call` on a guest for each row, whose words begin behind the module.
pub(crate) fn check_calls(place: &Place, module: &str, rows: &[Row<'_>]) {
    let module = guest(module).display().to_string();
    let words: Vec<String> = rows.iter().map(|row| format!("call -m {module} {}", row.1)).collect();
    let rows: Vec<Row<'_>> =
        rows.iter().zip(&words).map(|(row, words)| (row.0, words.as_str(), row.2, row.3)).collect();
    check(place, &rows);
}

/// Checks one answer.
#[track_caller]
pub(crate) fn refused(answer: &Answer, code: i32, says: &[&str]) {
    if let Err(why) = refusal(answer, code, says) {
        panic!("\n{why}");
    }
}

/// Makes sure that the fixed good call works in a place: it computes, makes a file and reads it.
#[track_caller]
pub(crate) fn works(place: &Place) {
    let answer = place.host(good());
    assert_eq!((answer.code, &*answer.stdout), (Some(0), "good\n"), "the store is not whole: {}", answer.stderr);
}

/// The words of the fixed good call.
pub(crate) fn good() -> Vec<String> {
    call("values", "base with-new-file --path f --contents good file --path f contents -q")
}

/// The words of a call of a guest.
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

/// Splits words at spaces; quotes hold them together.
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
