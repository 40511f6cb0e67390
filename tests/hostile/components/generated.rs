//! Components that are made from tables: values that break the ABI, memory of the guest that is none, custom sections,
//! and what is deep or wide.

use super::{Attack, stage};

/// Types of results, by whether a result is returned itself and not in memory.
const RESULTS: &[(&str, bool)] = &[
    ("bool", true),
    ("char", true),
    ("u8", true),
    ("(result)", true),
    ("string", false),
    ("(list u8)", false),
    ("(list u32)", false),
    ("(list bool)", false),
    ("(list char)", false),
    ("(list string)", false),
    ("(list (list u16))", false),
    ("(option char)", false),
    ("(option string)", false),
    ("(option (option u8))", false),
    ("(result string)", false),
    ("(result (error string))", false),
    ("(result u8 (error char))", false),
    ("(tuple u8 string)", false),
    ("(list (tuple string u64))", false),
];

/// What is returned: places in memory for some types, and numbers for others.
const RETURNED: &[&str] = &["0", "1", "2", "9", "16", "17", "32", "48", "0xd800", "65528", "65536", "0x7ffffff0", "-1"];

/// What is in memory: at each place a pointer and a length, or a discriminant and what follows it.
const MEMORY: &str = r#"(data (i32.const 0) "\02\00\00\00\ff\ff\ff\7f")
    (data (i32.const 16) "\20\00\00\00\02\00\00\00") (data (i32.const 32) "\ff\fe\00\00\ff\ff\ff\ff\09\00\00\00")
    (data (i32.const 48) "\00\00\ff\ff\09\00\00\00")"#;

/// The code of `realloc`, which returns where the host writes an argument.
const PLACES: &[&str] = &[
    "(i32.const 0)",
    "(i32.const 1)",
    "(i32.const 65528)",
    "(i32.const 65536)",
    "(i32.const 0x7ffffff0)",
    "(i32.const -1)",
    "(i32.const -4)",
    "unreachable",
    "(loop br 0) unreachable",
    "(call $realloc (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
    "(drop (memory.grow (i32.const 1000))) (i32.const 65528)",
    "(drop (memory.grow (i32.const 65535))) (i32.const 8)",
];

/// Custom sections that this host reads, and some that others do.
const SECTIONS: &[&str] = &[
    "pipeline:wit",
    "pipeline:docs",
    "package-docs",
    "component-type:x",
    "component-name",
    "name",
    "producers",
    ".debug_info",
    "sourceMappingURL",
];

