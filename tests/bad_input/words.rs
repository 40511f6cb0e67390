//! Unknown commands, stages, methods and flags.

use testkit::Scratch;

use crate::case::{Row, USAGE, check, check_calls};

#[test]
fn an_unknown_command_is_named_with_similar_ones() {
    let rows: &[Row<'_>] = &[
        ("misspelled command", "calll", USAGE, &["there is no command `calll`", "hint: did you mean `call`?"]),
        ("unlike any command", "xyzzy", USAGE, &["no command `xyzzy`", "hint: the commands are call, "]),
        ("empty command", "''", USAGE, &["there is no command ``"]),
        ("option as a command", "--nope", USAGE, &["`host` has no option `--nope`"]),
        ("help of no command", "help clal", USAGE, &["there is no command `clal`", "did you mean `call`?"]),
        ("subcommand of cache", "cache clea", USAGE, &["`host cache` has no `clea`", "did you mean `clear`?"]),
        ("surplus word", "engine extra", USAGE, &["`host engine` does not take `extra`", "usage: host engine"]),
        ("option of another command", "doctor --jobs 1", USAGE, &["`host doctor` has no option `--jobs`"]),
        ("misspelled option", "call --no-cash x", USAGE, &["no option `--no-cash`", "did you mean `--no-cache`"]),
        ("option without its value", "functions -m", USAGE, &["option `--module` needs a value: MODULE"]),
    ];
    check(&Scratch::new(), rows);
}

#[test]
fn an_unknown_stage_is_named_with_similar_ones() {
    let rows: &[Row<'_>] = &[
        ("misspelled stage", "strng --value x", USAGE, &["module `values` has no stage `strng`", "`string`?"]),
        ("unlike any stage", "xyzzy", USAGE, &["has no stage `xyzzy`", "hint: it has: string, text, boolean"]),
        (
            "no stage",
            "",
            USAGE,
            &["`host call` needs a stage", "hint: module `values` has: string", "usage: host call"],
        ),
        ("empty stage", "''", USAGE, &["has no stage ``"]),
    ];
    check_calls(&Scratch::new(), "values", rows);
}

#[test]
fn a_flag_is_needed_known_and_given_once() {
    let rows: &[Row<'_>] = &[
        ("missing", "string", USAGE, &["stage `string` needs `--value`", "usage: host call string --value"]),
        ("two missing", "unsigned --a 1 --c 1", USAGE, &["stage `unsigned` needs `--b` and `--d`"]),
        ("without its value", "string --value", USAGE, &["flag `--value` of stage `string` needs a value"]),
        ("misspelled", "string --vlue x", USAGE, &["has no flag `--vlue`", "did you mean `--value`?"]),
        ("surplus", "nothing --x 1", USAGE, &["stage `nothing` has no flag `--x`"]),
        ("given twice", "string --value a --value b", USAGE, &["`--value` of stage `string` was given more than once"]),
        ("surplus word", "string --value a b", USAGE, &["returns `string`, which has no method `b`", "hint: "]),
        ("module behind the stage", "string -m x", USAGE, &["`-m MODULE` stands before the stage"]),
    ];
    check_calls(&Scratch::new(), "values", rows);
}

#[test]
fn an_unknown_method_is_named_with_similar_ones() {
    let rows: &[Row<'_>] = &[
        ("misspelled", "base fil --path x", USAGE, &["a container has no method `fil`", "did you mean `file`?"]),
        ("unlike any", "base xyzzy", USAGE, &["no method `xyzzy`", "hint: `host call base --help` lists its methods"]),
        ("missing flag", "base file", USAGE, &["method `file` needs `--path`", "usage: ... file --path"]),
        ("misspelled flag", "base file --pth x", USAGE, &["method `file` has no flag `--pth`", "`--path`?"]),
        ("on a scalar", "base workdir size", USAGE, &["`workdir` returns `string`, which has no method `size`"]),
        ("on nothing", "base sync id", USAGE, &["method `sync` returns", "no method `id`"]),
        (
            "enum of a method",
            "base with-exposed-port --port 1 --protocol x",
            USAGE,
            &["takes one of tcp, udp, not `x`"],
        ),
        ("range of a method", "base with-exposed-port --port 70000 --protocol tcp", USAGE, &["(u16), not `70000`"]),
    ];
    check_calls(&Scratch::new(), "values", rows);
}

#[test]
fn a_method_that_is_not_available_is_named_as_in_the_documentation() {
    let rows: &[Row<'_>] = &[
        (
            "a method that makes something",
            "base build --context . sync",
            1,
            &["error: `container.build` is not available in this version"],
        ),
        ("a service", "base as-service", 1, &["error: `container.as-service` is not available in this version"]),
    ];
    check_calls(&Scratch::new(), "values", rows);
}
