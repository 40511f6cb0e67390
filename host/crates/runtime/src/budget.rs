//! The memory that the host keeps for the objects of a call.
//!
//! An object is charged when a method makes it. The charge ends when the object is dropped and nothing that was made of
//! it is left, so each charge keeps those of the objects that the new one was made of. What a method evaluates, begins
//! or passes to another module stays until the end of the call, because the engine and the session remember it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use wasmtime::component::Val;

use crate::trap::Stop;

/// The parameter that takes the contents of a file. They may be longer than other texts.
pub(crate) const CONTENTS: &str = "contents";

/// The number of bytes that are charged for beginning to evaluate an object.
pub(crate) const START_BYTES: u64 = 1024;

/// What is kept for a call, and its limit.
pub(crate) struct Budget {
    account: Arc<Account>,
    limit_bytes: u64,
    /// The charges of objects that the engine or the session remembers.
    pinned: Vec<Arc<Charge>>,
    /// The charges of the objects that the arguments of the present call of a method have.
    taken: Vec<Arc<Charge>>,
    /// The charge of the object that the present call of a method makes.
    made: Option<Arc<Charge>>,
}

#[derive(Default)]
struct Account {
    n_bytes: AtomicU64,
}

/// The bytes that are kept for one object.
pub(crate) struct Charge {
    account: Arc<Account>,
    n_bytes: u64,
    /// The charges of the objects that this one was made of.
    origins: Vec<Arc<Self>>,
    is_pinned: AtomicBool,
}

impl Budget {
    pub(crate) fn new(limit_bytes: u64) -> Self {
        Self { account: Arc::default(), limit_bytes, pinned: Vec::new(), taken: Vec::new(), made: None }
    }

    /// Charges bytes until the end of the call.
    pub(crate) fn add(&self, n_bytes: u64) -> Result<(), Stop> {
        self.account.n_bytes.fetch_add(n_bytes, Ordering::Relaxed);
        self.check()
    }

    fn check(&self) -> Result<(), Stop> {
        match self.account.n_bytes.load(Ordering::Relaxed) > self.limit_bytes {
            true => Err(Stop::TooMuchKept),
            false => Ok(()),
        }
    }

    /// Notes the charge of an argument.
    pub(crate) fn take(&mut self, charge: Option<Arc<Charge>>) {
        self.taken.extend(charge);
    }

    /// Returns whether an argument of the present call of a method is charged.
    pub(crate) fn has_taken(&self) -> bool {
        !self.taken.is_empty()
    }

    /// Forgets the charges of arguments that belong to no call of a method.
    pub(crate) fn forget_taken(&mut self) {
        self.taken.clear();
    }

    /// Charges an object that was made of the arguments.
    pub(crate) fn charge(&mut self, n_bytes: u64) -> Result<(), Stop> {
        let origins = std::mem::take(&mut self.taken);
        let (account, is_pinned) = (Arc::clone(&self.account), AtomicBool::new(false));
        account.n_bytes.fetch_add(n_bytes, Ordering::Relaxed);
        self.made = Some(Arc::new(Charge { account, n_bytes, origins, is_pinned }));
        self.check()
    }

    /// Returns the charge of the object that was made last, for its place in the table of objects.
    pub(crate) fn take_made(&mut self) -> Option<Arc<Charge>> {
        self.made.take()
    }

    /// Keeps the charges of the arguments until the end of the call.
    pub(crate) fn pin_taken(&mut self) {
        for charge in std::mem::take(&mut self.taken) {
            if !charge.is_pinned.swap(true, Ordering::Relaxed) {
                self.pinned.push(charge);
            }
        }
    }
}

impl Drop for Charge {
    /// Frees the charges that only this one needs, without recursion: a chain may be longer than the stack is deep.
    fn drop(&mut self) {
        let mut ended = std::mem::take(&mut self.origins);
        let mut n_bytes = self.n_bytes;
        while let Some(charge) = ended.pop() {
            if let Some(mut charge) = Arc::into_inner(charge) {
                n_bytes += std::mem::take(&mut charge.n_bytes);
                ended.append(&mut charge.origins);
            }
        }
        self.account.n_bytes.fetch_sub(n_bytes, Ordering::Relaxed);
    }
}

