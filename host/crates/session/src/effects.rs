//! The functions of a run that change something outside of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use engine::Failure;

/// The effects of a run. When the run is stopped, a function that has changed something goes on, so that it is not told
/// to have been stopped; all others may not begin.
#[derive(Default)]
pub(crate) struct Effects(Mutex<State>);

#[derive(Default)]
struct State {
    /// The functions that have changed something, as in `shop.deploy`.
    begun: BTreeSet<Arc<str>>,
    is_stopping: bool,
}

impl Effects {
    /// Notes that a function is about to change something.
    ///
    /// # Errors
    /// Fails with `Cancelled` if the run is being stopped and the function has not changed anything yet.
    pub(crate) fn begin(&self, function: &Arc<str>) -> Result<(), Failure> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_stopping && !state.begun.contains(function) {
            return Err(Failure::Cancelled);
        }
        state.begun.insert(Arc::clone(function));
        Ok(())
    }

    /// Lets no other function change anything, and returns those that have.
    pub(crate) fn stop(&self) -> BTreeSet<Arc<str>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_stopping = true;
        state.begun.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_is_stopped_lets_only_those_go_on_that_have_begun() {
        let effects = Effects::default();
        let (deploy, publish): (Arc<str>, Arc<str>) = ("shop.deploy".into(), "shop.publish".into());
        effects.begin(&deploy).unwrap();
        assert_eq!(effects.stop(), BTreeSet::from([Arc::clone(&deploy)]));
        effects.begin(&deploy).unwrap();
        assert!(matches!(effects.begin(&publish), Err(Failure::Cancelled)));
    }
}
