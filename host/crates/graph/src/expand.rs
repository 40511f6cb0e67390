//! Expansion of `$NAME` and `${NAME}` in text.

/// Replaces `$NAME` and `${NAME}` in `text` by the value that `lookup` returns, or by nothing if it returns none. `$$`
/// becomes `$`.
///
/// # Errors
/// Returns the error of `lookup`.
pub fn expand<E>(text: &str, mut lookup: impl FnMut(&str) -> Result<Option<String>, E>) -> Result<String, E> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            out.push_str(&lookup(name)?.unwrap_or_default());
            rest = after;
        } else {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            if end == 0 {
                out.push('$');
            } else {
                out.push_str(&lookup(&rest[..end])?.unwrap_or_default());
            }
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_and_the_rest_stays() {
        for (text, expect) in [
            ("plain", "plain"),
            ("$A-${A}", "1-1"),
            ("${NONE}x$NONE", "x"),
            ("$$A costs 5$", "$A costs 5$"),
            ("${A", "${A"),
            ("$A/$B.c", "1/2.c"),
        ] {
            let got = expand::<()>(text, |name| {
                Ok(match name {
                    "A" => Some("1".to_owned()),
                    "B" => Some("2".to_owned()),
                    _ => None,
                })
            });
            assert_eq!(got.as_deref(), Ok(expect), "{text}");
        }
    }
}
