//! Measurement of the time that a guest's own code runs.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::ticker::Ticker;

/// Measures time while it runs.
#[derive(Default)]
pub(crate) struct Stopwatch {
    state: Mutex<(Duration, Option<Instant>)>,
}

impl Stopwatch {
    fn resume(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 = Some(Instant::now());
    }

    fn pause(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = state.1.take() {
            state.0 += since.elapsed();
        }
    }

    /// Returns the time measured so far.
    pub(crate) fn elapsed(&self) -> Duration {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 + state.1.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// A future whose polls count as the guest's time. The time is measured, the ticker interrupts it, and panics of the
/// host are caught.
pub(crate) struct Running<'a, T> {
    pub(crate) inner: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    pub(crate) stopwatch: Arc<Stopwatch>,
    pub(crate) ticker: &'a Ticker,
}

impl<T> Future for Running<'_, T> {
    type Output = Result<T, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let _ticking = this.ticker.enter();
        this.stopwatch.resume();
        let polled = catch_unwind(AssertUnwindSafe(|| this.inner.as_mut().poll(cx)));
        this.stopwatch.pause();
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(panic) => Poll::Ready(Err(panic_message(&*panic))),
        }
    }
}

/// A future inside a [`Running`] one whose polls do not count as the guest's time.
pub(crate) struct Waiting<'a, T> {
    pub(crate) inner: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    pub(crate) stopwatch: Arc<Stopwatch>,
}

impl<T> Future for Waiting<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.stopwatch.pause();
        let polled = self.inner.as_mut().poll(cx);
        self.stopwatch.resume();
        polled
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

/// The clock of a guest. It begins at 0, advances by a microsecond whenever it is read, and jumps to the end of every
/// sleep.
#[derive(Debug, Default, Clone)]
pub(crate) struct VirtualClock {
    nanos: Arc<AtomicU64>,
}

/// The step of the clock when it is read. A guest that waits in a loop for time to pass comes to an end.
const STEP_NANOS: u64 = 1_000;

impl VirtualClock {
    /// Reads the clock, in nanoseconds.
    pub(crate) fn now(&self) -> u64 {
        self.nanos.fetch_add(STEP_NANOS, Ordering::Relaxed)
    }

    /// Advances the clock to a time, unless that time has passed.
    pub(crate) fn advance_to(&self, nanos: u64) {
        self.nanos.fetch_max(nanos, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_advances_when_it_is_read_and_by_what_is_slept() {
        let clock = VirtualClock::default();
        assert_eq!((clock.now(), clock.now()), (0, 1_000));
        clock.advance_to(1_000_000);
        clock.advance_to(5);
        assert_eq!(clock.now(), 1_000_000);
    }

    #[test]
    fn a_paused_stopwatch_stands_still() {
        let stopwatch = Stopwatch::default();
        stopwatch.resume();
        stopwatch.pause();
        assert_eq!(stopwatch.elapsed(), stopwatch.elapsed());
    }
}
