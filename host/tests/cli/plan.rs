//! `host plan`: what is found out, told.

use expect_test::expect;

use crate::world::check;

#[test]
fn a_plan_tells_what_would_run_and_why() {
    check(
        &["plan", "shell"],
        &expect![[r#"
        exit 0
        -- stdout
        shell: demo.shell
          + make directory /two    nothing like it ran before
          + make directory /three  its input `make directory /two` would run
          = 1 cached
        2 would run, 1 cached
    "#]],
    );
}

#[test]
fn what_comes_from_a_stage_before_belongs_to_that() {
    check(
        &["plan", "shell", "all", "nothing"],
        &expect![[r#"
        exit 0
        -- stdout
        shell: demo.shell
          + make directory /two    nothing like it ran before
          + make directory /three  its input `make directory /two` would run
          ~ make directory /one    Docker's own cache decides
          = 1 cached
        all: demo.all
        nothing: demo.nothing
        2 would run, 1 may run, 1 cached
    "#]],
    );
}

#[test]
fn a_function_that_cannot_go_on_is_told_with_what_it_waits_for() {
    check(
        &["plan", "names"],
        &expect![[r#"
        exit 0
        -- stdout
        names: demo.names
          ? known up to here: `demo.names` goes on when `exec make` has run
        0 would run, 0 cached, 1 stage not known to the end
    "#]],
    );
}

#[test]
fn a_stage_that_fails_without_running_anything_fails_the_plan() {
    check(
        &["plan", "refuse", "shell"],
        &expect![[r#"
        exit 1
        -- stdout
        refuse: demo.refuse
          ! error: stage `refuse` failed
              caused by: the tree is on fire
        shell: demo.shell
          + make directory /two    nothing like it ran before
          + make directory /three  its input `make directory /two` would run
          = 1 cached
        2 would run, 1 cached
    "#]],
    );
}

#[test]
fn a_plan_is_there_for_programs() {
    check(
        &["plan", "shell", "names", "--json"],
        &expect![[r#"
            exit 0
            -- stdout
            {
              "stages": [
                {
                  "stage": "shell",
                  "function": "demo.shell",
                  "operations": [
                    {
                      "vertex": "blake3:319d33749518b23c954c3d3af079e1a6bfa7da4b631c6194b4e55f58ecc626f7",
                      "name": "make directory /two",
                      "would_run": true,
                      "reason": "never-ran",
                      "reason_text": "nothing like it ran before",
                      "inputs": [
                        "blake3:38d3beb2cb045c49ec18988b9e84349bfaa25ade1aee1ea8e2856de55408932d"
                      ]
                    },
                    {
                      "vertex": "blake3:0558e9b40f70d51564f5e7bb9957ab005a384a18f8732713d740b5b52bc7f2ec",
                      "name": "make directory /three",
                      "would_run": true,
                      "reason": "input-planned",
                      "reason_text": "its input `make directory /two` would run",
                      "input": "make directory /two",
                      "inputs": [
                        "blake3:319d33749518b23c954c3d3af079e1a6bfa7da4b631c6194b4e55f58ecc626f7"
                      ]
                    }
                  ],
                  "cached": 1
                },
                {
                  "stage": "names",
                  "function": "demo.names",
                  "operations": [],
                  "cached": 0,
                  "waits": {
                    "function": "demo.names",
                    "operation": "exec make"
                  }
                }
              ],
              "not_planned": [],
              "would_run": 2,
              "may_run": 0,
              "cached": 1
            }
        "#]],
    );
}

#[test]
fn without_a_stage_the_leaves_that_can_be_called_are_planned() {
    check(
        &["plan"],
        &expect![[r#"
        exit 1
        -- stdout
        hello: demo.hello
        switch: demo.switch
        limit-all: demo.limit-all
        shell: demo.shell
          + make directory /two    nothing like it ran before
          + make directory /three  its input `make directory /two` would run
          ~ make directory /one    Docker's own cache decides
          = 1 cached
        all: demo.all
        names: demo.names
          ? known up to here: `demo.names` goes on when `exec make` has run
        info: demo.info
        maybe: demo.maybe
        nothing: demo.nothing
        bytes: demo.bytes
        refuse: demo.refuse
          ! error: stage `refuse` failed
              caused by: the tree is on fire
        command-fails: demo.command-fails
        trap: demo.trap
        cancelled: demo.cancelled
        broken: demo.broken
        2 would run, 1 may run, 1 cached, 1 stage not known to the end
        -- stderr
        not planned: stage `add` needs `a` (s32) and `b` (u8)
        not planned: stage `render` needs `quality` (enum { draft, print-ready }) and `tags` (list<string>)
        not planned: stage `limit` needs `limits` (record { cpus: u8, label: option<string> })
        not planned: stage `mixed` needs `ratio` (f64) and `letter` (char) and `raw` (list<u8>)
        not planned: stage `pair` needs `pair` (tuple<string, u8>)
        not planned: stage `build` needs `src` (directory)
        not planned: stage `sum` needs `files` (list<file>)
        not planned: stage `login` needs `token` (secret)
        not planned: stage `cached` needs `volume` (cache-volume)
        not planned: stage `test` needs `build` (container); `test.build <- build` does not fit: it makes `directory`, not `container`
    "#]],
    );
}

#[test]
fn a_plan_takes_stages_that_there_are() {
    check(
        &["plan", "shel"],
        &expect![[r#"
            exit 2
            -- stderr
            error: module `demo` has no stage `shel`
            hint: did you mean `shell`?
        "#]],
    );
    check(
        &["plan", "add"],
        &expect![[r#"
            exit 2
            -- stderr
            error: stage `add` needs `a` (s32) and `b` (u8)
            hint: give it by `--arg add.a=VALUE` and `--arg add.b=VALUE`, or by `args` under `[stages.add]` in the manifest
        "#]],
    );
    check(
        &["plan", "shell", "-o", "x"],
        &expect![[r#"
            exit 2
            -- stderr
            error: `host plan` has no option `-o`
            hint: `host plan --help` lists its options
            usage: host plan [OPTIONS] [STAGE]...
        "#]],
    );
}
