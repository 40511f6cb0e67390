//! Texts in few columns.

/// Returns the beginning of a text, in one line.
#[must_use]
pub fn short(text: &str, n_columns: usize) -> String {
    // No more of a long text is looked at than may be shown.
    let mut words = text.split_whitespace().take(n_columns);
    let first = words.next().unwrap_or_default().to_owned();
    let line = words.fold(first, |line, word| format!("{line} {word}"));
    match line.char_indices().nth(n_columns) {
        None => line,
        Some(_) => line.chars().take(n_columns - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_line_of_so_many_columns() {
        let check = |text: &str, expect: &str| assert_eq!(short(text, 8), expect);
        check("", "");
        check("  make\n all ", "make all");
        check("make all it", "make al…");
        check(
            "\u{65e5}\u{65e5}\u{65e5}\u{65e5}\u{65e5}\u{65e5}\u{65e5}\u{65e5}\u{65e5}",
            "\u{65e5}\u{65e5}\u{65e5}\u{65e5}\u{65e5}\u{65e5}\u{65e5}…",
        );
    }
}
