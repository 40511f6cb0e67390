//! The outcomes of a run as JSON; the keys are documented in `docs/pipelines.md`.

use pipeline::StageGraph;
use serde_json::{Map, Value as Json, json};

use super::{OutcomeKind, Outcomes, StageOutcome, is_data};
use crate::commands::lacking::NotRun;
use crate::output;

impl Outcomes {
    /// Returns the outcomes, and what was not run.
    pub(in crate::commands) fn document(&self, graph: &StageGraph, not_run: &[NotRun]) -> Json {
        let not_run: Vec<_> = not_run.iter().map(NotRun::json).collect();
        json!({ "stages": self.json(graph), "not_run": not_run })
    }

    /// Returns an object for each stage.
    fn json(&self, graph: &StageGraph) -> Vec<Map<String, Json>> {
        self.stages.iter().map(|outcome| self.entry(outcome, graph)).collect()
    }

    fn entry(&self, outcome: &StageOutcome, graph: &StageGraph) -> Map<String, Json> {
        let name = |stage| graph.stage(stage).name.as_str();
        let mut entry = Map::new();
        let mut put = |key: &str, value: Json| entry.insert(key.to_owned(), value);
        put("stage", json!(name(outcome.stage)));
        put("outcome", json!(outcome.kind.word()));
        put("wanted", json!(outcome.is_wanted));
        if let Some(took) = outcome.took {
            put("duration_ms", json!((took.as_secs_f64() * 1e6).round() / 1e3));
        }
        if let Some(value) = outcome.value.as_ref().filter(|value| is_data(value)) {
            put("value", output::json(value));
        }
        if let OutcomeKind::FailedAllowed | OutcomeKind::Skipped { is_allowed: true, .. } = outcome.kind {
            put("allowed", json!(true));
        }
        if let OutcomeKind::Skipped { culprit, .. } = outcome.kind {
            put("because", json!(name(culprit)));
        }
        if let Some(failure) = self.failures.iter().find(|failure| failure.stage == outcome.stage) {
            let causes = failure.report.causes();
            put("error", json!(causes.first().map_or(failure.report.message(), String::as_str)));
            put("function", json!(failure.function));
        }
        entry
    }
}
