//! Recursion that is as deep as a tree is.

use std::thread;

/// How many levels are walked on one stack. A debug build's frames of one level take up to 16 KiB.
const LEVELS_PER_STACK: usize = 48;
/// The stack of each thread that goes on; it is reserved, not used.
const STACK_BYTES: usize = 4 << 20;

/// Does the work of one level of a recursion that is `depth` levels deep; every so many levels on a
/// new stack, so that no tree is too deep.
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
