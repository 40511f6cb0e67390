//! Shows the progress of a run, and records its events.
//!
//! Events come from any thread. Events of cached vertices are counted and dropped unless `--explain` needs them, because
//! a graph of 100,000 vertices must cost little. Nothing is drawn on a terminal until an operation has taken a moment.

mod tree;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use api::{LogLevel, Origins};
use engine::{Event, EventSink, Outcome, VertexEvent};
use graph::DefinitionDigest;
use session::record::events::{self, EventsFile};
use session::record::{Counts, Explain, Vertex, text};
use session::{StageEvent, StageOutcome, StageSink};
use terminal::{Lines, clipped, shown};

use crate::io::Stderr;
use crate::platform::LogSink;
use crate::report::{Report, Result};

/// The style in which progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Only warnings and errors.
    Quiet,
    /// A line for each operation that ended.
    Plain,
    /// A tree of the running operations, redrawn on a terminal.
    Tree,
}

/// The options of a [`Progress`].
pub(crate) struct ProgressOptions {
    pub(crate) style: Style,
    /// Whether the output of commands and cached vertices are shown, too.
    pub(crate) is_verbose: bool,
    /// Whether every vertex is kept for [`Progress::finish`].
    pub(crate) is_explained: bool,
    /// The file of `--events`; none without that option.
    pub(crate) events: Option<EventsFile>,
    /// The stage that is called, for events whose stage is not known.
    pub(crate) stage: String,
    /// Records who asked for which vertex.
    pub(crate) origins: Arc<Origins>,
}

/// Shows the progress of one run. Clones show the same run.
#[derive(Clone)]
pub(crate) struct Progress {
    shared: Arc<Shared>,
}

struct Shared {
    stderr: Stderr,
    options: ProgressOptions,
    begun_at: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counts: Counts,
    running: BTreeMap<DefinitionDigest, Running>,
    /// The number of cached vertices that no line has mentioned yet.
    n_untold: usize,
    vertices: Vec<Vertex>,
    tree: Option<tree::Tree>,
}

/// A vertex that is being evaluated.
struct Running {
    name: Arc<str>,
    /// Stands before each line of its output.
    prefix: Arc<str>,
    since: Instant,
    /// The output of its command that is not yet a whole line.
    lines: Lines,
}

impl Progress {
    /// Begins to show a run.
    pub(crate) fn new(stderr: Stderr, options: ProgressOptions) -> Self {
        let state = Mutex::new(State::default());
        Self { shared: Arc::new(Shared { stderr, options, begun_at: Instant::now(), state }) }
    }

    /// Returns the sink for events of vertices. It calls `on_start` when the first vertex is evaluated.
    pub(crate) fn event_sink(&self, on_start: impl FnOnce() + Send + 'static) -> EventSink {
        let this = self.clone();
        let on_start = Mutex::new(Some(on_start));
        Arc::new(move |event| {
            if matches!(event, Event::Started(_)) {
                let on_start = on_start.lock().unwrap_or_else(PoisonError::into_inner).take();
                on_start.into_iter().for_each(|on_start| on_start());
            }
            this.take(event);
        })
    }

    /// Returns the sink for messages of stages.
    pub(crate) fn log_sink(&self) -> LogSink {
        let this = self.clone();
        Arc::new(move |level, stage, message| {
            let least = if this.shared.options.is_verbose { LogLevel::Debug } else { LogLevel::Info };
            let is_quiet = this.shared.options.style == Style::Quiet && level < LogLevel::Warn;
            if level >= least && !is_quiet {
                this.say(&text::log(level, stage, message));
            }
        })
    }

    /// Returns the sink for events of stages.
    pub(crate) fn stage_sink(&self) -> StageSink {
        let this = self.clone();
        Arc::new(move |event| this.stage(&event))
    }

    fn stage(&self, event: &StageEvent) {
        let state = self.lock();
        if self.shared.options.style != Style::Quiet
            && let StageOutcome::Retried { message } = &event.outcome
        {
            self.print(&state, &format!("stage `{}` is tried again: {message}", event.stage));
        } else if self.shared.options.is_verbose {
            self.print(&state, &text::stage(event));
        }
        if let Some(file) = &self.shared.options.events {
            events::write_stage(file, event);
        }
    }

    /// Prints a line above the tree.
    pub(crate) fn say(&self, line: &str) {
        let state = self.lock();
        self.print(&state, line);
    }

    fn take(&self, event: Event) {
        match event {
            Event::Started(vertex) => self.started(vertex),
            Event::Output { vertex, bytes, .. } => self.printed(vertex, &bytes),
            Event::Finished { vertex, outcome, reason, duration } => {
                self.finished(Vertex { event: vertex, outcome, reason, duration });
            }
            Event::Image { name, reference } => self.resolved(&name, &reference),
            Event::Warning { message } => self.say(&format!("warning: {message}")),
        }
    }

