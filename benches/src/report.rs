//! Prints the figures as a table or as JSON.

use serde_json::json;

/// The form of the output.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// A table for people.
    Table,
    /// One JSON object per line, for programs.
    Json,
}

/// The unit of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds of time.
    Seconds,
    /// Bytes of memory.
    Bytes,
    /// A number of times.
    Times,
}

/// A figure that was measured.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The name of the figure.
    pub(crate) figure: &'static str,
    /// The value of the product.
    pub(crate) value: f64,
    /// The value of the reference. Without one, the goal is a limit.
    pub(crate) reference: Option<f64>,
    /// The largest ratio that is accepted, or the largest value if there is no reference.
    pub(crate) goal: f64,
    /// The unit of both values.
    pub(crate) unit: Unit,
}

impl Row {
    /// Returns the row of a time with a reference.
    pub(crate) fn times(figure: &'static str, value: f64, reference: f64, goal: f64) -> Self {
        Self { figure, value, reference: Some(reference), goal, unit: Unit::Seconds }
    }

    /// Returns the row of an amount of memory with a limit.
    pub(crate) fn bytes(figure: &'static str, value: f64, goal: f64) -> Self {
        Self { figure, value, reference: None, goal, unit: Unit::Bytes }
    }

    /// Returns the row of a number of times with a limit.
    pub(crate) fn count(figure: &'static str, value: f64, goal: f64) -> Self {
        Self { figure, value, reference: None, goal, unit: Unit::Times }
    }

    /// Returns the value divided by the reference.
    fn ratio(&self) -> Option<f64> {
        self.reference.map(|reference| self.value / reference)
    }

    /// Returns whether the goal is reached.
    pub(crate) fn is_met(&self) -> bool {
        self.ratio().unwrap_or(self.value) <= self.goal
    }

    /// Returns the row as one line of JSON.
    pub(crate) fn to_json(&self) -> String {
        let unit = match self.unit {
            Unit::Seconds => "s",
            Unit::Bytes => "B",
            Unit::Times => "",
        };
        json!({
            "figure": self.figure,
            "value": self.value,
            "reference": self.reference,
            "ratio": self.ratio(),
            "goal": self.goal,
            "met": self.is_met(),
            "unit": unit,
        })
        .to_string()
    }

    fn cells(&self) -> [String; 6] {
        let none = || "-".to_owned();
        let goal = match self.reference {
            Some(_) => format!("<= {}x", self.goal),
            None => format!("<= {}", amount(self.goal, self.unit)),
        };
        [
            self.figure.to_owned(),
            amount(self.value, self.unit),
            self.reference.map_or_else(none, |reference| amount(reference, self.unit)),
            self.ratio().map_or_else(none, |ratio| format!("{ratio:.2}x")),
            goal,
            if self.is_met() { "yes" } else { "NO" }.to_owned(),
        ]
    }
}

/// Returns the rows as a table.
pub(crate) fn table(rows: &[Row]) -> String {
    let head = ["figure", "value", "reference", "ratio", "goal", "met"].map(str::to_owned);
    let lines: Vec<[String; 6]> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for line in &lines {
        // Names are aligned to the left, numbers to the right.
        text.push_str(&format!("{:<width$}", line[0], width = widths[0]));
        for (cell, width) in line.iter().zip(widths).skip(1) {
            text.push_str(&format!("  {cell:>width$}"));
        }
        text.push('\n');
    }
    text
}

/// Returns an amount as text, in a suitable unit.
fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds if value >= 1.0 => format!("{value:.2} s"),
        Unit::Seconds => format!("{:.2} ms", value * 1e3),
        Unit::Bytes if value >= f64::from(1 << 20) => format!("{:.1} MiB", value / f64::from(1 << 20)),
        Unit::Bytes if value >= 10.0 * 1024.0 => format!("{:.1} KiB", value / 1024.0),
        Unit::Bytes => format!("{value:.0} B"),
        Unit::Times => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_for_the_ratio_where_there_is_a_reference() {
        let row = Row::times("stage-call", 0.004, 0.001, 5.0);
        assert!(row.is_met());
        assert_eq!(
            row.to_json(),
            r#"{"figure":"stage-call","value":0.004,"reference":0.001,"ratio":4.0,"goal":5.0,"met":true,"unit":"s"}"#
        );
        let row = Row::bytes("memory", 50.0 * 1024.0 * 1024.0, 40.0 * 1024.0 * 1024.0);
        assert!(!row.is_met());
        assert_eq!(
            table(&[row]),
            "figure     value  reference  ratio         goal  met\nmemory  50.0 MiB          -      -  <= 40.0 MiB   NO\n"
        );
    }
}
