//! Process 1 of Docker's containers.

use std::os::unix::fs::MetadataExt as _;

use super::programs::{Ground, text};

const FILES: [&str; 6] = ["stdout", "stderr", "combined", "status", "roots", "stubs"];

/// Makes the files that the shim writes to.
fn ground() -> Ground {
    let ground = Ground::new(pid1::SHIM);
    std::fs::create_dir(ground.path("out")).unwrap();
    FILES.iter().for_each(|name| ground.write(&format!("out/{name}"), "old"));
    ground
}

/// Runs a command under the shim. `flags` are separated by spaces; `@` in one is the directory of the test.
/// The expectation is the exit code, the exit code of the command, its streams, and the report.
fn check(ground: &Ground, flags: &str, args: &[&str], expect: &str) {
    let here = ground.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    // Only root can become another user than the one of the test.
    let user = std::fs::metadata(ground.path("")).unwrap();
    let flags = format!("d{here}/out u{}:{} {}", user.uid(), user.gid(), flags.replace('@', &here));
    let args: Vec<&str> = flags.split_whitespace().chain(["--"]).chain(args.iter().copied()).collect();
    let output = ground.run(&args, &[("PATH", "/bin:/usr/bin"), ("HOME", "/inherited")]);
    let printed = text(&output.stderr);
    let (shown, report) = printed.split_once("\x1ehost-end\x1e\n").unwrap_or((&printed, ""));
    let report = report.replace('\x1e', "|").replace("00000000", "");
    let [code, status] = [format!("{:?}", output.status.code()), ground.read("out/status")];
    let got = format!("{code} {} out={} err={shown} {report}", status.trim(), text(&output.stdout));
    assert_eq!(got, expect, "{flags} {args:?}");
}

#[test]
fn a_command_that_ends_as_expected_has_its_exit_code_in_a_file() {
    let script = "echo a; echo b >&2; exit 3";
    check(&ground(), "x0 x3", &["sh", "-c", script], "Some(0) 3 out=a\n err=b\n ");
    let ground = ground();
    check(&ground, "x*", &["sh", "-c", "echo a; exit 9"], "Some(0) 9 out=a\n err= ");
    assert_eq!(["stdout", "stderr", "combined"].map(|name| ground.read(&format!("out/{name}"))), ["a\n", "", "a\n"]);
    assert_eq!(ground.read("out/roots").lines().count(), 1);
}

#[test]
fn another_end_is_reported_behind_what_was_printed() {
    let script = "echo a; echo b >&2; exit 3";
    check(&ground(), "x0", &["sh", "-c", script], "Some(1) old out=a\n err=b\n |e0003,0002,0002,0000,0000|");
    check(&ground(), "x0", &["sh", "-c", "kill -9 $$"], "Some(1) old out= err= |s0009,0000,0000,0000,0000|");
    let not_found = "none: command not found\n";
    check(&ground(), "x0", &["none"], &format!("Some(1) old out= err={not_found} |e0127,0000,0024,0000,0000|"));
}

#[test]
fn a_command_that_cannot_be_run_as_asked_is_refused_with_a_letter() {
    let refused = |letter: char| format!("Some(1) old out= err= |{letter}0000,0000,0000,0000,0000|");
    check(&ground(), "x0 i@/none", &["true"], &refused('n'));
    check(&ground(), "x0 i@/out", &["true"], &refused('i'));
    check(&ground(), "x0 o@/none/file", &["true"], &refused('o'));
    check(&ground(), "x0 r@/none/file", &["true"], &refused('r'));
    check(&ground(), "x0 w@/program", &["true"], &refused('w'));
    check(&ground(), "x0 unobody-has-this-name", &["true"], &refused('u'));
    check(&ground(), "x0 u0:nobody-has-this-name", &["true"], &refused('g'));
    check(&ground(), "x0 z1/proc/..", &["true"], &refused('z'));
}

#[test]
fn a_command_gains_no_privileges_on_request() {
    let script = "grep NoNewPrivs /proc/self/status | tr -d '\\t'";
    check(&ground(), "x0 l", &["sh", "-c", script], "Some(0) 0 out=NoNewPrivs:1\n err= ");
}

#[test]
fn wrong_flags_end_with_a_code_of_their_own() {
    let ground = Ground::new(pid1::SHIM);
    for args in [&["--", "true"] as &[&str], &["d/none", "--", "true"], &["d/none"], &[]] {
        assert_eq!(ground.run(args, &[]).status.code(), Some(125), "{args:?}");
    }
}