/// Returns all attacks of this file.
pub(super) fn all() -> Vec<Attack> {
    let mut all = Vec::new();
    for (result, is_direct) in RESULTS {
        for returned in RETURNED {
            let core = format!(
                r#"{MEMORY} (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
                   (func (export "run") (result i32) (i32.const {returned}))"#
            );
            let how = if *is_direct { "is" } else { "is at" };
            all.push(attack(&format!("{result} {how} {returned}"), &lifted("", result, &core, "")));
        }
    }
    for place in PLACES {
        for ty in ["string", "(list u32)", "(list string)"] {
            let core = format!(
                r#"(func $realloc (export "realloc") (param i32 i32 i32 i32) (result i32) {place})
                   (func (export "run") (param i32 i32))"#
            );
            all.push(attack(&format!("{ty} goes to {place}"), &lifted(&format!(r#"(param "a" {ty})"#), "", &core, "")));
        }
    }
    for after in
        ["unreachable", "(loop br 0)", "(call $post (i32.const 0))", "(i32.store (i32.const -1) (i32.const 0))"]
    {
        let core = format!(
            r#"{MEMORY} (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
               (func (export "run") (result i32) (i32.const 128))
               (func $post (export "post") (param i32) {after})"#
        );
        let post = r#"(post-return (core func $i "post"))"#;
        all.push(attack(&format!("after the result: {after}"), &lifted("", "string", &core, post)));
    }
    all.extend(sections());
    all.extend(shapes());
    all
}

fn attack(name: &str, text: &str) -> Attack {
    Attack::new(name, wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// Returns a component with a stage that has parameters, a result, and a memory.
fn lifted(params: &str, result: &str, core: &str, post: &str) -> String {
    let result = if result.is_empty() { String::new() } else { format!("(result {result})") };
    format!(
        r#"(component
            (core module $m (memory (export "memory") 1) {core})
            (core instance $i (instantiate $m))
            (func $run {params} {result} (canon lift (core func $i "run")
                (memory (core memory $i "memory")) (realloc (core func $i "realloc")) {post}))
            (instance $stages (export "run" (func $run)))
            (export "test:wat/stages@0.1.0" (instance $stages)))"#
    )
}

/// Returns a component whose stage makes, evaluates and drops directories.
pub(super) fn with_handles(code: &str) -> String {
    let imports = r#"
    (import "pipeline:api/errors@0.1.0" (instance $e
        (type $exec (record (field "args" (list string)) (field "exit-code" s32)
            (field "stdout-tail" string) (field "stderr-tail" string)))
        (export "exec-failure" (type $exec2 (eq $exec)))
        (type $error (record (field "code" string) (field "message" string) (field "exec" (option $exec2))
            (field "attributes" (list (tuple string string)))))
        (export "error" (type (eq $error)))))
    (alias export $e "error" (type $error))
    (import "pipeline:api/directory@0.1.0" (instance $d
        (export "directory" (type $dir (sub resource)))
        (alias outer 1 $error (type $error1))
        (export "error" (type $error2 (eq $error1)))
        (export "[constructor]directory" (func (result (own $dir))))
        (export "[method]directory.sync" (func (param "self" (borrow $dir)) (result (result (error $error2)))))))
    (alias export $d "directory" (type $dir))"#;
    format!(
        r#"(component {imports}
            (core module $memory (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
            (core instance $mem (instantiate $memory))
            (alias core export $mem "memory" (core memory $memory0))
            (alias core export $mem "realloc" (core func $realloc))
            (core func $new (canon lower (func $d "[constructor]directory")))
            (core func $sync (canon lower (func $d "[method]directory.sync") (memory $memory0) (realloc $realloc)))
            (core func $drop (canon resource.drop $dir))
            (core module $m
                (import "" "new" (func $new (result i32)))
                (import "" "sync" (func $sync (param i32 i32)))
                (import "" "drop" (func $drop (param i32)))
                (func (export "run") {code}))
            (core instance $i (instantiate $m (with "" (instance
                (export "new" (func $new)) (export "sync" (func $sync)) (export "drop" (func $drop))))))
            (func $run (canon lift (core func $i "run")))
            (instance $stages (export "run" (func $run)))
            (export "test:wat/stages@0.1.0" (instance $stages)))"#
    )
}

/// Returns a number as the format of WebAssembly has it.
pub(super) fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return bytes;
        }
    }
}

/// Returns a section: its kind, its length, and what is in it.
fn section(kind: u8, contents: &[u8]) -> Vec<u8> {
    [vec![kind], leb(contents.len()), contents.to_vec()].concat()
}

/// Returns a component that works, with custom sections that mean nothing.
fn sections() -> Vec<Attack> {
    let good = wat::parse_str(stage(r#"(func (export "run"))"#)).unwrap();
    let bodies: [(&str, Vec<u8>); 8] = [
        ("empty", Vec::new()),
        ("ones", vec![0xff; 64]),
        ("a length of 4 GiB", vec![0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("a core module", b"\0asm\x01\0\0\0".to_vec()),
        ("a component", b"\0asm\x0d\0\x01\0".to_vec()),
        ("half a component", good[..good.len() / 2].to_vec()),
        ("text", b"package a:b; world w { import ../..; }".to_vec()),
        ("deep text", "interface i { type t = ".bytes().chain(b"list<".repeat(20_000)).collect()),
    ];
    let mut all = Vec::new();
    for name in SECTIONS {
        for (what, body) in &bodies {
            let contents = [leb(name.len()), name.as_bytes().to_vec(), body.clone()].concat();
            for (n, times) in [1, 3].into_iter().enumerate() {
                let bytes = [good.clone(), section(0, &contents).repeat(times)].concat();
                all.push(Attack::new(format!("section {name} with {what}, {n}"), bytes));
            }
        }
    }
    all
}

/// Returns components that are deep or wide.
fn shapes() -> Vec<Attack> {
    let mut nested = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..3000 {
        nested = [b"\0asm\x0d\0\x01\0".to_vec(), section(4, &nested)].concat();
    }
    let chain = |n: usize, of: &str| -> String {
        (1..n).map(|n| format!("(type $t{n} {})", of.replace('$', &format!("$t{}", n - 1)))).collect()
    };
    let typed = |types: String, last: usize| {
        let core = r#"(func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
            (func (export "run") (param i32 i32))"#;
        lifted(&format!(r#"(param "a" (list $t{last}))"#), "", core, "").replacen(
            "(component",
            &format!("(component (type $t0 (list u8)) {types}"),
            1,
        )
    };
    let many = |n: usize, f: &dyn Fn(usize) -> String| -> String { (0..n).map(f).collect() };
    let exports = many(5000, &|n| format!(r#"(export "f{n}" (func $run))"#));
    let long = "a".repeat(90_000);
    vec![
        Attack::new("3000 components in each other", nested),
        attack("a list of lists, 1000 deep", &typed(chain(1000, "(list $)"), 999)),
        attack("a tuple of tuples, 2^60 wide", &typed(chain(60, "(tuple $ $)"), 59)),
        attack("options of options", &typed(chain(90, "(option $)"), 89)),
        attack("5000 stages", &stage(r#"(func (export "run"))"#).replace(r#"(export "run" (func $run))"#, &exports)),
        attack(
            "a long name",
            &stage(r#"(func (export "run"))"#)
                .replace(r#"(export "run" (func $run)"#, &format!(r#"(export "{long}" (func $run)"#)),
        ),
        attack(
            "a long name of an interface",
            &stage(r#"(func (export "run"))"#).replace("test:wat", &format!("test:{long}")),
        ),
        attack(
            "5000 imports",
            &format!("(component {})", many(5000, &|n| format!(r#"(import "a:b/c{n}@1.0.0" (instance))"#))),
        ),
        attack("40000 locals", &stage(&format!(r#"(func (export "run") (local {}))"#, "i64 ".repeat(40_000)))),
        attack("600 memories", &stage(&format!(r#"{} (func (export "run"))"#, "(memory 1)".repeat(600)))),
        attack("20000 functions", &stage(&format!(r#"{} (func (export "run"))"#, "(func)".repeat(20_000)))),
        attack(
            "a table of 60000 branches",
            &stage(&format!(r#"(func (export "run") (block (br_table {} (i32.const 0))))"#, "0 ".repeat(60_000))),
        ),
        Attack::new("5000 blocks in each other", blocks(5000)),
    ]
}

/// Returns a component whose function has blocks in each other. The reader of text cannot make it.
fn blocks(n: usize) -> Vec<u8> {
    let body = [vec![0], [0x02, 0x40].repeat(n), vec![0x0b; n + 1]].concat();
    let code = section(10, &[vec![1], leb(body.len()), body].concat());
    let types = section(1, &[1, 0x60, 0, 0]);
    let exports = section(7, &[vec![1, 3], b"run".to_vec(), vec![0, 0]].concat());
    let core = [b"\0asm\x01\0\0\0".to_vec(), types, section(3, &[1, 0]), exports, code].concat();
    let around = wat::parse_str(stage(r#"(func (export "run"))"#)).unwrap();
    // The core module is the first section of the component.
    let (_, rest) = around[8..].split_at(2 + usize::from(around[9]));
    [around[..8].to_vec(), section(1, &core), rest.to_vec()].concat()
}
