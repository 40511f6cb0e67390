//! Names that are similar to a misspelled one.

/// Returns the candidates that `name` may be a misspelling or the beginning of: at most three, the nearest first.
///
/// A misspelling changes, adds, removes or swaps one character of three at most. A measure of similarity, as clap has
/// it, also finds words that share some letters and have nothing to do with each other.
#[must_use]
pub fn near<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_lowercase();
    let n_chars = name.chars().count();
    let n_changes = (n_chars / 3).max(1);
    let score = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let distance = strsim::osa_distance(&name, &candidate);
        let is_beginning = n_chars > 1 && candidate.starts_with(&name);
        ((distance <= n_changes && distance < n_chars) || is_beginning).then_some(distance)
    };
    let mut scored: Vec<(usize, &str)> =
        candidates.into_iter().filter_map(|candidate| Some((score(candidate)?, candidate))).collect();
    scored.sort_unstable();
    scored.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// Returns ``did you mean `x`?`` if a candidate is similar to `name`; otherwise a list of the candidates.
#[must_use]
pub fn suggestion(name: &str, candidates: &[&str], there_is: &str) -> String {
    let near = near(name, candidates.iter().copied());
    match near.as_slice() {
        [] if candidates.is_empty() => format!("{there_is}: nothing"),
        [] => format!("{there_is}: {}", candidates.join(", ")),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("did you mean {}?", names.join(" or "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first() {
        let check = |name, candidates: &[&'static str], expect: &[&str]| {
            assert_eq!(near(name, candidates.iter().copied()), expect, "{name}");
        };
        check("biuld", &["test", "build", "rebuild"], &["build"]);
        check("fil", &["filter", "file", "find"], &["file", "filter"]);
        check("Lnit", &["lint", "list"], &["lint"]);
        check("x", &["test", "y"], &[]);
        check("", &["test"], &[]);
    }

    #[test]
    fn words_that_only_share_letters_are_not_near() {
        let check = |name, candidate| assert_eq!(near(name, [candidate]), Vec::<&str>::new(), "{name}");
        check("login", "engine");
        check("output", "timeout");
        check("hell", "all");
        check("deploy", "plan");
    }

    #[test]
    fn without_a_near_name_all_are_listed() {
        assert_eq!(suggestion("x", &["build", "test"], "it exports"), "it exports: build, test");
        assert_eq!(suggestion("tset", &["build", "test"], "it exports"), "did you mean `test`?");
    }
}
