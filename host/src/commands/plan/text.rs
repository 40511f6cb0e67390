//! A plan for people.

use std::fmt::Write as _;

use super::survey::{Survey, Surveyed};
use crate::platform::Obstacle;

/// Writes a plan: for each stage what would run, with the reason, and how much is there.
pub(super) fn plan(survey: &Survey, names: &[String]) -> String {
    let mut text = String::new();
    for (stage, what) in survey.stages.iter().zip(names) {
        let name = &survey.graph.stage(stage.stage).name;
        let _ = writeln!(text, "{name}: {what}");
        operations(&mut text, stage);
        match &stage.obstacle {
            None => {}
            Some(Obstacle::Waiting { function, operation }) => {
                let _ = writeln!(text, "  ? known up to here: `{function}` goes on when `{operation}` has run");
            }
            Some(Obstacle::Fails(report)) => {
                for (index, line) in report.render().lines().enumerate() {
                    let _ = writeln!(text, "  {} {line}", if index == 0 { "!" } else { " " });
                }
            }
        }
    }
    let _ = writeln!(text, "{}", summary(survey));
    text
}

fn operations(text: &mut String, stage: &Surveyed) {
    let planned = stage.operations.iter().filter(|operation| operation.is_planned());
    let width = planned.clone().map(|operation| operation.vertex.name.chars().count()).max().unwrap_or_default();
    let width = width.min(MAX_NAME);
    for operation in planned {
        let (name, sign) = (one_line(&operation.vertex.name), if operation.is_undecided() { '~' } else { '+' });
        let _ = writeln!(text, "  {sign} {name:width$}  {}", operation.reason.describe());
    }
    let n_cached = stage.operations.iter().filter(|operation| operation.is_cached()).count();
    if n_cached > 0 {
        let _ = writeln!(text, "  = {n_cached} cached");
    }
}

/// How wide the column of names gets.
const MAX_NAME: usize = 60;

/// Takes the ends of lines out of a name: each operation has a line.
fn one_line(name: &str) -> String {
    name.replace('\n', " ")
}

fn summary(survey: &Survey) -> String {
    let n_maybe = survey.count(|operation| operation.is_undecided());
    let n_planned = survey.count(|operation| operation.is_planned()) - n_maybe;
    let n_waiting = survey.stages.iter().filter(|stage| stage.is_waiting()).count();
    let mut parts = vec![format!("{n_planned} would run")];
    if n_maybe > 0 {
        parts.push(format!("{n_maybe} may run"));
    }
    parts.push(format!("{} cached", survey.count(|operation| operation.is_cached())));
    if n_waiting > 0 {
        parts.push(format!("{n_waiting} {} not known to the end", if n_waiting == 1 { "stage" } else { "stages" }));
    }
    parts.join(", ")
}

impl Surveyed {
    fn is_waiting(&self) -> bool {
        matches!(self.obstacle, Some(Obstacle::Waiting { .. }))
    }
}
