//! The syntax of names, versions and durations.

use std::time::Duration;

/// The powers that a module can be granted: the interfaces of `pipeline:api` that are in no world.
pub const POWERS: &[&str] = &["machine", "sources", "effects", "secret-access"];

/// The directory of `pipeline:api` in `wit/deps`. No dependency can have this alias.
pub(crate) const API_DIRECTORY: &str = "pipeline-api";

/// Returns whether a text can be the name of a module, a stage or a dependency.
pub(crate) fn is_name(name: &str) -> bool {
    let mut parts = name.split('-');
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && parts.all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

/// Returns the name of a function, a method or a parameter in kebab case; none if the text cannot be a name.
///
/// Names in snake case are accepted, too: the author of a function knows them in that form.
/// Source: the component model, "Import and Export Definitions", `label`.
pub(crate) fn label(name: &str) -> Option<String> {
    let kebab = name.replace('_', "-");
    let mut parts = kebab.split('-');
    let is_label = kebab.starts_with(|c: char| c.is_ascii_alphabetic())
        && parts.all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric()));
    is_label.then_some(kebab)
}

pub(crate) fn is_version(version: &str) -> bool {
    let (numbers, rest) = match version.find(['-', '+']) {
        Some(at) => version.split_at(at),
        None => (version, ""),
    };
    let numbers: Vec<&str> = numbers.split('.').collect();
    let is_number = |number: &&str| number.parse::<u64>().is_ok() && (number.len() == 1 || !number.starts_with('0'));
    numbers.len() == 3
        && numbers.iter().all(is_number)
        && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-+.".contains(c))
        && rest.len() != 1
}

/// Parses a duration: a number of seconds, or a number with `ms`, `s`, `m` or `h`. Zero is not a duration.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    Duration::try_from_secs_f64(number * seconds).ok().filter(|time| !time.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers() {
        for good in ["0.1.0", "1.2.3-rc.1", "1.2.3+build"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "1.2.3-"] {
            assert!(!is_version(bad), "{bad}");
        }
    }

    #[test]
    fn labels_are_taken_in_snake_case_and_kept_in_kebab_case() {
        assert_eq!(label("with_exec").as_deref(), Some("with-exec"));
        assert_eq!(label("HTTP-get2").as_deref(), Some("HTTP-get2"));
        for bad in ["", "-a", "a-", "a__b", "2a", "a b", "ä"] {
            assert_eq!(label(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        let check = |text: &str, ms: u64| assert_eq!(parse_duration(text), Some(Duration::from_millis(ms)), "{text}");
        check("500ms", 500);
        check("90", 90_000);
        check("1.5m", 90_000);
        check("2h", 7_200_000);
        for bad in ["", "0", "-1s", "1 s", "1d", "s", "1e9s", "99999999999999999999999h"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
