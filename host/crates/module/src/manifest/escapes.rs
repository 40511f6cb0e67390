//! From a position in the value of a TOML string to the position in its source.

/// Returns the position in `raw`, the source with its quotes, of byte `offset` of the value `text`.
///
/// Source: TOML 1.1, "String".
pub(super) fn offset_in_source(raw: &str, text: &str, offset: usize) -> usize {
    let quotes = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quotes| raw.starts_with(quotes)).unwrap_or_default();
    let mut start = quotes.len();
    if quotes.len() == 3 {
        // A line break right after the quotes is not part of the value.
        let rest = raw.get(start..).unwrap_or_default();
        start += ["\r\n", "\n"].into_iter().find(|line_break| rest.starts_with(line_break)).map_or(0, str::len);
    }
    let has_escapes = quotes.starts_with('"');
    let n_characters = text.get(..offset).unwrap_or(text).chars().count();
    let mut at = start;
    for _ in 0..n_characters {
        at += width(raw.get(at..).unwrap_or_default(), has_escapes);
    }
    at.min(raw.len())
}

/// Returns the number of bytes that a character has in the source.
fn width(raw: &str, has_escapes: bool) -> usize {
    let mut characters = raw.chars();
    let Some(first) = characters.next() else { return 0 };
    if first != '\\' || !has_escapes {
        return first.len_utf8();
    }
    match characters.next() {
        Some('x') => 4,
        Some('u') => 6,
        Some('U') => 10,
        // A backslash at the end of a line removes all white space up to the next character.
        Some(next) if next.is_whitespace() => {
            let rest = raw.get(1..).unwrap_or_default();
            let skipped = 1 + rest.len() - rest.trim_start().len();
            skipped + width(raw.get(skipped..).unwrap_or_default(), has_escapes)
        }
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_a_value_has_its_place_in_the_source() {
        let check = |raw: &str, text: &str, offset: usize, expected: &str| {
            let at = offset_in_source(raw, text, offset);
            assert!(raw[at..].starts_with(expected), "{raw}: {at}");
        };
        check("'a.b(1)'", "a.b(1)", 4, "1)'");
        check(r#""a.b(\"x\", q)""#, r#"a.b("x", q)"#, 9, "q)");
        check(r#""\u0061\x62.c""#, "ab.c", 3, "c\"");
        check("'''\na.b'''", "a.b", 2, "b'''");
        check("\"\"\"a \\\n   .b\"\"\"", "a .b", 3, "b\"");
        check("'a'", "a", 1, "'");
        check("\"ä.b\"", "ä.b", 3, "b");
    }
}
