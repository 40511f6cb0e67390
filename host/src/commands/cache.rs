//! `host cache`

use clap::{Arg, Command};
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};
use terminal::bytes;

use crate::args::{Hinted, Parsed, WORDS, options};
use crate::context::{Context, Entry, is_json, print_json};
use crate::exit::ExitStatus;
use crate::platform::{CacheEntry, CacheReport, DamagedEntry, VerifiedCache};
use crate::report::{Report, Result};
use crate::styles::examples;

/// What `host cache` can do.
const ACTIONS: &[&str] = &["size", "list", "clear", "verify"];

pub(crate) static ENTRY: Entry = Entry { name: "cache", summary: "Shows, checks or empties the store", define, run };

fn define(command: Command) -> Command {
    command
        .arg(
            Arg::new(WORDS)
                .value_name("WHAT")
                .value_parser(Hinted::new(ACTIONS.iter().copied()))
                .help("What to do [default: size]"),
        )
        .arg(options::json())
        .after_help(examples(&[
            ("host cache", "prints the size of the store"),
            ("host cache list", "lists what it holds, the largest first"),
            ("host cache clear", "empties it, whatever is damaged in it"),
            ("host cache verify", "checks all of it, and removes what is damaged"),
        ]))
}

fn run(parsed: &Parsed, context: Context<'_>) -> Result<ExitStatus> {
    match parsed.words.first().map_or("size", String::as_str) {
        "size" => size(parsed, context),
        "list" => list(parsed, context),
        "clear" => clear(parsed, context),
        "verify" => verify(parsed, context),
        other => Err(Report::usage(format!("`host cache` has no `{other}`"))
            .with_hint(module::suggestion(other, ACTIONS, "it has"))
            .with_usage("host cache [OPTIONS] [size|list|clear|verify]")),
    }
}

fn size(parsed: &Parsed, context: Context<'_>) -> Result<ExitStatus> {
    let CacheReport { size_bytes, entries } = context.platform.cache()?;
    let store = &context.config.store;
    if is_json(parsed) {
        let shown = json!({ "store": store, "size_bytes": size_bytes, "entries": entries.len() });
        return print_json(context.io, &shown);
    }
    context.io.print(&format!("{} in {} entries, in {}", bytes(size_bytes), entries.len(), store.display()));
    Ok(ExitStatus::Done)
}

fn list(parsed: &Parsed, context: Context<'_>) -> Result<ExitStatus> {
    let mut entries = context.platform.cache()?.entries;
    entries.sort_by(|a, b| b.size_bytes.cmp(&a.size_bytes).then_with(|| a.name.cmp(&b.name)));
    if is_json(parsed) {
        let shown: Vec<Json> = entries.iter().map(as_json).collect();
        return print_json(context.io, &shown);
    }
    let mut text = String::new();
    for CacheEntry { kind, name, size_bytes, used_at: _ } in &entries {
        let _ = writeln!(text, "{:>10}  {kind:14}  {name}", bytes(*size_bytes));
    }
    context.io.print_bytes(text.as_bytes());
    Ok(ExitStatus::Done)
}

fn clear(parsed: &Parsed, context: Context<'_>) -> Result<ExitStatus> {
    let cleared = context.platform.clear_cache()?;
    if is_json(parsed) {
        let shown = json!({
            "entries": cleared.n_entries,
            "size_bytes": cleared.size_bytes,
            "kept_entries": cleared.n_kept,
            "kept_bytes": cleared.kept_bytes,
            "is_deferred": cleared.is_deferred,
        });
        return print_json(context.io, &shown);
    }
    context.io.say(&format!("removed {} entries, {}", cleared.n_entries, bytes(cleared.size_bytes)));
    if cleared.n_kept > 0 {
        context.io.say(&format!(
            "kept {} entries, {}, because runs use them",
            cleared.n_kept,
            bytes(cleared.kept_bytes)
        ));
    }
    if cleared.is_deferred {
        context.io.say("files that nothing needs stay while a run uses the store: clear it again afterwards");
    }
    Ok(ExitStatus::Done)
}

fn verify(parsed: &Parsed, context: Context<'_>) -> Result<ExitStatus> {
    let VerifiedCache { counts, damaged } = context.platform.verify_cache()?;
    let n_damaged = damaged.len();
    if is_json(parsed) {
        let entry = |entry: &DamagedEntry| json!({ "kind": entry.kind, "name": entry.name, "what": entry.what });
        let checked: serde_json::Map<String, Json> =
            counts.iter().map(|(kind, n)| ((*kind).to_owned(), json!(n))).collect();
        let shown = json!({ "checked": checked, "damaged": damaged.iter().map(entry).collect::<Vec<_>>() });
        print_json(context.io, &shown)?;
    } else {
        let counts: Vec<String> = counts.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        context.io.say(&format!("checked {}", counts.join(", ")));
        for DamagedEntry { kind, name, what } in &damaged {
            let what = if what.is_empty() { String::new() } else { format!(": {what}") };
            context.io.say(&format!("damaged and removed: {kind} `{name}`{what}"));
        }
    }
    match n_damaged {
        0 => Ok(ExitStatus::Done),
        1 => Err(damage("1 entry of the store was damaged, and is removed")),
        n => Err(damage(&format!("{n} entries of the store were damaged, and are removed"))),
    }
}

fn damage(message: &str) -> Report {
    Report::environment(message).with_hint("the next run makes again what it needs of them")
}

fn as_json(entry: &CacheEntry) -> Json {
    let seconds = |at: SystemTime| at.duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default();
    json!({
        "kind": entry.kind,
        "name": entry.name,
        "size_bytes": entry.size_bytes,
        "used_at": entry.used_at.map(seconds),
    })
}
