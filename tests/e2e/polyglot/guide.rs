//! The guide: its files are written and its commands are run, in their order, in an empty directory.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use support::{Answer, Docker, Language, Place, Registry, binary, require, root, target_dir};

use super::can_build;
use crate::images::packages::push_compiler;

/// A fenced block: what is behind the fence, and what is in it.
struct Block {
    info: String,
    body: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(root().join("docs").join(page)).unwrap();
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let body = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push(Block { info: info.to_owned(), body });
        }
    }
    blocks
}

/// Where the guide is followed.
struct Reader {
    place: Place,
    cwd: PathBuf,
    /// Variables of his own.
    env: Vec<(&'static str, String)>,
}

impl Reader {
    fn new() -> Self {
        let place = Place::new();
        let cwd = place.path("work");
        fs::create_dir(place.path("bin")).unwrap();
        symlink(binary(), place.path("bin/host")).unwrap();
        // What cargo builds for every module is built once.
        let target = target_dir().join("polyglot/guide");
        fs::create_dir_all(&target).unwrap();
        fs::create_dir(cwd.join("shop")).unwrap();
        symlink(target, cwd.join("shop/target")).unwrap();
        Self { place, cwd, env: Vec::new() }
    }

    /// Runs commands in the shell; the next ones go on where they ended.
    fn run(&mut self, commands: &str) -> Answer {
        let last = self.place.path("cwd");
        let mut path = vec![self.place.path("bin")];
        path.extend([Language::Python.tool_dir(), Language::JavaScript.tool_dir()]);
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", &format!("{commands}\npwd > \"$LAST\"")]).current_dir(&self.cwd).stdin(Stdio::null());
        shell.env_clear().env("PATH", std::env::join_paths(path).unwrap()).env("LAST", &last);
        for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME"] {
            shell.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        shell.envs(self.env.iter().map(|(name, value)| (name, value)));
        // Its dependencies are those of the guest programs, which are there.
        shell.env("CARGO_NET_OFFLINE", "true").env("HOST_STORE", target_dir().join("polyglot/store"));
        let answer = Answer::from(shell.output().unwrap());
        assert_eq!(answer.code, Some(0), "{commands}{}{}", answer.stdout, answer.stderr);
        self.cwd = fs::read_to_string(last).unwrap().trim_end().into();
        answer
    }

    fn write(&self, path: &str, contents: &str) {
        let path = self.cwd.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
}

/// Whether a text is what was expected, where `…` stands for anything: for lines, or for the rest of one.
fn is_like(said: &str, expected: &str) -> bool {
    let mut said = said.lines();
    let mut is_gap = false;
    for expected in expected.lines() {
        if expected == "…" {
            is_gap = true;
            continue;
        }
        let fits = |line: &str| match expected.strip_suffix('…') {
            Some(begin) => line.starts_with(begin),
            None => line == expected,
        };
        let found = if is_gap { said.any(fits) } else { said.next().is_some_and(fits) };
        if !found {
            return false;
        }
        is_gap = false;
    }
    is_gap || said.next().is_none()
}

/// Returns when a command began and when it ended.
fn times(events: &Path, command: &str) -> (String, String) {
    let text = fs::read_to_string(events).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let line = lines.find(|line| line["name"].as_str().is_some_and(|name| name.starts_with(command)));
    let line = line.unwrap_or_else(|| panic!("no `{command}` in {text}"));
    let time = |key: &str| line[key].as_str().unwrap().to_owned();
    (time("start"), time("end"))
}

/// The compiler of `style` and what `build` and `test` run were at work at the same time.
fn side_by_side(events: &Path) {
    let style = times(events, "exec cc -fsyntax-only");
    let (start, end) = (times(events, "exec cc -o").0, times(events, "exec /greet").1);
    assert!(style.0 < end && start < style.1, "{}: {style:?} {start} {end}", events.display());
}

#[test]
fn everything_in_the_guide_is_so() {
    if !can_build() || !["crun", "docker", "docker-registry", "root"].into_iter().all(require) {
        return;
    }
    let (mut reader, docker, registry) = (Reader::new(), Docker::start(), Registry::start());
    reader.env = vec![("IMAGE", push_compiler(&registry)), ("DOCKER_HOST", docker.address().to_owned())];
    let mut answer = None;
    let mut n_compared = 0;
    for block in blocks("guide.md") {
        match block.info.split_once(' ') {
            Some(("sh", "test")) => answer = Some(reader.run(&block.body)),
            Some((_, stream @ ("stdout" | "stderr"))) => {
                let answer: &Answer = answer.as_ref().expect("an output is behind its commands");
                let said = if stream == "stdout" { &answer.stdout } else { &answer.stderr };
                assert!(is_like(said, &block.body), "{stream}\n{said}\nis not\n{}", block.body);
                n_compared += 1;
            }
            Some((_, path)) => reader.write(path, &block.body),
            // For people: how tools are installed.
            None => assert_eq!(block.info, "sh"),
        }
    }
    assert!(n_compared >= 10, "only {n_compared} outputs are compared");

    // What the guide does not say again holds as well.
    let _ = reader.run("host run -q --engine docker-classic --no-cache --events classic.jsonl --arg base.image=$IMAGE");
    for events in ["events.jsonl", "docker.jsonl", "classic.jsonl"] {
        side_by_side(&reader.place.path("work/shop").join(events));
    }
}

#[test]
fn the_graph_of_the_concepts_is_that_of_the_guide() {
    let drawn = |page: &str| {
        let found = blocks(page).into_iter().find(|block| block.info.starts_with("mermaid"));
        found.map(|block| block.body)
    };
    assert!(drawn("guide.md").is_some());
    assert_eq!(drawn("concepts.md"), drawn("guide.md"));
}
