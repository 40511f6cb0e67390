//! Secrets that do not exist, and powers that were not granted.

use testkit::Scratch;

use crate::case::{ALLOW, ENVIRONMENT, INPUT, Row, USAGE, call, check_calls, refused, works};

#[test]
fn a_secret_that_does_not_exist_is_named_before_anything_runs() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("work/directory")).unwrap();
    let flag = "cannot use flag `--value` of stage `secret-name`";
    let rows: &[Row<'_>] = &[
        ("variable", "secret-name --value env:NO_SUCH", INPUT, &[flag, "variable `NO_SUCH` of a secret is not set"]),
        ("file", "secret-name --value file:no/such", INPUT, &[flag, "there is no file at `no/such`"]),
        ("directory", "secret-name --value file:directory", INPUT, &["`directory` is a directory, not a file"]),
        ("scheme", "secret-name --value vault:x", USAGE, &[flag, "given as `env:NAME`, `file:PATH` or `cmd:COMMAND`"]),
        ("no variable", "secret-name --value env:", USAGE, &["`env:` of a secret names nothing", "hint: "]),
        ("no file", "secret-name --value file:", USAGE, &["`file:` of a secret names nothing"]),
        ("no source", "secret-name --value by-name:hunter2", USAGE, &["never as itself"]),
        ("no command", "secret-name --value cmd:", USAGE, &["a secret is given as"]),
    ];
    check_calls(&scratch, "values", rows);
    let typed = scratch.host(call("values", "secret-name --value hunter2"));
    refused(&typed, USAGE, &["never as itself"]);
    assert!(!typed.stderr.contains("hunter2"), "a secret was repeated: {}", typed.stderr);
}

#[test]
fn a_command_that_gives_no_secret_is_named_with_its_exit_code() {
    let scratch = Scratch::new();
    let words = format!("{ALLOW} secret-length --secret");
    let failing = format!("{words} 'cmd:echo why >&2; exit 3'");
    let missing = format!("{words} cmd:no-such-program");
    let rows: &[Row<'_>] = &[
        ("fails", &failing, ENVIRONMENT, &["secret `secret` cannot be read", "exited with code 3", "why"]),
        ("is missing", &missing, ENVIRONMENT, &["command `no-such-program` exited with code 127"]),
    ];
    check_calls(&scratch, "powers", rows);
}

#[test]
fn a_power_that_was_not_granted_is_named_with_how_to_grant_it() {
    let rows: &[Row<'_>] = &[
        (
            "all",
            "harmless",
            INPUT,
            &[
                "needs the powers `machine`, `sources`, `effects`, `secret-access`, which were not granted",
                "hint: grant them with `--allow machine --allow sources --allow effects --allow secret-access`",
            ],
        ),
        (
            "one",
            "--allow machine --allow sources --allow effects harmless",
            INPUT,
            &[
                "module `powers` needs the power `secret-access`, which was not granted",
                "hint: grant it with `--allow secret-access` or with `allow = [\"secret-access\"]` in host.toml",
            ],
        ),
    ];
    check_calls(&Scratch::new(), "powers", rows);
}

#[test]
fn the_manifest_of_a_component_file_grants_nothing() {
    let scratch = Scratch::new();
    // Only the manifest of the directory that is called counts, and not one beside a file.
    scratch.write("host.toml", "name = \"a\"\nversion = \"0.1.0\"\ncomponent = \"x.wasm\"\nallow = [\"machine\"]\n");
    refused(&scratch.host(call("powers", "echo --text x")), INPUT, &["`machine`", "which were not granted"]);
    works(&scratch);
}
