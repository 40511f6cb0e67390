//! The objects that a guest has handles of.

use std::sync::Arc;

use api::Object;

use crate::budget::Charge;
use crate::trap::Stop;

/// The objects of a call, by the numbers that stand for them in the guest.
///
/// The numbers of dropped objects are used again: a guest that makes and drops many objects needs only a few numbers.
pub(crate) struct Objects {
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    limit: u32,
}

/// An object with its charge; none if it came from outside of the call.
struct Slot {
    object: Object,
    charge: Option<Arc<Charge>>,
}

impl Objects {
    /// Makes a table that holds at most `limit` objects.
    pub(crate) fn new(limit: u32) -> Self {
        Self { slots: Vec::new(), free: Vec::new(), limit }
    }

    /// Adds an object and returns its number.
    pub(crate) fn push(&mut self, object: Object, charge: Option<Arc<Charge>>) -> Result<u32, Stop> {
        let made = Slot { object, charge };
        if let Some(index) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(index as usize)
        {
            *slot = Some(made);
            return Ok(index);
        }
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        if index >= self.limit {
            return Err(Stop::TooManyHandles);
        }
        self.slots.push(Some(made));
        Ok(index)
    }

    /// Returns an object by its number, with its charge.
    pub(crate) fn get(&self, index: u32) -> Option<(Object, Option<Arc<Charge>>)> {
        let slot = self.slots.get(index as usize)?.as_ref()?;
        Some((slot.object.clone(), slot.charge.clone()))
    }

    /// Removes an object and returns it with its charge.
    pub(crate) fn take(&mut self, index: u32) -> Option<(Object, Option<Arc<Charge>>)> {
        let Slot { object, charge } = self.slots.get_mut(index as usize)?.take()?;
        self.free.push(index);
        Some((object, charge))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(key: &str) -> Object {
        Object::CacheVolume(Arc::new(api::CacheVolume { key: key.to_owned() }))
    }

    #[test]
    fn a_number_is_used_again_and_the_limit_counts_what_is_held() {
        let mut objects = Objects::new(2);
        assert_eq!(objects.push(volume("a"), None).unwrap(), 0);
        assert_eq!(objects.push(volume("b"), None).unwrap(), 1);
        assert!(matches!(objects.push(volume("c"), None), Err(Stop::TooManyHandles)));
        assert!(objects.take(0).is_some());
        assert!(objects.take(0).is_none());
        assert_eq!(objects.push(volume("d"), None).unwrap(), 0);
        assert!(objects.get(7).is_none());
    }
}
