//! `--explain`: shows for every vertex whether it ran, and why.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::{Vertex, events};

/// The most characters of a name in the table. `--explain=json` shows all.
const NAME_WIDTH: usize = 60;

/// The format of the explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explain {
    /// A table for people.
    Text,
    /// A JSON list of objects like the lines of `--events`.
    Json,
}

impl Explain {
    /// Returns the explanation of vertices in this format.
    #[must_use]
    pub fn render(self, vertices: &[Vertex]) -> String {
        match self {
            Self::Json => {
                let entries = vertices.iter().map(|vertex| Json::Object(events::entry(vertex))).collect();
                serde_json::to_string_pretty(&Json::Array(entries)).unwrap_or_default()
            }
            Self::Text => table(vertices),
        }
    }
}

fn table(vertices: &[Vertex]) -> String {
    if vertices.is_empty() {
        return "nothing was evaluated".to_owned();
    }
    let names: Vec<String> = vertices.iter().map(|vertex| shortened(&vertex.event.name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let mut table = format!("{:9}  {:>8}  {:width$}  WHY", "OUTCOME", "TIME", "VERTEX");
    for (vertex, name) in vertices.iter().zip(&names) {
        let outcome = events::outcome_code(&vertex.outcome);
        let took = terminal::duration(vertex.duration);
        let why = vertex.reason.describe();
        let _ = write!(table, "\n{outcome:9}  {took:>8}  {name:width$}  {why}");
    }
    table
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_WIDTH {
        return name.to_owned();
    }
    name.chars().take(NAME_WIDTH - 1).chain(['…']).collect()
}
