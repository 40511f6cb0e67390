//! Recursion that can be as deep as a tree.

use std::thread;

/// The number of levels that share a stack. In a debug build the frames of one level take up to 16 KiB.
const LEVELS_PER_STACK: usize = 48;
/// The size of the stack of each further thread in bytes. The memory is reserved and mostly not used.
const STACK_BYTES: usize = 4 << 20;

/// Does the work of one level of a recursion that is `depth` levels deep. After [`LEVELS_PER_STACK`] levels the
/// work goes on in a new thread with a new stack.
pub(crate) fn descend<T: Send>(depth: usize, work: impl FnOnce() -> T + Send) -> T {
    if depth % LEVELS_PER_STACK != LEVELS_PER_STACK - 1 {
        return work();
    }
    thread::scope(|scope| {
        let spawned = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        let joined = spawned.expect("a system that has no thread left runs nothing").join();
        joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
