//! Evaluating several objects at the same time.

use crate::Result;

/// An object that can be evaluated: a container, a directory or a file.
pub trait Lazy {
    /// Starts the evaluation in the background and returns at once.
    fn start(&self);

    /// Evaluates the object, or waits for the evaluation that was started.
    ///
    /// # Errors
    ///
    /// If the evaluation fails.
    fn sync(&self) -> Result<()>;
}

impl<T: Lazy + ?Sized> Lazy for &T {
    fn start(&self) {
        T::start(self);
    }

    fn sync(&self) -> Result<()> {
        T::sync(self)
    }
}

/// Evaluates all objects at the same time, and waits for all of them.
///
/// ```no_run
/// use guest_sdk::prelude::*;
///
/// fn check(built: &Container) -> Result<()> {
///     let suites = ["unit", "integration", "fuzz"].map(|suite| built.with_exec(["make", suite]));
///     sync_all(&suites)
/// }
///
/// /// The objects may have different types.
/// fn both(app: &File, docs: &Directory) -> Result<()> {
///     sync_all([app as &dyn Lazy, docs])
/// }
/// ```
///
/// # Errors
///
/// The first error in the order of the objects, after all evaluations have ended.
pub fn sync_all(objects: impl IntoIterator<Item: Lazy>) -> Result<()> {
    let objects: Vec<_> = objects.into_iter().collect();
    for object in &objects {
        object.start();
    }
    // All are waited for. Returning at the first error would cancel the others and lose their errors.
    let answers: Vec<Result<()>> = objects.iter().map(Lazy::sync).collect();
    answers.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::Error;

    struct Fake<'a>(&'a RefCell<Vec<String>>, &'static str);

    impl Lazy for Fake<'_> {
        fn start(&self) {
            self.0.borrow_mut().push(format!("start {}", self.1));
        }

        fn sync(&self) -> Result<()> {
            self.0.borrow_mut().push(format!("sync {}", self.1));
            if self.1 == "good" { Ok(()) } else { Err(Error::new(self.1)) }
        }
    }

    #[test]
    fn all_start_before_the_first_is_waited_for_and_all_are_waited_for() {
        let calls = RefCell::default();
        let answer = sync_all([Fake(&calls, "bad"), Fake(&calls, "good"), Fake(&calls, "worse")]);
        assert_eq!(answer.unwrap_err().message, "bad");
        assert_eq!(
            calls.into_inner(),
            ["start bad", "start good", "start worse", "sync bad", "sync good", "sync worse"]
        );
    }
}
