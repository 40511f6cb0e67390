//! The tree of running operations on a terminal.
//!
//! A thread redraws it ten times a second. A vertex that ends sooner is never drawn and costs nothing.

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use graph::DefinitionDigest;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use session::record::text;
use terminal::shown;

use super::{Shared, lock};

/// The time between two drawings.
const PERIOD: Duration = Duration::from_millis(100);

/// The time that a vertex must have taken to be shown.
const LEAST_AGE: Duration = Duration::from_millis(100);

/// The most vertices that are shown. The others are only counted.
const N_SHOWN: usize = 12;

/// The most columns of a name. The end of the line may cut it earlier.
const NAME_COLUMNS: usize = 500;

pub(super) struct Tree {
    bars: MultiProgress,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tree {
    pub(super) fn start(shared: Weak<Shared>) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let (stop, stopped) = channel::<()>();
        let drawn = bars.clone();
        let thread = thread::spawn(move || {
            let mut rows = Rows { bars: drawn, head: None, shown: BTreeMap::new() };
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(PERIOD) {
                match shared.upgrade() {
                    Some(shared) => rows.draw(&shared),
                    None => break,
                }
            }
            // The tree must not stay on the screen.
            let _ = rows.bars.clear();
        });
        Self { bars, stop: Some(stop), thread: Some(thread) }
    }

    /// Prints a line above the tree.
    pub(super) fn print(&self, line: &str) {
        let _ = self.bars.println(line);
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // If the thread panicked, the panic hook has reported it.
            let _ = thread.join();
        }
    }
}

struct Rows {
    bars: MultiProgress,
    head: Option<ProgressBar>,
    shown: BTreeMap<DefinitionDigest, ProgressBar>,
}

impl Rows {
    fn draw(&mut self, shared: &Arc<Shared>) {
        let state = lock(shared);
        let old: Vec<_> = state.running.iter().filter(|(_, running)| running.since.elapsed() >= LEAST_AGE).collect();
        let head = (!old.is_empty()).then(|| {
            format!("{} running, {}", state.running.len(), text::summary(state.counts, shared.begun_at.elapsed()))
        });
        let rows: BTreeMap<DefinitionDigest, String> = old
            .iter()
            .take(N_SHOWN)
            .map(|(digest, running)| {
                // The time comes first because a long name is cut off at the end of the line.
                let name = terminal::short(&running.name, NAME_COLUMNS);
                let row = format!("{:>8}  {}", terminal::duration(running.since.elapsed()), shown(&name, false));
                (**digest, row)
            })
            .collect();
        // The lock is not held while the terminal is written to.
        drop(old);
        drop(state);
        self.update(head, rows);
    }

    fn update(&mut self, head: Option<String>, rows: BTreeMap<DefinitionDigest, String>) {
        match head {
            Some(text) => {
                let bars = &self.bars;
                self.head.get_or_insert_with(|| bars.insert(0, bar())).set_message(text);
            }
            None => self.head.take().iter().for_each(ProgressBar::finish_and_clear),
        }
        self.shown.retain(|digest, bar| {
            let is_kept = rows.contains_key(digest);
            if !is_kept {
                bar.finish_and_clear();
            }
            is_kept
        });
        for (digest, text) in rows {
            let bars = &self.bars;
            self.shown.entry(digest).or_insert_with(|| bars.add(bar())).set_message(text);
        }
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}
