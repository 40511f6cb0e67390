//! Components that were written by hand, each with one fault.

/// A name, and the text of a core module that exports `run` for a stage without parameters.
pub(super) const CORES: &[(&str, &str)] = &[
    ("gives up", r#"(func (export "run") unreachable)"#),
    ("divides by zero", r#"(func (export "run") (drop (i32.div_u (i32.const 1) (i32.const 0))))"#),
    ("overflows a quotient", r#"(func (export "run") (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))"#),
    ("a remainder of zero", r#"(func (export "run") (drop (i64.rem_u (i64.const 1) (i64.const 0))))"#),
    ("turns what is no number into one", r#"(func (export "run") (drop (i32.trunc_f32_s (f32.const nan))))"#),
    ("turns infinity into a number", r#"(func (export "run") (drop (i64.trunc_f64_u (f64.const inf))))"#),
    ("reads beyond memory", r#"(memory 1) (func (export "run") (drop (i32.load (i32.const 65533))))"#),
    (
        "reads far beyond memory",
        r#"(memory 1) (func (export "run") (drop (i64.load offset=0xffffffff (i32.const -1))))"#,
    ),
    ("writes beyond memory", r#"(memory 1) (func (export "run") (i32.store8 (i32.const 65536) (i32.const 1)))"#),
    ("reads without memory", r#"(memory 0) (func (export "run") (drop (i32.load8_u (i32.const 0))))"#),
    (
        "copies beyond memory",
        r#"(memory 1) (func (export "run") (memory.copy (i32.const 0) (i32.const 1) (i32.const -1)))"#,
    ),
    (
        "fills beyond memory",
        r#"(memory 1) (func (export "run") (memory.fill (i32.const 9) (i32.const 1) (i32.const -9)))"#,
    ),
    (
        "uses a segment that it dropped",
        r#"(memory 1) (data $d "x") (func (export "run")
            (data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)))"#,
    ),
    (
        "calls nothing in a table",
        r#"(type $t (func)) (table 1 funcref) (func (export "run") (call_indirect (type $t) (i32.const 0)))"#,
    ),
    (
        "calls beyond a table",
        r#"(type $t (func)) (table 1 funcref) (func (export "run") (call_indirect (type $t) (i32.const 7)))"#,
    ),
    (
        "calls a function of another type",
        r#"(type $t (func (result i32))) (table funcref (elem $run))
           (func $run (export "run") (drop (call_indirect (type $t) (i32.const 0))))"#,
    ),
    ("reads beyond a table", r#"(table 1 funcref) (func (export "run") (drop (table.get 0 (i32.const 1))))"#),
    ("loops", r#"(func (export "run") (loop br 0))"#),
    ("loops in a block", r#"(func (export "run") (block (loop (br_if 1 (i32.const 0)) (br 0))))"#),
    ("loops over a table of branches", r#"(func (export "run") (loop (br_table 0 0 0 (i32.const 1))))"#),
    (
        "loops over a count of 64 bits",
        r#"(func (export "run") (local i64) (loop (br_if 0 (i64.ne (local.tee 0 (i64.add (local.get 0) (i64.const 1))) (i64.const -1)))))"#,
    ),
    ("loops when it starts", r#"(func $s (loop br 0)) (start $s) (func (export "run"))"#),
    ("gives up when it starts", r#"(func $s unreachable) (start $s) (func (export "run"))"#),
    ("calls itself", r#"(func $f (export "run") (call $f))"#),
    ("two functions call each other", r#"(func $f (export "run") (call $g)) (func $g (call $f))"#),
    (
        "calls itself through a table",
        r#"(type $t (func)) (table funcref (elem $run)) (func $run (export "run") (call_indirect (type $t) (i32.const 0)))"#,
    ),
    ("calls itself when it starts", r#"(func $s (call $s)) (start $s) (func (export "run"))"#),
    (
        "calls itself with many locals",
        r#"(func $f (export "run") (local i64 i64 i64 i64 i64 i64 i64 i64 i64 v128 v128 v128) (call $f))"#,
    ),
    ("calls itself in its tail", r#"(func $f (export "run") (return_call $f))"#),
    (
        "grows its memory in a loop",
        r#"(memory 1) (func (export "run") (loop (drop (memory.grow (i32.const 16))) br 0))"#,
    ),
    (
        "grows its memory when it starts",
        r#"(memory 1) (func $s (loop (drop (memory.grow (i32.const 999))) br 0)) (start $s) (func (export "run"))"#,
    ),
    (
        "fills its memory",
        r#"(memory 1) (func (export "run") (loop (drop (memory.grow (i32.const 64))) (memory.fill (i32.const 0) (i32.const 7) (i32.mul (memory.size) (i32.const 65536))) br 0))"#,
    ),
    ("begins with 4 GiB", r#"(memory 65536) (func (export "run"))"#),
    ("begins with two times 2 GiB", r#"(memory 32768) (memory 32768) (func (export "run"))"#),
    (
        "grows its table in a loop",
        r#"(table 1 funcref) (func (export "run") (loop (drop (table.grow 0 (ref.null func) (i32.const 99999))) br 0))"#,
    ),
    ("begins with a table of 10^8", r#"(table 100000000 funcref) (func (export "run"))"#),
    ("has a segment beyond its memory", r#"(memory 1) (data (i32.const 65535) "xy") (func (export "run"))"#),
    ("has an element beyond its table", r#"(table 1 funcref) (elem (i32.const 1) $run) (func $run (export "run"))"#),
    (
        "waits for itself",
        r#"(memory 1 1 shared) (func (export "run") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))"#,
    ),
    ("has a memory of 64 bits", r#"(memory i64 0x1000000000000) (func (export "run"))"#),
    ("throws", r#"(tag $t) (func (export "run") (throw $t))"#),
    (
        "makes structures in a loop",
        r#"(type $s (struct (field i64))) (func (export "run") (loop (drop (struct.new_default $s)) br 0))"#,
    ),
    (
        "makes an array of 4 GiB",
        r#"(type $a (array i64)) (func (export "run") (drop (array.new_default $a (i32.const 0x20000000))))"#,
    ),
];

/// A name, and the text of a component. None of them has a stage that can be called.
pub(super) const COMPONENTS: &[(&str, &str)] = &[
    ("nothing at all", "(component)"),
    ("no component", "(module)"),
    ("a robot", r#"(component (import "pipeline:api/robots@0.1.0" (instance)))"#),
    ("another version of the package", r#"(component (import "pipeline:api/container@9.9.9" (instance)))"#),
    ("files", r#"(component (import "wasi:filesystem/types@9.0.0" (instance)))"#),
    ("sockets of another version", r#"(component (import "wasi:sockets/tcp@0.3.0" (instance)))"#),
    ("a web server", r#"(component (import "wasi:http/incoming-handler@0.2.0" (instance)))"#),
    ("a neural network", r#"(component (import "wasi:nn/tensor@0.2.0-rc" (instance)))"#),
    ("threads", r#"(component (import "wasi:threads/spawn@0.1.0" (instance)))"#),
    ("a name without a package", r#"(component (import "evil" (func)))"#),
    ("a core module", r#"(component (import "m" (core module)))"#),
    ("a component", r#"(component (import "c" (component)))"#),
    ("a value", r#"(component (import "t" (type (sub resource))))"#),
    (
        "a function of the package of another type",
        r#"(component (import "pipeline:api/file@0.1.0" (instance
            (export "file" (type $file (sub resource)))
            (export "[method]file.read" (func (param "self" (borrow $file)) (result string))))))"#,
    ),
    (
        "a resource that the package does not have",
        r#"(component (import "pipeline:api/file@0.1.0" (instance (export "robot" (type (sub resource))))))"#,
    ),
    (
        "a function that the package does not have",
        r#"(component (import "pipeline:api/file@0.1.0" (instance (export "rm-rf" (func)))))"#,
    ),
    (
        "a number where the package has a resource",
        r#"(component (import "pipeline:api/file@0.1.0" (instance (type $u u32) (export "file" (type (eq $u))))))"#,
    ),
    (
        "exports its imports",
        r#"(component (import "pipeline:api/directory@0.1.0" (instance $d)) (export "test:wat/stages@0.1.0" (instance $d)))"#,
    ),
    ("exports no function", r#"(component (instance $i) (export "test:wat/stages@0.1.0" (instance $i)))"#),
    (
        "two interfaces of stages",
        r#"(component
            (core module $m (func (export "run"))) (core instance $i (instantiate $m))
            (func $run (canon lift (core func $i "run")))
            (instance $s (export "run" (func $run)))
            (export "a:b/stages@0.1.0" (instance $s)) (export "c:d/stages@0.1.0" (instance $s)))"#,
    ),
];

/// A name, and what a stage does with the handles of directories that it makes: `new` and `drop`, and `sync` with a
/// handle and a place for the result.
pub(super) const HANDLES: &[(&str, &str)] = &[
    (
        "drops a handle twice",
        "(local $d i32) (local.set $d (call $new)) (call $drop (local.get $d)) (call $drop (local.get $d))",
    ),
    ("drops a handle of nobody", "(call $drop (i32.const 4242))"),
    ("drops the handle 0", "(call $drop (i32.const 0))"),
    ("drops the handle -1", "(call $drop (i32.const -1))"),
    (
        "uses a handle that it dropped",
        "(local $d i32) (local.set $d (call $new)) (call $drop (local.get $d)) (call $sync (local.get $d) (i32.const 0))",
    ),
    ("uses a handle of nobody", "(call $sync (i32.const 77) (i32.const 0))"),
    ("has a result written beyond its memory", "(call $sync (call $new) (i32.const 0x7ffffff0))"),
    ("has a result written to the last byte", "(call $sync (call $new) (i32.const 65535))"),
    ("has a result written out of line", "(call $sync (call $new) (i32.const 3))"),
    ("hoards objects", "(loop (drop (call $new)) br 0)"),
    ("makes and drops objects without end", "(loop (call $drop (call $new)) br 0)"),
    (
        "evaluates objects without end",
        "(local $d i32) (local.set $d (call $new)) (loop (call $sync (local.get $d) (i32.const 0)) br 0)",
    ),
];
