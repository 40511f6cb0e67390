//! Times and durations as text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns a time in UTC with milliseconds, such as `2026-01-31T12:00:00.000Z`.
///
/// Source: RFC 3339; the days by Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`.
#[must_use]
pub fn rfc3339(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", since.subsec_millis())
}

/// Returns a duration for people, such as `12 ms`, `3.2 s` or `2 m 5 s`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 0.1 {
        format!("{} ms", duration.as_millis())
    } else if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} m {} s", duration.as_secs() / 60, duration.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let check = |seconds: u64, expect: &str| {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 5)), expect);
        };
        // Source: `date -u -d @SECONDS`.
        check(0, "1970-01-01T00:00:00.005Z");
        check(951_782_400, "2000-02-29T00:00:00.005Z");
        check(1_709_164_799, "2024-02-28T23:59:59.005Z");
        check(1_767_225_600, "2026-01-01T00:00:00.005Z");
    }
}
