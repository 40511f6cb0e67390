//! Writes JUnit XML.
//!
//! Source: the schema of Jenkins' xUnit plugin, `junit-10.xsd`, which others follow; and XML 1.0, "2.2 Characters",
//! for what a document may have in it.

use std::fmt::Write as _;
use std::time::Duration;

/// The cases of one stage.
pub struct Suite {
    /// The name of the stage.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// The cases in their order.
    pub cases: Vec<SuiteCase>,
    /// The text that the stage returned; may be empty.
    pub output: String,
}

/// One case of a suite.
pub struct SuiteCase {
    /// The name of the case.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: CaseOutcome,
}

/// How a case ended.
pub enum CaseOutcome {
    /// The case succeeded.
    Passed,
    /// The case was tried and failed.
    Failed {
        /// The reason in one line.
        message: String,
        /// All that is known.
        text: String,
    },
    /// The case could not be tried.
    Error {
        /// The reason in one line.
        message: String,
        /// All that is known.
        text: String,
    },
    /// The case was skipped.
    Skipped {
        /// The reason in one line.
        message: String,
    },
}

/// Returns the XML document. `module` is the name of the module, which is part of the name of each class.
#[must_use]
pub fn junit(module: &str, suites: &[Suite]) -> String {
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    let took: Duration = suites.iter().map(|suite| suite.took).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(xml, "<testsuites name=\"{}\"{} time=\"{}\">", escaped(module), counts(all()), seconds(took));
    suites.iter().for_each(|suite| suite.render(module, &mut xml));
    xml.push_str("</testsuites>\n");
    xml
}

impl Suite {
    fn render(&self, module: &str, xml: &mut String) {
        let (name, time) = (escaped(&self.name), seconds(self.took));
        let _ = writeln!(xml, "  <testsuite name=\"{name}\"{} time=\"{time}\">", counts(self.cases.iter()));
        let class = escaped(&format!("{module}.{}", self.name));
        self.cases.iter().for_each(|case| case.render(&class, xml));
        if !self.output.is_empty() {
            let _ = writeln!(xml, "    <system-out>{}</system-out>", escaped(&self.output));
        }
        xml.push_str("  </testsuite>\n");
    }
}

impl SuiteCase {
    fn render(&self, class: &str, xml: &mut String) {
        let (name, time) = (escaped(&self.name), seconds(self.took));
        let _ = write!(xml, "    <testcase name=\"{name}\" classname=\"{class}\" time=\"{time}\"");
        let inner = match &self.outcome {
            CaseOutcome::Passed => {
                xml.push_str("/>\n");
                return;
            }
            CaseOutcome::Failed { message, text } => element("failure", message, text),
            CaseOutcome::Error { message, text } => element("error", message, text),
            CaseOutcome::Skipped { message } => format!("<skipped message=\"{}\"/>", attribute(message)),
        };
        let _ = writeln!(xml, ">\n      {inner}\n    </testcase>");
    }
}

fn element(name: &str, message: &str, text: &str) -> String {
    format!("<{name} message=\"{}\">{}</{name}>", attribute(message), escaped(text))
}

/// Returns the attributes that count cases.
fn counts<'a>(cases: impl Iterator<Item = &'a SuiteCase>) -> String {
    let (mut n_tests, mut n_failures, mut n_errors, mut n_skipped) = (0, 0, 0, 0);
    for case in cases {
        n_tests += 1;
        match case.outcome {
            CaseOutcome::Passed => {}
            CaseOutcome::Failed { .. } => n_failures += 1,
            CaseOutcome::Error { .. } => n_errors += 1,
            CaseOutcome::Skipped { .. } => n_skipped += 1,
        }
    }
    format!(" tests=\"{n_tests}\" failures=\"{n_failures}\" errors=\"{n_errors}\" skipped=\"{n_skipped}\"")
}

fn seconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}

/// Escapes the characters with a meaning in XML, and replaces characters that XML cannot contain.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            // Needed only behind `]]`.
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // A parser would read it as the end of a line.
            '\r' => xml.push_str("&#13;"),
            '\t' | '\n' => xml.push(character),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            character => xml.push(character),
        }
    }
    xml
}

/// Escapes a text for an attribute. White space is escaped, too, because parsers normalise it there.
fn attribute(text: &str) -> String {
    escaped(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn case(name: &str, outcome: CaseOutcome) -> SuiteCase {
        SuiteCase { name: name.to_owned(), took: Duration::from_millis(1500), outcome }
    }

    #[test]
    fn a_suite_has_its_cases_and_counts() {
        let text = |text: &str| text.to_owned();
        let cases = vec![
            case("good", CaseOutcome::Passed),
            case("bad", CaseOutcome::Failed { message: text("1 is 2"), text: text("1 is 2\nat line 3") }),
            case("unknown", CaseOutcome::Error { message: text("no build"), text: String::new() }),
            case("later", CaseOutcome::Skipped { message: text("not now") }),
        ];
        let suite = Suite { name: text("lint"), took: Duration::from_secs(61), cases, output: text("done") };
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="shop" tests="4" failures="1" errors="1" skipped="1" time="61.000">
              <testsuite name="lint" tests="4" failures="1" errors="1" skipped="1" time="61.000">
                <testcase name="good" classname="shop.lint" time="1.500"/>
                <testcase name="bad" classname="shop.lint" time="1.500">
                  <failure message="1 is 2">1 is 2
            at line 3</failure>
                </testcase>
                <testcase name="unknown" classname="shop.lint" time="1.500">
                  <error message="no build"></error>
                </testcase>
                <testcase name="later" classname="shop.lint" time="1.500">
                  <skipped message="not now"/>
                </testcase>
                <system-out>done</system-out>
              </testsuite>
            </testsuites>
        "#]]
        .assert_eq(&junit("shop", &[suite]));
    }

    #[test]
    fn hostile_text_stays_text() {
        let check = |text: &str, expect: &str| assert_eq!(attribute(text), expect);
        check("]]> <![CDATA[ & \"'", "]]&gt; &lt;![CDATA[ &amp; &quot;'");
        check("\0\x1b[31m\x07\u{fffe}\u{ffff}é\u{1f600}", "\u{fffd}\u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}é\u{1f600}");
        check("a\tb\r\nc", "a&#9;b&#13;&#10;c");
        assert_eq!(escaped("a\tb\nc"), "a\tb\nc");
    }
}
