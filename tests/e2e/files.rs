//! Files from step to step: layers, times, large directories.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use testkit::{Scratch, require};

use crate::run::Chain;

#[test]
fn a_chain_of_130_steps_works() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let chain =
        (0..130).fold(Chain::machine(), |chain, n| chain.sh(&format!("echo {n} >> /n; rm -f /last-*; > /last-{n}")));
    let ran = chain.clone().sh("wc -l < /n; ls -d /last-*").stdout().run(&scratch);
    assert_eq!(ran.ok(), "130\n/last-129\n");
    let other = chain.then(&["file", "--path", "/n", "contents"]).run(&scratch);
    assert_eq!((other.ok().lines().count(), other.evaluated()), (130, vec![]));
}

const MAKEFILE: &str = "out: main\n\tcp main out && echo built\n";

#[test]
fn make_has_nothing_to_do_in_the_step_after_the_one_that_built() {
    if !require("crun") || !require("make") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("src/Makefile", MAKEFILE);
    let main = scratch.write("src/main", "1");
    let make = |note: &str| {
        let ran = Chain::new("make").then(&["--src", "src", "--note", note]).run(&scratch);
        assert!(ran.ok().contains("up to date"), "{}", ran.answer.stdout);
        ran.commands().filter(|vertex| vertex.outcome == "ran").count()
    };
    assert_eq!(make("first"), 2);
    assert_eq!(make("the build comes from the cache"), 1);
    std::fs::write(&main, "2").unwrap();
    assert_eq!(make("a source changed"), 2);
    std::fs::write(&main, "1").unwrap();
    assert_eq!(make("back again, with another note"), 1);
}

#[test]
fn make_notices_a_source_that_went_back_to_what_it_was_before() {
    if !require("crun") || !require("make") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write(
        "src/Makefile",
        "/build/out: sub/main\n\tcp sub/main /build/out\nall: /build/out\n\t@cat /build/out\n.DEFAULT_GOAL = all\n",
    );
    let write = |main: &str, other: &str| {
        scratch.write("src/sub/main", main);
        scratch.write("src/other", other);
    };
    let copied = Chain::new("make-into-volume").then(&["--src", "src", "--key", "copied"]);
    let mounted = Chain::machine().then(&["with-mounted-directory", "--path", "/src", "--source", "src"]);
    let mounted = mounted.then(&["with-workdir", "--path", "/src"]);
    let mounted = mounted.then(&["with-mounted-cache", "--path", "/build", "--cache", "mounted"]);
    let mounted = mounted.then(&["with-exec", "--args", "make"]).stdout();
    // The first call is answered from the cache, and the second has another file.
    for (main, other) in [("one", "a"), ("two", "a"), ("one", "a"), ("one", "b")] {
        write(main, other);
        for chain in [&copied, &mounted] {
            assert_eq!(chain.run(&scratch).ok().lines().last(), Some(main), "{main} {other}");
        }
    }
}

#[test]
fn times_are_kept_from_step_to_step_and_into_mounts() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let dated = Chain::machine().sh("mkdir -p /d/e && echo 1 > /d/e/f && touch -d @1000000000 /d/e/f");
    assert_eq!(dated.clone().sh("stat -c %Y /d/e/f").stdout().run(&scratch).ok(), "1000000000\n");
    let exported = scratch.path("out");
    dated.then(&["directory", "--path", "/d", "-o"]).then(&[exported.to_str().unwrap()]).run(&scratch).ok();
    assert_eq!(exported.join("e/f").metadata().unwrap().mtime(), 1_000_000_000);
    let main = scratch.write("src/main", "1");
    let status = Command::new("touch").args(["-d", "@1100000000"]).arg(&main).status();
    assert!(status.unwrap().success());
    let words = ["with-mounted-directory", "--path", "/m", "--source", "src"];
    assert_eq!(Chain::machine().then(&words).sh("stat -c %Y /m/main").stdout().run(&scratch).ok(), "1100000000\n");
}

#[test]
fn a_directory_of_which_one_file_changed_is_not_copied_again() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    for n in 0..5_000 {
        scratch.write(&format!("src/{}/{n}", n % 50), format!("{n}"));
    }
    let count = Chain::new("count").then(&["--src", "src"]);
    assert_eq!(count.run(&scratch).ok(), "5000\n");
    let before = layers(&scratch);
    scratch.write("src/7/7", "changed");
    let changed = count.run(&scratch);
    assert_eq!(changed.ok(), "5000\n");
    assert_eq!(changed.command("find").reason, "input-changed");
    let new: Vec<_> =
        layers(&scratch).into_iter().filter(|(name, _)| before.iter().all(|(old, _)| old != name)).collect();
    let n_files: Vec<usize> = new.iter().map(|(_, n_files)| *n_files).collect();
    assert!(n_files.iter().sum::<usize>() == 1, "the new layers have so many files: {new:?}");
    assert!(before.iter().any(|(_, n_files)| *n_files == 5_000), "{before:?}");
}

/// Returns the layers of a store, with the number of files in each.
fn layers(scratch: &Scratch) -> Vec<(String, usize)> {
    let mut open = vec![scratch.path("store/layers-v1")];
    let mut layers = Vec::new();
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // A directory of shards has a short name.
            if name.len() > 2 { layers.push((name, n_files(&path))) } else { open.push(path) }
        }
    }
    layers
}

fn n_files(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| if entry.file_type().unwrap().is_dir() { n_files(&entry.path()) } else { 1 }).sum()
}
