//! The configuration of wasmtime's engine.

use wasmtime::{Config, WasmBacktraceDetails};

use crate::setup::Limits;

/// The stack for host functions in bytes, besides the guest's stack. Host functions run on the guest's fiber, and
/// evaluating a graph takes a lot of stack in a build without optimisation. Only the part that is touched takes
/// memory.
const HOST_STACK_BYTES: usize = 4 << 20;

/// Returns the configuration. Together with wasmtime's version it decides whether compiled code of another process can
/// be used.
pub(crate) fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_memory64(false)
        // A stage is a pure function: its results are the same on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_bytes)
        .async_stack_size(limits.stack_bytes.saturating_add(HOST_STACK_BYTES))
        // Traps show lines of the guest's source. The default would ask the environment.
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        // Unwind information is for other programs, and costs time at every load.
        .native_unwind_info(false)
        .debug_symbols(false)
        .parallel_compilation(true);
    config
}
