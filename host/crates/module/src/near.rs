//! Names that are similar to a misspelled one.

/// The least similarity of a suggested name, from 0 to 1.
/// Source: clap, whose suggestions start at 0.7 of the same measure.
const LEAST_SIMILARITY: f64 = 0.7;

/// Returns the candidates that `name` may be a misspelling of: at most three, the most similar first.
#[must_use]
pub fn near<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| (strsim::jaro(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= LEAST_SIMILARITY)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
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
        assert_eq!(near("biuld", ["test", "build", "rebuild"]), ["build", "rebuild"]);
        assert_eq!(near("x", ["test"]), Vec::<&str>::new());
    }

    #[test]
    fn without_a_near_name_all_are_listed() {
        assert_eq!(suggestion("x", &["build", "test"], "it exports"), "it exports: build, test");
        assert_eq!(suggestion("tset", &["build", "test"], "it exports"), "did you mean `test`?");
    }
}
