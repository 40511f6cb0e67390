//! Calls of the module `pipelines`, and their events.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use testkit::{Answer, Scratch, guest};

/// The arguments of a call: a stage and the methods that are called on its result.
#[derive(Debug, Clone)]
pub(crate) struct Chain(Vec<String>);

/// The result of a call that ended, with its events.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) answer: Answer,
    pub(crate) vertices: Vec<Vertex>,
    /// The names of images with their digests, in the order of the events, as in `app:1 app:1@sha256:...`.
    pub(crate) images: Vec<String>,
}

/// The event of a vertex that ended.
#[derive(Debug)]
pub(crate) struct Vertex {
    pub(crate) name: String,
    pub(crate) outcome: String,
    pub(crate) reason: String,
    pub(crate) start: String,
    pub(crate) end: String,
    /// The event as JSON.
    pub(crate) line: Json,
}

impl Chain {
    /// Begins with a stage of the module.
    pub(crate) fn new(stage: &str) -> Self {
        Self(vec![stage.to_owned()])
    }

    /// Begins with a container that has the tools of this machine.
    pub(crate) fn machine() -> Self {
        Self::new("machine")
    }

    /// Adds arguments to the call.
    pub(crate) fn then(mut self, words: &[&str]) -> Self {
        self.0.extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    /// Adds a command that runs a script.
    pub(crate) fn sh(self, script: &str) -> Self {
        self.sh_with(script, &[])
    }

    /// Adds a command that runs a script, with options.
    pub(crate) fn sh_with(self, script: &str, options: &[&str]) -> Self {
        let args = serde_json::json!(["sh", "-c", script]).to_string();
        let method = if options.is_empty() { "with-exec" } else { "with-exec-options" };
        self.then(&[method, "--args", &args]).then(options)
    }

    /// Adds the method `stdout`.
    pub(crate) fn stdout(self) -> Self {
        self.then(&["stdout"])
    }

    /// Runs the call to its end.
    pub(crate) fn run(&self, scratch: &Scratch) -> Ran {
        self.run_with(scratch, |_| ())
    }

    /// Runs the call after a change of its process, such as another environment.
    pub(crate) fn run_with(&self, scratch: &Scratch, change: impl FnOnce(&mut Command)) -> Ran {
        let (mut command, events) = self.command(scratch);
        change(&mut command);
        let answer = command.output().map(Answer::from).expect("the binary was built");
        Ran::new(answer, &events)
    }

    /// Starts the call and does not wait.
    pub(crate) fn spawn(&self, scratch: &Scratch) -> Running {
        let (mut command, events) = self.command(scratch);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary was built");
        Running { child, events }
    }

    fn command(&self, scratch: &Scratch) -> (Command, PathBuf) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let events = scratch.path(&format!("events-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        let mut args: Vec<OsString> = vec!["call".into(), "-m".into(), guest("pipelines").into()];
        args.extend(["--allow", "machine", "--progress", "plain", "--events"].map(OsString::from));
        args.push(events.clone().into());
        args.extend(self.0.iter().map(OsString::from));
        (scratch.command(args), events)
    }
}

impl Ran {
    fn new(answer: Answer, events: &Path) -> Self {
        let text = std::fs::read_to_string(events).unwrap_or_default();
        let lines = text.lines().map(|line| serde_json::from_str::<Json>(line).expect("a line of events is JSON"));
        let (mut vertices, mut images) = (Vec::new(), Vec::new());
        for line in lines {
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            match line["event"].as_str() {
                Some("vertex") => {
                    let (name, outcome, reason) = (text("name"), text("outcome"), text("reason"));
                    vertices.push(Vertex { name, outcome, reason, start: text("start"), end: text("end"), line });
                }
                Some("image") => images.push(format!("{} {}", text("name"), text("reference"))),
                _ => {}
            }
        }
        Self { answer, vertices, images }
    }

    /// Returns standard output. The call must have succeeded.
    pub(crate) fn ok(&self) -> &str {
        assert_eq!(self.answer.code, Some(0), "{}", self.answer.stderr);
        &self.answer.stdout
    }

    /// Returns standard error. The call must have failed with this exit code.
    pub(crate) fn fails(&self, code: i32) -> &str {
        assert_eq!(self.answer.code, Some(code), "{:?}", self.answer);
        &self.answer.stderr
    }

    /// Returns the vertices that are commands.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &Vertex> {
        self.vertices.iter().filter(|vertex| vertex.name.starts_with("exec "))
    }

    /// Returns the names of the vertices that were evaluated, without sources.
    pub(crate) fn evaluated(&self) -> Vec<&str> {
        let ran = self.vertices.iter().filter(|vertex| vertex.outcome == "ran" && vertex.reason != "source");
        ran.map(|vertex| vertex.name.as_str()).collect()
    }

    /// Returns the one command whose name contains a text.
    pub(crate) fn command(&self, text: &str) -> &Vertex {
        let mut found = self.commands().filter(|vertex| vertex.name.contains(text));
        match (found.next(), found.next()) {
            (Some(vertex), None) => vertex,
            other => panic!("not one command with `{text}`: {other:?} among {:?}", self.vertices),
        }
    }
}

/// A call that was started.
pub(crate) struct Running {
    child: Child,
    events: PathBuf,
}

impl Running {
    /// Sends a signal to the process, as in `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status();
        assert!(status.is_ok_and(|status| status.success()), "the process is gone already");
    }

    /// Returns whether the process handles an interrupt.
    /// Source: the manual page `proc_pid_status(5)`, field `SigCgt`: a mask, bit 0 is signal 1.
    pub(crate) fn catches_interrupts(&self) -> bool {
        const INTERRUPT: u32 = 2;
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        mask & (1 << (INTERRUPT - 1)) != 0
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(self) -> Ran {
        let output = self.child.wait_with_output().expect("it was started here");
        Ran::new(output.into(), &self.events)
    }
}

/// Waits until a condition holds.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Returns a command that sleeps and that no other process has: the same tests may run at once as another user.
pub(crate) fn sleep(seconds: &str) -> String {
    format!("sleep {seconds}{:07}", std::process::id())
}

/// Returns the processes whose command line contains a text, by their command lines.
pub(crate) fn processes(text: &str) -> Vec<String> {
    of_processes("cmdline", text)
}

/// Returns the processes of the zones of a store: those that have it mounted, or that name it.
pub(crate) fn zone_processes(scratch: &Scratch) -> Vec<String> {
    let store = scratch.path("store");
    let store = store.to_str().expect("the path of the repository is UTF-8");
    let mut found = of_processes("mountinfo", store);
    found.extend(of_processes("cmdline", store));
    found
}

fn of_processes(file: &str, text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("there is a /proc").filter_map(Result::ok);
    entries
        .map(|entry| entry.path())
        .filter(|path| path.join("cmdline").exists() && !path.ends_with("self"))
        .filter(|path| {
            let read = std::fs::read(path.join(file)).unwrap_or_default();
            String::from_utf8_lossy(&read).replace('\0', " ").contains(text)
        })
        .map(|path| {
            let command = std::fs::read(path.join("cmdline")).unwrap_or_default();
            format!("{} {}", path.display(), String::from_utf8_lossy(&command).replace('\0', " "))
        })
        .collect()
}
