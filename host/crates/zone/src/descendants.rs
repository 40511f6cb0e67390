//! Finds and ends the processes that a process of the zone started.

use super::sys;

/// Kills everything that this process started, and all that those left behind.
///
/// This process is a subreaper: what its dead children leave behind become its children. With the
/// first process of a container all others of it end.
pub(super) fn kill_descendants() {
    loop {
        for pid in children() {
            sys::kill(pid);
        }
        // Blocks until one has ended; fails when there is none any more.
        if sys::reap(-1, true).is_err() {
            return;
        }
        while let Ok(Some(_)) = sys::reap(-1, false) {}
    }
}

/// Returns the processes that this one is the parent of.
pub(super) fn children() -> Vec<i32> {
    let own = std::process::id();
    if let Ok(text) = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")) {
        return text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    }
    // A kernel without CONFIG_PROC_CHILDREN.
    let is_child = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        parent == Some(own)
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_child).collect()
}
