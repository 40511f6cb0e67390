//! The page `docs/conformance.md`: what every engine does, as the suite saw it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use conformance::{Behaviour, Verdict};
use libtest_mimic::{Failed, Trial};

use crate::engines::Target;

/// The verdicts of this run, by behaviour and engine.
static SEEN: Mutex<BTreeMap<(&str, &str), Verdict>> = Mutex::new(BTreeMap::new());

/// The command that writes the page.
const UPDATE: &str = "UPDATE_CONFORMANCE=1 cargo test -p e2e --test conformance";

/// The text above the table.
const HEAD: &str = "\
# What every engine does

Containers behave the same whichever engine runs them.
The suite in the crate `conformance` holds every engine to it: it runs each behaviour of this page on each engine, through the objects of the package `pipeline:api`.

| cell | meaning |
|---|---|
| yes | The engine behaves so. |
| no | The engine cannot do it and says so: a call fails with the code `unavailable`, and never with a wrong result. There is one exception: a command without a network still runs, because commands ask for the network by default. |
| – | The suite has not run this behaviour on this engine. |

| engine | it is |
|---|---|
| `embedded-root` | the embedded engine as root |
| `embedded-user` | the embedded engine as an ordinary user with a range of user numbers in `/etc/subuid` |
| `docker-llb` | Docker through its BuildKit |
| `docker-classic` | Docker without BuildKit |

The expected behaviour is that of Docker and BuildKit, or that of Dagger where these have no counterpart.
Where this project decides otherwise, a comment in the suite says so.
The subject `equal` has definitions of directories: every engine must give the same tree, down to modes, owners, links and the last byte.

`cargo test -p e2e --test conformance` runs the suite.
It fails where this page differs from what it saw; with `UPDATE_CONFORMANCE=1` it writes the page.
";

/// Returns whether the page and the digests of trees are to be written.
pub(crate) fn is_updated() -> bool {
    std::env::var_os("UPDATE_CONFORMANCE").is_some()
}

/// Notes the verdict on one engine.
pub(crate) fn note(target: Target, behaviour: &Behaviour, verdict: &Verdict) {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert((behaviour.name, target.name()), verdict.clone());
}

/// Compares the page with what was seen, or writes it where that is asked for.
///
/// A behaviour that did not run, or that failed its test, keeps its cell.
pub(crate) fn settle() -> Result<(), String> {
    let written = std::fs::read_to_string(path()).map_err(|error| format!("`{}`: {error}", path().display()))?;
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let right = page(&written, |behaviour, engine| seen.get(&(behaviour, engine)).cloned());
    if right == written {
        return Ok(());
    }
    if is_updated() {
        return std::fs::write(path(), right).map_err(|error| format!("`{}`: {error}", path().display()));
    }
    Err(format!(
        "`docs/conformance.md` differs from what was seen:\n{}write it with: {UPDATE}",
        difference(&written, &right)
    ))
}

/// Returns the page as it has to be: the cells that were seen, and the others as they are written.
fn page(written: &str, seen: impl Fn(&str, &str) -> Option<Verdict>) -> String {
    let old: BTreeMap<String, Vec<String>> = rows(written).into_iter().collect();
    let columns: Vec<&str> = Target::ALL.iter().map(|target| target.name()).collect();
    let mut page = format!("{HEAD}\n| behaviour | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for behaviour in conformance::all() {
        let cells = columns.iter().enumerate().map(|(index, column)| {
            let old = old.get(behaviour.name).and_then(|cells| cells.get(index)).map(String::as_str);
            cell(&behaviour, old, seen(behaviour.name, column))
        });
        page.push_str(&format!("| {} | {} |\n", behaviour.name, cells.collect::<Vec<_>>().join(" | ")));
    }
    page
}

/// Returns one cell. Where it depends on the machine whether an engine can do it, a cell that has an answer is right.
fn cell(behaviour: &Behaviour, old: Option<&str>, seen: Option<Verdict>) -> String {
    let old = old.unwrap_or("–");
    match seen {
        None => old.to_owned(),
        Some(_) if behaviour.depends_on_machine() && old != "–" && !is_updated() => old.to_owned(),
        Some(Verdict::Yes) => "yes".to_owned(),
        Some(Verdict::No(reason)) => format!("no: {reason}"),
    }
}

/// Returns the lines that one text has and the other has not.
fn difference(written: &str, right: &str) -> String {
    let only = |text: &str, other: &str, mark: char| {
        let lines = text.lines().filter(|line| !other.lines().any(|other| other == *line));
        lines.map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    let lines = only(written, right, '-') + &only(right, written, '+');
    if lines.is_empty() { "the rows are in another order\n".to_owned() } else { lines }
}

fn path() -> PathBuf {
    testkit::root().join("docs/conformance.md")
}

/// Returns the rows of the table: the behaviour, and a cell for each engine.
fn rows(page: &str) -> Vec<(String, Vec<String>)> {
    let lines = page.lines().filter(|line| line.starts_with("| ") && line.contains(": "));
    let cells = lines.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()));
    cells.filter_map(|mut cells| Some((cells.next()?, cells.collect()))).collect()
}

/// Returns the tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    let test = |name: &str, test: fn() -> Result<(), Failed>| Trial::test(format!("page::{name}"), test);
    vec![
        test("a-cell-that-was-not-seen-stays", || {
            let written =
                page("", |_, _| Some(Verdict::Yes)).replacen("te-exact | yes |", "te-exact | no: reason |", 1);
            is(&page(&written, |_, _| None), &written)
        }),
        test("a-cell-that-was-seen-is-corrected", || {
            let right = page("", |_, _| Some(Verdict::Yes));
            is(
                &page(&right.replacen("te-exact | yes |", "te-exact | no: reason |", 1), |_, _| Some(Verdict::Yes)),
                &right,
            )
        }),
        test("rows-are-in-the-order-of-the-suite", || {
            let right = page("", |_, _| Some(Verdict::Yes));
            let mut lines: Vec<&str> = right.lines().collect();
            let last = lines.len() - 1;
            lines.swap(last, last - 1);
            is(&page(&lines.join("\n"), |_, _| None), &right)
        }),
        test("a-row-without-a-behaviour-goes", || {
            let right = page("", |_, _| None);
            is(&page(&format!("{right}| exec: gone | yes | yes | yes | yes |\n"), |_, _| None), &right)
        }),
        test("a-cell-that-depends-on-the-machine-stays", || {
            let all = conformance::all();
            let of = |need| all.iter().find(|behaviour| behaviour.needs == [need]).ok_or("no such behaviour");
            let (network, images) = (of(conformance::Need::Network)?, of(conformance::Need::Images)?);
            let seen = || Some(Verdict::No("reason".to_owned()));
            if !is_updated() {
                is(&cell(network, Some("yes"), seen()), "yes")?;
                is(&cell(network, Some("no: reason"), Some(Verdict::Yes)), "no: reason")?;
            }
            is(&cell(network, Some("–"), seen()), "no: reason")?;
            is(&cell(images, Some("yes"), seen()), "no: reason")
        }),
    ]
}

fn is(got: &str, expect: &str) -> Result<(), Failed> {
    if got == expect { Ok(()) } else { Err(difference(got, expect).into()) }
}
