//! Replaces a text in a file.

use graph::ContentDigest;

use super::{Edit, EditError, Origin, file_name};
use crate::budget::Budget;
use crate::tree::node::{Entry, Kind, Node};
use crate::tree::read::Selected;
use crate::tree::resolve::ReadError;

/// What is replaced, and by what.
pub(super) struct Replacement<'a> {
    pub(super) search: &'a str,
    pub(super) replacement: &'a str,
    /// Whether all matches are replaced. Otherwise there has to be one.
    pub(super) all: bool,
}

impl Edit<'_, '_> {
    pub(super) fn replace(
        &mut self,
        name: &str,
        from: Origin<'_>,
        what: &Replacement<'_>,
    ) -> Result<ContentDigest, EditError> {
        let store = self.editor.store;
        let name_bytes = file_name(name)?;
        let Selected::File(file) = store.select(from.tree, from.path)? else {
            return Err(ReadError::NotAFile { path: from.path.to_absolute(), found: "a directory" }.into());
        };
        let Kind::File { digest, size } = &file.kind else { return Err(EditError::BadName { name: name.to_owned() }) };
        // The file is in memory as a whole, besides the result.
        store.budget().result_bytes(*size).map_err(ReadError::from)?;
        let contents = replace_in(name, &store.read_blob(digest)?, what, &store.budget())?;
        let digest = store.put_blob(&contents)?;
        let kind = Kind::File { digest, size: contents.len() as u64 };
        Ok(self.editor.add(Node::of(vec![Entry::new(name_bytes, kind, file.owned)])))
    }
}

fn replace_in(name: &str, contents: &[u8], what: &Replacement<'_>, budget: &Budget) -> Result<Vec<u8>, EditError> {
    let search = what.search.as_bytes();
    if search.is_empty() {
        return Err(EditError::EmptySearch { name: name.to_owned() });
    }
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(i) = contents[from..].windows(search.len()).position(|window| window == search) {
        found.push(from + i);
        from += i + search.len();
    }
    let names = || (what.search.to_owned(), name.to_owned());
    if found.is_empty() {
        let (search, name) = names();
        return Err(EditError::NoMatch { search, name });
    }
    if !what.all && found.len() > 1 {
        let (search, name) = names();
        let line = |at: &usize| (contents[..*at].iter().filter(|&&b| b == b'\n').count() + 1).to_string();
        let lines = found.iter().take(5).map(line).collect::<Vec<_>>().join(", ");
        return Err(EditError::ManyMatches { search, name, n_matches: found.len(), lines });
    }
    let kept = contents.len() - found.len() * search.len();
    let n_bytes = found.len().saturating_mul(what.replacement.len()).saturating_add(kept);
    budget.result_bytes(n_bytes as u64).map_err(ReadError::from)?;
    let mut out = Vec::with_capacity(n_bytes);
    let mut from = 0;
    for at in found {
        out.extend_from_slice(&contents[from..at]);
        out.extend_from_slice(what.replacement.as_bytes());
        from = at + search.len();
    }
    out.extend_from_slice(&contents[from..]);
    Ok(out)
}
