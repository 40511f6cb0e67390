//! Files that are written to a full disk.

use testkit::{Scratch, guest, require};

use crate::case::{ALLOW, ENVIRONMENT, call, refused, works};
use crate::inside::Inside;

/// Makes a scratch directory with a file system at `work/full` that has no room for a byte.
fn full_disk() -> Option<(Scratch, Inside)> {
    if !require("root") {
        return None;
    }
    let scratch = Scratch::new();
    scratch.write("tree/f", "f");
    let full = "mkdir work/full && mount -t tmpfs -o size=8k none work/full";
    let inside = Inside::mounts(&scratch, &format!("{full}; head -c 99999 /dev/zero > work/full/fill 2>/dev/null"));
    Some((scratch, inside))
}

#[test]
fn what_is_written_to_a_full_disk_is_an_error_of_the_machine() {
    let Some((scratch, inside)) = full_disk() else { return };
    let base = "base with-new-file --path /f --contents x";
    let run = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let pipelines = guest("pipelines").display().to_string();
    let cases = [
        call("values", &format!("{base} directory --path / -o full/directory")),
        call("values", &format!("{base} file --path /f -o full/file")),
        call("values", &format!("{base} file --path /f contents -o full/text")),
        call("values", &format!("{base} file --path /f contents --json -o full/json")),
        call("values", &format!("{base} -o full/image.tar")),
        call("values", &format!("{base} -o oci:full/image")),
        call("powers", &format!("{ALLOW} export-file --contents x --path full/exported")),
        call("powers", &format!("{ALLOW} export-directory --tree tree --path full/exported")),
        run("init full/new"),
        run(&format!("graph -m {pipelines} -o full/graph.dot")),
        run(&format!("run -m {pipelines} --report full/report.xml")),
    ];
    for words in cases {
        let says = ["No space left on device", "hint: free some space on that disk"];
        refused(&inside.host(&scratch, words, true), ENVIRONMENT, &says);
    }
    drop(inside);
    works(&scratch);
}

#[test]
fn events_that_cannot_be_written_fail_a_run_that_went_well() {
    let Some((scratch, inside)) = full_disk() else { return };
    let events = |words: &str| inside.host(&scratch, call("values", &format!("{words} --events full/events")), true);
    let says = ["error: cannot write the events to `", "full/events`\n  caused by: No space left on device"];
    refused(&events("string --value x"), ENVIRONMENT, &says);
    // The error of the run comes first.
    refused(&events("base file --path /none contents"), 1, &["error: "]);
    drop(inside);
    works(&scratch);
}
