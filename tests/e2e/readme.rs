//! The README: every command in it is run, in the module that it shows or makes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use testkit::{Answer, Language, Registry, Scratch, binary, require, target_dir};

use crate::images::packages::push_compiler;
use crate::page::blocks;

/// The blocks of commands that this test leaves out: they install, and CI and the tests of the installer run them.
const OF_SCRIPTS: [&str; 2] = ["./install.sh ", "scripts/"];

/// The program that the example compiles.
const GREET: &str =
    "/* greets */\n#include <stdio.h>\nint main(int n, char **words) { printf(\"Hello, %s!\\n\", words[n - 1]); }\n";

/// Somebody who types the commands of the README.
struct Reader {
    scratch: Scratch,
}

impl Reader {
    /// Makes the directory in which the commands run. What cargo builds is kept for the next time.
    fn new() -> Self {
        let scratch = Scratch::new();
        for module in ["greet", "my-pipeline"] {
            let target = target_dir().join("polyglot/readme").join(module);
            fs::create_dir_all(&target).unwrap();
            fs::create_dir(scratch.path("work").join(module)).unwrap();
            symlink(target, scratch.path("work").join(module).join("target")).unwrap();
        }
        fs::create_dir_all(scratch.path("work/target/release")).unwrap();
        symlink(binary(), scratch.path("work/target/release/host")).unwrap();
        Self { scratch }
    }

    fn command(&self, directory: &str, script: &str) -> Command {
        let mut path = vec![self.scratch.path("work/target/release"), Language::Python.tool_dir()];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", script]).current_dir(self.scratch.path("work").join(directory)).stdin(Stdio::null());
        shell.env_clear().env("PATH", std::env::join_paths(path).unwrap());
        for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME"] {
            shell.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        // The dependencies are those of the guest programs, which cargo has already.
        shell.env("CARGO_NET_OFFLINE", "true").env("HOST_STORE", self.scratch.path("store"));
        shell
    }

    fn run(&self, directory: &str, script: &str) -> Answer {
        let answer = Answer::from(self.command(directory, script).output().unwrap());
        assert_eq!(answer.code, Some(0), "{script}\n{}{}", answer.stdout, answer.stderr);
        answer
    }
}

/// Replaces each time by a star, as in `exec cc (0.6 s)`.
fn without_times(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let is_unit = |word: &str| matches!(word.trim_end_matches(')'), "s" | "ms");
        let next = |at: usize| words.get(at + 1).is_some_and(|word| is_unit(word));
        let shown = words.iter().enumerate().filter(|(_, word)| !is_unit(word));
        shown.map(|(at, word)| if next(at) { "*" } else { word }).collect::<Vec<_>>().join(" ")
    };
    text.lines().filter(|line| !line.is_empty()).map(line).collect()
}

/// Returns the commands of a block, each with the lines behind it.
fn dialogue(body: &str) -> Vec<(&str, &str)> {
    let commands = body.split("$ ").filter(|part| !part.is_empty());
    commands.map(|part| part.split_once('\n').unwrap_or((part, ""))).collect()
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    if !["crun", "wasm32-wasip2", "python", "docker-registry", "root"].into_iter().all(require) {
        return;
    }
    let (reader, registry) = (Reader::new(), Registry::start());
    let image = push_compiler(&registry);
    reader.run("greet", "host init .");
    let mut n_commands = 0;
    for block in blocks("README.md") {
        match block.info.as_str() {
            "rust" => {
                reader.scratch.write("greet/src/lib.rs", &block.body);
                reader.run("greet", "host build");
            }
            "python" => {
                reader.run("", "host init --lang python greet-in-python");
                reader.scratch.write("greet-in-python/main.py", &block.body);
                reader.run("greet-in-python", "host build");
            }
            "console test" => {
                for (n, (command, expected)) in dialogue(&block.body).into_iter().enumerate() {
                    reader.scratch.write("greet/app/greet.c", GREET.replace("greets", &format!("greets {n}")));
                    let Answer { stdout, stderr, .. } = reader.run("greet", command);
                    assert_eq!(without_times(&format!("{stderr}{stdout}")), without_times(expected), "{command}");
                    n_commands += 1;
                }
            }
            // It makes a module of its own, from the directory of the checkout.
            "sh test" if block.body.contains("host init") => {
                reader.run("", &block.body);
                n_commands += block.body.lines().count();
            }
            "sh test" => {
                let body = block.body.replace("gcc:14", &image).replace("registry.example", registry.address());
                for command in body.lines() {
                    match command.starts_with("host watch") {
                        true => watch(&reader, command),
                        false => drop(reader.run("greet", command)),
                    }
                    n_commands += 1;
                }
            }
            "sh" => assert!(
                block.body.lines().all(|line| OF_SCRIPTS.iter().any(|script| line.starts_with(script))),
                "no test runs {}",
                block.body
            ),
            other => panic!("a block of `{other}`"),
        }
    }
    assert!(n_commands >= 17, "only {n_commands} commands are run");
    assert!(reader.scratch.path("work/greet/app.tar").is_file());
    assert!(reader.scratch.path("work/out/lines.txt").is_file());
}

/// Runs a command that watches, until it waits for changes.
fn watch(reader: &Reader, command: &str) {
    let script = format!("exec {}", command.split('#').next().unwrap_or(command));
    let mut child = reader.command("greet", &script).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(said.any(|line| line.starts_with("waiting for changes")), "`{command}` ends");
    child.kill().unwrap();
    child.wait().unwrap();
}
