//! A disk that is full after each number of pages: nothing wrong is kept.

use std::process::Command;

use testkit::{Answer, Scratch, guest, require};

use crate::bounds;
use crate::verdict::{Tally, Verdict, is_long, number};
use crate::warm;

/// The size of a page of a file system in memory.
const PAGE_KIB: usize = 4;

/// Runs a command with a store on a file system with so much room, and then again with enough.
///
/// Arguments: the store, what is in it to begin with, the room in KiB, and the command.
const SCRIPT: &str = r#"
    store=$1; seed=$2; room=$3; shift 3
    mkdir -p "$store" && mount -t tmpfs -o size=2g none "$store" && cp -a "$seed/." "$store" || exit 99
    used=$(df -k "$store" | tail -n 1 | awk '{ print $3 }')
    mount -o "remount,size=$((used + room))k" "$store" || exit 99
    "$@"; echo "first: $?"
    mount -o remount,size=2g "$store" || exit 99
    echo between >&2
    "$@"; echo "second: $?"
"#;

/// A pipeline whose steps write files, and a file that gets the output of a command.
fn pipeline(scratch: &Scratch, text: &str) -> Command {
    let mut command = scratch.command(["call", "-q", "--no-network", "--allow", "machine", "-m"]);
    command.arg(guest("pipelines")).arg("machine");
    let step = format!(r#"["sh", "-c", "head -c 100000 /dev/zero | tr '\\0' {text}"]"#);
    command.args(["with-exec-options", "--args", &step, "--redirect-stdout", "/f"]);
    let step = r#"["sh", "-c", "mkdir /d; for n in 1 2 3; do cp /f /d/$n || exit 1; done"]"#;
    command.args(["with-exec", "--args", step]);
    let step = format!(r#"["sh", "-c", "cat /f /d/* | tr -d -c {text} | wc -c"]"#);
    command.args(["with-exec", "--args", &step, "stdout"]);
    command
}

/// What the pipeline prints.
const PRINTED: &str = "400000\n";

/// Runs the pipeline with so much room, and judges both runs.
fn with_room(scratch: &Scratch, room: usize) -> (bool, Verdict) {
    let run = pipeline(scratch, "x");
    let store = scratch.path(&format!("room-{room}"));
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh"]).arg(&store);
    command.arg(scratch.path("store")).arg(room.to_string()).arg(run.get_program()).args(run.get_args());
    command.env_clear().current_dir(scratch.path("work"));
    command.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("HOST_STORE", &store);
    let Answer { stdout, stderr, code } = bounds::run(&mut command);
    assert_eq!(code, Some(0), "{stderr}");
    let (first, second) = stdout.split_once("first: ").unwrap();
    let (first_code, second) = second.split_once('\n').unwrap();
    let said = stderr.split("between\n").next().unwrap_or_default().to_lowercase();
    let is_told = first_code == "4" && (said.contains("no space left") || said.contains("is full"));
    let is_right = (first, first_code) == (PRINTED, "0");
    let verdict = if second != format!("{PRINTED}second: 0\n") {
        Verdict::wrong(format!("the next run is not right: {stdout}{stderr}"))
    } else if is_right {
        Verdict::Right
    } else if is_told && first.is_empty() {
        Verdict::Told
    } else {
        Verdict::wrong(format!("the full disk is not told: {stdout}{stderr}"))
    };
    (is_right, verdict)
}

#[test]
fn a_disk_that_is_full_at_any_write_is_told_and_nothing_wrong_is_kept() {
    if !require("root") || !require("crun") || !require("wasm32-wasip2") {
        return;
    }
    let scratch = warm::scratch("pipelines", &["empty", "rootfs", "digest"]);
    // The component is compiled before.
    let warm = bounds::run(&mut pipeline(&scratch, "y"));
    assert_eq!(warm.stdout, PRINTED, "{}", warm.stderr);
    let mut tally = Tally::new("full disks");
    let mut enough = PAGE_KIB;
    loop {
        let (is_right, verdict) = with_room(&scratch, enough);
        tally.add(format!("room for {enough} KiB"), verdict);
        if is_right {
            break;
        }
        enough *= 2;
        assert!(enough < 1 << 20, "a GiB is not enough");
    }
    let n_pages = enough / PAGE_KIB;
    let step = if is_long() { 1 } else { n_pages.div_ceil(16) };
    for pages in (0..n_pages).step_by(step) {
        let room = pages * PAGE_KIB + 1;
        tally.add(format!("room for {room} KiB"), with_room(&scratch, room).1);
    }
    tally.finish(number(16, 60));
}
