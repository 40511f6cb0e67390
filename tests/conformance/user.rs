//! The embedded engine as an ordinary user: this program runs again as that user, and reads from a pipe what to run.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use conformance::{Behaviour, Verdict};
use serde_json::{Value, json};

use crate::engines::{Here, Target};
use crate::registry;

/// The first argument of the worker. The second is its directory, the third the address of the registry.
pub(crate) const ARGUMENT: &str = "--as-a-user-below";

/// A user that this machine does not know, so that `/etc/subuid` has only the range that is given here.
const UID: &str = "54322";

/// The receivers of answers, by the id of the behaviour.
type Waiting = Arc<Mutex<HashMap<String, Sender<Value>>>>;

/// The process of the ordinary user.
pub(crate) struct Worker {
    child: Mutex<Child>,
    stdin: Mutex<Option<ChildStdin>>,
    waiting: Waiting,
    _place: tempfile::TempDir,
}

impl Worker {
    /// Starts the process, in a mount namespace where the user has a range of user numbers.
    pub(crate) fn start() -> Self {
        let place = testkit::scratch_dir("conformance-");
        let mut child = command(place.path())
            .arg(ARGUMENT)
            .arg(place.path().join("own"))
            .arg(registry::address())
            .env("HOME", place.path().join("own"))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`unshare` and `setpriv` are installed");
        let stdin = Mutex::new(child.stdin.take());
        let stdout = child.stdout.take().expect("it was asked for");
        let waiting = Waiting::default();
        let answered = Arc::clone(&waiting);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let Ok(answer) = serde_json::from_str::<Value>(&line) else { continue };
                let id = answer["id"].as_str().unwrap_or_default();
                if let Some(sender) = lock(&answered).remove(id) {
                    let _ = sender.send(answer);
                }
            }
            // Every receiver that is left gets an error.
            lock(&answered).clear();
        });
        Self { child: Mutex::new(child), stdin, waiting, _place: place }
    }

    /// Lets the process run one behaviour.
    pub(crate) fn check(&self, behaviour: &Behaviour) -> Result<Verdict, String> {
        let id = behaviour.id();
        let receiver: Receiver<Value> = {
            let (sender, receiver) = channel();
            lock(&self.waiting).insert(id.clone(), sender);
            receiver
        };
        let gone = |_| "the process of the ordinary user has ended".to_owned();
        if let Some(stdin) = lock(&self.stdin).as_mut() {
            writeln!(stdin, "{id}").map_err(|error| format!("the process of the ordinary user: {error}"))?;
        }
        let answer = receiver.recv().map_err(gone)?;
        match (answer["yes"].as_bool(), answer["no"].as_str()) {
            (Some(true), _) => Ok(Verdict::Yes),
            (_, Some(reason)) => Ok(Verdict::No(reason.to_owned())),
            _ => Err(answer["wrong"].as_str().unwrap_or("it panicked").to_owned()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        lock(&self.stdin).take();
        let _ = lock(&self.child).wait();
    }
}

/// Returns the command that runs a copy of this program as the user, who cannot read the target directory.
fn command(place: &Path) -> Command {
    let allow = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it was just made");
    };
    let write = |name: &str, contents: &[u8], mode| {
        std::fs::write(place.join(name), contents).expect("the place can be written");
        allow(&place.join(name), mode);
    };
    allow(place, 0o755);
    std::fs::create_dir(place.join("own")).expect("the place is empty");
    allow(&place.join("own"), 0o777);
    let program = std::fs::read("/proc/self/exe").expect("this program can be read");
    write("program", &program, 0o755);
    let range = if testkit::is_there("newuidmap") { format!("{UID}:700000:65536\n") } else { String::new() };
    write("ranges", range.as_bytes(), 0o644);
    // `newuidmap` asks for the user's name.
    let known = std::fs::read_to_string("/etc/passwd").expect("this machine has users");
    write("names", format!("{known}conformance-user:x:{UID}:{UID}::/:/bin/sh\n").as_bytes(), 0o644);
    let script = format!(
        "mount --bind {0}/ranges /etc/subuid && mount --bind {0}/ranges /etc/subgid && \
         mount --bind {0}/names /etc/passwd && \
         exec setpriv --reuid {UID} --regid {UID} --clear-groups -- {0}/program \"$@\"",
        place.display()
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script, "sh"]);
    command
}

/// The main function of the process: runs each behaviour that a line of standard input names, until the input ends.
pub(crate) fn worker() -> ExitCode {
    let (Some(place), Some(registry)) = (std::env::args_os().nth(2), std::env::args().nth(3)) else {
        return ExitCode::from(2);
    };
    let here = Here::at(Target::EmbeddedUser, Path::new(&place), registry);
    let behaviours: HashMap<String, Behaviour> =
        conformance::all().into_iter().map(|behaviour| (behaviour.id(), behaviour)).collect();
    let output = Mutex::new(std::io::stdout());
    std::thread::scope(|scope| {
        for id in std::io::stdin().lines().map_while(Result::ok) {
            let (here, output, behaviours) = (&here, &output, &behaviours);
            scope.spawn(move || {
                let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    behaviours.get(&id).map(|behaviour| here.check(behaviour))
                }));
                let answer = match seen {
                    Ok(Some(Ok(Verdict::Yes))) => json!({ "id": id, "yes": true }),
                    Ok(Some(Ok(Verdict::No(reason)))) => json!({ "id": id, "no": reason }),
                    Ok(Some(Err(wrong))) => json!({ "id": id, "wrong": wrong }),
                    Ok(None) => json!({ "id": id, "wrong": "there is no such behaviour" }),
                    Err(_) => json!({ "id": id, "wrong": "it panicked" }),
                };
                let _ = writeln!(lock(output), "{answer}");
            });
        }
    });
    ExitCode::SUCCESS
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Each change is one call, so that what is in it is whole after any panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
