//! Every stage of the guest programs, which check the behaviour themselves.

use serde_json::Value as Json;
use testkit::{Answer, Scratch, guest, require};

/// The flags that a stage needs, and its expected result.
struct Case {
    flags: &'static [&'static str],
    want: Want,
}

enum Want {
    /// The stage returns `ok` or nothing.
    Success,
    /// The stage returns a text.
    Text(&'static str),
    /// The call fails with exit code 1 and a message that contains a text.
    Failure(&'static str),
    /// The call fails with another exit code and a message that contains a text.
    Refusal(i32, &'static str),
    /// The call succeeds where the user may do this, and fails with a message that contains a text elsewhere.
    SuccessOr(&'static str),
}

use Want::{Failure, Refusal, Success, SuccessOr, Text};

/// Returns the case of a stage. A stage that is not listed needs no flags and succeeds.
fn case(module: &str, stage: &str) -> Case {
    let case = |flags, want| Case { flags, want };
    match (module, stage) {
        ("trees", "list") => case(&["--src", "tree"], Text("a.txt\nb/c.txt\n")),
        ("containers", "cache-volume") => case(&["--key", "v"], Text("s1\n")),
        ("containers", "secret") => case(&["--secret", "env:TOKEN"], Text("value: ***\n***\n")),
        ("containers", "platform") => case(&[], Text("linux/")),
        ("containers", "service") => case(&[], Failure("`service.hostname` is not available in this version")),
        ("containers", "image") => case(&["--address", NOWHERE], Refusal(4, "registry `127.0.0.1:1`: cannot connect")),
        ("containers", "dockerfile") => {
            case(&["--context", "tree"], Failure("`container.build` is not available in this version"))
        }
        ("steps", "secret-expansion") => case(&["--secret", "env:TOKEN"], Success),
        ("steps", "every-run") => case(&[], Text(" ")),
        ("steps", "cached") => case(&["--key", "k"], Text("")),
        ("steps", "lazy") => case(&[], Text("ok\n")),
        ("steps", "at-once") => case(&["--n", "2", "--key", "k"], Text("k 0\nk 1\n")),
        ("steps", "chain") => case(&["--n", "5"], Text("blake3:")),
        ("powers", _) => powers(stage),
        ("values", _) => values(stage),
        ("by-hand", "count") => case(&["--src", "tree", "--what", "files,directories"], Text("3\n")),
        ("by-hand", "fail") => case(&[], Failure("it always fails")),
        _ => case(&[], Success),
    }
}

/// An image of a registry that does not answer.
const NOWHERE: &str = "127.0.0.1:1/x";

fn powers(stage: &str) -> Case {
    let (flags, want): (&[&str], Want) = match stage {
        "echo" => (&["--text", "hi"], Text("hi\n")),
        "usr" => (&[], Text("bin/\n")),
        "vandalise" => (&[], Text("2\n")),
        "git" => (&["--url", "https://x/y", "--reference", "main"], Failure("`sources.git` is not available")),
        "http" => (&["--url", "https://x/y"], Failure("`sources.http` is not available")),
        "export-directory" => (&["--tree", "tree", "--path", "exported"], Text("/")),
        "export-file" => (&["--contents", "x", "--path", "exported-file"], Text("/")),
        "export-container" => (&[], Refusal(2, "container")),
        "deploy" => (&["--path", "deployed", "--script", "true"], Success),
        "verify" => (&["--script", "true"], Success),
        "publish" => (&["--contents", "x", "--address", NOWHERE], Refusal(4, "cannot connect")),
        "publish-twice" => (&["--address", NOWHERE], Refusal(4, "cannot connect")),
        "publish-after-secret" => (&[], Refusal(2, "root")),
        "load" => (&["--contents", "x", "--name", "x"], Refusal(4, "/nowhere/docker.sock")),
        "secret-length" => (&["--secret", "env:TOKEN"], Text("14\n")),
        "reveal" => (&["--secret", "env:TOKEN"], Success),
        "list-after-secret" => (&["--secret", "env:TOKEN", "--src", "tree"], Text("a.txt\n")),
        "harmless" => (&[], Text("harmless\n")),
        _ => (&[], Success),
    };
    Case { flags, want }
}

fn values(stage: &str) -> Case {
    let (flags, want): (&[&str], Want) = match stage {
        "string" | "text" => (&["--value", "a, b"], Text("a, b\n")),
        "boolean" => (&["--value"], Text("true\n")),
        "character" => (&["--value", "ü"], Text("ü\n")),
        "unsigned" => {
            (&["--a", "255", "--b", "65535", "--c", "4294967295", "--d", "18446744073709551615"], Text("[255,65535,"))
        }
        "signed" => {
            (&["--a", "-128", "--b", "-1", "--c", "0", "--d", "-9223372036854775808"], Text("[-128,-1,0,-9223"))
        }
        "floats" => (&["--a", "1.5", "--b", "-0.25"], Text("[1.5,-0.25]\n")),
        "enum" => (&["--value", "very-high"], Text("very-high\n")),
        "optional" => (&[], Text("null\n")),
        "options" => (&["--number", "1", "--level", "low"], Text("None true Some(false) None\n")),
        "list" => (&["--values", "a", "--values", "b"], Text("a\nb\n")),
        "bytes" => (&["--values", "abc"], Text("abc")),
        "record" => (&["--value", r#"{"x": 1, "y": -2}"#], Text("{\n  \"x\": 1,\n  \"y\": -2\n}\n")),
        "tuple" => (&["--value", r#"["a", 1, true]"#], Text("[\"a\",1,true]\n")),
        "nest" => (&["--value", NESTED], Text("{\n  \"type\": \"t\"")),
        "variant" => (&["--value", r#"{"circle": 1.5}"#], Text("{")),
        "nothing" => (&[], Text("")),
        "nothing-or-error" => (&["--fails"], Failure("it was told to fail")),
        "rich-error" => (&[], Failure("no `a.txt`")),
        "parse" => (&["--number", " 7 "], Text("7\n")),
        "directory" => (&["--value", "tree"], Text("directory blake3:")),
        "contents" => (&["--value", "tree/a.txt"], Text("a\n")),
        "container" => (&[], Refusal(2, "container")),
        "files" => (&["--values", r#"[["a.txt", "b"]]"#], Text("file blake3:")),
        "secret-name" => (&["--value", "env:TOKEN"], Text("value\n")),
        "base" => (&[], Text("container blake3:")),
        "fed" => (&[], Text("/made-by-base\n")),
        _ => (&[], Success),
    };
    Case { flags, want }
}

const NESTED: &str = r#"{"type": "t", "points": [{"x": 1, "y": 2}], "level": "low", "pairs": [null, [7, "s"]]}"#;

/// Calls a stage with the flags of its case. Returns the answer and the lines of `--events`.
fn call(scratch: &Scratch, module: &str, stage: &str) -> (Answer, Vec<Json>) {
    let component = guest(module);
    let events = scratch.path("events");
    let mut words = vec!["call", "-q", "--events", events.to_str().unwrap(), "-m", component.to_str().unwrap()];
    for power in ["machine", "sources", "effects", "secret-access"] {
        words.extend(["--allow", power]);
    }
    words.push(stage);
    words.extend(case(module, stage).flags);
    let mut command = scratch.command(words);
    command.env("TOKEN", "hunter2-secret").env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let answer = command.output().map(Answer::from).unwrap();
    let lines = std::fs::read_to_string(events).unwrap_or_default();
    (answer, lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Returns the expected result of a stage for an ordinary user, where it differs from that of root.
fn want_of_user(module: &str, stage: &str) -> Option<Want> {
    // The tests in `users` set it when they run these tests again.
    let range = std::env::var("E2E_RANGE").ok()?;
    Some(match (module, stage) {
        ("steps", "memory-limit" | "process-limit" | "cpu-limit") => SuccessOr("this user has no control group for it"),
        ("containers", "user") if range == "no" => Failure("only user 0 does without a range in /etc/subuid"),
        ("containers", "new-files" | "copies") if range == "no" => Failure("files keep your own user"),
        ("containers", "secret") if range == "no" => Refusal(4, "cannot give the secret `/open` to its owner"),
        _ => return None,
    })
}

/// Returns the difference between an answer and the expected one.
fn judge(module: &str, stage: &str, answer: &Answer) -> Option<String> {
    let (code, text, is_talk) = match want_of_user(module, stage).unwrap_or(case(module, stage).want) {
        SuccessOr(_) if answer.code == Some(0) => (0, "", false),
        SuccessOr(text) => (answer.code.unwrap_or(-1), text, true),
        Success => (0, "", false),
        Text(text) => (0, text, false),
        Failure(text) => (1, text, true),
        Refusal(code, text) => (code, text, true),
    };
    let said = if is_talk { &answer.stderr } else { &answer.stdout };
    let is_right = answer.code == Some(code) && if is_talk { said.contains(text) } else { said.starts_with(text) };
    (!is_right).then(|| {
        format!("{module} {stage}: {:?}, want {code} {text:?}\n{}{}", answer.code, answer.stdout, answer.stderr)
    })
}

fn stages(scratch: &Scratch, module: &str) -> Vec<String> {
    let listed = scratch.host(["functions", "--json", "-m", guest(module).to_str().unwrap()]);
    let listed: Json = serde_json::from_str(&listed.stdout).unwrap();
    let stages = listed["stages"].as_array().unwrap();
    stages.iter().map(|stage| stage["name"].as_str().unwrap().to_owned()).collect()
}

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("tree/a.txt", "a\n");
    scratch.write("tree/b/c.txt", "c\n");
    scratch
}

/// Calls all stages of a module and reports all differences at once.
fn run_all(module: &str) -> Scratch {
    let scratch = scratch();
    let stages = stages(&scratch, module);
    assert!(!stages.is_empty());
    let wrong: Vec<String> =
        stages.iter().filter_map(|stage| judge(module, stage, &call(&scratch, module, stage).0)).collect();
    assert!(wrong.is_empty(), "{} of {} stages:\n{}", wrong.len(), stages.len(), wrong.join("\n"));
    scratch
}

/// Calls all stages of a module again: the results are the same, and nothing is evaluated.
fn run_again(module: &str, scratch: &Scratch) {
    let mut wrong = Vec::new();
    for stage in stages(scratch, module) {
        let (first, _) = call(scratch, module, &stage);
        let (second, events) = call(scratch, module, &stage);
        let ran = events.iter().filter(|line| line["outcome"] == "ran");
        let ran: Vec<_> =
            ran.filter(|line| !matches!(line["reason"].as_str(), Some("source" | "without-cache"))).collect();
        if !ran.is_empty() {
            wrong.push(format!("{module} {stage} evaluated again: {ran:?}"));
        }
        let is_random = matches!(&*stage, "every-run" | "cache-volume");
        if (first.code, &first.stdout) != (second.code, &second.stdout) && !is_random {
            wrong.push(format!("{module} {stage}: {:?}, then {:?}", first.stdout, second.stdout));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_stage_of_trees_works_and_is_answered_from_the_cache_the_second_time() {
    run_again("trees", &run_all("trees"));
}

#[test]
fn every_stage_of_containers_works_and_is_answered_from_the_cache_the_second_time() {
    if require("crun") {
        run_again("containers", &run_all("containers"));
    }
}

#[test]
fn every_stage_of_steps_works_and_is_answered_from_the_cache_the_second_time() {
    if require("crun") && require("python") {
        run_again("steps", &run_all("steps"));
    }
}

#[test]
fn every_stage_of_values_returns_what_it_is_given() {
    run_all("values");
}

#[test]
fn every_stage_of_powers_works_where_it_is_granted() {
    if require("crun") {
        run_all("powers");
    }
}

#[test]
fn every_stage_of_a_module_with_a_hand_written_interface_works() {
    run_all("by-hand");
}

#[test]
fn no_stage_of_powers_runs_where_nothing_is_granted() {
    let scratch = scratch();
    let component = guest("powers");
    for power in ["machine", "sources", "effects", "secret-access"] {
        let mut words = vec!["call", "-q", "-m", component.to_str().unwrap()];
        for other in ["machine", "sources", "effects", "secret-access"] {
            if other != power {
                words.extend(["--allow", other]);
            }
        }
        let refused = scratch.host(words.into_iter().chain(["harmless"]));
        assert_eq!((refused.code == Some(0), refused.stdout.as_str()), (false, ""), "{power}");
        assert!(refused.stderr.contains(power), "{}", refused.stderr);
    }
}
