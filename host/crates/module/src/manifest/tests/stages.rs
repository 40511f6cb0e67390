//! Stages and dependencies in manifests, and their values.

use expect_test::{Expect, expect};

use super::*;

/// Checks the stages of a manifest with code.
fn check_stages(text: &str, expect: &Expect) {
    let manifest = ModuleManifest::parse(Path::new("host.toml"), &format!("{GOOD}{text}")).unwrap();
    expect.assert_debug_eq(&manifest.stages);
}

#[test]
fn a_stage_is_set_up_in_the_order_of_the_file() {
    check_stages(
        "[stages.build]
description = 'Compiles it'
args = { src = '.', jobs = 4 }
defaults = { c_flags = '-O2', a = [1.5, true, { b = 0x10 }] }
ignore = ['target', '*.o']
env = { CI = '1', A = '' }
retry = 2
timeout = '10m'
allow-failure = true
check = false
",
        &expect![[r#"
            [
                StageEntry {
                    name: "build",
                    position: Position {
                        line: 4,
                        column: 9,
                    },
                    description: Some(
                        "Compiles it",
                    ),
                    work: Own,
                    args: [
                        Setting {
                            param: "src",
                            argument: Literal(
                                String("."),
                            ),
                            base: None,
                            position: Position {
                                line: 6,
                                column: 10,
                            },
                        },
                        Setting {
                            param: "jobs",
                            argument: Literal(
                                Number(4),
                            ),
                            base: None,
                            position: Position {
                                line: 6,
                                column: 21,
                            },
                        },
                    ],
                    defaults: [
                        Setting {
                            param: "c-flags",
                            argument: Literal(
                                String("-O2"),
                            ),
                            base: None,
                            position: Position {
                                line: 7,
                                column: 14,
                            },
                        },
                        Setting {
                            param: "a",
                            argument: Literal(
                                Array [
                                    Number(1.5),
                                    Bool(true),
                                    Object {
                                        "b": Number(16),
                                    },
                                ],
                            ),
                            base: None,
                            position: Position {
                                line: 7,
                                column: 31,
                            },
                        },
                    ],
                    ignore: [
                        Ignore {
                            param: None,
                            patterns: [
                                "target",
                                "*.o",
                            ],
                            position: Position {
                                line: 8,
                                column: 10,
                            },
                        },
                    ],
                    env: [
                        (
                            "CI",
                            "1",
                        ),
                        (
                            "A",
                            "",
                        ),
                    ],
                    policy: Policy {
                        n_retries: 2,
                        timeout: Some(
                            600s,
                        ),
                        is_failure_allowed: true,
                    },
                    is_check: Some(
                        false,
                    ),
                },
            ]
        "#]],
    );
}

#[test]
fn a_stage_calls_a_function_of_a_dependency() {
    check_stages(
        "[dependencies]
lint = '../lint'
[stages]
style.call = 'lint.check_all'
style.args = { app = { from = \"build.file(\\\"app\\\")\" }, mail = { from = 'a', to = 'b' } }
style.ignore = { src = ['target'], other = [] }
style.timeout = 90
",
        &expect![[r#"
            [
                StageEntry {
                    name: "style",
                    position: Position {
                        line: 7,
                        column: 1,
                    },
                    description: None,
                    work: Call(
                        CallTarget {
                            dependency: Some(
                                "lint",
                            ),
                            function: "check-all",
                            is_set_up: false,
                            position: Position {
                                line: 7,
                                column: 14,
                            },
                        },
                    ),
                    args: [
                        Setting {
                            param: "app",
                            argument: From(
                                Expression {
                                    stage: "build",
                                    steps: [
                                        ExpressionStep {
                                            method: "file",
                                            args: [
                                                Literal(
                                                    String("app"),
                                                ),
                                            ],
                                        },
                                    ],
                                    text: "build.file(\"app\")",
                                    position: Position {
                                        line: 8,
                                        column: 32,
                                    },
                                },
                            ),
                            base: None,
                            position: Position {
                                line: 8,
                                column: 16,
                            },
                        },
                        Setting {
                            param: "mail",
                            argument: Literal(
                                Object {
                                    "from": String("a"),
                                    "to": String("b"),
                                },
                            ),
                            base: None,
                            position: Position {
                                line: 8,
                                column: 56,
                            },
                        },
                    ],
                    defaults: [],
                    ignore: [
                        Ignore {
                            param: Some(
                                "src",
                            ),
                            patterns: [
                                "target",
                            ],
                            position: Position {
                                line: 9,
                                column: 24,
                            },
                        },
                        Ignore {
                            param: Some(
                                "other",
                            ),
                            patterns: [],
                            position: Position {
                                line: 9,
                                column: 44,
                            },
                        },
                    ],
                    env: [],
                    policy: Policy {
                        n_retries: 0,
                        timeout: Some(
                            90s,
                        ),
                        is_failure_allowed: false,
                    },
                    is_check: None,
                },
            ]
        "#]],
    );
}

#[test]
fn a_stage_is_another_set_up_or_an_expression() {
    check_stages(
        "[stages]
debug = { call = 'build' }
all = { from = ' linter.with_level(3).check()' }
",
        &expect![[r#"
            [
                StageEntry {
                    name: "debug",
                    position: Position {
                        line: 5,
                        column: 1,
                    },
                    description: None,
                    work: Call(
                        CallTarget {
                            dependency: None,
                            function: "build",
                            is_set_up: false,
                            position: Position {
                                line: 5,
                                column: 18,
                            },
                        },
                    ),
                    args: [],
                    defaults: [],
                    ignore: [],
                    env: [],
                    policy: Policy {
                        n_retries: 0,
                        timeout: None,
                        is_failure_allowed: false,
                    },
                    is_check: None,
                },
                StageEntry {
                    name: "all",
                    position: Position {
                        line: 6,
                        column: 1,
                    },
                    description: None,
                    work: From(
                        Expression {
                            stage: "linter",
                            steps: [
                                ExpressionStep {
                                    method: "with-level",
                                    args: [
                                        Literal(
                                            Number(3),
                                        ),
                                    ],
                                },
                                ExpressionStep {
                                    method: "check",
                                    args: [],
                                },
                            ],
                            text: " linter.with_level(3).check()",
                            position: Position {
                                line: 6,
                                column: 18,
                            },
                        },
                    ),
                    args: [],
                    defaults: [],
                    ignore: [],
                    env: [],
                    policy: Policy {
                        n_retries: 0,
                        timeout: None,
                        is_failure_allowed: false,
                    },
                    is_check: None,
                },
            ]
        "#]],
    );
}

#[test]
fn dependencies_are_directories_or_components() {
    let text = format!(
        "{GOOD}[dependencies]
lint = '../lint'
scan = {{ path = '../scan', allow = ['machine'] }}
all-of-it = {{ component = 'vendor/tool.wasm', allow = [] }}
"
    );
    let manifest = ModuleManifest::parse(Path::new("host.toml"), &text).unwrap();
    expect![[r#"
        [
            Dependency {
                alias: "lint",
                path: "../lint",
                allow: None,
                position: Position {
                    line: 5,
                    column: 1,
                },
            },
            Dependency {
                alias: "scan",
                path: "../scan",
                allow: Some(
                    {
                        "machine",
                    },
                ),
                position: Position {
                    line: 6,
                    column: 1,
                },
            },
            Dependency {
                alias: "all-of-it",
                path: "vendor/tool.wasm",
                allow: Some(
                    {},
                ),
                position: Position {
                    line: 7,
                    column: 1,
                },
            },
        ]
    "#]]
    .assert_debug_eq(&manifest.dependencies);
}
