//! Ctrl-C: the first one cancels and cleans up, the second ends at once.

use std::process;
use std::sync::{Mutex, PoisonError};
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

/// Waits for SIGINT and SIGTERM in a thread of its own.
///
/// Started with the first vertex: before that there is nothing to clean up, and the signal's own
/// effect is the right one.
pub(crate) fn listen(on_first: impl FnOnce() + Send + 'static) {
    let listener = thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let Ok(runtime) = Builder::new_current_thread().enable_io().build() else { return };
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            let mut next = async || tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} };
            next().await;
            on_first();
            next().await;
            process::exit(i32::from(ExitStatus::Interrupted.code()));
        });
    });
    // Without the thread a signal has its own effect, which ends the run as well.
    drop(listener);
}
