//! Mounts: cache volumes, directories in memory, read-only ones.

use support::{Place, require};

use crate::run::{Chain, processes, until};

fn with_volume(key: &str, sharing: &str) -> Chain {
    let words = ["with-mounted-cache-options", "--path", "/c", "--cache", key, "--with-sharing", sharing];
    Chain::machine().then(&words)
}

#[test]
fn a_cache_volume_survives_runs_whichever_way_it_is_shared() {
    if !require("crun") {
        return;
    }
    let place = Place::new();
    for sharing in ["shared", "locked", "private"] {
        let count = with_volume(&format!("of-{sharing}"), sharing);
        let count = count.sh_with("echo >> /c/n; wc -l < /c/n", &["--without-cache"]).stdout();
        assert_eq!(count.run(&place).ok().trim(), "1", "{sharing}");
        assert_eq!(count.run(&place).ok().trim(), "2", "{sharing}");
    }
    let seen = with_volume("of-private", "shared").sh("wc -l < /c/n").stdout();
    assert_eq!(seen.run(&place).ok().trim(), "2", "a key is one volume");
}

#[test]
fn a_volume_starts_with_its_seed_and_is_no_part_of_a_key() {
    if !require("crun") {
        return;
    }
    let place = Place::new();
    place.write("seed/a", "seeded");
    let seeded =
        with_volume("seeded", "shared").then(&["--with-seed", "seed"]).sh("cat /c/a; echo new > /c/a").stdout();
    assert_eq!(seeded.run(&place).ok(), "seeded\n");
    let other = with_volume("seeded", "shared").sh("cat /c/a").stdout();
    assert_eq!(other.run(&place).ok(), "new\n");
    let again = seeded.run(&place);
    assert_eq!((again.ok(), again.evaluated()), ("seeded\n", vec![]), "what is in a volume does not run a step again");
}

/// Runs a command in two processes at once; each waits a while for the other in the volume.
fn two_at_once(sharing: &str) -> [String; 2] {
    let place = Place::new();
    let meets = |name: &str, other: &str| {
        let script = format!(
            "echo > /c/{name}; n=0; until [ -e /c/{other} ] || [ $n -ge 10 ]; do sleep 0.1; n=$((n+1)); done; \
             [ -e /c/{other} ] && echo met || echo alone; rm /c/{name}"
        );
        with_volume("both", sharing).sh_with(&script, &["--without-cache"]).stdout().spawn(&place)
    };
    let runs = [meets("a", "b"), meets("b", "a")];
    runs.map(|run| run.wait().ok().trim().to_owned())
}

#[test]
fn two_processes_write_to_a_shared_volume_at_once() {
    if require("crun") {
        // The first may be done with it before the second removes its own file: one of them at least saw the other.
        assert!(two_at_once("shared").contains(&"met".to_owned()));
    }
}

#[test]
fn two_processes_use_a_locked_volume_one_after_the_other() {
    if require("crun") {
        assert_eq!(two_at_once("locked"), ["alone", "alone"]);
    }
}

#[test]
fn two_processes_that_want_a_volume_for_themselves_get_two() {
    if require("crun") {
        assert_eq!(two_at_once("private"), ["alone", "alone"]);
    }
}

#[test]
fn a_process_that_waits_for_a_locked_volume_can_be_interrupted() {
    if !require("crun") {
        return;
    }
    let place = Place::new();
    let holder = with_volume("held", "locked").sh("sleep 61.125").then(&["sync"]).spawn(&place);
    until("the first holds the volume", || processes("/.init sh -c sleep 61.125").len() == 1);
    let waiter = with_volume("held", "locked").sh("echo never").then(&["sync"]).spawn(&place);
    std::thread::sleep(std::time::Duration::from_millis(300));
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
    let place = Place::new();
    let words = ["with-mounted-temp-options", "--path", "/t", "--with-size", "1048576", "--with-mode", "0o700"];
    let chain = Chain::machine().then(&words);
    let twice = chain.clone().sh("echo 1 > /t/a; ls /t").sh("ls /t; stat -c %a /t").stdout();
    assert_eq!(twice.run(&place).ok(), "700\n");
    let full = chain.clone().sh("head -c 3000000 /dev/zero > /t/a").stdout().run(&place);
    assert!(full.fails(1).contains("No space left"), "{}", full.answer.stderr);
    let read = chain.sh("echo 1 > /t/a").then(&["file", "--path", "/t/a", "contents"]).run(&place);
    assert!(read.fails(1).contains("/t"), "{}", read.answer.stderr);
}

#[test]
fn a_read_only_mount_cannot_be_written_and_a_writable_one_shows_changes_later() {
    if !require("crun") {
        return;
    }
    let place = Place::new();
    place.write("src/a", "1\n");
    let mount = |options: &[&str]| {
        let words = ["with-mounted-directory-options", "--path", "/m", "--source", "src"];
        Chain::machine().then(&words).then(options)
    };
    let refused = mount(&["--read-only"]).sh("echo 2 > /m/b").stdout().run(&place);
    assert!(refused.fails(1).contains("Read-only file system"), "{}", refused.answer.stderr);
    let changed = mount(&[]).sh("echo 2 > /m/b; rm /m/a; mkdir /m/d");
    assert_eq!(changed.clone().sh("ls /m").stdout().run(&place).ok(), "b\nd\n");
    assert_eq!(changed.clone().then(&["directory", "--path", "/m", "entries"]).run(&place).ok(), "b\nd/\n");
    assert_eq!(changed.clone().then(&["rootfs", "exists", "--path", "m/b"]).run(&place).ok(), "false\n");
    let without = changed.then(&["without-mount", "--path", "/m"]).sh("[ -e /m/b ] || echo gone").stdout();
    assert_eq!(without.run(&place).ok(), "gone\n");
    assert!(place.path("work/src/a").exists(), "a command changed a directory of the caller");
    assert!(!place.path("work/src/b").exists(), "a command changed a directory of the caller");
}
