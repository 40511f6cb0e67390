//! A plan for programs; its keys are documented in `docs/plan-and-graph.md`.

use engine::Reason;
use serde_json::{Map, Value as Json, json};
use session::record::events::changed;

use super::survey::{Operation, Survey, Surveyed};
use crate::commands::lacking::NotRun;
use crate::platform::Obstacle;

/// Writes a plan, with the leaves that are not planned.
pub(super) fn plan(survey: &Survey, names: &[String], not_planned: &[NotRun]) -> Json {
    let stages = survey.stages.iter().zip(names);
    let stages: Vec<Json> =
        stages.map(|(stage, what)| surveyed(&survey.graph.stage(stage.stage).name, what, stage)).collect();
    let n_maybe = survey.count(Operation::is_undecided);
    json!({
        "stages": stages,
        "not_planned": not_planned.iter().map(NotRun::json).collect::<Vec<_>>(),
        "would_run": survey.count(Operation::is_planned) - n_maybe,
        "may_run": n_maybe,
        "cached": survey.count(Operation::is_cached),
    })
}

fn surveyed(name: &str, what: &str, stage: &Surveyed) -> Json {
    let planned = stage.operations.iter().filter(|operation| operation.is_planned());
    let n_cached = stage.operations.iter().filter(|operation| operation.is_cached()).count();
    let mut object = Map::new();
    object.insert("stage".to_owned(), json!(name));
    object.insert("function".to_owned(), json!(what));
    object.insert("operations".to_owned(), planned.map(operation).collect());
    object.insert("cached".to_owned(), json!(n_cached));
    match &stage.obstacle {
        None => {}
        Some(Obstacle::Waiting { function, operation }) => {
            object.insert("waits".to_owned(), json!({ "function": function, "operation": operation }));
        }
        Some(Obstacle::Fails(report)) => {
            object.insert("error".to_owned(), json!(report.render()));
        }
    }
    Json::Object(object)
}

fn operation(operation: &Operation) -> Json {
    let Operation { vertex, outcome: _, reason } = operation;
    let mut object = Map::new();
    object.insert("vertex".to_owned(), json!(vertex.digest.to_string()));
    object.insert("name".to_owned(), json!(&*vertex.name));
    object.insert("would_run".to_owned(), if operation.is_undecided() { json!("maybe") } else { json!(true) });
    object.insert("reason".to_owned(), json!(reason.code()));
    object.insert("reason_text".to_owned(), json!(reason.describe()));
    if let Some(changed) = changed(reason) {
        object.insert("changed".to_owned(), changed);
    }
    if let Reason::InputPlanned { input } = reason {
        object.insert("input".to_owned(), json!(&**input));
    }
    object.insert("inputs".to_owned(), json!(vertex.inputs.iter().map(ToString::to_string).collect::<Vec<_>>()));
    Json::Object(object)
}
