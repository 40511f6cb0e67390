//! Functions for several tests.

/// Checks that `code` contains `part`, ignoring white space.
#[track_caller]
pub(crate) fn check(code: &str, part: &str) {
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    assert!(dense(code).contains(&dense(part)), "{part}\n\nis not in\n\n{code}");
}
