//! Stores that are damaged at random: a run is right, or it says what is wrong and the next one is right.
//!
//! One store lives through all of it. In each round a file of it is deleted, flipped in one bit, or cut off; then a call
//! that needs the layers, blobs, rows and components of the rounds before is compared with what it should answer. With
//! `HOSTILE=long` there are 200 rounds.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "clippy sees no tests in what they share")]

mod verdict;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use testkit::{Answer, Scratch, guest, require};

use crate::verdict::{Random, Tally, Verdict, number};

/// The parts of a store, by the beginnings of the paths of their files. Cache volumes are not among them: their contents
/// are what commands make of them.
const PARTS: [(&str, &str); 9] = [
    ("layer", "layers-v1/"),
    ("blob", "blobs-v1/"),
    ("database", "db-v1.sqlite"),
    ("layer", "layers-v1/"),
    ("stamps", "stamps-v1/"),
    ("component", "compiled-v1/"),
    ("version", "store-version"),
    ("blob", "blobs-v1/"),
    ("stat cache", "stat-cache-v1/"),
];

/// Damages a file, and says how.
fn damage(path: &Path, random: &mut Random) -> String {
    let bytes = if path.is_symlink() { Vec::new() } else { fs::read(path).unwrap() };
    match random.below(3) {
        1 if !bytes.is_empty() => {
            let (at, bit) = (random.below(bytes.len()), random.below(8));
            let mut flipped = bytes;
            flipped[at] ^= 1 << bit;
            fs::write(path, flipped).unwrap();
            format!("flipped bit {bit} of byte {at}")
        }
        2 if !bytes.is_empty() => {
            let n = random.below(bytes.len());
            fs::write(path, &bytes[..n]).unwrap();
            format!("cut off at byte {n}")
        }
        _ => {
            fs::remove_file(path).unwrap();
            "deleted".to_owned()
        }
    }
}

