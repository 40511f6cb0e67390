//! The results of checks: nothing, a string, or a report with cases.

use std::time::Duration;

use api::{Type, Value};

/// The result of a check, which is the record `report` of `wit/report.wit`.
#[derive(Debug)]
pub(super) struct CheckReport {
    pub(super) summary: String,
    pub(super) cases: Vec<Case>,
}

/// One case of a report.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) verdict: Verdict,
    /// The reason; may be empty.
    pub(super) message: String,
    pub(super) took: Duration,
}

/// The verdict of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed,
    Skipped,
}

impl CheckReport {
    pub(super) fn has_failed(&self) -> bool {
        self.cases.iter().any(|case| case.verdict == Verdict::Failed)
    }
}

/// Returns whether a stage with this result is a check.
pub(super) fn is_check(result: Option<&Type>) -> bool {
    match result {
        None | Some(Type::String) => true,
        Some(Type::Result(ok, _)) => {
            matches!(ok.as_deref(), None | Some(Type::String)) || ok.as_deref().is_some_and(is_report)
        }
        Some(ty) => is_report(ty),
    }
}

/// Compares the structure of a type with that of `report`, because every module has a record of its own.
fn is_report(ty: &Type) -> bool {
    let Type::Record(fields) = ty else { return false };
    let [(summary, Type::String), (cases, Type::List(case))] = fields.as_slice() else { return false };
    let Type::Record(case) = &**case else { return false };
    let [(name, Type::String), (verdict, Type::Enum(_)), (message, Type::String), (took, Type::U64)] = case.as_slice()
    else {
        return false;
    };
    [summary, cases, name, verdict, message, took] == ["summary", "cases", "name", "verdict", "message", "duration-ms"]
}

/// Returns a value as a report; none if it is not one.
pub(super) fn read_report(value: &Value) -> Option<CheckReport> {
    match (field(value, "summary")?, field(value, "cases")?) {
        (Value::String(summary), Value::List(cases)) => {
            Some(CheckReport { summary: summary.clone(), cases: cases.iter().map(read_case).collect::<Option<_>>()? })
        }
        _ => None,
    }
}

fn read_case(value: &Value) -> Option<Case> {
    let text = |name: &str| match field(value, name)? {
        Value::String(text) | Value::Enum(text) => Some(text.clone()),
        _ => None,
    };
    let verdict = match text("verdict")?.as_str() {
        "passed" => Verdict::Passed,
        "skipped" => Verdict::Skipped,
        _ => Verdict::Failed,
    };
    let Value::U64(millis) = field(value, "duration-ms")? else { return None };
    Some(Case { name: text("name")?, verdict, message: text("message")?, took: Duration::from_millis(*millis) })
}

fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Record(fields) = value else { return None };
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
}
