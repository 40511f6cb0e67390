//! Commands that try to get out of their cage, or to lie about themselves.

use std::os::unix::fs::symlink;
use std::process::Command;

use testkit::{Scratch, guest, is_root, require};

use crate::bounds;
use crate::verdict::{Tally, Verdict};
use crate::warm;

mod calls;
mod table;

/// The contents of `/etc/passwd` of the root, by which it is known from that of the machine.
const OWN: &str = "root:x:0:0:own:/:/bin/sh\n";

/// What a script of an attack prints when it is refused.
const HELD: &str = "0 held";

/// Returns a store, with a root file system of busybox in the directory `root`.
fn scratch() -> Option<Scratch> {
    if !require("crun") || !require("busybox") || !require("wasm32-wasip2") {
        return None;
    }
    let scratch = warm::scratch("hostile", &["count-calls"]);
    let bin = scratch.path("work/root/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::copy("/bin/busybox", bin.join("busybox")).unwrap();
    let listed = Command::new("/bin/busybox").arg("--list").output().unwrap();
    for name in String::from_utf8_lossy(&listed.stdout).lines().filter(|name| *name != "busybox") {
        symlink("busybox", bin.join(name)).unwrap();
    }
    for directory in ["tmp", "mnt", "etc"] {
        std::fs::create_dir(scratch.path("work/root").join(directory)).unwrap();
    }
    scratch.write("root/etc/passwd", OWN);
    Some(scratch)
}

/// Calls a stage that takes scripts, in one run, and returns an answer for each.
fn call(scratch: &Scratch, stage: &str, words: &[&str], scripts: &[String]) -> Vec<String> {
    let scripts = serde_json::to_string(scripts).unwrap();
    let mut command = scratch.command(["call", "-q", "--json", "--allow", "machine", "-m"]);
    command.arg(guest("hostile")).arg(stage).args(words).args(["--scripts", &scripts]);
    let answer = bounds::run(&mut command);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error}: {}", answer.stdout))
}

/// Adds a verdict for each attack: its name, its answer, and what the answer should be.
fn judge<'a>(tally: &mut Tally, expected: impl Iterator<Item = (&'a str, &'a str)>, answers: &[String]) {
    for ((name, expect), answer) in expected.zip(answers) {
        let is_so = if expect.ends_with("...") {
            answer.starts_with(expect.trim_end_matches("..."))
        } else {
            answer.trim_end() == expect.trim_end()
        };
        let verdict = if is_so { Verdict::Right } else { Verdict::wrong(format!("got `{answer}`, not `{expect}`")) };
        tally.add(name, verdict);
    }
}

#[test]
fn no_command_gets_out_of_its_cage() {
    let Some(scratch) = scratch() else { return };
    let mut tally = Tally::new("steps");
    let root = ["--root", "root"];

    let script = |attack: &str| format!("if ( {attack} ) >/dev/null 2>&1; then echo WRONG; else echo held; fi");
    let refused: Vec<String> = table::REFUSED.iter().map(|(_, attack)| script(attack)).collect();
    let answers = call(&scratch, "scripts", &root, &refused);
    judge(&mut tally, table::REFUSED.iter().map(|(name, _)| (*name, HELD)), &answers);

    let scripts: Vec<String> = table::ANSWERED.iter().map(|(_, script, _)| (*script).to_owned()).collect();
    let answers = call(&scratch, "scripts", &root, &scripts);
    judge(&mut tally, table::ANSWERED.iter().map(|(name, _, expect)| (*name, *expect)), &answers);

    let scripts: Vec<String> = table::OUTPUTS.iter().map(|(_, script, _)| (*script).to_owned()).collect();
    let answers = call(&scratch, "outputs", &root, &scripts);
    judge(&mut tally, table::OUTPUTS.iter().map(|(name, _, expect)| (*name, *expect)), &answers);

    let devices = table::devices();
    let scripts: Vec<String> = devices.iter().map(|(_, attack)| script(attack)).collect();
    let answers = call(&scratch, "scripts", &root, &scripts);
    judge(&mut tally, devices.iter().map(|(name, _)| (name.as_str(), HELD)), &answers);
    // The number of processes can be limited for root alone.
    if is_root() {
        let bomb = "i=0; while [ $i -lt 2000 ]; do sleep 3 & i=$((i+1)); done; echo held".to_owned();
        let answers = call(&scratch, "scripts", &["--root", "root", "--processes", "64"], &[bomb]);
        let is_held = !answers[0].contains("held") || answers[0].starts_with("0 held");
        tally.add("a fork bomb", if is_held { Verdict::Told } else { Verdict::wrong(answers[0].clone()) });
    }
    tally.finish(120);
    works(&scratch);
}

#[test]
fn no_system_call_leads_out_of_the_cage() {
    let Some(scratch) = scratch() else { return };
    let mut tally = Tally::new("system calls");
    let scripts: Vec<String> = calls::CALLS.iter().map(|(_, number, args)| calls::script(*number, args)).collect();
    let answers = call(&scratch, "scripts", &[], &scripts);
    judge(&mut tally, calls::CALLS.iter().map(|(name, ..)| (*name, HELD)), &answers);
    tally.finish(60);
    works(&scratch);
}

/// Makes sure that the store and the machine work as before.
fn works(scratch: &Scratch) {
    let answers = call(scratch, "scripts", &["--root", "root"], &["cat /etc/passwd; ls /".to_owned()]);
    assert_eq!(answers, [format!("0 {OWN}bin\ndev\netc\nmnt\nproc\nsys\ntmp")]);
}
