//! Parses the header `WWW-Authenticate`, by which a registry asks for authorization.
//!
//! Source: RFC 9110, 11.6.1, and the token specification of the Distribution project.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// The authorization that a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A user name and a password.
    Basic,
    /// A token that a token server issues.
    Bearer {
        /// The URL of the token server.
        realm: String,
        /// The name of the service that the token is for.
        service: Option<String>,
        /// The scope of the token.
        scope: Option<String>,
    },
}

/// Returns the challenge to answer. `Bearer` takes precedence over `Basic`.
pub(super) fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let mut found: Vec<Challenge> = values.flat_map(schemes).filter_map(understood).collect();
    found.sort_by_key(|challenge| *challenge == Challenge::Basic);
    found.into_iter().next()
}

/// An authorization scheme with its parameters.
struct Scheme<'a> {
    name: &'a str,
    params: Vec<(&'a str, String)>,
}

fn understood(scheme: Scheme<'_>) -> Option<Challenge> {
    let param = |name: &str| {
        let found = scheme.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    if scheme.name.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    let is_bearer = scheme.name.eq_ignore_ascii_case("bearer");
    let realm = param("realm").filter(|_| is_bearer)?;
    Some(Challenge::Bearer { realm, service: param("service"), scope: param("scope") })
}

/// Splits a header into schemes. A word without `=` begins a new scheme.
fn schemes(text: &str) -> Vec<Scheme<'_>> {
    let mut schemes: Vec<Scheme<'_>> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() && after.is_empty() {
            return schemes;
        }
        match after.trim_start().strip_prefix('=') {
            Some(after) => {
                let (value, after) = value(after.trim_start());
                if let Some(scheme) = schemes.last_mut() {
                    scheme.params.push((word, value));
                }
                rest = after;
            }
            None => {
                schemes.push(Scheme { name: word, params: Vec::new() });
                rest = after;
            }
        }
    }
}

/// Reads a value, which may be quoted, and returns it with the rest of the text.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str], expected: &str) {
        let headers = values.iter().map(|value| (WWW_AUTHENTICATE, value.parse().unwrap())).collect();
        let found = match challenge(&headers) {
            None => "none".to_owned(),
            Some(Challenge::Basic) => "basic".to_owned(),
            Some(Challenge::Bearer { realm, service, scope }) => {
                format!("{realm} {} {}", service.unwrap_or_default(), scope.unwrap_or_default())
            }
        };
        assert_eq!(found.trim_end(), expected, "{values:?}");
    }

    #[test]
    fn challenges_are_found_however_they_are_written() {
        let full = r#"Bearer realm="https://a.test/token",service="a.test",scope="repository:x:pull,push""#;
        check(&[full], "https://a.test/token a.test repository:x:pull,push");
        check(&[r#"bearer  Realm = "r" , SERVICE=s"#], "r s");
        check(&["Bearer realm=r"], "r");
        check(&[r#"Bearer realm="a\"b\\c""#], r#"a"b\c"#);
        check(&[r#"Basic realm="a, Bearer realm=b""#], "basic");
        check(&[r#"Basic realm="x", Bearer realm="r",service="s""#], "r s");
        check(&["Basic", "Negotiate abc==", r#"Bearer realm="r""#], "r");
        check(&["BASIC"], "basic");
    }

    #[test]
    fn what_is_not_understood_is_no_challenge() {
        for text in [
            "",
            ",,",
            "=",
            "Bearer",
            r#"Bearer realm="""#,
            "Negotiate",
            r#"Bearer realm="#,
            "realm=x",
            "Digest realm=x",
        ] {
            check(&[text], "none");
        }
        check(&[r#"Bearer realm="open"#], "open");
        check(&[], "none");
    }
}
