//! How the engine is set up.

use wasmtime::{Config, WasmBacktraceDetails};

use crate::setup::Limits;

/// The bytes of stack that host functions have besides the guest's. They run on the guest's
/// fiber, and evaluating a graph in a build without optimisation takes a lot; only what is touched
/// is ever backed by memory.
const HOST_STACK_BYTES: usize = 4 << 20;

/// Returns the configuration, which decides together with wasmtime's version whether compiled
/// code of another process can be used.
pub(crate) fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_memory64(false)
        // A stage is a pure function, on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_bytes)
        .async_stack_size(limits.stack_bytes.saturating_add(HOST_STACK_BYTES))
        // Lines of the guest's source in traps; the default asks the environment.
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        // Only other programs' unwinders need it, and it costs at every load.
        .native_unwind_info(false)
        .debug_symbols(false)
        .parallel_compilation(true);
    config
}
