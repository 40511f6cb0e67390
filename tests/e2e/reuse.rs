//! The cache between runs, and the reasons why a step ran.

use testkit::{Scratch, require};

use crate::run::{Chain, Ran};

#[test]
fn a_second_run_executes_nothing() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let ten = (0..10).fold(Chain::machine(), |chain, n| chain.sh(&format!("echo {n} >> /n")));
    let chain = ten.sh("cat /n").stdout();
    let first = chain.run(&scratch);
    assert_eq!((first.ok().lines().count(), first.evaluated().len()), (10, 11));
    let second = chain.run(&scratch);
    assert_eq!((second.ok(), second.evaluated()), (first.ok(), vec![]));
    assert!(second.commands().all(|vertex| vertex.outcome == "cached" && vertex.reason == "hit"));
}

#[test]
fn a_change_that_leaves_what_is_built_equal_stops_there() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let src = scratch.write("src/main", "# a comment\ncode\n");
    let chain = Chain::new("pack").then(&["--src", "src", "--explain"]);
    assert_eq!(chain.run(&scratch).ok(), "CODE\n");
    std::fs::write(src, "# another comment\ncode\n").unwrap();
    let second = chain.run(&scratch);
    assert_eq!(second.ok(), "CODE\n");
    let compile = second.command("grep");
    assert_eq!((&*compile.outcome, &*compile.reason), ("ran", "input-changed"), "{compile:?}");
    assert_eq!(second.command("tr a-z").outcome, "cached");
    let explained = |what: &str| {
        let lines = second.answer.stderr.lines().filter(|line| line.contains(what));
        lines.filter(|line| line.starts_with("ran") || line.starts_with("cached")).collect::<String>()
    };
    assert!(explained("grep").contains(": changed `"), "{}", second.answer.stderr);
    assert!(explained("tr a-z").contains("its key was found"), "{}", second.answer.stderr);
}

#[test]
fn equal_contents_are_reused_however_they_were_made() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("one/a", "1");
    scratch.write("two/a", "1");
    let count = |dir: &str| Chain::machine().then(&["with-mounted-directory", "--path", "/m", "--source", dir]);
    assert_eq!(count("one").sh("cat /m/a").stdout().run(&scratch).ok(), "1\n");
    let again = count("two").then(&["with-label", "--name", "a", "--value", "b", "with-user", "--user", "root"]);
    let again = again.sh("cat /m/a").stdout().run(&scratch);
    assert_eq!((again.ok(), again.evaluated()), ("1\n", vec![]));
}

fn reason(ran: &Ran, command: &str) -> String {
    ran.ok();
    ran.command(command).reason.clone()
}

#[test]
fn explain_says_why_a_step_ran() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let src = scratch.write("src/a", "1");
    let cat = Chain::machine().then(&["with-mounted-directory", "--path", "/m", "--source", "src"]).sh("cat /m/a");
    let cat = cat.stdout();
    assert_eq!(reason(&cat.run(&scratch), "cat"), "never-ran");
    assert_eq!(reason(&cat.run(&scratch), "cat"), "hit");

    std::fs::write(src, "2").unwrap();
    let changed = cat.clone().then(&["--explain=json"]).run(&scratch);
    assert_eq!((changed.ok(), reason(&changed, "cat").as_str()), ("2\n", "input-changed"));
    let line = &changed.command("cat").line;
    assert!(line["changed"]["input"].as_str().unwrap().contains("src"), "{line}");
    assert_ne!(line["changed"]["was"], line["changed"]["is"]);
    assert!(changed.answer.stderr.contains("\"reason\": \"input-changed\""), "{}", changed.answer.stderr);

    assert_eq!(reason(&cat.clone().then(&["--no-cache"]).run(&scratch), "cat"), "no-cache");
    let always = Chain::machine().sh_with("echo x", &["--without-cache"]).stdout();
    assert_eq!(reason(&always.run(&scratch), "echo"), "without-cache");
    assert_eq!(reason(&always.run(&scratch), "echo"), "without-cache");
}

/// Prints all files of a directory of the caller.
fn cat(dir: &str) -> Chain {
    Chain::machine().then(&["with-mounted-directory", "--path", "/m", "--source", dir]).sh("cat /m/*").stdout()
}

/// Returns how the files of the input of the command differ from the last run, as in `changed a`.
fn files(ran: &Ran) -> Vec<String> {
    ran.ok();
    let files = ran.command("cat").line["changed"]["files"].as_array().cloned().unwrap_or_default();
    let text = |file: &serde_json::Value, key: &str| file[key].as_str().unwrap_or_default().to_owned();
    files.iter().map(|file| format!("{} {}", text(file, "how"), text(file, "path"))).collect()
}

#[test]
fn the_files_that_changed_are_named() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let [_, gone] = ["src/a", "src/b"].map(|file| scratch.write(file, "1"));
    cat("src").run(&scratch).ok();
    scratch.write("src/a", "2");
    std::fs::rename(&gone, gone.with_file_name("e")).unwrap();
    let changed = cat("src").then(&["--explain"]).run(&scratch);
    assert_eq!(files(&changed), ["changed a", "removed b", "added e"]);
    let stderr = &changed.answer.stderr;
    assert!(stderr.contains(": changed `a`, added `e`, removed `b`\n"), "{stderr}");
}

#[test]
fn a_change_is_compared_with_the_last_run_also_if_that_found_everything() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    for file in ["one/a", "one/b", "two/a", "two/b"] {
        scratch.write(file, "1");
    }
    cat("one").run(&scratch).ok();
    let copy = cat("two").run(&scratch);
    assert_eq!((copy.ok(), copy.evaluated()), ("11\n", vec![]), "equal contents are found");
    scratch.write("two/a", "2");
    assert_eq!(files(&cat("two").run(&scratch)), ["changed a"]);
    // What was tried and taken back is no change any more.
    scratch.write("two/a", "1");
    assert!(cat("two").run(&scratch).evaluated().is_empty());
    scratch.write("two/b", "2");
    assert_eq!(files(&cat("two").run(&scratch)), ["changed b"]);
}

#[test]
fn a_result_that_was_cleared_is_made_again_and_explained() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let chain = Chain::machine().sh("echo made").stdout();
    chain.run(&scratch).ok();
    let cleared = scratch.host(["cache", "clear"]);
    assert_eq!(cleared.code, Some(0), "{}", cleared.stderr);
    let again = chain.run(&scratch);
    assert_eq!((again.ok(), reason(&again, "echo").as_str()), ("made\n", "evicted"));
}

#[test]
fn a_failing_command_is_not_cached() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let chain = Chain::machine().sh("exit 3").stdout();
    for _ in 0..2 {
        let ran = chain.run(&scratch);
        ran.fails(1);
        assert_eq!(ran.command("exit 3").outcome, "failed");
    }
}