/// Returns the files of a part of a store, in an order that does not depend on the file system.
fn files(store: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![store.to_owned()];
    while let Some(path) = pending.pop() {
        let is_directory = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        if is_directory {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.strip_prefix(store).is_ok_and(|below| below.to_str().unwrap().starts_with(prefix)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A store, and what calls should answer.
struct World {
    scratch: Scratch,
}

impl World {
    fn new() -> Self {
        let scratch = Scratch::new();
        for (name, contents) in [("one", "1\n"), ("d/two", "2\n"), ("d/three", "3\n")] {
            scratch.write(&format!("src/{name}"), contents);
        }
        Self { scratch }
    }

    /// Calls a chain: two commands that are in the cache since the first round, then `methods`.
    fn call(&self, methods: &[&str]) -> Answer {
        let made = "mkdir -p /out/d; seq 1 9999 > /out/numbers; seq 1 900000 > /out/d/large; ln -s numbers /out/link";
        let added =
            "cat /src/one /src/d/* > /out/d/sources; rm /out/link; chmod 600 /out/numbers; echo more > /out/more";
        let exec = |script: &str| serde_json::json!(["sh", "-c", script]).to_string();
        let mut command = self.scratch.command(["call", "-q", "--no-network", "--allow", "machine", "-m"]);
        command.arg(guest("pipelines")).arg("machine");
        command.args(["with-directory", "--path", "/src", "--source", "src"]);
        command.args(["with-exec", "--args", &exec(made), "with-exec", "--args", &exec(added)]);
        command.args(methods).output().map(Answer::from).unwrap()
    }

    /// Runs one more command in every round, which reads what the others wrote.
    fn print(&self, round: usize) -> Result<(), Answer> {
        let script = format!("echo {round}; cd /out; find . | sort; cksum numbers d/*; stat -c %a numbers");
        let args = serde_json::json!(["sh", "-c", script]).to_string();
        let answer = self.call(&["with-exec", "--args", &args, "stdout"]);
        let names = ".\n./d\n./d/large\n./d/sources\n./more\n./numbers";
        let sums = "1161728618 48888 numbers\n3859277297 6188895 d/large\n2058118571 6 d/sources";
        accept(answer, |stdout| stdout == format!("{round}\n{names}\n{sums}\n600\n"))
    }

    /// Writes what the two commands wrote, from the cache.
    fn export(&self) -> Result<(), Answer> {
        let out = self.scratch.path("work/exported");
        let _ = fs::remove_dir_all(&out);
        let answer = self.call(&["directory", "--path", "/out", "-o", "exported"]);
        let lines = |n: usize| (1..=n).map(|n| format!("{n}\n")).collect::<String>();
        let is_right =
            |name: &str, contents: &str| fs::read(out.join(name)).is_ok_and(|read| read == contents.as_bytes());
        accept(answer, |_| {
            is_right("numbers", &lines(9999))
                && is_right("d/large", &lines(900_000))
                && is_right("d/sources", "1\n3\n2\n")
                && is_right("more", "more\n")
        })
    }

    /// Does both. Returns how they ended.
    fn verdict(&self, round: usize) -> Verdict {
        let runs = || self.print(round).and_then(|()| self.export());
        let Err(first) = runs() else { return Verdict::Right };
        if first.code != Some(4) {
            return Verdict::wrong(format!("{first:?}"));
        }
        let Err(second) = runs() else { return Verdict::Healed };
        // Two things can need the same damaged file. Each is told of once.
        if second.code == Some(4) && runs().is_ok() {
            return Verdict::Healed;
        }
        if !second.stderr.contains("host cache clear") {
            return Verdict::wrong(format!("{first:?}\nthen {second:?}"));
        }
        let cleared = self.scratch.host(["cache", "clear"]);
        match (cleared.code, runs()) {
            (Some(0), Ok(())) => Verdict::Told,
            (_, ran) => Verdict::wrong(format!("{first:?}\nthen {cleared:?}\nthen {ran:?}")),
        }
    }
}

/// Takes an answer with this output. Exit code 0 with another one is an answer of 99.
fn accept(answer: Answer, is_right: impl FnOnce(&str) -> bool) -> Result<(), Answer> {
    match answer.code {
        Some(0) if is_right(&answer.stdout) => Ok(()),
        Some(0) => Err(Answer { code: Some(99), ..answer }),
        _ => Err(answer),
    }
}

#[test]
fn a_store_that_is_damaged_is_right_healed_or_told() {
    if !require("crun") || !require("wasm32-wasip2") {
        return;
    }
    let world = World::new();
    let store = world.scratch.path("store");
    world.print(0).unwrap();
    world.export().unwrap();
    let (mut tally, mut random) = (Tally::new("damages of a store"), Random::new(18));
    let n = number(40, 200);
    for round in 1..=n {
        let (part, prefix) = PARTS[round % PARTS.len()];
        let files = files(&store, prefix);
        assert!(!files.is_empty(), "round {round}: the store has no {part}");
        let path = &files[random.below(files.len())];
        // The times of a file that was just written do not tell of another write in the same tick of the clock.
        std::thread::sleep(Duration::from_millis(20));
        let how = damage(path, &mut random);
        let name = path.strip_prefix(&store).unwrap().display().to_string();
        tally.add(format!("round {round}: {part} `{name}` {how}"), world.verdict(round));
    }
    tally.finish(n);
}

#[test]
fn a_check_of_the_whole_store_finds_what_no_run_has_met() {
    if !require("crun") || !require("wasm32-wasip2") {
        return;
    }
    let world = World::new();
    let store = world.scratch.path("store");
    world.print(0).unwrap();
    let verify = || world.scratch.host(["cache", "verify"]);
    let whole = verify();
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    let mut random = Random::new(3);
    for (part, prefix) in [("layer", "layers-v1/"), ("blob", "blobs-v1/"), ("component", "compiled-v1/")] {
        let files = files(&store, prefix);
        let is_wanted = |path: &&PathBuf| !path.is_symlink() && path.extension().is_none_or(|e| e == "cwasm");
        let path = files.iter().find(is_wanted).unwrap();
        let mut bytes = fs::read(path).unwrap();
        let at = random.below(bytes.len());
        bytes[at] ^= 4;
        fs::write(path, bytes).unwrap();
        let found = verify();
        assert_eq!(found.code, Some(4), "{part} {}: {}", path.display(), found.stderr);
        assert!(found.stderr.contains(&format!("damaged and removed: {part}")), "{part}: {}", found.stderr);
        let again = verify();
        assert_eq!(again.code, Some(0), "{part}: {}", again.stderr);
    }
    world.print(1).unwrap();
    world.export().unwrap();
}
