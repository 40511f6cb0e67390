//! Globs for paths, and lists of them in the syntax of `.dockerignore`.
//!
//! `*` and `?` match within a component, `**` matches any number of components, `[a-z]` and `[!a-z]` are classes,
//! `{a,b}` matches either text, and `\` makes the next character a plain one. A pattern is matched from the root;
//! a leading `/` or `./` and a trailing `/` are ignored.
//!
//! Source: Docker, "Dockerfile reference", ".dockerignore file". Braces are an addition.

use regex::bytes::Regex;

const LEAVES: &str = "leaves its root";

/// Why a pattern is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern `{pattern}` {reason}")]
pub struct PatternError {
    pattern: String,
    reason: &'static str,
}

impl graph::Diagnostic for PatternError {
    fn blame(&self) -> graph::Blame {
        graph::Blame::User
    }

    fn hint(&self) -> Option<String> {
        (self.reason != LEAVES).then(|| "put a `\\` before a `[` or a `{` that is part of a name".to_owned())
    }
}

/// A compiled glob for paths without a leading `/`.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    /// The components before the first that can match several. A directory that they do not match is not entered.
    head: Vec<Matcher>,
    /// Whether components follow the head.
    has_more: bool,
    whole: Matcher,
    /// Whether the last component of a path decides alone, as in `**/*.o`.
    is_of_name: bool,
}

#[derive(Debug, Clone)]
enum Matcher {
    Literal(Box<[u8]>),
    Regex(Regex),
    All,
}

impl Matcher {
    fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Literal(literal) => &**literal == path,
            Self::Regex(regex) => regex.is_match(path),
            Self::All => true,
        }
    }

    fn compile(text: &str, pattern: &str) -> Result<Self, PatternError> {
        if !text.contains(['*', '?', '[', '{', '\\']) {
            return Ok(Self::Literal(text.as_bytes().into()));
        }
        let source = to_regex(text, pattern)?;
        let error = |_| PatternError { pattern: pattern.to_owned(), reason: "is not a glob" };
        Regex::new(&source).map(Self::Regex).map_err(error)
    }
}

impl Glob {
    pub(crate) fn new(pattern: &str) -> Result<Self, PatternError> {
        let parts = clean(pattern)?;
        if parts.is_empty() {
            return Ok(Self { head: Vec::new(), has_more: true, whole: Matcher::All, is_of_name: true });
        }
        let text = parts.join("/");
        // A brace can have a `/` in it, so that the text between two `/` is not always a component.
        let is_plain = |part: &&&str| !part.contains("**") && !part.contains(['{', '}']);
        let head: Result<Vec<_>, _> =
            parts.iter().take_while(is_plain).map(|part| Matcher::compile(part, pattern)).collect();
        let head = head?;
        let is_of_name = match parts.as_slice() {
            ["**"] => true,
            // A class such as `[+-9]` matches a `/`.
            ["**", name] => !name.contains("**") && !name.contains('['),
            _ => false,
        };
        Ok(Self { has_more: head.len() < parts.len(), head, whole: Matcher::compile(&text, pattern)?, is_of_name })
    }

    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        self.whole.matches(path)
    }

    /// Returns whether a path below the directory can match.
    pub(crate) fn may_match_below(&self, directory: &[u8]) -> bool {
        let mut head = self.head.iter();
        for part in directory.split(|&b| b == b'/').filter(|part| !part.is_empty()) {
            match head.next() {
                Some(matcher) if matcher.matches(part) => {}
                Some(_) => return false,
                None => return self.has_more,
            }
        }
        self.has_more || head.next().is_some()
    }

    /// Returns whether a pattern has special characters.
    pub(crate) fn has_meta(pattern: &str) -> bool {
        pattern.contains(['*', '?', '[', '{', '\\'])
    }
}

