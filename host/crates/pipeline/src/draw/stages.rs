//! The drawing of a graph of stages.

use api::Value;

use super::text::{of_value, shortened};
use super::{Drawing, Edge, Node, NodeKind};
use crate::graph::{How, Link, Param, Source, Stage, StageBody, StageGraph};
use crate::library::made_by;

impl StageGraph {
    /// Returns the drawing of the graph: a box for each stage with its function, its arguments and its result, and an
    /// arrow for each link.
    #[must_use]
    pub fn drawing(&self) -> Drawing {
        let nodes = self.stages().iter().map(node).collect();
        let mut edges = Vec::new();
        for (to, stage) in self.stages().iter().enumerate() {
            edges.extend(stage.links().map(|(param, link)| Edge { from: link.stage, to, label: label(param, link) }));
        }
        Drawing { nodes, edges }
    }
}

fn node(stage: &Stage) -> Node {
    let mut details = Vec::new();
    if let StageBody::Call { dependency, function } = &stage.body {
        let function = function.strip_prefix("[constructor]").unwrap_or(function);
        match dependency {
            Some(alias) => details.push(format!("{alias}.{function}")),
            None if function != stage.name => details.push(function.to_owned()),
            None => {}
        }
    }
    details.extend(stage.params.iter().filter_map(argument));
    details.extend(made_by(stage.result.as_ref()).map(|ty| shortened(&format!("-> {ty}"))));
    let kind = if stage.is_constructor { NodeKind::Object } else { NodeKind::Stage };
    Node { id: stage.name.clone(), label: stage.name.clone(), details, kind }
}

/// Returns the text of an argument in a box; none for an argument that an arrow shows.
fn argument(param: &Param) -> Option<String> {
    match &param.source {
        Source::Given(value) | Source::Set(value) | Source::Default(value) => {
            Some(shortened(&format!("{} = {}", param.name, of_value(value))))
        }
        Source::Missing(_) => Some(format!("{} is missing", param.name)),
        Source::Link(_) | Source::Omitted => None,
    }
}

/// Returns the label of a link: the parameter and the part, as in `app: file("app")`. A link by name needs none: the
/// name of the stage says it.
fn label(param: Option<&Param>, link: &Link) -> String {
    let calls: Vec<String> = link.steps.iter().map(|step| call(step.method.name(), &step.args)).collect();
    match (param, calls.is_empty()) {
        (Some(param), false) => format!("{}: {}", param.name, calls.join(".")),
        (Some(param), true) if link.how == How::ByManifest => param.name.clone(),
        _ => calls.join("."),
    }
}

fn call(method: &str, args: &[Value]) -> String {
    // Arguments at the end that were omitted are not shown.
    let n_given = args.len() - args.iter().rev().take_while(|arg| matches!(arg, Value::Option(None))).count();
    let args: Vec<String> = args.iter().take(n_given).map(of_value).collect();
    format!("{method}({})", args.join(", "))
}
