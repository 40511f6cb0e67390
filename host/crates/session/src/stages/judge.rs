//! A stage whose report has a failed case has failed, although its function returned.

use api::Value;
use engine::{Failure, StageFailure};
use graph::Blame;
use pipeline::{CaseReport, StageId, is_report, made_by};

use super::Pipeline;

/// The most failed cases that a failure names. The report itself has all of them.
const MAX_NAMED: usize = 50;

impl Pipeline {
    /// Returns the report of a stage that failed because of a case in it, and for no other reason.
    #[must_use]
    pub fn report(&self, id: StageId) -> Option<Value> {
        self.memory.lock().get(&id)?.report.clone()
    }

    /// Turns a report with a failed case into a failure, and keeps the report.
    pub(super) fn judged(&self, id: StageId, value: Value) -> Result<Value, Failure> {
        let stage = self.graph.stage(id);
        if !made_by(stage.result.as_ref()).is_some_and(is_report) {
            return Ok(value);
        }
        let failure = CaseReport::read(&value).and_then(|report| failure(&stage.name, &report));
        let mut memory = self.memory.lock();
        // An attempt that succeeds replaces those that failed.
        memory.entry(id).or_default().report = failure.is_some().then(|| value.clone());
        failure.map_or(Ok(value), Err)
    }
}

/// Returns the failure of a stage that returned this report; none if no case failed.
fn failure(stage: &str, report: &CaseReport) -> Option<Failure> {
    let verdict = report.verdict()?;
    let mut attributes: Vec<_> =
        report.failed().take(MAX_NAMED).map(|case| (case.name.clone(), case.message.clone())).collect();
    let n_more = report.failed().count() - attributes.len();
    if n_more > 0 {
        attributes.push((format!("and {n_more} more"), String::new()));
    }
    let summary = if report.summary.is_empty() { String::new() } else { format!(": {}", report.summary) };
    Some(Failure::Stage(Box::new(StageFailure {
        stage: stage.to_owned(),
        is_answer: true,
        code: "cases-failed".to_owned(),
        message: format!("{verdict}{summary}"),
        exec: None,
        attributes,
        blame: Blame::Function,
        hint: None,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdicts: &[&str]) -> CaseReport {
        let text = |text: &str| Value::String(text.to_owned());
        let case = |(at, verdict): (usize, &&str)| {
            Value::Record(vec![
                ("name".to_owned(), text(&format!("case {at}"))),
                ("verdict".to_owned(), Value::Enum((*verdict).to_owned())),
                ("message".to_owned(), text("1 is 2")),
                ("duration-ms".to_owned(), Value::U64(1)),
            ])
        };
        let cases = Value::List(verdicts.iter().enumerate().map(case).collect());
        let fields = vec![("summary".to_owned(), text("sums")), ("cases".to_owned(), cases)];
        CaseReport::read(&Value::Record(fields)).unwrap()
    }

    fn check(verdicts: &[&str], expect: Option<(&str, usize)>) {
        let got = failure("test", &report(verdicts)).map(|failure| match failure {
            Failure::Stage(stage) => (stage.message, stage.attributes.len()),
            other => panic!("{other}"),
        });
        assert_eq!(got, expect.map(|(message, n_named)| (message.to_owned(), n_named)));
    }

    #[test]
    fn a_report_fails_its_stage_if_a_case_failed() {
        check(&[], None);
        check(&["passed", "skipped"], None);
        check(&["failed"], Some(("1 of 1 case failed: sums", 1)));
        check(&["passed", "failed", "failed"], Some(("2 of 3 cases failed: sums", 2)));
        check(&["failed"; 842], Some(("842 of 842 cases failed: sums", 51)));
    }
}
