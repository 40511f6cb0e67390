//! Methods called on results.

use expect_test::expect;

use crate::world::{World, check};

#[test]
fn a_chain_ends_with_a_leaf() {
    check(
        &["call", "build", "--src", "src", "-q", "file", "--path", "app", "contents"],
        &expect![[r#"
        exit 0
        -- stdout
        contents
    "#]],
    );
    check(
        &["call", "build", "--src", "src", "-q", "entries"],
        &expect![[r#"
        exit 0
        -- stdout
        a
        dir/
    "#]],
    );
    check(
        &["call", "build", "--src", "src", "-q", "file", "--path=app", "size", "--json"],
        &expect![[r#"
        exit 0
        -- stdout
        7
    "#]],
    );
}

#[test]
fn a_chain_may_end_with_an_object() {
    check(
        &["call", "build", "--src", "src", "-q", "subdirectory", "--path", "a"],
        &expect![[r#"
        exit 0
        -- stdout
        directory blake3:d1
    "#]],
    );
}

#[test]
fn options_are_flags_of_the_method() {
    check(
        &["call", "shell", "with-exec", "--args", "make,all", "--with-stdin", "x", "--expected-codes", "0,2", "stdout"],
        &expect![[r#"
            exit 0
            -- stdout
            exec ["make", "all"] stdin Text("x") expect Codes([0, 2])
        "#]],
    );
    check(
        &["call", "shell", "with-exec-options", "--args", "a", "--with-any-code", "stdout"],
        &expect![[r#"
        exit 0
        -- stdout
        exec ["a"] stdin Empty expect Any
    "#]],
    );
}

#[test]
fn a_method_and_its_twin_with_options_are_one() {
    let new_file = ["call", "build", "--src", ".", "with-new-file", "--path", "x", "--contents", "y"];
    let done = "exit 0\n-- stdout\ndirectory blake3:d1\n";
    let is_done = |words: &[&str]| {
        let shown = World::new().run(words);
        assert!(shown.starts_with(done), "{shown}");
    };
    is_done(&new_file);
    is_done(&[&new_file[..], &["--mode", "0o755"]].concat());
    let mut twin = new_file;
    twin[4] = "with-new-file-options";
    is_done(&[&twin[..], &["--owner", "1"]].concat());
    check(
        &[&new_file[..], &["--moode", "0o755"]].concat(),
        &expect![[r#"
            exit 2
            -- stderr
            error: method `with-new-file` has no flag `--moode`
            hint: it has: --path, --contents, --with-mode, --with-special-bits, --with-owner, --inherit-owner
            usage: ... with-new-file --path TEXT --contents TEXT [OPTIONS]
        "#]],
    );
    check(
        &["call", "shell", "with-exec-option"],
        &expect![[r#"
        exit 2
        -- stderr
        error: a container has no method `with-exec-option`
        hint: `host call shell --help` lists its methods
    "#]],
    );
}

#[test]
fn options_of_the_run_may_stand_anywhere() {
    check(
        &["call", "shell", "-q", "with-exec", "--args", "-q", "--json", "stdout"],
        &expect![[r#"
        exit 0
        -- stdout
        "exec [\"-q\"] stdin Empty expect Codes([0])"
    "#]],
    );
}

#[test]
fn what_has_no_methods_ends_a_chain() {
    check(
        &["call", "hello", "contents"],
        &expect![[r#"
            exit 2
            -- stderr
            error: stage `hello` returns `string`, which has no method `contents`
            hint: methods can be called on containers, directories, files and other objects; flags begin with `--`
        "#]],
    );
    check(
        &["call", "all", "entries"],
        &expect![[r#"
            exit 2
            -- stderr
            error: stage `all` returns `list<directory>`, which has no method `entries`
            hint: methods can be called on containers, directories, files and other objects; flags begin with `--`
        "#]],
    );
    check(
        &["call", "nothing", "entries"],
        &expect![[r#"
            exit 2
            -- stderr
            error: stage `nothing` returns nothing, which has no method `entries`
            hint: methods can be called on containers, directories, files and other objects; flags begin with `--`
        "#]],
    );
}

#[test]
fn an_unknown_method_is_told_before_anything_runs() {
    check(
        &["call", "build", "--src", "src", "fil"],
        &expect![[r#"
        exit 2
        -- stderr
        error: a directory has no method `fil`
        hint: did you mean `file` or `filter`?
    "#]],
    );
    check(
        &["call", "build", "--src", "src", "zzz"],
        &expect![[r#"
            exit 2
            -- stderr
            error: a directory has no method `zzz`
            hint: `host call build --help` lists its methods
        "#]],
    );
    check(
        &["call", "build", "--src", "src", "file", "contents"],
        &expect![[r#"
        exit 2
        -- stderr
        error: method `file` needs `--path`
        usage: ... file --path TEXT
    "#]],
    );
    check(
        &["call", "build", "--src", "src", "file", "--path", "a", "contents", "--pth", "x"],
        &expect![[r#"
            exit 2
            -- stderr
            error: method `contents` has no flag `--pth`
            hint: it takes no flags
            usage: ... contents
        "#]],
    );
}
