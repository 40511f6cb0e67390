//! The drawing of a graph of stages.

use api::Value;

use super::text::{of_value, shortened};
use super::{Drawing, Edge, Node, NodeKind};
use crate::graph::{How, Input, Link, LinkStep, Param, Source, Stage, StageBody, StageGraph};
use crate::library::made_by;

impl StageGraph {
    /// Returns the drawing of the graph: a box for each stage with its function, its arguments and its result, and an
    /// arrow for each link.
    #[must_use]
    pub fn drawing(&self) -> Drawing {
        let nodes = self.stages().iter().map(node).collect();
        let mut edges = Vec::new();
        for (to, stage) in self.stages().iter().enumerate() {
            let edge = |(param, link): (_, &Link)| Edge { from: link.stage, to, label: self.label(param, link) };
            edges.extend(stage.links().map(edge));
        }
        Drawing { nodes, edges }
    }

    /// Returns what a link makes as a manifest writes it, as in `build.file("app")`.
    #[must_use]
    pub fn link_text(&self, link: &Link) -> String {
        let name = &self.stage(link.stage).name;
        link.steps.iter().fold(name.clone(), |text, step| format!("{text}.{}", self.call(step)))
    }

    /// Returns what feeds a parameter as a manifest writes it; none if no stage does.
    #[must_use]
    pub fn feeding_text(&self, param: &Param) -> Option<String> {
        match &param.source {
            Source::Link(link) => Some(self.link_text(link)),
            Source::List(items) => Some(self.list(items)),
            _ => None,
        }
    }

    /// Returns the label of a link: the parameter and the part, as in `app: file("app")`. A link by name needs none: the
    /// name of the stage says it.
    fn label(&self, param: Option<&Param>, link: &Link) -> String {
        let calls: Vec<String> = link.steps.iter().map(|step| self.call(step)).collect();
        match (param, calls.is_empty()) {
            (Some(param), false) => format!("{}: {}", param.name, calls.join(".")),
            (Some(param), true) if link.how == How::ByManifest => param.name.clone(),
            _ => calls.join("."),
        }
    }

    fn call(&self, step: &LinkStep) -> String {
        // Arguments at the end that were omitted are not shown.
        let is_omitted = |arg: &&Input| matches!(arg, Input::Value(Value::Option(None)));
        let n_given = step.args.len() - step.args.iter().rev().take_while(is_omitted).count();
        let args: Vec<String> = step.args.iter().take(n_given).map(|arg| self.input(arg)).collect();
        format!("{}({})", step.method.name(), args.join(", "))
    }

    fn input(&self, input: &Input) -> String {
        match input {
            Input::Value(value) => of_value(value),
            Input::Link(link) => self.link_text(link),
            Input::Some(input) => self.input(input),
            Input::List(items) => self.list(items),
        }
    }

    fn list(&self, items: &[Input]) -> String {
        format!("[{}]", items.iter().map(|item| self.input(item)).collect::<Vec<_>>().join(", "))
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
        Source::Link(_) | Source::List(_) | Source::Omitted => None,
    }
}