    fn resolved(&self, name: &str, reference: &str) {
        let state = self.lock();
        if self.shared.options.is_verbose {
            self.print(&state, &format!("{name} is {reference}"));
        }
        if let Some(file) = &self.shared.options.events {
            events::write_image(file, name, reference);
        }
    }

    fn started(&self, vertex: VertexEvent) {
        let mut state = self.lock();
        // The lines of its output have only the beginning of it.
        if self.shared.options.is_verbose && self.shared.options.style != Style::Quiet {
            self.print(&state, &format!("> {}", clipped(&vertex.name)));
        }
        let stage = self.shared.options.origins.stage_of(vertex.digest);
        let prefix = text::prefix(stage.as_deref(), &vertex.name).into();
        let running = Running { name: vertex.name, prefix, since: Instant::now(), lines: Lines::default() };
        state.running.insert(vertex.digest, running);
        if self.shared.options.style == Style::Tree && state.tree.is_none() {
            state.tree = Some(tree::Tree::start(Arc::downgrade(&self.shared)));
        }
    }

    fn printed(&self, vertex: DefinitionDigest, bytes: &[u8]) {
        let mut state = self.lock();
        let Some(running) = state.running.get_mut(&vertex).filter(|_| self.shared.options.is_verbose) else { return };
        let whole = running.lines.push(bytes);
        let prefix = Arc::clone(&running.prefix);
        for line in String::from_utf8_lossy(&whole).lines() {
            self.print(&state, &format!("{prefix} | {line}"));
        }
    }

    fn finished(&self, vertex: Vertex) {
        let mut state = self.lock();
        let running = state.running.remove(&vertex.event.digest);
        if let Some(Running { prefix, lines, .. }) = running {
            let rest = lines.finish();
            if !rest.is_empty() {
                self.print(&state, &format!("{prefix} | {}", String::from_utf8_lossy(&rest)));
            }
        }
        state.counts.add(&vertex);
        self.tell(&mut state, &vertex);
        if let Some(file) = &self.shared.options.events {
            let ProgressOptions { stage, origins, .. } = &self.shared.options;
            events::write(file, stage, origins, &vertex);
        }
        if self.shared.options.is_explained {
            state.vertices.push(vertex);
        }
    }

    /// Prints a line about a vertex that ended, unless the style leaves it out.
    fn tell(&self, state: &mut State, vertex: &Vertex) {
        let options = &self.shared.options;
        if options.style == Style::Quiet {
            return;
        }
        let is_trivial = vertex.is_trivial();
        let is_silent = is_trivial || vertex.outcome == Outcome::Cached;
        let is_good = matches!(vertex.outcome, Outcome::Ran | Outcome::Cached);
        if is_silent && is_good && !options.is_verbose {
            state.n_untold += usize::from(!is_trivial);
            return;
        }
        let n_untold = std::mem::take(&mut state.n_untold);
        if n_untold > 0 {
            self.print(state, &format!("= {n_untold} cached"));
        }
        self.print(state, &text::vertex(vertex));
    }

    /// Returns the names of the vertices that are being evaluated.
    pub(crate) fn under_way(&self) -> Vec<String> {
        self.lock().running.values().map(|running| running.name.to_string()).collect()
    }

    /// Ends the display: removes the tree, prints the summary, and explains the vertices if `explain` is set.
    /// Fails if not all events could be written.
    pub(crate) fn finish(&self, explain: Option<Explain>) -> Result<()> {
        let tree = self.lock().tree.take();
        drop(tree);
        let state = self.lock();
        let counts = state.counts;
        let elapsed = self.shared.begun_at.elapsed();
        if let Some(explain) = explain {
            self.print(&state, &explain.render(&state.vertices));
        }
        if counts.n_total() > 0 && self.shared.options.style != Style::Quiet {
            self.print(&state, &text::summary(counts, elapsed));
        }
        let Some(file) = &self.shared.options.events else { return Ok(()) };
        events::write_end(file, counts, elapsed);
        file.take_failure().map_or(Ok(()), |error| Err(unwritable(file.path(), &error)))
    }

    fn print(&self, state: &State, line: &str) {
        match &state.tree {
            Some(tree) => tree.print(&shown(line, self.shared.stderr.is_colored())),
            None => self.shared.stderr.line(line),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.shared)
    }
}

/// Makes a report of a file of `--events` that cannot be written.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Report {
    Report::unwritable(format!("cannot write the events to `{}`", path.display()), error)
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}
