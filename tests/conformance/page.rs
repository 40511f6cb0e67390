//! The table in the documentation.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use conformance::{Behaviour, Verdict};

use crate::backends::Target;

/// What was seen in this run, by behaviour and backend.
static SEEN: Mutex<BTreeMap<(String, &str), String>> = Mutex::new(BTreeMap::new());

/// What is above the table.
const HEAD: &str = "\
# What every backend does

The suite of the crate `conformance` runs these behaviours against every backend, through the objects of the package `pipeline:api`.
A backend that cannot do one says so in its `caps`, and then the suite expects a failure with the code `unavailable` in its place, never a wrong result; the network is the exception, because commands ask for it by default and run without it where there is none.
The behaviours whose names begin with `equal` are definitions whose tree has the same digest on every backend.

What is expected comes from Docker and BuildKit as their users know them, from the tests and the recorded answers of Dagger, and from this project's own decisions where it differs.

`embedded-root` is the embedded backend as root, `embedded-user` as an ordinary user with a range of users; `docker-llb` is Docker through its BuildKit, `docker-classic` Docker as if it had none.
When the page was written a behaviour with `not yet` failed its test, and one with `–` was not tried.

`cargo test -p e2e --test conformance` runs the suite; with `UPDATE_CONFORMANCE=1` it writes this page.
";

/// Returns whether the page and the digests are to be written.
pub(crate) fn is_updated() -> bool {
    std::env::var_os("UPDATE_CONFORMANCE").is_some()
}

/// Notes what a backend did; none where it did otherwise than it should.
pub(crate) fn note(target: Target, behaviour: &Behaviour, verdict: Option<&Verdict>) {
    let cell = match verdict {
        Some(Verdict::Yes) => "yes".to_owned(),
        Some(Verdict::No(reason)) => format!("no: {reason}"),
        None => "not yet".to_owned(),
    };
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert((behaviour.name.to_owned(), target.name()), cell);
}

/// Compares the page with the list of behaviours.
pub(crate) fn compare() -> Result<(), String> {
    let written = rows(&read()?);
    let names = |name: &str| written.iter().any(|(other, _)| other == name);
    let all = conformance::all();
    let mut wrong: Vec<String> = all
        .iter()
        .filter(|behaviour| !names(behaviour.name))
        .map(|behaviour| format!("`{}` is missing", behaviour.name))
        .collect();
    let known = |name: &str| all.iter().any(|behaviour| behaviour.name == name);
    wrong.extend(written.iter().filter(|(name, _)| !known(name)).map(|(name, _)| format!("`{name}` is gone")));
    if wrong.is_empty() { Ok(()) } else { Err(format!("{}\nrun with UPDATE_CONFORMANCE=1", wrong.join("\n"))) }
}

/// Writes the page; what was not tried in this run stays as it was.
pub(crate) fn write() -> Result<(), String> {
    let old: BTreeMap<String, Vec<String>> = rows(&read().unwrap_or_default()).into_iter().collect();
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let columns: Vec<&str> = Target::ALL.iter().map(|target| target.name()).collect();
    let mut page = format!("{HEAD}\n| behaviour | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for behaviour in conformance::all() {
        let cells = columns.iter().enumerate().map(|(index, column)| {
            let kept = || old.get(behaviour.name).and_then(|cells| cells.get(index)).cloned();
            let now = seen.get(&(behaviour.name.to_owned(), *column)).cloned();
            now.or_else(kept).unwrap_or_else(|| "–".to_owned())
        });
        page.push_str(&format!("| {} | {} |\n", behaviour.name, cells.collect::<Vec<_>>().join(" | ")));
    }
    std::fs::write(path(), page).map_err(|error| format!("`{}`: {error}", path().display()))
}

fn path() -> PathBuf {
    support::root().join("docs/conformance.md")
}

fn read() -> Result<String, String> {
    std::fs::read_to_string(path()).map_err(|error| format!("`{}`: {error}", path().display()))
}

/// Returns the rows of the table: the behaviour, and a cell for each backend.
fn rows(page: &str) -> Vec<(String, Vec<String>)> {
    let lines = page.lines().filter(|line| line.starts_with("| ") && line.contains(": "));
    let cells = lines.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()));
    cells.filter_map(|mut cells| Some((cells.next()?, cells.collect()))).collect()
}
