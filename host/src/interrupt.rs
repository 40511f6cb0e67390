//! Handles Ctrl-C: the first one cancels the run and cleans up, the second ends the process at once.

use std::process;
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::ExitStatus;
use crate::progress::Progress;

/// Remembers which vertices were running when the run was interrupted.
#[derive(Default)]
pub(crate) struct Interruption {
    under_way: Mutex<Option<Vec<String>>>,
}

impl Interruption {
    /// Returns the names of the vertices that were running; none if the run was not interrupted.
    pub(crate) fn under_way(&self) -> Option<Vec<String>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Cancels the run, and remembers what was running.
    pub(crate) fn interrupt(&self, progress: &Progress, cancel: &CancellationToken) {
        let names = progress.under_way();
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(names);
        progress.say("interrupted: stopping what is under way; once more to end at once");
        cancel.cancel();
    }
}

/// The action of the next signal; none to end the process.
static ON_NEXT: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

/// Waits for SIGINT and SIGTERM in a thread of its own. The first signal calls `on_first`, the second ends the process.
///
/// It is called with the first vertex of a run. Before that there is nothing to clean up, and the default effect of the
/// signals is right.
pub(crate) fn listen(on_first: impl FnOnce() + Send + 'static) {
    set(Some(Box::new(on_first)));
}

/// Lets the next signal end the process, because nothing is running.
pub(crate) fn end_at_once() {
    set(None);
}

fn set(on_next: Option<Box<dyn FnOnce() + Send>>) {
    static STARTED: Once = Once::new();
    *ON_NEXT.lock().unwrap_or_else(PoisonError::into_inner) = on_next;
    STARTED.call_once(start);
}

fn start() {
    let listener = thread::Builder::new().name("signals".to_owned()).spawn(|| {
        let Ok(runtime) = Builder::new_current_thread().enable_io().build() else { return };
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            loop {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} };
                let on_next = ON_NEXT.lock().unwrap_or_else(PoisonError::into_inner).take();
                match on_next {
                    Some(on_next) => on_next(),
                    None => process::exit(i32::from(ExitStatus::Interrupted.code())),
                }
            }
        });
    });
    // Without the thread a signal ends the process, which is good enough.
    drop(listener);
}
