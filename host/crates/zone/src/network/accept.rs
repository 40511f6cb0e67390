//! Rules in the firewall of this machine that let through what zones forward.
//!
//! Docker, for one, has this machine forward nothing but its own. In that table a rule cannot vanish with
//! a process, so each has the name of its zone, and a process outside of the zone removes it; should that
//! one be killed too, whoever starts later does.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::cgroup::is_stale;
use super::super::tools::find_tool;
use super::firewall::{self, ForwardChain};

/// The chain of iptables that decides, and the table with the rules that refuse.
const FORWARD: &str = "FORWARD";
const FILTER: &str = "filter";

/// The tables of iptables with such a chain; the others change packets and refuse none.
const TABLES: [&str; 3] = [FILTER, "mangle", "security"];

/// A chain that Docker leaves to others, and looks at first.
const DOCKER_USER: &str = "DOCKER-USER";

/// Lets what comes from a link through, and the answers to it. `tag` names the zone.
///
/// # Errors
/// If something else than iptables decides, or iptables cannot be changed.
pub(super) fn allow(tools: &[PathBuf], chains: &[ForwardChain], link: &str, tag: &str) -> Result<(), String> {
    let is_iptables = |chain: &ForwardChain| chain.name == FORWARD && TABLES.contains(&chain.table.as_str());
    if let Some(chain) = chains.iter().find(|chain| !is_iptables(chain)) {
        let ForwardChain { table, name } = chain;
        return Err(format!("the chain `{name}` of the firewall table `{table}` decides about what is forwarded"));
    }
    for program in programs(tools, chains)? {
        let has_docker = call(&program, &["-n", "-L", DOCKER_USER]).is_some();
        let chain = if has_docker { DOCKER_USER } else { FORWARD };
        let comment = ["-m", "comment", "--comment", tag, "-j", "ACCEPT"];
        let answers = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"];
        let rules = [
            [&["-I", chain, "-i", link][..], &comment].concat(),
            [&["-I", chain, "-o", link][..], &answers, &comment].concat(),
        ];
        if rules.iter().any(|rule| call(&program, rule).is_none()) {
            return Err(format!("`{}` cannot add a rule to the chain `{chain}`", program.display()));
        }
    }
    Ok(())
}

/// Returns whether iptables may decide about what this machine forwards.
pub(crate) fn has_iptables() -> bool {
    !kinds(&firewall::forward_chains().unwrap_or_default()).is_empty()
}

/// Removes the rules of zones that are dead; with `own`, also those of that one.
pub(crate) fn remove_stale(tools: &[PathBuf], own: Option<&str>) {
    let chains = firewall::forward_chains().unwrap_or_default();
    for program in programs(tools, &chains).unwrap_or_default() {
        let rules = call(&program, &["-S"]).unwrap_or_default();
        for rule in rules.lines().filter(|rule| is_over(rule, own)) {
            let words: Vec<&str> = rule.split_whitespace().map(|word| if word == "-A" { "-D" } else { word }).collect();
            let _ = call(&program, &words);
        }
    }
}

/// Returns whether a rule, as iptables prints it, is of a zone that has ended.
fn is_over(rule: &str, own: Option<&str>) -> bool {
    let mut words = rule.split_whitespace();
    let tag = words.find(|word| *word == "--comment").and_then(|_| words.next()).map(|tag| tag.trim_matches('"'));
    rule.starts_with("-A ") && tag.is_some_and(|tag| own == Some(tag) || is_stale(tag))
}

/// Returns the programs that change the tables of iptables that this machine has: there are two kinds.
fn programs(tools: &[PathBuf], chains: &[ForwardChain]) -> Result<Vec<PathBuf>, String> {
    let find = |name: &&str| {
        let found = find_tool(tools, name).or_else(|| find_tool(tools, "iptables"));
        found.ok_or_else(|| "iptables filters what is forwarded, and its program is not installed".to_owned())
    };
    kinds(chains).iter().map(find).collect()
}

/// Returns the names of the programs for the kinds of tables that filter here.
fn kinds(chains: &[ForwardChain]) -> Vec<&'static str> {
    let mut names = Vec::new();
    if chains.iter().any(|chain| chain.table == FILTER && chain.name == FORWARD) {
        names.push("iptables-nft");
    }
    let legacy = std::fs::read_to_string("/proc/net/ip_tables_names").unwrap_or_default();
    if legacy.lines().any(|table| table == FILTER) {
        names.push("iptables-legacy");
    }
    names
}

/// Runs iptables and returns what it printed, if it did what was asked.
fn call(program: &Path, args: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(["-w", "5"]).args(args).env_clear().stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_of_zones_that_ended_are_removed() {
        let check = |rule: &str, own: Option<&str>, expect: bool| assert_eq!(is_over(rule, own), expect, "{rule}");
        let dead = "-A DOCKER-USER -i hz9 -m comment --comment host-zone-4194304-1 -j ACCEPT";
        check(dead, None, true);
        check(&dead.replace("-A", "-N"), None, false);
        let living = "-A FORWARD -i hz1 -m comment --comment \"host-zone-1-0\" -j ACCEPT";
        check(living, Some("host-zone-1-0"), true);
        check("-A FORWARD -i eth0 -m comment --comment web -j ACCEPT", Some("host-zone-1-0"), false);
        check("-A FORWARD -j DOCKER-USER", None, false);
    }

    #[test]
    fn a_firewall_of_another_kind_is_named() {
        let chains = [ForwardChain { table: "firewalld".to_owned(), name: "filter_FORWARD".to_owned() }];
        assert_eq!(
            allow(&[], &chains, "hz1", "host-zone-1-1").unwrap_err(),
            "the chain `filter_FORWARD` of the firewall table `firewalld` decides about what is forwarded"
        );
    }
}
