//! The thread that interrupts guests that run for long.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The time that a guest runs before other guests get their turn and its time limit is checked.
const TICK: Duration = Duration::from_millis(10);

/// The number of ticks without a running guest after which the thread goes to sleep. To begin ticking again costs a
/// system call, and a busy run has short pauses.
const N_IDLE_TICKS: u32 = 10;

/// Advances the engine's epoch while guests run.
pub(crate) struct Ticker {
    engine: wasmtime::Engine,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    n_running: AtomicUsize,
    is_asleep: AtomicBool,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    has_thread: bool,
    is_closed: bool,
}

/// Keeps the ticker ticking while a guest runs.
pub(crate) struct Ticking<'a>(&'a Shared);

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.n_running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Ticker {
    /// Makes a ticker that has no thread yet.
    pub(crate) fn new(engine: wasmtime::Engine) -> Self {
        Self { engine, shared: Arc::default() }
    }

    /// Starts the thread if it is not running yet.
    pub(crate) fn start(&self) -> io::Result<()> {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.has_thread {
            let (engine, shared) = (self.engine.clone(), Arc::clone(&self.shared));
            thread::Builder::new().name("epoch-ticker".to_owned()).spawn(move || tick(&engine, &shared))?;
            state.has_thread = true;
        }
        Ok(())
    }

    /// Ticks for as long as the returned value lives.
    pub(crate) fn enter(&self) -> Ticking<'_> {
        self.shared.n_running.fetch_add(1, Ordering::SeqCst);
        if self.shared.is_asleep.load(Ordering::SeqCst) {
            let _state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.shared.wake.notify_one();
        }
        Ticking(&self.shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.shared.wake.notify_one();
    }
}

fn tick(engine: &wasmtime::Engine, shared: &Shared) {
    let mut n_idle = 0;
    let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    while !state.is_closed {
        if shared.n_running.load(Ordering::SeqCst) > 0 {
            n_idle = 0;
        } else {
            n_idle += 1;
        }
        if n_idle > N_IDLE_TICKS {
            // The sleep is announced before the last look: a guest that enters afterwards sees it.
            shared.is_asleep.store(true, Ordering::SeqCst);
            if shared.n_running.load(Ordering::SeqCst) == 0 {
                state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            shared.is_asleep.store(false, Ordering::SeqCst);
        } else {
            state = shared.wake.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
            engine.increment_epoch();
        }
    }
}
