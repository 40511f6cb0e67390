//! `host watch`: a stage is called again when something that it is given changes.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use testkit::{Scratch, guest, require};

/// The time after which waiting for a line fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// The line that `host watch` prints when it waits.
const WAITS: &str = "waiting for changes";

/// A process of `host watch`. It is killed when the test is over.
struct Watching {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

/// Sends the lines of a stream to a channel.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

impl Watching {
    fn start(scratch: &Scratch, args: &[&str]) -> Self {
        let mut command = scratch.command([&["watch", "--progress", "plain"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        Self { child, out, err }
    }

    /// Waits for a line that contains a text, and returns all lines up to it.
    fn says(&self, text: &str) -> Vec<String> {
        let mut said: Vec<String> = Vec::new();
        while !said.last().is_some_and(|line| line.contains(text)) {
            let line = self.err.recv_timeout(PATIENCE);
            said.push(line.unwrap_or_else(|_| panic!("it does not say `{text}`: {said:#?}")));
        }
        said
    }

    /// Returns the next line of standard output.
    fn prints(&self) -> String {
        self.out.recv_timeout(PATIENCE).unwrap()
    }

    fn interrupt(mut self) -> Option<i32> {
        let status = Command::new("sh").arg("-c").arg(format!("kill -INT {}", self.child.id())).status();
        assert!(status.is_ok_and(|status| status.success()), "it is gone already");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a store with sources, and the arguments that compile and pack them.
fn packing() -> Option<(Scratch, Vec<String>)> {
    if !require("crun") || !require("wasm32-wasip2") {
        return None;
    }
    let scratch = Scratch::new();
    scratch.write("src/main", "# a comment\ncode\n");
    let module = guest("pipelines").to_str().unwrap().to_owned();
    let words = ["-m", &module, "--allow", "machine", "pack", "--src", "src"].map(str::to_owned);
    Some((scratch, words.to_vec()))
}

fn watch(scratch: &Scratch, words: &[String]) -> Watching {
    Watching::start(scratch, &words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_change_runs_what_it_reaches_and_no_more() {
    let Some((scratch, words)) = packing() else { return };
    let watching = watch(&scratch, &words);
    assert_eq!(watching.prints(), "CODE");
    watching.says(WAITS);

    scratch.write("src/main", "# another comment\ncode\n");
    assert_eq!(watching.prints(), "CODE");
    let said = watching.says(WAITS);
    assert!(said[0].contains("changed: src/main; calling `pack` again"), "{said:#?}");
    assert!(said.iter().any(|line| line.starts_with("+ exec") && line.contains("grep")), "{said:#?}");
    assert!(!said.iter().any(|line| line.starts_with("+ exec") && line.contains("tr a-z")), "{said:#?}");

    scratch.write("src/main", "more code\n");
    assert_eq!(watching.prints(), "MORE CODE");
    watching.says(WAITS);

    // The directory of the file is new.
    scratch.write("src/new/directory/file", "");
    let said = watching.says(WAITS);
    assert!(said[0].contains("src/new"), "{said:#?}");
    scratch.write("src/new/directory/file", "x");
    let said = watching.says(WAITS);
    assert!(said[0].contains("changed: src/new/directory/file;"), "{said:#?}");
}

#[test]
fn a_touched_file_runs_nothing() {
    let Some((scratch, words)) = packing() else { return };
    let watching = watch(&scratch, &words);
    assert_eq!(watching.prints(), "CODE");
    watching.says(WAITS);
    let file = std::fs::File::options().write(true).open(scratch.path("work/src/main")).unwrap();
    file.set_modified(std::time::SystemTime::now() + Duration::from_secs(10)).unwrap();
    assert_eq!(watching.prints(), "CODE");
    let said = watching.says(WAITS);
    assert!(!said.iter().any(|line| line.starts_with("+ exec")), "{said:#?}");
}

#[test]
fn a_stage_that_fails_is_called_again_when_it_may_be_mended() {
    let Some((scratch, mut words)) = packing() else { return };
    words[4] = "count".to_owned();
    words[6] = "gone".to_owned();
    std::fs::create_dir(scratch.path("work/gone")).unwrap();
    let watching = watch(&scratch, &words);
    assert_eq!(watching.prints(), "0");
    watching.says(WAITS);
    std::fs::remove_dir(scratch.path("work/gone")).unwrap();
    let said = watching.says(WAITS);
    assert!(said.iter().any(|line| line.contains("there is no directory at `gone`")), "{said:#?}");
    scratch.write("gone/file", "");
    // The events of the directory and of the file may arrive one after the other.
    while watching.prints() != "1" {}
    watching.says(WAITS);
}

#[test]
fn several_stages_or_the_leaves_are_run_again_and_their_outcomes_are_told() {
    let Some((scratch, _)) = packing() else { return };
    let head = format!("name = \"shop\"\nversion = \"0.1.0\"\ncomponent = '{}'\n", guest("pipelines").display());
    let good = "[stages.good]\ncall = \"count\"\nargs.src = \"src\"\n";
    let bad = "[stages.bad]\ncall = \"fail\"\nargs.script = \"exit 3\"\n";
    scratch.write("host.toml", format!("{head}allow = [\"machine\"]\n{good}{bad}"));
    for (n, words) in [&["good", "bad", "-k"][..], &["-k"], &["bad"]].into_iter().enumerate() {
        let watching = Watching::start(&scratch, words);
        let tells = |said: &[String], outcome: &str| said.iter().any(|line| line.starts_with(outcome));
        let said = watching.says(WAITS);
        assert!(tells(&said, "failed   bad "), "{said:#?}");
        if n == 2 {
            break;
        }
        assert!(tells(&said, "done     good "), "{said:#?}");
        scratch.write("src/main", format!("{n}\n"));
        let said = watching.says(WAITS);
        assert!(said[0].contains("changed: src/main;"), "{said:#?}");
        assert!(tells(&said, "done     good ") && tells(&said, "failed   bad "), "{said:#?}");
    }
}

#[test]
fn a_manifest_is_watched_with_its_module() {
    let Some((scratch, _)) = packing() else { return };
    let manifest = |script: &str| {
        let component = guest("pipelines");
        format!(
            "name = \"shop\"\nversion = \"0.1.0\"\ncomponent = '{}'\nallow = [\"machine\"]\n\
             [stages.fail]\nargs = {{ script = \"{script}\" }}\n",
            component.display()
        )
    };
    scratch.write("host.toml", manifest("exit 3"));
    let watching = Watching::start(&scratch, &["fail"]);
    let said = watching.says(WAITS);
    assert!(said.iter().any(|line| line.contains("exited with code 3")), "{said:#?}");
    scratch.write("host.toml", manifest("echo mended"));
    assert_eq!(watching.prints(), "mended");
    let said = watching.says(WAITS);
    assert!(said[0].contains("changed: host.toml; calling `fail` again"), "{said:#?}");
    scratch.write("host.toml", "name = ");
    let said = watching.says(WAITS);
    assert!(said.iter().any(|line| line.starts_with("error: ")), "{said:#?}");
    scratch.write("host.toml", manifest("exit 4"));
    let said = watching.says(WAITS);
    assert!(said.iter().any(|line| line.contains("exited with code 4")), "{said:#?}");
}

#[test]
fn what_is_excluded_or_written_by_the_call_itself_calls_nothing() {
    let Some((scratch, _)) = packing() else { return };
    let component = guest("linked");
    let manifest = format!(
        "name = \"shop\"\nversion = \"0.1.0\"\ncomponent = '{}'\nallow = [\"machine\"]\n\
         [dependencies]\nobjects = {{ component = '{}' }}\n\
         [stages.build]\nargs = {{ src = \".\" }}\nignore = [\"*.log\", \"out\"]\n",
        component.display(),
        guest("objects").display()
    );
    scratch.write("host.toml", manifest);
    let watching = Watching::start(&scratch, &["build", "-o", "out"]);
    watching.says(WAITS);
    assert!(scratch.path("work/out/built").exists());
    scratch.write("target/made", "x");
    scratch.write(".git/index", "x");
    scratch.write("src/seen", "x");
    let said = watching.says(WAITS);
    assert!(said[0].contains("changed: src/seen;"), "{said:#?}");
}

#[test]
fn an_interrupt_ends_it_while_it_waits_and_while_it_runs() {
    let Some((scratch, mut words)) = packing() else { return };
    let watching = watch(&scratch, &words);
    watching.says(WAITS);
    assert_eq!(watching.interrupt(), Some(130));

    words.truncate(4);
    words.extend(["fail", "--script", "echo begun; sleep 60", "-v"].map(str::to_owned));
    let watching = watch(&scratch, &words);
    watching.says("| begun");
    assert_eq!(watching.interrupt(), Some(130));
}
