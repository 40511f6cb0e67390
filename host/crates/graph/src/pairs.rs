//! Names with values: environment variables, labels, annotations.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Names with values, in the order in which the names were first set.
///
/// A copy shares everything with the original, and a change adds one link to it: a chain of containers of which each
/// sets one more variable takes as much memory as its variables.
#[derive(Clone, Default)]
pub struct Pairs {
    newest: Option<Arc<Change>>,
}

/// A change of other pairs.
struct Change {
    name: String,
    /// The value; none if the name was removed.
    value: Option<String>,
    before: Option<Arc<Self>>,
    /// The bytes that this change and all before it take.
    n_bytes: u64,
}

impl Pairs {
    /// The bytes that a change takes besides its texts.
    const CHANGE_BYTES: u64 = 128;

    /// Returns the value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.changes().find(|change| change.name == name)?.value.as_deref()
    }

    /// Gives a name a value. A name that is there already keeps its place.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.change(name.into(), Some(value.into()));
    }

    /// Removes a name.
    pub fn remove(&mut self, name: &str) {
        if self.get(name).is_some() {
            self.change(name.to_owned(), None);
        }
    }

    fn change(&mut self, name: String, value: Option<String>) {
        let texts = name.len() + value.as_ref().map_or(0, String::len);
        let n_bytes = self.n_bytes() + texts as u64 + Self::CHANGE_BYTES;
        let before = self.newest.take();
        self.newest = Some(Arc::new(Change { name, value, before, n_bytes }));
    }

    /// Returns all changes, the newest first.
    fn changes(&self) -> impl Iterator<Item = &Change> {
        std::iter::successors(self.newest.as_deref(), |change| change.before.as_deref())
    }

    /// Returns the names with their values, in order.
    #[must_use]
    pub fn entries(&self) -> Vec<(&str, &str)> {
        let mut changes: Vec<&Change> = self.changes().collect();
        changes.reverse();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut entries: Vec<Option<(&str, &str)>> = Vec::new();
        for Change { name, value, .. } in changes {
            match (value, places.get(name.as_str())) {
                (Some(value), Some(place)) => entries[*place] = Some((name, value)),
                (Some(value), None) => {
                    places.insert(name, entries.len());
                    entries.push(Some((name, value)));
                }
                (None, _) => {
                    if let Some(place) = places.remove(name.as_str()) {
                        entries[place] = None;
                    }
                }
            }
        }
        entries.into_iter().flatten().collect()
    }

    /// Returns the names with copies of their values, in order.
    #[must_use]
    pub fn to_vec(&self) -> Vec<(String, String)> {
        self.entries().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Returns the names with their values, sorted by name.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&str, &str)> {
        let mut entries = self.entries();
        entries.sort_unstable();
        entries
    }

    /// Returns the bytes that all changes take together. Copies share most of them.
    #[must_use]
    pub fn n_bytes(&self) -> u64 {
        self.newest.as_ref().map_or(0, |change| change.n_bytes)
    }
}

impl Drop for Change {
    /// Frees the changes that only this one needs, without recursion: a chain may be longer than the stack is deep.
    fn drop(&mut self) {
        let mut before = self.before.take();
        while let Some(mut change) = before.and_then(Arc::into_inner) {
            before = change.before.take();
        }
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut made = Self::default();
        pairs.into_iter().for_each(|(name, value)| made.set(name, value));
        made
    }
}

impl PartialEq for Pairs {
    fn eq(&self, other: &Self) -> bool {
        self.entries() == other.entries()
    }
}

impl Eq for Pairs {}

impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes pairs from changes: `a=1` sets, `-a` removes.
    fn pairs(changes: &str) -> Pairs {
        let mut pairs = Pairs::default();
        for change in changes.split_whitespace() {
            match (change.strip_prefix('-'), change.split_once('=')) {
                (Some(name), _) => pairs.remove(name),
                (None, Some((name, value))) => pairs.set(name, value),
                (None, None) => panic!("{change}"),
            }
        }
        pairs
    }

    #[test]
    fn names_stand_where_they_were_first_set() {
        let check = |changes: &str, expect: &str| {
            let pairs = pairs(changes);
            let entries: Vec<String> = pairs.entries().iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(entries.join(" "), expect, "{changes}");
            for (name, value) in pairs.entries() {
                assert_eq!(pairs.get(name), Some(value), "{changes}");
            }
        };
        check("", "");
        check("a=1 b=2 a=3", "a=3 b=2");
        check("a=1 b=2 -a", "b=2");
        check("a=1 b=2 -a a=3", "b=2 a=3");
        check("-a b=1 -b -b", "");
        assert_eq!(pairs("a=1 -a").get("a"), None);
        assert_eq!(pairs("b=1 a=2").sorted(), [("a", "2"), ("b", "1")]);
        assert_eq!(pairs("a=1 b=2 -a a=3"), pairs("b=2 a=3"));
    }

    #[test]
    fn a_chain_of_changes_takes_memory_for_each_change_once() {
        let mut chain = vec![Pairs::default()];
        for n in 0..1000 {
            let mut next = chain[n].clone();
            next.set(format!("{n:03}"), "12345");
            chain.push(next);
        }
        assert_eq!(chain[1000].n_bytes(), 1000 * (8 + Pairs::CHANGE_BYTES));
        let shared = |at: usize| chain[at].newest.as_ref().map(Arc::as_ptr);
        let below = chain[1000].newest.as_ref().and_then(|change| change.before.as_ref()).map(Arc::as_ptr);
        assert_eq!(below, shared(999));
    }

    #[test]
    fn a_chain_longer_than_the_stack_is_deep_can_be_dropped() {
        let pairs: Pairs = (0..200_000).map(|n| (n.to_string(), "x")).collect();
        drop(pairs);
    }
}
