//! Cache volumes, directories in memory and read-only mounts.

use testkit::{Scratch, require};

use crate::run::{Chain, processes, sleep, until};

fn with_volume(key: &str, sharing: &str) -> Chain {
    let words = ["with-mounted-cache-options", "--path", "/c", "--cache", key, "--with-sharing", sharing];
    Chain::machine().then(&words)
}

#[test]
fn a_cache_volume_survives_runs_whichever_way_it_is_shared() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    for sharing in ["shared", "locked", "private"] {
        let count = with_volume(&format!("of-{sharing}"), sharing);
        let count = count.sh_with("echo >> /c/n; wc -l < /c/n", &["--without-cache"]).stdout();
        assert_eq!(count.run(&scratch).ok().trim(), "1", "{sharing}");
        assert_eq!(count.run(&scratch).ok().trim(), "2", "{sharing}");
    }
    let seen = with_volume("of-private", "shared").sh("wc -l < /c/n").stdout();
    assert_eq!(seen.run(&scratch).ok().trim(), "2", "a key is one volume");
}

#[test]
fn a_volume_starts_with_its_seed_and_its_contents_are_not_in_the_cache_key() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("seed/a", "seeded");
    let seeded =
        with_volume("seeded", "shared").then(&["--with-seed", "seed"]).sh("cat /c/a; echo new > /c/a").stdout();
    assert_eq!(seeded.run(&scratch).ok(), "seeded\n");
    let other = with_volume("seeded", "shared").sh("cat /c/a").stdout();
    assert_eq!(other.run(&scratch).ok(), "new\n");
    let again = seeded.run(&scratch);
    assert_eq!((again.ok(), again.evaluated()), ("seeded\n", vec![]), "what is in a volume does not run a step again");
}

/// Runs a command in two processes at once. Each waits in the volume for the file of the other, for tenths of a second.
fn two_at_once(sharing: &str, tenths: u32, finally: &str) -> [String; 2] {
    let scratch = Scratch::new();
    let meets = |name: &str, other: &str| {
        let script = format!(
            "touch /c/{name}; n=0; until [ -e /c/{other} ] || [ $n -ge {tenths} ]; do sleep 0.1; n=$((n+1)); done; \
             [ -e /c/{other} ] && echo met || echo alone; {finally} /c/{name}"
        );
        with_volume("both", sharing).sh_with(&script, &["--without-cache"]).stdout().spawn(&scratch)
    };
    let runs = [meets("a", "b"), meets("b", "a")];
    runs.map(|run| run.wait().ok().trim().to_owned())
}

#[test]
fn two_processes_write_to_a_shared_volume_at_once() {
    if require("crun") {
        assert_eq!(two_at_once("shared", 600, "test -e"), ["met", "met"]);
    }
}

#[test]
fn two_processes_use_a_locked_volume_one_after_the_other() {
    if require("crun") {
        assert_eq!(two_at_once("locked", 10, "rm"), ["alone", "alone"]);
    }
}

#[test]
fn two_processes_with_a_private_volume_get_one_each() {
    if require("crun") {
        assert_eq!(two_at_once("private", 10, "rm"), ["alone", "alone"]);
    }
}

#[test]
fn a_process_that_waits_for_a_locked_volume_can_be_interrupted() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let sleep = sleep("61.125");
    let holder = with_volume("held", "locked").sh(&sleep).then(&["sync"]).spawn(&scratch);
    until("the first holds the volume", || !processes(&format!("sh -c {sleep}")).is_empty());
    let waiter = with_volume("held", "locked").sh("echo never").then(&["sync"]).spawn(&scratch);
    until("the second can be interrupted", || waiter.catches_interrupts());
    waiter.signal("INT");
    waiter.wait().fails(130);
    holder.signal("INT");
    holder.wait().fails(130);
}

#[test]
fn a_directory_in_memory_is_new_for_each_command_and_has_a_size() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let words = ["with-mounted-temp-options", "--path", "/t", "--with-size", "1048576", "--with-mode", "0o700"];
    let chain = Chain::machine().then(&words);
    let twice = chain.clone().sh("echo 1 > /t/a; ls /t").sh("ls /t; stat -c %a /t").stdout();
    assert_eq!(twice.run(&scratch).ok(), "700\n");
    let full = chain.clone().sh("head -c 3000000 /dev/zero > /t/a").stdout().run(&scratch);
    assert!(full.fails(1).contains("No space left"), "{}", full.answer.stderr);
    let read = chain.sh("echo 1 > /t/a").then(&["file", "--path", "/t/a", "contents"]).run(&scratch);
    assert!(read.fails(1).contains("/t"), "{}", read.answer.stderr);
}

#[test]
fn a_read_only_mount_cannot_be_written_and_a_writable_one_shows_changes_later() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("src/a", "1\n");
    let mount = |options: &[&str]| {
        let words = ["with-mounted-directory-options", "--path", "/m", "--source", "src"];
        Chain::machine().then(&words).then(options)
    };
    let refused = mount(&["--read-only"]).sh("echo 2 > /m/b").stdout().run(&scratch);
    assert!(refused.fails(1).contains("Read-only file system"), "{}", refused.answer.stderr);
    let changed = mount(&[]).sh("echo 2 > /m/b; rm /m/a; mkdir /m/d");
    assert_eq!(changed.clone().sh("ls /m").stdout().run(&scratch).ok(), "b\nd\n");
    assert_eq!(changed.clone().then(&["directory", "--path", "/m", "entries"]).run(&scratch).ok(), "b\nd/\n");
    assert_eq!(changed.clone().then(&["rootfs", "exists", "--path", "m/b"]).run(&scratch).ok(), "false\n");
    let without = changed.then(&["without-mount", "--path", "/m"]).sh("[ -e /m/b ] || echo gone").stdout();
    assert_eq!(without.run(&scratch).ok(), "gone\n");
    assert!(scratch.path("work/src/a").exists(), "a command changed a directory of the caller");
    assert!(!scratch.path("work/src/b").exists(), "a command changed a directory of the caller");
}
