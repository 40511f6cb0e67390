//! Identifies this boot of the machine and this process.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

/// Returns the id of this boot. It is empty if the system has none; rows are then trusted only after a sync.
pub(crate) fn boot_id() -> &'static [u8] {
    static BOOT_ID: OnceLock<Vec<u8>> = OnceLock::new();
    BOOT_ID.get_or_init(|| {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        text.trim().as_bytes().to_vec()
    })
}

/// Returns the time at which the machine was started, in nanoseconds since 1970. It is a second early, because
/// clocks drift.
pub(crate) fn booted_at_ns() -> i64 {
    let up = clock_gettime(ClockId::Boottime);
    let up_ns = up.tv_sec.saturating_mul(1_000_000_000).saturating_add(up.tv_nsec);
    now_ns().saturating_sub(up_ns).saturating_sub(1_000_000_000)
}

/// Returns the present time in nanoseconds since 1970.
pub(crate) fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// Returns the time at which a process was started, in ticks since boot; none if there is no such process. A
/// process id can be used again, but never with the same time.
pub(crate) fn started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses can have any character, such as `)`.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    // A zombie holds no locks and no files.
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Returns the id of this process and the time at which it was started.
pub(crate) fn this() -> (u32, u64) {
    let pid = std::process::id();
    (pid, started(pid).unwrap_or(0))
}

/// Returns whether the process with this id and this start is running.
pub(crate) fn is_alive(pid: u32, start: u64) -> bool {
    started(pid) == Some(start)
}
