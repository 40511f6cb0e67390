//! Ctrl-C: the first one cancels and cleans up, the second ends at once.

use std::process;
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::ExitStatus;
use crate::progress::Progress;

/// What was under way when the run was interrupted.
#[derive(Default)]
pub(crate) struct Interruption {
    under_way: Mutex<Option<Vec<String>>>,
}

impl Interruption {
    /// Returns what was under way, if the run was interrupted.
    pub(crate) fn under_way(&self) -> Option<Vec<String>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Cancels, and remembers what was under way.
    pub(crate) fn interrupt(&self, progress: &Progress, cancel: &CancellationToken) {
        let names = progress.under_way();
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(names);
        progress.say("interrupted: stopping what is under way; once more to end at once");
        cancel.cancel();
    }
}

/// What the next signal does; without it the process ends.
static ON_NEXT: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

/// Waits for SIGINT and SIGTERM in a thread of its own: the first does what it is told here, the second ends the process.
///
/// Called with the first vertex of a run: before that there is nothing to clean up, and the signal's own effect is the
/// right one.
pub(crate) fn listen(on_first: impl FnOnce() + Send + 'static) {
    set(Some(Box::new(on_first)));
}

/// Lets the next signal end the process: nothing is under way.
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
    // Without the thread a signal has its own effect, which ends the run as well.
    drop(listener);
}
