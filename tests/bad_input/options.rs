//! Options of runs with wrong values.

use testkit::Scratch;

use crate::case::{INPUT, Row, USAGE, check_calls};

#[test]
fn a_wrong_value_of_an_option_is_an_error_that_names_the_values() {
    let rows: &[Row<'_>] = &[
        ("no jobs", "base --jobs 0", USAGE, &["option `--jobs` takes a number from 1 on, not `0`"]),
        ("jobs that are no number", "base -j many", USAGE, &["option `--jobs` takes a number", "not `many`"]),
        ("no time", "base --timeout nonsense", USAGE, &["option `--timeout` takes a time as in `90`", "`nonsense`"]),
        ("time of a negative length", "base --timeout -1", USAGE, &["option `--timeout`", "not `-1`"]),
        (
            "no engine",
            "base --engine nope",
            USAGE,
            &["there is no engine `nope`", "hint: engines: embedded, docker, docker-classic"],
        ),
        ("no progress", "base --progress nope", USAGE, &["`--progress` takes one of auto, plain, tty, none"]),
        ("no explanation", "base --explain=yaml", USAGE, &["option `--explain` takes", "not `yaml`"]),
        ("a value too many", "base --json=yes", USAGE, &["option `--json` takes no value, and was given `yes`"]),
        ("no value", "base --output", USAGE, &["option `--output` needs a value: PATH"]),
        ("an empty path", "base --output=", USAGE, &["option `--output` takes a path, not nothing"]),
        ("empty events", "base --events=", USAGE, &["option `--events` takes a path, not nothing"]),
        ("no power", "base --allow machne", USAGE, &["there is no power `machne`", "did you mean `machine`?"]),
    ];
    check_calls(&Scratch::new(), "values", rows);
}

#[test]
fn a_path_of_an_option_that_cannot_be_written_is_named() {
    let scratch = Scratch::new();
    scratch.write("there/file", "kept");
    let rows: &[Row<'_>] = &[
        ("events in a missing directory", "base --events no/such", INPUT, &["cannot write the events to", "no/such"]),
        ("events over a directory", "base --events there", INPUT, &["cannot write the events to", "there"]),
        (
            "text over a directory",
            "string --value x -o there",
            INPUT,
            &["a directory is there", "hint: name a file in"],
        ),
        ("a tree over a file", "base -o there/file", INPUT, &["a file is in the way", "hint: remove it"]),
        ("a tree below a file", "base -o there/file/below", 4, &["there/file/below"]),
        ("text below a file", "string --value x -o there/file/x", INPUT, &["cannot write", "there/file/x"]),
        ("nothing to write", "nothing -o x", USAGE, &["`-o` cannot write what `nothing` returns: nothing"]),
        ("what is no file", r#"files --values '[["a","b"]]' -o x"#, USAGE, &["a list of objects", "hint: `-o` writes"]),
    ];
    check_calls(&scratch, "values", rows);
    assert_eq!(std::fs::read_to_string(scratch.path("work/there/file")).unwrap(), "kept");
}