/// Splits a pattern into its components; the root has none.
fn clean(pattern: &str) -> Result<Vec<&str>, PatternError> {
    let mut parts = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err(PatternError { pattern: pattern.to_owned(), reason: LEAVES });
                }
            }
            part => parts.push(part),
        }
    }
    Ok(parts)
}

/// Matches one character but `/`: a code point of UTF-8, or a byte that is part of none.
const ONE: &str = r"(?:[\x00-\x2e\x30-\x7f]|[\xc0-\xff][\x80-\xbf]*|[\x80-\xbf])";

fn to_regex(text: &str, pattern: &str) -> Result<String, PatternError> {
    let error = |reason| PatternError { pattern: pattern.to_owned(), reason };
    let mut out = String::from("(?s-u)^");
    let mut chars = text.chars().peekable();
    let mut n_braces = 0_u32;
    let mut at_start = true;
    while let Some(c) = chars.next() {
        let starts_component = std::mem::replace(&mut at_start, c == '/');
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                while chars.next_if_eq(&'*').is_some() {}
                if chars.next_if_eq(&'/').is_some() {
                    out.push_str(if starts_component { "(?:.*/)?" } else { ".*/" });
                    at_start = true;
                } else {
                    // `a/**` matches everything in `a`, and not `a` itself.
                    out.push_str(if starts_component { ".+" } else { ".*" });
                }
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str(ONE),
            '[' => class(&mut chars, &mut out).map_err(error)?,
            '{' => {
                n_braces += 1;
                out.push_str("(?:");
                at_start = starts_component;
            }
            '}' if n_braces > 0 => {
                n_braces -= 1;
                out.push(')');
            }
            ',' if n_braces > 0 => out.push('|'),
            '\\' => literal(chars.next().ok_or_else(|| error("ends in a `\\`"))?, &mut out),
            c => literal(c, &mut out),
        }
    }
    if n_braces > 0 {
        return Err(error("has a `{` that is not closed"));
    }
    out.push('$');
    Ok(out)
}

fn literal(c: char, out: &mut String) {
    out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Result<(), &'static str> {
    let negated = chars.next_if(|c| matches!(c, '!' | '^')).is_some();
    out.push_str(if negated { "(?u:[^/" } else { "(?u:[" });
    let mut n = 0;
    loop {
        match chars.next().ok_or("has a `[` that is not closed")? {
            ']' if n > 0 => break,
            '-' if n > 0 && chars.peek().is_some_and(|c| *c != ']') => out.push('-'),
            '\\' => class_literal(chars.next().ok_or("ends in a `\\`")?, out),
            c => class_literal(c, out),
        }
        n += 1;
    }
    out.push_str("])");
    Ok(())
}

fn class_literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

/// A list of patterns in the order in which they were written. The last one that matches decides.
#[derive(Debug, Clone, Default)]
struct Patterns {
    patterns: Vec<(Glob, bool)>,
}

/// For each pattern of a list, whether it matched a directory. It then matches everything in the directory.
type Matched = Vec<bool>;

impl Patterns {
    fn new(texts: &[String]) -> Result<Self, PatternError> {
        let mut patterns = Vec::new();
        for text in texts {
            let text = text.trim();
            let (glob, is_negated) = text.strip_prefix('!').map_or((text, false), |rest| (rest.trim(), true));
            if !glob.is_empty() {
                patterns.push((Glob::new(glob)?, is_negated));
            }
        }
        Ok(Self { patterns })
    }

    fn matched(&self, path: &[u8], parent: &[bool]) -> Matched {
        let above = |i: usize| parent.get(i).copied().unwrap_or(false);
        self.patterns.iter().enumerate().map(|(i, (glob, _))| above(i) || glob.matches(path)).collect()
    }

    fn verdict(&self, matched: &[bool]) -> bool {
        let last = self.patterns.iter().zip(matched).rev().find(|(_, matched)| **matched);
        last.is_some_and(|((_, is_negated), _)| !is_negated)
    }

