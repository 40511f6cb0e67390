//! Operations in a drawing of stages.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use engine::Outcome;
use graph::DefinitionDigest;
use pipeline::{Drawing, Edge, Node, NodeKind};

use crate::commands::plan::{Operation, Survey, Surveyed};
use crate::platform::Obstacle;

/// The most characters of a name that a box has.
const MAX_LABEL: usize = 60;

/// Draws the operations of stages: arrows lead from what is needed to what needs it, and from what a stage makes last
/// to the stage. Directories below `cwd` are named as they are from there.
pub(super) fn add(drawing: &mut Drawing, positions: &[Option<usize>], survey: &Survey, cwd: &Path) {
    let mut drawn: HashMap<DefinitionDigest, usize> = HashMap::new();
    for stage in &survey.stages {
        for operation in &stage.operations {
            drawn.entry(operation.vertex.digest).or_insert_with(|| {
                drawing.nodes.push(node(operation, cwd));
                drawing.nodes.len() - 1
            });
        }
    }
    for stage in &survey.stages {
        let mut lasts: Vec<usize> = lasts(stage).filter_map(|digest| drawn.get(&digest).copied()).collect();
        lasts.dedup();
        for operation in &stage.operations {
            let Some(&to) = drawn.get(&operation.vertex.digest) else { continue };
            let inputs: HashSet<usize> =
                operation.vertex.inputs.iter().filter_map(|input| drawn.get(input).copied()).collect();
            let mut inputs: Vec<usize> = inputs.into_iter().collect();
            inputs.sort_unstable();
            drawing.edges.extend(inputs.into_iter().map(|from| Edge { from, to, label: String::new() }));
        }
        if let Some(to) = positions[stage.stage] {
            drawing.edges.extend(lasts.into_iter().map(|from| Edge { from, to, label: String::new() }));
        }
    }
}

/// Returns the operations of a stage that no other of its own needs.
fn lasts(stage: &Surveyed) -> impl Iterator<Item = DefinitionDigest> {
    let needed: HashSet<DefinitionDigest> =
        stage.operations.iter().flat_map(|operation| operation.vertex.inputs.iter().copied()).collect();
    stage.operations.iter().map(|operation| operation.vertex.digest).filter(move |digest| !needed.contains(digest))
}

fn node(operation: &Operation, cwd: &Path) -> Node {
    let name = operation.vertex.name.as_ref();
    let details = match &operation.outcome {
        Outcome::Planned if operation.is_undecided() => vec!["may run".to_owned()],
        Outcome::Planned => vec!["would run".to_owned()],
        Outcome::Failed(message) => vec![shortened(message)],
        _ if operation.is_cached() => vec!["cached".to_owned()],
        _ => Vec::new(),
    };
    Node { id: operation.vertex.digest.to_string(), label: shortened(&local_to(cwd, name)), details, kind: kind(name) }
}

/// Returns what an operation is: its name begins with that.
fn kind(name: &str) -> NodeKind {
    match name.split(' ').next().unwrap_or_default() {
        "exec" => NodeKind::Exec,
        "local" | "machine" | "scratch" | "image" | "git" | "http" => NodeKind::Source,
        "merge" | "diff" | "fail" => NodeKind::Other,
        _ => NodeKind::File,
    }
}

/// Names a directory of the caller as it is from `cwd`, so that a drawing is the same wherever it is made.
fn local_to<'a>(cwd: &Path, name: &'a str) -> Cow<'a, str> {
    let path = name.strip_prefix("local ").and_then(|path| Path::new(path).strip_prefix(cwd).ok());
    match path {
        None => Cow::Borrowed(name),
        Some(path) if path.as_os_str().is_empty() => Cow::Borrowed("local ."),
        Some(path) => Cow::Owned(format!("local {}", path.display())),
    }
}

fn shortened(text: &str) -> String {
    let line = text.replace('\n', " ");
    if line.chars().count() <= MAX_LABEL {
        return line;
    }
    line.chars().take(MAX_LABEL - 1).chain(['…']).collect()
}

/// Returns a line for each stage of which not all is drawn.
pub(super) fn unknown(survey: &Survey) -> Vec<String> {
    let line = |stage: &Surveyed| {
        let name = &survey.graph.stage(stage.stage).name;
        Some(match stage.obstacle.as_ref()? {
            Obstacle::Waiting { function, operation } => {
                format!("`{name}` is drawn up to where `{function}` waits for `{operation}`")
            }
            Obstacle::Fails(report) => format!("`{name}` fails: {}", report.message()),
        })
    };
    survey.stages.iter().filter_map(line).collect()
}