#[test]
fn standard_streams_come_from_files_and_go_to_files() {
    let ground = ground();
    ground.write("in", "from a file");
    let script = "cat; echo err >&2; pwd > pwd; echo $HOME >> pwd";
    let flags = "x0 i@/in o@/stdout r@/stderr w@/new/directory";
    check(&ground, flags, &["sh", "-c", script], "Some(0) 0 out=from a file err=err\n ");
    assert_eq!((ground.read("stdout"), ground.read("stderr")), ("from a file".to_owned(), "err\n".to_owned()));
    let here = ground.path("new/directory");
    assert_eq!(ground.read("new/directory/pwd"), format!("{}\n/inherited\n", here.display()));
}

#[test]
fn output_that_its_file_cannot_take_is_no_success() {
    let no_space = "host: cannot keep the output of the command: no space is left\n";
    for (flags, script) in [
        ("x* o/dev/full", "echo a; while kill -0 $PPID 2>/dev/null; do sleep 0.05; done"),
        ("x* r/dev/full", "echo a >&2"),
    ] {
        check(&ground(), flags, &["sh", "-c", script], &format!("Some(125) old out= err={no_space} "));
    }
    let ground = ground();
    std::fs::remove_file(ground.path("out/stdout")).unwrap();
    std::os::unix::fs::symlink("/dev/full", ground.path("out/stdout")).unwrap();
    check(&ground, "x*", &["sh", "-c", "echo a"], &format!("Some(125) old out= err={no_space} "));
}

#[test]
fn parameters_stop_the_command_and_hide_secrets() {
    let ground = ground();
    let record = |letter: u8, contents: &[u8]| {
        let length = u32::try_from(contents.len()).unwrap().to_ne_bytes();
        [&[letter], length.as_slice(), contents].concat()
    };
    let needle = [7_u32.to_ne_bytes().as_slice(), b"hunter2"].concat();
    ground.write("params", [record(b'e', b"TOKEN=hunter2\0"), record(b'n', &needle)].concat());
    check(&ground, "x0 p@/params", &["sh", "-c", "echo $TOKEN"], "Some(0) 0 out=***\n err= ");
    assert_eq!(ground.read("out/stdout"), "***\n");
    ground.write("params", record(b't', b"1"));
    ground.write("out/status", "old");
    // It ends with the shim, which as another process than 1 ends nothing.
    let never_ends = ["sh", "-c", "while kill -0 $PPID; do sleep 0.05; done"];
    check(&ground, "x0 p@/params", &never_ends, "Some(1) old out= err= |t0000,0000,0000,0000,0000|");
}

#[test]
fn a_command_that_prints_without_end_is_stopped_when_no_more_is_kept() {
    for script in ["yes", "yes | tr -d '\\n'", "yes >&2"] {
        let ground = ground();
        ground.write("params", [&b"l"[..], &3_u32.to_ne_bytes(), b"500"].concat());
        let (out, params) = (ground.path("out"), ground.path("params"));
        let flags = [format!("d{}", out.display()), format!("p{}", params.display())];
        let args = [flags[0].as_str(), flags[1].as_str(), "x0", "--", "sh", "-c", script];
        let output = ground.run(&args, &[("PATH", "/bin:/usr/bin")]);
        assert_eq!(output.status.code(), Some(1), "{script}");
        assert!(text(&output.stderr).contains("\x1ehost-end\x1e\n"), "{script}");
        assert!(text(&output.stderr).contains("\x1ec000000000000,"), "{script}");
        assert!(ground.read("out/combined").len() <= 1000, "{script}");
    }
}

#[test]
fn a_process_that_holds_the_output_open_is_not_waited_for() {
    let ground = ground();
    // Only process 1 of a container can end what the command left behind, and here the shim is none.
    let script = "sleep 1000 & echo $! > pid; echo done";
    check(&ground, "x0 w@", &["sh", "-c", script], "Some(0) 0 out=done\n err= ");
    let pid = ground.read("pid");
    assert!(std::process::Command::new("kill").arg(pid.trim()).status().unwrap().success());
}

#[test]
fn the_end_of_a_long_output_is_in_the_report() {
    let ground = ground();
    let script = "head -c 1500000 /dev/zero | tr '\\0' x; echo end; exit 1";
    let here = ground.path("out");
    let output =
        ground.run(&[&format!("d{}", here.display()), "x0", "--", "sh", "-c", script], &[("PATH", "/bin:/usr/bin")]);
    let report = text(&output.stderr);
    assert_eq!(output.stdout.len(), 1 << 20);
    assert!(report.ends_with("xend\n\x1ee000000000001,000001500004,000000000000,000000102400,000000000000\x1e"));
    assert_eq!(ground.read("out/combined").len(), 1_500_004);
}

#[test]
fn a_shim_that_holds_runs_until_a_signal_ends_it() {
    let ground = ground();
    let mut child = std::process::Command::new(ground.path("program")).arg("hold").spawn().unwrap();
    assert!(child.try_wait().unwrap().is_none());
    let kill = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(kill.success());
    // Whether the signal came before it was blocked or after: it ends.
    child.wait().unwrap();
}
