//! Hears of changes in files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use notify::event::ModifyKind;
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::roots::Roots;
use crate::report::{Report, Result};

/// The time without changes after which a change counts as complete: an editor writes a file in several steps.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// Watches the files of a call.
///
/// Each directory is watched by itself. A recursive watch would also see what builds write, and the number of watched
/// directories is limited for each user.
pub(super) struct Files {
    watcher: RecommendedWatcher,
    events: Receiver<notify::Result<Event>>,
    roots: Roots,
    watched: BTreeSet<PathBuf>,
}

impl Files {
    /// Begins to watch.
    ///
    /// # Errors
    /// If the machine cannot watch files, or not so many directories.
    pub(super) fn new(roots: Roots) -> Result<Self> {
        let (sender, events) = mpsc::channel();
        let watcher = notify::recommended_watcher(sender).map_err(|error| refused(&error))?;
        let mut files = Self { watcher, events, roots: Roots::default(), watched: BTreeSet::new() };
        files.watch(roots)?;
        Ok(files)
    }

    /// Watches other roots from now on. Earlier changes that [`changed`](Self::changed) has not returned yet are kept.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn watch(&mut self, roots: Roots) -> Result<()> {
        let mut wanted = BTreeSet::new();
        for path in roots.paths() {
            // The parent is watched, too: a file may be replaced by a rename, and a directory removed and made again.
            wanted.extend(path.parent().map(Path::to_owned));
            directories(path, &roots, &mut wanted);
        }
        self.roots = roots;
        for gone in self.watched.difference(&wanted) {
            // A directory that was removed is not watched any more.
            let _ = self.watcher.unwatch(gone);
        }
        self.watched = self.watched.intersection(&wanted).cloned().collect();
        self.add(wanted)
    }

    fn add(&mut self, directories: BTreeSet<PathBuf>) -> Result<()> {
        for directory in directories {
            if self.watched.contains(&directory) {
                continue;
            }
            match self.watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(directory);
                }
                // It was removed in the meantime, which the watch of its parent reports.
                Err(error) if matches!(error.kind, ErrorKind::PathNotFound) || !directory.exists() => {}
                Err(error) => return Err(refused(&error)),
            }
        }
        Ok(())
    }

    /// Waits for a change that counts, and then until nothing changes for a moment. Returns the changed paths, or none if
    /// there were more changes than the kernel could report.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn changed(&mut self) -> Result<Vec<PathBuf>> {
        let mut changed = BTreeSet::new();
        let mut is_any = false;
        loop {
            let next = match is_any {
                true => self.events.recv_timeout(DEBOUNCE),
                false => self.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(event) => is_any |= self.take(event, &mut changed)?,
                Err(RecvTimeoutError::Timeout) => return Ok(changed.into_iter().collect()),
                Err(RecvTimeoutError::Disconnected) => return Err(Report::bug("nothing watches files any more")),
            }
        }
    }

    /// Handles an event, and returns whether it counts as a change.
    fn take(&mut self, event: notify::Result<Event>, changed: &mut BTreeSet<PathBuf>) -> Result<bool> {
        let event = event.map_err(|error| refused(&error))?;
        if event.need_rescan() {
            return Ok(true);
        }
        if !is_change(event.kind) {
            return Ok(false);
        }
        let mut is_any = false;
        for path in event.paths {
            if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))) {
                // A new directory of that name must be watched again.
                self.watched.remove(&path);
            }
            let mut below = BTreeSet::new();
            directories(&path, &self.roots, &mut below);
            self.add(below)?;
            if self.roots.has(&path) {
                changed.insert(path);
                is_any = true;
            }
        }
        Ok(is_any)
    }
}

/// Collects a directory and the directories below it that may contain watched files. Links are not followed.
fn directories(path: &Path, roots: &Roots, into: &mut BTreeSet<PathBuf>) {
    let mut pending = vec![path.to_owned()];
    while let Some(path) = pending.pop() {
        let is_directory = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        if !is_directory || !roots.may_have_below(&path) {
            continue;
        }
        pending.extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        into.insert(path);
    }
}

/// Returns whether an event is a change, and not only an access.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(_) | EventKind::Other => false,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) => true,
    }
}

fn refused(error: &notify::Error) -> Report {
    let report = Report::environment("changes of files cannot be watched").caused_by(error.to_string());
    match error.kind {
        ErrorKind::MaxFilesWatch => report.with_hint("raise `fs.inotify.max_user_watches` by `sysctl`"),
        _ => report,
    }
}
