//! The registry of the suite, filled with test images. All engines share it.

use std::sync::{Mutex, OnceLock, PoisonError};

use conformance::images::push_all;
use testkit::Registry;

static RUNNING: OnceLock<Mutex<Option<Registry>>> = OnceLock::new();

/// Returns the address of the registry; the first call starts it.
pub(crate) fn address() -> String {
    let running = RUNNING.get_or_init(|| {
        let registry = Registry::start();
        push_all(&conformance::images::Registry::at(registry.address())).expect("a new registry takes images");
        Mutex::new(Some(registry))
    });
    let running = running.lock().unwrap_or_else(PoisonError::into_inner);
    running.as_ref().map(|registry| registry.address().to_owned()).expect("it runs until the last test has ended")
}

/// Ends the registry: nothing drops a static.
pub(crate) fn stop() {
    if let Some(running) = RUNNING.get() {
        running.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
