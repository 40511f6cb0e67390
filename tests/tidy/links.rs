//! Links of the documentation, and addresses in the whole tree.

use std::collections::BTreeSet;
use std::path::Path;

use super::{files, none, read, root, shown};

/// Public hosts that the tree may name.
const HOSTS: &[&str] = &[
    "dagger.io",
    "ghcr.io",
    "github.com",
    "graphviz.org",
    "index.docker.io",
    "json-schema.org",
    "mermaid.js.org",
    "registry-1.docker.io",
    "rustup.rs",
    "sh.rustup.rs",
    "taplo.tamasfe.dev",
    "www.apache.org",
    "www.w3.org",
];

#[test]
fn links_of_the_documentation_lead_to_files_and_headings() {
    let mut wrong = Vec::new();
    for path in files(".md") {
        for link in links(&read(&path)) {
            if !link.contains("://") && !leads_somewhere(&path, &link) {
                wrong.push(format!("{}: `{link}`", shown(&path)));
            }
        }
    }
    none(wrong);
}

/// Returns whether the file of a link is there and has its heading.
fn leads_somewhere(from: &Path, link: &str) -> bool {
    let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
    let target = if file.is_empty() { from.to_owned() } else { from.parent().unwrap().join(file) };
    match heading {
        Some(heading) => target.is_file() && headings(&read(&target)).contains(heading),
        None => target.exists(),
    }
}

/// Returns the targets of the links of a Markdown text, outside of code.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in outside_code(text) {
        // A link in a span of code is text.
        let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        let found = plain.match_indices("](").filter_map(|(at, _)| plain[at + 2..].split_once(')'));
        links.extend(found.map(|(link, _)| link.to_owned()));
    }
    links
}

fn outside_code(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Returns the anchors of the headings of a Markdown text, as GitHub makes them.
fn headings(text: &str) -> BTreeSet<String> {
    let anchor = |line: &str| {
        let heading = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
        let kept = heading.to_lowercase().replace(' ', "-");
        Some(kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect())
    };
    outside_code(text).filter_map(anchor).collect()
}

#[test]
fn links_and_headings_are_read_as_github_does() {
    let text = "# A `code` heading, and more\n[a](b.md#c) `[no](link)`\n```\n[no](code)\n# no heading\n```\n[d](#e)\n";
    assert_eq!(links(text), ["b.md#c", "#e"]);
    assert_eq!(headings(text), BTreeSet::from(["a-code-heading-and-more".to_owned()]));
}

#[test]
fn addresses_name_only_public_or_reserved_hosts() {
    let mut wrong = Vec::new();
    for path in files("") {
        // What is not text has no addresses that somebody reads.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (at, _) in text.match_indices("://") {
            let is_host = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
            let host = &text[at + 3..];
            let host = &host[..host.find(|c| !is_host(c)).unwrap_or(host.len())];
            if !is_allowed(host) {
                wrong.push(format!("{}: {host}", shown(&path)));
            }
        }
    }
    none(wrong);
}

/// Returns whether a host is public and well known, or one that cannot exist: an IP address, a name without a dot, or a
/// name below a reserved domain.
/// Source: RFC 2606, "Reserved Top Level DNS Names".
fn is_allowed(host: &str) -> bool {
    let domain = host.rsplit('.').next().unwrap_or_default();
    let reserved = ["example", "test", "invalid", "localhost"].contains(&domain) || host.contains("example.com");
    let is_number = domain.bytes().all(|byte| byte.is_ascii_digit());
    !host.contains('.') || reserved || is_number || HOSTS.contains(&host)
}

#[test]
fn no_file_has_the_path_of_this_repository() {
    let own = root().display().to_string();
    let has_path = |path: &Path| std::fs::read_to_string(path).is_ok_and(|text| text.contains(&own));
    none(files("").iter().filter(|path| has_path(path)).map(|path| shown(path)).collect());
}
