//! Reports: what a stage returns that tells of cases, each of which passed, failed or was skipped.

use std::time::Duration;

use api::{Type, Value};

/// The record `report` of `wit/report.wit`.
#[derive(Debug)]
pub struct CaseReport {
    /// What was checked, in a sentence.
    pub summary: String,
    /// The cases, in the order in which they ran.
    pub cases: Vec<Case>,
}

/// One case of a report.
#[derive(Debug)]
pub struct Case {
    /// The name of the case.
    pub name: String,
    /// How it ended.
    pub verdict: CaseVerdict,
    /// The reason; may be empty.
    pub message: String,
    /// How long it took.
    pub took: Duration,
}

/// The verdict of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseVerdict {
    /// The case succeeded.
    Passed,
    /// The case failed.
    Failed,
    /// The case did not run.
    Skipped,
}

impl CaseReport {
    /// Returns a value as a report; none if it is not one.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        match (field(value, "summary")?, field(value, "cases")?) {
            (Value::String(summary), Value::List(cases)) => {
                Some(Self { summary: summary.clone(), cases: cases.iter().map(read_case).collect::<Option<_>>()? })
            }
            _ => None,
        }
    }

    /// Returns the cases that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| case.verdict == CaseVerdict::Failed)
    }

    /// Returns how many of how many cases failed, such as `3 of 842 cases failed`; none if no case did.
    #[must_use]
    pub fn verdict(&self) -> Option<String> {
        let n_failed = self.failed().count();
        let n_cases = self.cases.len();
        let cases = if n_cases == 1 { "case" } else { "cases" };
        (n_failed > 0).then(|| format!("{n_failed} of {n_cases} {cases} failed"))
    }
}

/// Returns whether a type is a report. Its structure is compared, because every module has a record of its own.
#[must_use]
pub fn is_report(ty: &Type) -> bool {
    let Type::Record(fields) = ty else { return false };
    let [(summary, Type::String), (cases, Type::List(case))] = fields.as_slice() else { return false };
    let Type::Record(case) = &**case else { return false };
    let [(name, Type::String), (verdict, Type::Enum(_)), (message, Type::String), (took, Type::U64)] = case.as_slice()
    else {
        return false;
    };
    [summary, cases, name, verdict, message, took] == ["summary", "cases", "name", "verdict", "message", "duration-ms"]
}

fn read_case(value: &Value) -> Option<Case> {
    let text = |name: &str| match field(value, name)? {
        Value::String(text) | Value::Enum(text) => Some(text.clone()),
        _ => None,
    };
    let verdict = match text("verdict")?.as_str() {
        "passed" => CaseVerdict::Passed,
        "skipped" => CaseVerdict::Skipped,
        _ => CaseVerdict::Failed,
    };
    let Value::U64(millis) = field(value, "duration-ms")? else { return None };
    Some(Case { name: text("name")?, verdict, message: text("message")?, took: Duration::from_millis(*millis) })
}

fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Record(fields) = value else { return None };
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
}
