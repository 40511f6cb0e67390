//! `host run` and `host check` with real stages.

mod checks;
mod failures;
mod order;
mod programs;
mod retries;
mod since;

use serde_json::Value as Json;
use testkit::{Answer, Scratch, guest};

/// A module of stages whose scripts are in the manifest.
struct Pipeline {
    scratch: Scratch,
}

/// Returns the words of a line without the first number that a unit of time follows.
fn without_time(line: &str) -> String {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if let Some(at) = words.iter().position(|word| ["s", "ms", "m"].contains(word)) {
        words.drain(at - 1..=at);
    }
    words.join(" ")
}

/// The result of a run, with its events.
struct Ran {
    answer: Answer,
    events: Vec<Json>,
}

impl Pipeline {
    /// Makes a module of the guest program `flow` with these stages.
    fn new(stages: &str) -> Self {
        Self::of("flow", &["machine"], stages)
    }

    /// Makes a module of a guest program with these powers and stages.
    fn of(program: &str, powers: &[&str], stages: &str) -> Self {
        let scratch = Scratch::new();
        let head = format!("name = \"shop\"\nversion = \"0.1.0\"\nallow = {powers:?}\n");
        scratch.write("host.toml", format!("{head}component = '{}'\n{stages}", guest(program).display()));
        Self { scratch }
    }

    /// Runs `host` in the directory of the module.
    fn run(&self, words: &[&str]) -> Ran {
        let events = self.scratch.path("events");
        let events_text = events.to_str().expect("the path of the repository is UTF-8");
        let (command, rest) = words.split_first().expect("a command");
        let options = [*command, "--progress", "plain", "--events", events_text];
        let answer = self.scratch.host([&options, rest].concat());
        let text = std::fs::read_to_string(&events).unwrap_or_default();
        let events = text.lines().map(|line| serde_json::from_str(line).expect("a line of events is JSON")).collect();
        Ran { answer, events }
    }
}

impl Ran {
    /// Returns the lines of the summary without times, as in `done test`.
    fn outcomes(&self) -> Vec<String> {
        let words = ["done", "passed", "failed", "skipped", "stopped"];
        let lines = self.answer.stderr.lines().filter(|line| words.iter().any(|word| line.starts_with(word)));
        lines.map(without_time).collect()
    }

    /// Returns the names and outcomes of the stages, from the events.
    fn stages(&self) -> Vec<(&str, &str)> {
        let stages = self.events.iter().filter(|event| event["event"] == "stage");
        stages.filter_map(|event| Some((event["stage"].as_str()?, event["outcome"].as_str()?))).collect()
    }

    /// Returns the events of commands whose name contains a text.
    fn commands(&self, text: &str) -> Vec<&Json> {
        let is_it = |event: &&Json| {
            let name = event["name"].as_str().unwrap_or_default();
            event["event"] == "vertex" && name.starts_with("exec ") && name.contains(text)
        };
        self.events.iter().filter(is_it).collect()
    }
}
