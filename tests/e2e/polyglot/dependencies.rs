//! The module `linked`, which uses the module `objects`, in every pair of languages.

use testkit::{Answer, Scratch};

use super::{GUESTS, Guest, JavaScript, Other, Rust, can_build, host, importer};

fn shown(answer: &Answer) -> String {
    let text = format!("{}{}", answer.stdout, answer.stderr);
    if answer.code == Some(0) { text } else { format!("{text}exit {}\n", answer.code.unwrap_or(-1)) }
}

/// Calls a stage in every pair of languages that `is_in` accepts, and compares the results.
fn check(words: &[&str], is_in: impl Fn(Guest, Guest) -> bool, expect: &str) {
    if !can_build() {
        return;
    }
    for user in GUESTS {
        for used in GUESTS {
            if !is_in(user, used) {
                continue;
            }
            let scratch = Scratch::new();
            importer(&scratch, "linked", user, "objects", used);
            scratch.write("tree/good.txt", "short\n");
            scratch.write("tree/bad.txt", "long ".repeat(20));
            let answer = host(&scratch, &[&["call", "-q"], words].concat());
            assert_eq!(shown(&answer), expect, "{user:?} uses {used:?}");
        }
    }
}

fn everywhere(_: Guest, _: Guest) -> bool {
    true
}

#[test]
fn functions_and_methods_cross_with_options_and_text() {
    check(&["style"], everywhere, "a linter of level 1: checked at level 1\n");
    check(&["style", "--level", "7"], everywhere, "a linter of level 7: checked at level 7\n");
}

#[test]
fn an_error_crosses_unchanged() {
    let context = |user| if user == Rust { "the dependency: " } else { "" };
    for user in GUESTS {
        let said = format!(
            "error: stage `style` failed\n  caused by: {}a linter of level 0 checks nothing\nexit 1\n",
            context(user)
        );
        check(&["style", "--level", "0"], |u, _| u == user, &said);
    }
    let said = "error: stage `refused` failed\n  caused by: nothing is at `/nothing.txt`\nexit 1\n";
    check(&["refused"], everywhere, said);
}

#[test]
fn records_lists_and_trees_cross() {
    let said = "text files\nbad.txt: 1 long lines\ngood.txt: 0 long lines\n";
    check(&["findings", "--src", "tree"], everywhere, said);
}

#[test]
fn a_tree_that_a_dependency_makes_is_made_when_it_is_needed() {
    check(&["sources", "entries"], everywhere, "bad.txt\ngood.txt\n");
}

/// A pair that componentize-qjs 0.4.5 cannot do: it passes the handle of an object instead of the object.
#[test]
fn objects_cross_in_every_pair_but_as_arguments_of_javascript() {
    check(&["every-way"], |_, used| used != Other(JavaScript), "23\n");
    check(&["lent"], |user, _| user != Rust, "12\n");
}
