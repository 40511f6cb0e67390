//! Reports of checks, which `host check` counts and writes as JUnit XML.

use std::time::Duration;

use crate::bindings::api::report as raw;

pub use raw::{Report, TestCase, Verdict};

impl Report {
    /// Returns a report without cases. `summary` is one sentence.
    ///
    /// ```
    /// use guest_sdk::prelude::*;
    ///
    /// fn style(src: &Directory) -> Result<Report> {
    ///     let mut report = Report::new("tabs in C files");
    ///     for path in src.glob("**/*.c")? {
    ///         let case = match src.file(&path).contents()?.contains('\t') {
    ///             false => TestCase::passed(path),
    ///             true => TestCase::failed(path, "it has tabs"),
    ///         };
    ///         report = report.with_case(case);
    ///     }
    ///     Ok(report)
    /// }
    /// ```
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), cases: Vec::new() }
    }

    /// Adds a case.
    pub fn with_case(mut self, case: TestCase) -> Self {
        self.cases.push(case);
        self
    }

    /// Adds several cases.
    pub fn with_cases(mut self, cases: impl IntoIterator<Item = TestCase>) -> Self {
        self.cases.extend(cases);
        self
    }

    /// Returns whether a case failed, in which case the check fails.
    pub fn is_failed(&self) -> bool {
        self.cases.iter().any(|case| case.verdict == Verdict::Failed)
    }
}

impl TestCase {
    /// Returns a case that succeeded.
    pub fn passed(name: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: Verdict::Passed, message: String::new(), duration_ms: 0 }
    }

    /// Returns a case that failed, with the reason.
    pub fn failed(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { verdict: Verdict::Failed, ..Self::passed(name) }.with_message(message)
    }

    /// Returns a case that did not run, with the reason.
    pub fn skipped(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skipped, ..Self::passed(name) }.with_message(message)
    }

    /// Sets the message.
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Sets the duration, which is kept in milliseconds.
    pub fn with_duration(mut self, duration: Duration) -> Self {
        self.duration_ms = duration.as_millis().try_into().unwrap_or(u64::MAX);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_fails_if_a_case_did() {
        let report = Report::new("two of three")
            .with_case(TestCase::passed("adds").with_duration(Duration::from_micros(2500)))
            .with_cases([TestCase::skipped("divides", "no `bc`")]);
        assert!(!report.is_failed());
        assert_eq!(report.cases[0].duration_ms, 2);
        assert_eq!((report.cases[1].verdict, &*report.cases[1].message), (Verdict::Skipped, "no `bc`"));
        assert!(report.with_case(TestCase::failed("subtracts", "2 - 1 is 3")).is_failed());
    }
}