    fn may_match_below(&self, directory: &[u8]) -> bool {
        self.patterns.iter().any(|(glob, is_negated)| !is_negated && glob.may_match_below(directory))
    }

    /// Returns whether the paths below a directory match as those below any other one with the same `matched`.
    fn is_same_everywhere(&self, directory: &[u8], matched: &[bool]) -> bool {
        let is_matched = |i: usize| matched.get(i).copied().unwrap_or(false);
        let mut patterns = self.patterns.iter().enumerate();
        patterns.all(|(i, (glob, _))| is_matched(i) || glob.is_of_name || !glob.may_match_below(directory))
    }

    fn may_spare_below(&self, directory: &[u8]) -> bool {
        self.patterns.iter().any(|(glob, is_negated)| *is_negated && glob.may_match_below(directory))
    }
}

/// Selects paths: those that an include pattern matches, or all if there is none, without those that an exclude
/// pattern matches.
#[derive(Debug, Clone, Default)]
pub struct Selector {
    include: Patterns,
    exclude: Patterns,
}

/// The matches of a directory, which its entries inherit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Above {
    include: Matched,
    exclude: Matched,
}

/// The decision about an entry.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// Whether the entry itself is selected.
    pub(crate) is_taken: bool,
    /// Whether entries in the directory can be selected. The directory is then kept even if it is not selected.
    pub(crate) may_descend: bool,
    pub(crate) above: Above,
}

