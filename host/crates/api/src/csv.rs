//! Lists in one flag: `a,b,"c,d"`.

/// Splits a line of comma-separated values; quotes hold commas, `""` in them is a quote.
///
/// Source: RFC 4180, section 2, rules 4 to 7.
#[must_use]
pub fn split(line: &str) -> Vec<String> {
    if line.is_empty() {
        return Vec::new();
    }
    let mut values = Vec::new();
    let mut value = String::new();
    let mut is_quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => value.extend(characters.next()),
            '"' if is_quoted => is_quoted = false,
            '"' if value.is_empty() => is_quoted = true,
            ',' if !is_quoted => values.push(std::mem::take(&mut value)),
            other => value.push(other),
        }
    }
    values.push(value);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_separate_and_quotes_hold_them() {
        assert_eq!(split("a,b"), ["a", "b"]);
        assert_eq!(split("\"a,b\",c"), ["a,b", "c"]);
        assert_eq!(split("say \"hi\",\"say \"\"hi\"\"\""), ["say \"hi\"", "say \"hi\""]);
        assert_eq!(split("a,"), ["a", ""]);
        assert_eq!(split(""), Vec::<String>::new());
    }
}
