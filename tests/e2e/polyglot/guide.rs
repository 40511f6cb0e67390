//! The guide: the test writes its files and runs its commands in order, in an empty directory.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use testkit::{Answer, Docker, Language, Registry, Scratch, binary, require, target_dir};

use super::can_build;
use crate::images::packages::push_compiler;
use crate::page::blocks;

/// The directory and the environment in which the commands run.
struct Reader {
    scratch: Scratch,
    cwd: PathBuf,
    /// Environment variables of the commands.
    env: Vec<(&'static str, String)>,
}

impl Reader {
    fn new() -> Self {
        let scratch = Scratch::new();
        let cwd = scratch.path("work");
        fs::create_dir(scratch.path("bin")).unwrap();
        symlink(binary(), scratch.path("bin/host")).unwrap();
        // All modules share a target directory.
        let target = target_dir().join("polyglot/guide");
        fs::create_dir_all(&target).unwrap();
        fs::create_dir(cwd.join("shop")).unwrap();
        symlink(target, cwd.join("shop/target")).unwrap();
        Self { scratch, cwd, env: Vec::new() }
    }

    /// Runs commands in a shell. The next commands start in the directory where these ended.
    fn run(&mut self, commands: &str) -> Answer {
        let last = self.scratch.path("cwd");
        let mut path = vec![self.scratch.path("bin")];
        path.extend([Language::Python.tool_dir(), Language::JavaScript.tool_dir()]);
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", &format!("{commands}\npwd > \"$LAST\"")]).current_dir(&self.cwd).stdin(Stdio::null());
        shell.env_clear().env("PATH", std::env::join_paths(path).unwrap()).env("LAST", &last);
        for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME"] {
            shell.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        shell.envs(self.env.iter().map(|(name, value)| (name, value)));
        // The dependencies are those of the guest programs, which cargo has already.
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

/// Returns whether a text matches a pattern, in which `…` stands for any lines or for the rest of a line.
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

/// Returns the times at which a command began and ended.
fn times(events: &Path, command: &str) -> (String, String) {
    let text = fs::read_to_string(events).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let line = lines.find(|line| line["name"].as_str().is_some_and(|name| name.starts_with(command)));
    let line = line.unwrap_or_else(|| panic!("no `{command}` in {text}"));
    let time = |key: &str| line[key].as_str().unwrap().to_owned();
    (time("start"), time("end"))
}

/// Checks that the compiler of `style` ran at the same time as the commands of `build` and `test`.
fn side_by_side(events: &Path) {
    let style = times(events, "exec cc -fsyntax-only");
    let (start, end) = (times(events, "exec cc -o").0, times(events, "exec /greet").1);
    assert!(style.0 < end && start < style.1, "{}: {style:?} {start} {end}", events.display());
}

#[test]
fn the_guide_can_be_followed_as_it_is_written() {
    if !can_build() || !["crun", "docker", "docker-registry", "root"].into_iter().all(require) {
        return;
    }
    let (mut reader, docker, registry) = (Reader::new(), Docker::start(), Registry::start());
    reader.env = vec![("IMAGE", push_compiler(&registry)), ("DOCKER_HOST", docker.address().to_owned())];
    let mut answer = None;
    let mut n_compared = 0;
    for block in blocks("docs/guide.md") {
        match block.info.split_once(' ') {
            Some(("sh", "test")) => answer = Some(reader.run(&block.body)),
            Some((_, stream @ ("stdout" | "stderr"))) => {
                let answer: &Answer = answer.as_ref().expect("an output is behind its commands");
                let said = if stream == "stdout" { &answer.stdout } else { &answer.stderr };
                assert!(is_like(said, &block.body), "{stream}\n{said}\nis not\n{}", block.body);
                n_compared += 1;
            }
            Some((_, path)) => reader.write(path, &block.body),
            // These lines tell people how to install tools.
            None => assert_eq!(block.info, "sh"),
        }
    }
    assert!(n_compared >= 10, "only {n_compared} outputs are compared");

    // These facts hold, although the guide does not repeat them.
    let _ = reader.run("host run -q --engine docker-classic --no-cache --events classic.jsonl --arg base.image=$IMAGE");
    for events in ["events.jsonl", "docker.jsonl", "classic.jsonl"] {
        side_by_side(&reader.scratch.path("work/shop").join(events));
    }
}

#[test]
fn the_graph_of_the_concepts_is_that_of_the_guide() {
    let drawn = |page: &str| {
        let found = blocks(page).into_iter().find(|block| block.info.starts_with("mermaid"));
        found.map(|block| block.body)
    };
    assert!(drawn("docs/guide.md").is_some());
    assert_eq!(drawn("docs/concepts.md"), drawn("docs/guide.md"));
}