impl Selector {
    /// Compiles the patterns of a selector.
    ///
    /// # Errors
    /// If a pattern is not valid.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self, PatternError> {
        Ok(Self { include: Patterns::new(include)?, exclude: Patterns::new(exclude)? })
    }

    /// Returns whether a file is selected, by its path from the root without a leading `/`.
    #[must_use]
    pub fn takes(&self, path: &[u8]) -> bool {
        let mut above = Above::default();
        let ends = (0..path.len()).filter(|at| path[*at] == b'/').chain([path.len()]);
        let mut is_taken = false;
        for end in ends {
            let verdict = self.judge(&path[..end], &above);
            (is_taken, above) = (verdict.is_taken, verdict.above);
        }
        is_taken
    }

    /// Returns whether every path is selected.
    pub(crate) fn takes_all(&self) -> bool {
        self.include.patterns.is_empty() && self.exclude.patterns.is_empty()
    }

    /// Returns whether the selection in a directory is the same wherever the directory is, if its entries inherit the
    /// same.
    pub(crate) fn is_same_everywhere(&self, directory: &[u8], above: &Above) -> bool {
        self.include.is_same_everywhere(directory, &above.include)
            && self.exclude.is_same_everywhere(directory, &above.exclude)
    }

    /// Decides about an entry by its path from the root. `above` has the matches of its directory.
    pub(crate) fn judge(&self, path: &[u8], above: &Above) -> Verdict {
        if self.takes_all() {
            return Verdict { is_taken: true, may_descend: true, above: Above::default() };
        }
        let include = self.include.matched(path, &above.include);
        let exclude = self.exclude.matched(path, &above.exclude);
        let is_included = self.include.patterns.is_empty() || self.include.verdict(&include);
        let is_excluded = self.exclude.verdict(&exclude);
        let may_include = is_included || self.include.may_match_below(path);
        let may_spare = !is_excluded || self.exclude.may_spare_below(path);
        Verdict {
            is_taken: is_included && !is_excluded,
            may_descend: may_include && may_spare,
            above: Above { include, exclude },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, matches: &str, others: &str) {
        let glob = Glob::new(pattern).unwrap();
        matches.split(' ').filter(|p| !p.is_empty()).for_each(|p| assert!(glob.matches(p.as_bytes()), "{pattern} {p}"));
        others.split(' ').filter(|p| !p.is_empty()).for_each(|p| assert!(!glob.matches(p.as_bytes()), "{pattern} {p}"));
    }

    #[test]
    fn a_glob_matches_whole_paths() {
        check("*", "a .hid sub", "a/b");
        check("**", "a a/b .hid/x", "");
        check("*.txt", "a.txt", "sub/a.txt a.txtx");
        check("**/*.txt", "a.txt sub/a.txt sub/deep/a.txt", "a.md");
        check("?.md", "b.md é.md", "bb.md /.md");
        check("*.{md,txt}", "a.md a.txt", "a.rs");
        check("{src/*,doc}/x", "src/a/x doc/x", "src/x");
        check("[ab].*", "a.x b.y", "c.x");
        check("[!ab].*", "c.x é.x", "a.x");
        check("[a-c]", "a b c", "d -");
        check("[]]", "]", "[");
        check("sub/", "sub", "sub/x");
        check("sub/**", "sub/x sub/x/y", "sub");
        check("a/**/b", "a/b a/x/b a/x/y/b", "ab a/xb");
        check("/a.txt", "a.txt", "x/a.txt");
        check("./a.txt", "a.txt", "");
        check("a\\*b", "a*b", "axb");
        check("a.b+(c)", "a.b+(c)", "axb+(c)");
        check("**.txt", "a.txt x/a.txt", "");
    }

    #[test]
    fn a_name_that_is_not_utf8_is_matched_by_bytes() {
        assert!(Glob::new("*.txt").unwrap().matches(b"\xff\xfe.txt"));
        let one = Glob::new("?.txt").unwrap();
        assert!(one.matches(b"\xff.txt") && one.matches(b"\x80.txt") && one.matches("\u{e9}.txt".as_bytes()));
        assert!(!one.matches(b"\xff\xfe.txt") && !one.matches(b".txt"));
    }

    #[test]
    fn a_pattern_that_makes_no_sense_is_named() {
        let error = |pattern: &str| Glob::new(pattern).unwrap_err().to_string();
        assert_eq!(error("[a"), "pattern `[a` has a `[` that is not closed");
        assert_eq!(error("{a"), "pattern `{a` has a `{` that is not closed");
        assert_eq!(error("../x"), "pattern `../x` leaves its root");
        assert_eq!(error("[z-a]"), "pattern `[z-a]` is not a glob");
    }

    #[test]
    fn no_directory_is_entered_where_nothing_can_match() {
        let below = |pattern: &str, directory: &str| Glob::new(pattern).unwrap().may_match_below(directory.as_bytes());
        assert!(below("src/lib/*.rs", "src"));
        assert!(below("src/lib/*.rs", "src/lib"));
        assert!(!below("src/lib/*.rs", "src/bin"));
        assert!(!below("src/lib/*.rs", "src/lib/deep"));
        assert!(below("src/**/x", "src/a/b"));
        assert!(!below("src/**/x", "doc"));
        assert!(below("{a,b}/x", "q"));
    }

    #[test]
    fn exclude_beats_include_and_a_negated_pattern_spares() {
        let texts = |list: &[&str]| list.iter().map(|&t| t.to_owned()).collect::<Vec<_>>();
        let taken = |include: &[&str], exclude: &[&str], path: &str| {
            Selector::new(&texts(include), &texts(exclude)).unwrap().takes(path.as_bytes())
        };
        assert!(taken(&["sub"], &["**/d.txt"], "sub/c.txt"));
        assert!(!taken(&["sub"], &["**/d.txt"], "sub/deep/d.txt"));
        assert!(!taken(&["*.rar"], &[], "sub/x.rar"));
        assert!(!taken(&[], &["sub"], "sub/x"));
        assert!(taken(&[], &["sub", "!sub/keep"], "sub/keep"));
        assert!(taken(&[], &["sub", "!sub/keep"], "sub/keep/x"));
        assert!(!taken(&[], &["sub", "!sub/keep", "sub/keep/x"], "sub/keep/x"));
        assert!(taken(&["."], &[], "a/b"));
    }
}
