//! `host graph`

use expect_test::expect;

use crate::world::{World, check};

/// A world with stages that feed each other.
fn linked() -> World {
    let world = World::new();
    world.write(
        "host.toml",
        r#"
name = "demo"
version = "0.1.0"
component = "demo.wasm"

[stages.shell]
description = "Begins"

[stages.test]
args = { build = { from = "shell" } }
"#,
    );
    world
}

#[test]
fn what_feeds_a_stage_is_drawn_with_it() {
    linked().check(
        &["graph", "test"],
        &expect![[r#"
        exit 0
        -- stdout
        flowchart LR
          n0["test<br/>-#62; string"]
          n1["shell<br/>-#62; container"]
          n1 -->|"build"| n0
    "#]],
    );
    linked().check(
        &["graph", "shell", "--format", "dot"],
        &expect![[r#"
        exit 0
        -- stdout
        digraph pipeline {
          rankdir=LR;
          node [fontname="monospace", fontsize=11];
          edge [fontname="monospace", fontsize=10];
          "shell" [label="shell\n-> container", shape=box];
        }
    "#]],
    );
}

#[test]
fn what_is_missing_is_drawn_as_such() {
    check(
        &["graph", "add", "build", "--format", "json"],
        &expect![[r#"
        exit 0
        -- stdout
        {
          "nodes": [
            {
              "id": "add",
              "label": "add",
              "details": [
                "a is missing",
                "b is missing",
                "-> s64"
              ],
              "kind": "stage"
            },
            {
              "id": "build",
              "label": "build",
              "details": [
                "src is missing",
                "-> directory"
              ],
              "kind": "stage"
            }
          ],
          "edges": []
        }
    "#]],
    );
}

#[test]
fn a_value_that_is_given_is_drawn() {
    check(
        &["graph", "add", "--arg", "a=1", "--arg", "add.b=2"],
        &expect![[r#"
        exit 0
        -- stdout
        flowchart LR
          n0["add<br/>a = 1<br/>b = 2<br/>-#62; s64"]
    "#]],
    );
}

#[test]
fn operations_are_drawn_between_the_stages_that_ask_for_them() {
    linked().check(
        &["graph", "test", "--ops"],
        &expect![[r#"
        exit 0
        -- stdout
        flowchart LR
          n0["test<br/>-#62; string"]
          n1["shell<br/>-#62; container"]
          n2[("scratch")]
          n3("make directory /one<br/>cached")
          n4("make directory /two<br/>would run")
          n5("make directory /three<br/>would run")
          n1 -->|"build"| n0
          n2 --> n3
          n3 --> n4
          n4 --> n5
          n5 --> n1
    "#]],
    );
}

#[test]
fn what_cannot_be_called_or_goes_no_further_is_named() {
    check(
        &["graph", "names", "refuse", "add", "--ops"],
        &expect![[r#"
        exit 0
        -- stdout
        flowchart LR
          n0["add<br/>a is missing<br/>b is missing<br/>-#62; s64"]
          n1["names<br/>-#62; list#60;string#62;"]
          n2["refuse"]
        -- stderr
        not called: stage `add` needs `a` (s32) and `b` (u8)
        `names` is drawn up to where `demo.names` waits for `exec make`
        `refuse` fails: stage `refuse` failed
    "#]],
    );
}

#[test]
fn a_drawing_goes_to_a_file_in_the_format_of_its_ending() {
    let world = linked();
    world.check(
        &["graph", "test", "-o", "drawings/test.svg"],
        &expect![[r#"
        exit 0
    "#]],
    );
    assert!(world.read("drawings/test.svg").starts_with("<svg"), "{}", world.read("drawings/test.svg"));
    world.check(
        &["graph", "test", "-o", "test.png"],
        &expect![[r#"
            exit 2
            -- stderr
            error: the ending of `$ROOT/test.png` names no format
            hint: formats: dot, mermaid, svg, json
        "#]],
    );
    world.check(
        &["graph", "test", "-o", "test.png", "--format", "mermaid"],
        &expect![[r#"
        exit 0
    "#]],
    );
    assert!(world.read("test.png").contains("flowchart"));
}