/// Finds a text that is longer than it may be, in an argument of a method.
pub(crate) fn check_texts(param: &str, val: &Val, limit_bytes: u64, readable: impl Fn() -> String) -> Result<(), Stop> {
    if param == CONTENTS || longest(val) <= limit_bytes {
        return Ok(());
    }
    Err(Stop::TextTooLong { function: readable(), param: param.to_owned() })
}

/// Returns the length of the longest text in a value, in bytes.
fn longest(val: &Val) -> u64 {
    match val {
        Val::String(text) => text.len() as u64,
        Val::List(items) | Val::Tuple(items) => items.iter().map(longest).max().unwrap_or(0),
        Val::Record(fields) => fields.iter().map(|(_, val)| longest(val)).max().unwrap_or(0),
        Val::Option(Some(val)) | Val::Variant(_, Some(val)) | Val::Result(Ok(Some(val)) | Err(Some(val))) => {
            longest(val)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(budget: &Budget) -> u64 {
        budget.account.n_bytes.load(Ordering::Relaxed)
    }

    /// Makes an object of others, and returns its charge.
    fn made_of(budget: &mut Budget, n_bytes: u64, origins: &[&Arc<Charge>]) -> Arc<Charge> {
        origins.iter().for_each(|origin| budget.take(Some(Arc::clone(origin))));
        budget.charge(n_bytes).unwrap();
        budget.take_made().unwrap()
    }

    #[test]
    fn a_charge_ends_with_the_object_and_all_that_was_made_of_it() {
        let mut budget = Budget::new(100);
        let first = made_of(&mut budget, 30, &[]);
        let second = made_of(&mut budget, 20, &[&first]);
        drop(first);
        assert_eq!(used(&budget), 50);
        drop(second);
        assert_eq!(used(&budget), 0);
    }

    #[test]
    fn more_than_the_limit_ends_the_call() {
        let mut budget = Budget::new(100);
        let first = made_of(&mut budget, 100, &[]);
        assert!(matches!(budget.charge(1), Err(Stop::TooMuchKept)));
        drop((budget.take_made(), first));
        budget.add(100).unwrap();
        assert!(matches!(budget.add(1), Err(Stop::TooMuchKept)));
    }

    #[test]
    fn what_was_evaluated_stays_charged() {
        let mut budget = Budget::new(100);
        for _ in 0..2 {
            let object = made_of(&mut budget, 40, &[]);
            budget.take(Some(Arc::clone(&object)));
            budget.take(Some(object));
            budget.pin_taken();
        }
        assert_eq!((used(&budget), budget.pinned.len()), (80, 2));
        assert!(matches!(budget.charge(40), Err(Stop::TooMuchKept)));
    }

    #[test]
    fn a_chain_longer_than_the_stack_is_deep_can_be_dropped() {
        let mut budget = Budget::new(u64::MAX);
        let mut last = made_of(&mut budget, 1, &[]);
        for _ in 0..200_000 {
            last = made_of(&mut budget, 1, &[&last]);
        }
        drop(last);
        assert_eq!(used(&budget), 0);
    }

    #[test]
    fn only_the_contents_of_files_may_be_long() {
        let text = |n_bytes: usize| Val::String("x".repeat(n_bytes));
        let is_allowed =
            |param: &str, val: Val| check_texts(param, &val, 10, || "container.with-label".to_owned()).is_ok();
        assert!(is_allowed("value", text(10)));
        assert!(!is_allowed("value", text(11)));
        assert!(!is_allowed("args", Val::List(vec![text(1), text(11)])));
        assert!(!is_allowed("tag", Val::Option(Some(Box::new(text(11))))));
        assert!(is_allowed("contents", text(11)));
    }
}
