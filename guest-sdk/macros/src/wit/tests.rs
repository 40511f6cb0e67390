//! Rust in, WIT out.

use expect_test::{Expect, expect};
use syn::ItemMod;

use super::*;
use crate::parse;

/// Checks the WIT of a module, without the world, and that a WIT parser takes it.
fn check(module: &str, expected: &Expect) {
    let text = text_of(module);
    wit_parser::Resolve::default().push_str("stages.wit", &with_api(&text)).unwrap();
    let (interface, _) = text.split_once("\nworld").unwrap();
    let (_, interface) = interface.split_once("\n\n").unwrap();
    expected.assert_eq(interface);
}

fn text_of(module: &str) -> String {
    let module: ItemMod = syn::parse_str(module).unwrap();
    let package = Package { name: "tools".to_owned(), version: "1.2.3".to_owned() };
    super::package(&package, &parse::interface(&module).unwrap())
}

#[test]
fn a_package_has_the_crates_name_and_version_and_a_world() {
    let text = text_of("mod stages { pub fn hello() {} }");
    wit_parser::Resolve::default().push_str("stages.wit", &with_api(&text)).unwrap();
    expect![[r"
        package local:tools@1.2.3;

        interface stages {
            hello: func();
        }

        world module {
            include pipeline:api/imports@0.1.0;
            export stages;
        }
    "]]
    .assert_eq(&text);
}

#[test]
fn documentation_of_modules_stages_and_parameters_is_kept() {
    check(
        r"
        /// Builds C projects.
        ///
        /// It uses `make`.
        mod stages {
            //! And more text.

            /// Compiles the sources.
            pub fn build(
                /// The source
                /// tree.
                src: Directory,
                jobs: Option<u32>,
                /// The compiler flags.
                c_flags: String,
            ) -> Container {}

            pub fn test(/** The build. */ build: Container) {}
        }
        ",
        &expect![[r"
            /// Builds C projects.
            ///
            /// It uses `make`.
            /// And more text.
            interface stages {
                use pipeline:api/container@0.1.0.{container};
                use pipeline:api/directory@0.1.0.{directory};

                /// Compiles the sources.
                ///
                /// Parameters:
                /// - `src`: The source tree.
                /// - `c-flags`: The compiler flags.
                build: func(src: directory, jobs: option<u32>, c-flags: string) -> container;

                /// Parameters:
                /// - `build`: The build.
                test: func(build: container);
            }
        "]],
    );
}

#[test]
fn every_type_has_its_counterpart() {
    check(
        r"
        mod stages {
            pub fn numbers(a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64, i: f32, j: f64) -> bool {}
            pub fn texts(a: String, b: &str, c: char, d: Option<&str>) -> String {}
            pub fn lists(a: Vec<String>, b: &[u8], c: Option<&[String]>, d: Vec<Vec<u8>>) -> Vec<(String, u32)> {}
            pub fn objects(a: Container, b: &Directory, c: Option<&File>, d: Secret, e: CacheVolume) -> Service {}
            pub fn records(a: CacheSharing, b: Vec<Port>, c: Protocol, d: guest_sdk::Stat) -> Vec<SearchResult> {}
            pub fn reports(a: Verdict, b: TestCase) -> Result<Report> {}
            pub fn nothing() -> () {}
        }
        ",
        &expect![[r#"
            interface stages {
                use pipeline:api/cache@0.1.0.{cache-sharing, cache-volume};
                use pipeline:api/container@0.1.0.{container, port, protocol};
                use pipeline:api/directory@0.1.0.{directory, search-result};
                use pipeline:api/errors@0.1.0.{error};
                use pipeline:api/file@0.1.0.{file, stat};
                use pipeline:api/report@0.1.0.{report, test-case, verdict};
                use pipeline:api/secret@0.1.0.{secret};
                use pipeline:api/service@0.1.0.{service};

                numbers: func(a: u8, b: u16, c: u32, d: u64, e: s8, f: s16, g: s32, h: s64, i: f32, j: f64) -> bool;

                texts: func(a: string, b: string, c: char, d: option<string>) -> string;

                lists: func(a: list<string>, b: list<u8>, c: option<list<string>>, d: list<list<u8>>) -> list<tuple<string, u32>>;

                objects: func(a: container, b: directory, c: option<file>, d: secret, e: cache-volume) -> service;

                records: func(a: cache-sharing, b: list<port>, c: protocol, d: stat) -> list<search-result>;

                reports: func(a: verdict, b: test-case) -> result<report, error>;

                nothing: func();
            }
        "#]],
    );
}

#[test]
fn results_fail_with_the_error_of_the_api() {
    check(
        r"
        mod stages {
            pub fn a() -> Result<()> {}
            pub fn b() -> Result<Option<File>> {}
            pub fn c() -> Result<String, Error> {}
            pub fn d() -> std::result::Result<String, std::io::Error> {}
        }
        ",
        &expect![[r"
            interface stages {
                use pipeline:api/errors@0.1.0.{error};
                use pipeline:api/file@0.1.0.{file};

                a: func() -> result<_, error>;

                b: func() -> result<option<file>, error>;

                c: func() -> result<string, error>;

                d: func() -> result<string, error>;
            }
        "]],
    );
}

#[test]
fn types_of_the_authors_own_are_written_where_stages_reach_them() {
    check(
        r"
        mod stages {
            /// How it is compiled.
            #[derive(Clone, Record)]
            pub struct Options {
                /// From 0 to 3.
                pub opt_level: u8,
                pub mode: Option<Mode>,
            }
            /// What it is for.
            #[derive(Debug)]
            #[derive(guest_sdk::Enum)]
            pub enum Mode {
                /// For development only.
                Debug,
                ForRelease = 7,
            }
            #[derive(Variant)]
            pub enum Source { Empty, Tree(Directory), Trees(Vec<(String, Directory)>) }
            #[derive(Record)]
            struct Unused { a: u8 }
            struct Inner(u8);
            impl Inner { pub fn not_a_stage(self) {} }

            pub fn build(options: Options) -> Source {}
            fn helper<T>(value: T) -> HashMap<u8, T> {}
        }
        ",
        &expect![[r"
            interface stages {
                use pipeline:api/directory@0.1.0.{directory};

                /// How it is compiled.
                record options {
                    /// From 0 to 3.
                    opt-level: u8,
                    mode: option<mode>,
                }

                /// What it is for.
                enum mode {
                    /// For development only.
                    debug,
                    for-release,
                }

                variant source {
                    empty,
                    tree(directory),
                    trees(list<tuple<string, directory>>),
                }

                build: func(options: options) -> source;
            }
        "]],
    );
}

#[test]
fn objects_become_resources() {
    check(
        r"
        mod stages {
            /// Looks for bad style.
            #[derive(Object)]
            pub struct Linter { level: u32, rules: Rules }

            impl Linter {
                /// A linter of this level.
                pub fn new(
                    /// From 0 to 3.
                    level: u32,
                ) -> Self {}
                /// The same with another level.
                pub fn with_level(&self, level: u32) -> Self {}
                pub fn merge(&self, other: &Self, others: &[&Linter], last: Option<&Self>) -> Linter {}
                fn helper(&mut self) {}
            }

            impl Linter {
                pub fn check(&self, src: &Directory) -> Result<Vec<Finding>> {}
                pub fn defaults() -> Result<Vec<Self>> {}
            }

            impl Drop for Linter { fn drop(&mut self) {} }

            #[derive(Record)]
            pub struct Finding { pub path: String }

            /// Nothing to ask for.
            #[derive(Object)]
            pub struct Token;

            struct Rules;

            pub fn strict(level: Option<u32>) -> Result<Linter> {}
            pub fn check(linter: &Linter, more: Vec<&Linter>, token: Token, tokens: &[Token]) -> Vec<Linter> {}
        }
        ",
        &expect![[r#"
            interface stages {
                use pipeline:api/directory@0.1.0.{directory};
                use pipeline:api/errors@0.1.0.{error};

                record finding {
                    path: string,
                }

                /// Looks for bad style.
                resource linter {
                    /// A linter of this level.
                    ///
                    /// Parameters:
                    /// - `level`: From 0 to 3.
                    constructor(level: u32);

                    /// The same with another level.
                    with-level: func(level: u32) -> linter;

                    merge: func(other: borrow<linter>, others: list<borrow<linter>>, last: option<borrow<linter>>) -> linter;

                    check: func(src: directory) -> result<list<finding>, error>;

                    defaults: static func() -> result<list<linter>, error>;
                }

                /// Nothing to ask for.
                resource token;

                strict: func(level: option<u32>) -> result<linter, error>;

                check: func(linter: borrow<linter>, more: list<borrow<linter>>, token: token, tokens: list<token>) -> list<linter>;
            }
        "#]],
    );
}

#[test]
fn a_module_of_objects_alone_is_a_module() {
    check(
        "mod stages { #[derive(Object)] pub struct A; impl A { pub fn new() -> A {} } }",
        &expect![[r#"
        interface stages {
            resource a {
                constructor();
            }
        }
    "#]],
    );
}

#[test]
fn reserved_words_are_escaped() {
    check(
        r"
        mod stages {
            #[derive(Record)]
            pub struct Record { pub r#type: String }
            #[derive(Enum)]
            pub enum Flags { List, Own }
            pub fn export(from: String, _use: Record, r#as: Flags) {}
        }
        ",
        &expect![[r"
            interface stages {
                record %record {
                    %type: string,
                }

                enum %flags {
                    %list,
                    %own,
                }

                %export: func(%from: string, %use: %record, %as: %flags);
            }
        "]],
    );
}

#[test]
fn a_default_is_written_as_the_values_of_webassembly() {
    check(
        r#"
        mod stages {
            #[derive(Enum)]
            pub enum Mode { Debug, FullSpeed }

            pub fn build(
                #[default(Mode::FullSpeed)] mode: Mode,
                #[default("a \"b\"")] name: &str,
                #[default(-3)] level: i32,
                /// The factor of all sizes.
                #[default(1.5)]
                factor: f64,
                #[default(true)] deep: bool,
            ) {}
        }
        "#,
        &expect![[r#"
            interface stages {
                enum mode {
                    debug,
                    full-speed,
                }

                /// Parameters:
                /// - `factor`: The factor of all sizes.
                /// @default mode full-speed
                /// @default name "a \"b\""
                /// @default level -3
                /// @default factor 1.5
                /// @default deep true
                build: func(mode: option<mode>, name: option<string>, level: option<s32>, factor: option<f64>, deep: option<bool>);
            }
        "#]],
    );
}

#[test]
fn a_stage_may_have_the_name_of_a_type_of_the_api() {
    check(
        r"
        mod stages {
            pub fn container(directory: Directory) -> Result<Container> {}
            pub fn error() -> Directory {}
        }
        ",
        &expect![[r"
            interface stages {
                use pipeline:api/container@0.1.0.{container as api-container};
                use pipeline:api/directory@0.1.0.{directory};
                use pipeline:api/errors@0.1.0.{error as api-error};

                container: func(directory: directory) -> result<api-container, api-error>;

                error: func() -> directory;
            }
        "]],
    );
}

#[test]
fn a_type_of_the_module_hides_one_of_the_prelude() {
    check(
        r"
        mod stages {
            #[derive(Record)]
            pub struct Port { pub number: u16 }
            pub fn ports() -> Vec<Port> {}
        }
        ",
        &expect![[r"
            interface stages {
                record port {
                    number: u16,
                }

                ports: func() -> list<port>;
            }
        "]],
    );
}

#[test]
fn the_api_in_the_macro_is_all_of_the_api() {
    let mut resolve = wit_parser::Resolve::default();
    let (expected, _) = resolve.push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).unwrap();
    let expected: Vec<String> = resolve.packages[expected].interfaces.keys().cloned().collect();

    let mut resolve = wit_parser::Resolve::default();
    let text = with_api("package local:tools@1.2.3;\ninterface stages {}\n");
    resolve.push_str("stages.wit", &text).unwrap();
    let (_, api) = resolve.packages.iter().find(|(_, package)| package.name.name == "api").unwrap();
    assert!(!api.interfaces.is_empty());
    assert_eq!(api.interfaces.keys().cloned().collect::<Vec<_>>(), expected);
}

#[test]
fn a_check_is_marked_in_its_documentation() {
    check(
        "mod stages {
            /// Runs the tests of the program.
            #[check]
            pub fn test(
                /// The tree that is tested.
                src: Directory,
            ) {}
        }",
        &expect![[r#"
            interface stages {
                use pipeline:api/directory@0.1.0.{directory};

                /// Runs the tests of the program.
                ///
                /// Parameters:
                /// - `src`: The tree that is tested.
                /// @check
                test: func(src: directory);
            }
        "#]],
    );
}
