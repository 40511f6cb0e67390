//! Dry sessions, which report what would run.

use engine::Outcome;

use crate::answer::{Wrong, holds, same};
use crate::arg::Arg as _;
use crate::behaviour::{Behaviour, behaviours};
use crate::case::Case;
use crate::session::SessionOptions;

/// Opens a dry session over the same store.
async fn dry<'a>(s: &Case<'a>) -> Result<Case<'a>, Wrong> {
    Ok(s.again(&SessionOptions { is_dry: true, ..SessionOptions::default() }).await?)
}

/// Checks that the commands with these parts in their names were reported as planned, and that no command started.
fn only_planned(s: &Case<'_>, parts: &[&str]) -> Result<(), Wrong> {
    let planned = s.session.finished("exec ", |outcome| *outcome == Outcome::Planned);
    let are_told = parts.iter().all(|part| planned.iter().any(|name| name.contains(part)));
    holds(are_told && planned.len() == parts.len(), || format!("would run: {planned:?}"))?;
    let n_begun = s.session.n_started("exec ");
    holds(n_begun == 0, || format!("{n_begun} commands were begun"))
}

pub(super) const ALL: &[Behaviour] = behaviours![
    ("dry: a command that has no result is reported and not run", [], async |s| {
        let s = dry(s).await?;
        s.base().sh("echo x; : dry-never").stdout().fails("planned", "would run").await?;
        only_planned(&s, &["dry-never"])
    }),
    ("dry: a command that needs another one is reported with it", [], async |s| {
        let s = dry(s).await?;
        let chain = s.base().sh("echo 1 > /a; : dry-first").sh("cat /a; : dry-second");
        chain.stdout().fails("planned", "would run").await?;
        chain.file("/a").contents().fails("planned", "would run").await?;
        only_planned(&s, &["dry-first", "dry-second"])
    }),
    ("dry: results of another session are used", [], async |s| {
        let chain = |s: &Case<'_>| s.base().sh("echo out; : dry-found");
        chain(s).stdout().is("out\n").await?;
        let s = dry(s).await?;
        chain(&s).stdout().is("out\n").await?;
        only_planned(&s, &[])
    }),
    ("dry: a session without cache reports commands that have a result", [], async |s| {
        let chain = |s: &Case<'_>| s.base().sh("echo out; : dry-anew");
        chain(s).stdout().is("out\n").await?;
        let options = SessionOptions { is_dry: true, is_cache_used: false, ..SessionOptions::default() };
        let s = s.again(&options).await?;
        chain(&s).stdout().fails("planned", "would run").await?;
        only_planned(&s, &["dry-anew"])
    }),
    ("dry: local directories and new files are evaluated", [], async |s| {
        let place = s.local_place().map_err(|error| Wrong::new(error.to_string()))?;
        std::fs::write(place.join("f"), "1").map_err(|error| Wrong::new(error.to_string()))?;
        let digest = |s: &Case<'_>| s.local_directory(&place).with_new_file("/g", "2").digest();
        let there = digest(s).text().await?;
        let s = dry(s).await?;
        same(&digest(&s).text().await?, &there)?;
        s.directory().with_new_file("/a", "x").file("/a").contents().is("x").await
    }),
    ("dry: nothing is written to this machine", [], async |s| {
        let s = dry(s).await?;
        let file = s.tree(&[("f", "1")]).file("f").object()?;
        let answered = s.effect("export-file", vec![file, "dry/f".value()]).await;
        let is_planned = matches!(&answered, Err(failure) if failure.code() == "planned");
        holds(is_planned, || format!("{answered:?}"))?;
        holds(!s.session.exports().join("dry").exists(), || "it was written".to_owned())
    }),
];
