//! The state of a call.

use std::sync::Arc;

use api::{Bridge, Value};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::budget::Budget;
use crate::home::Home;
use crate::kinds::Kinds;
use crate::objects::Objects;
use crate::setup::Limits;
use crate::time::{Stopwatch, VirtualClock};
use crate::trap::Stop;

/// The data of one `wasmtime::Store`.
pub(crate) struct State {
    pub(crate) wasi: WasiCtx,
    pub(crate) resources: ResourceTable,
    pub(crate) clock: VirtualClock,
    pub(crate) objects: Objects,
    pub(crate) bridge: Arc<dyn Bridge>,
    pub(crate) stopwatch: Arc<Stopwatch>,
    pub(crate) limiter: Limiter,
    pub(crate) messages: Messages,
    pub(crate) budget: Budget,
    /// The limit on each text that is passed to a method, in bytes.
    pub(crate) text_bytes: u64,
    /// The resources of the component.
    pub(crate) kinds: Arc<Kinds>,
    /// The home of the component's own objects; none if they cannot live here.
    pub(crate) instance: Option<Home>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.resources }
    }
}

/// Limits the messages of a call.
#[derive(Debug)]
pub(crate) struct Messages {
    n_bytes: u64,
    limit_bytes: u64,
}

impl Messages {
    /// The number of bytes that a short message counts as: each takes a line on the screen, and time.
    const LEAST_BYTES: u64 = 64;

    pub(crate) fn new(limits: &Limits) -> Self {
        Self { n_bytes: 0, limit_bytes: limits.message_bytes }
    }

    /// Counts the texts among the arguments of the function that shows a message.
    pub(crate) fn count(&mut self, args: &[Value]) -> Result<(), Stop> {
        let texts = args.iter().filter_map(|arg| if let Value::String(text) = arg { Some(text.len()) } else { None });
        self.n_bytes += texts.map(|n_bytes| (n_bytes as u64).max(Self::LEAST_BYTES)).sum::<u64>();
        if self.n_bytes > self.limit_bytes { Err(Stop::TooManyMessages) } else { Ok(()) }
    }
}

/// Limits the memory of a call: linear memories and tables together.
pub(crate) struct Limiter {
    n_bytes: u64,
    limit_bytes: u64,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { n_bytes: 0, limit_bytes: limits.memory_bytes }
    }

    /// Counts growth. An error ends the guest with a message; a refusal would only lead it to a bare `unreachable`.
    fn grow(&mut self, current_bytes: u64, desired_bytes: u64) -> wasmtime::Result<bool> {
        let n_bytes = self.n_bytes.saturating_add(desired_bytes.saturating_sub(current_bytes));
        if n_bytes > self.limit_bytes {
            return Err(wasmtime::Error::new(Stop::OutOfMemory));
        }
        self.n_bytes = n_bytes;
        Ok(true)
    }
}

/// The size of one element of a table, in bytes.
const TABLE_ELEMENT_BYTES: u64 = 8;

impl wasmtime::ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // The component's own limit is none of the host's business.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.grow(current as u64, desired as u64)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let bytes = |n: usize| (n as u64).saturating_mul(TABLE_ELEMENT_BYTES);
        self.grow(bytes(current), bytes(desired))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_message_counts_as_sixty_four_bytes() {
        let limits = Limits { message_bytes: 200, ..Limits::default() };
        let emit = |text: &str| vec![Value::Enum("info".to_owned()), Value::String(text.to_owned())];
        let mut messages = Messages::new(&limits);
        assert!(messages.count(&emit("")).is_ok());
        assert!(messages.count(&emit("x")).is_ok());
        assert!(messages.count(&emit(&"x".repeat(72))).is_ok());
        assert!(matches!(messages.count(&emit("")), Err(Stop::TooManyMessages)));
    }
}
