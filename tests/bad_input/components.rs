//! Files that are not components with stages.

use std::fs;

use testkit::{Scratch, guest};

use crate::case::{ENVIRONMENT, INPUT, Row, check, refused, works};

/// The first eight bytes of a component.
const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";

/// Makes a component that only imports an instance of this name.
fn importing(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    // The section of types has an empty instance, and the section of imports has one import of that type.
    let import = [&[1, 0, length][..], name.as_bytes(), &[5, 0]].concat();
    let section = [&[10, u8::try_from(import.len()).unwrap()][..], &import].concat();
    [HEADER, &[7, 3, 1, 0x42, 0], &section].concat()
}

#[test]
fn a_file_that_is_not_a_component_is_named_with_its_kind() {
    let scratch = Scratch::new();
    let whole = fs::read(guest("values")).unwrap();
    scratch.write("core.wasm", b"\0asm\x01\0\0\0");
    scratch.write("cut.wasm", &whole[..whole.len() / 3]);
    scratch.write("header.wasm", &whole[..6]);
    scratch.write("empty.wasm", "");
    scratch.write("text.wasm", "hello");
    scratch.write("bare.wasm", HEADER);
    scratch.write("text.txt", "hello");
    fs::create_dir(scratch.path("work/directory")).unwrap();
    let mut broken = whole;
    broken.truncate(broken.len() - 1);
    scratch.write("short.wasm", broken);
    let rows: &[Row<'_>] = &[
        ("core module", "call -m core.wasm x", INPUT, &["`core` is a core module, not a component", "hint: build for"]),
        ("truncated", "call -m cut.wasm x", INPUT, &["`cut` is not a well-formed component", "hint: build it again"]),
        ("a byte short", "call -m short.wasm x", INPUT, &["`short` is not a well-formed component"]),
        ("cut in its header", "call -m header.wasm x", INPUT, &["`header` is not", "its header is cut off"]),
        ("empty file", "call -m empty.wasm x", INPUT, &["module `empty` is not a WebAssembly file", "hint: give it"]),
        ("text", "call -m text.wasm x", INPUT, &["module `text` is not a WebAssembly file"]),
        ("without stages", "call -m bare.wasm x", INPUT, &["`bare` has no stages: it exports nothing", "hint: export"]),
        ("nothing there", "call -m no.wasm x", INPUT, &["there is no module at `no.wasm`", "hint: `-m` takes"]),
        ("a registry", "call -m ghcr.io/a/b:1 x", INPUT, &["no module at `ghcr.io/a/b:1`", "in registries are not"]),
        ("neither", "functions -m text.txt", INPUT, &["`text.txt` is neither a directory with a `host.toml`"]),
        (
            "without a manifest",
            "functions -m directory",
            INPUT,
            &["`directory` has no `host.toml`", "hint: `host init`"],
        ),
        ("no module here", "functions", INPUT, &["there is no `host.toml` in", "hint: name a module with `-m"]),
        ("nothing to build", "build -m text.wasm", INPUT, &["is built already", "hint: `-m` takes the directory"]),
        ("inspect a core module", "inspect -m core.wasm", INPUT, &["core.wasm` cannot be inspected", "a core module"]),
        ("inspect a text", "inspect -m text.wasm", INPUT, &["cannot be inspected", "not WebAssembly"]),
        ("inspect a truncated one", "inspect -m cut.wasm", INPUT, &["cannot be inspected", "a damaged component"]),
    ];
    check(&scratch, rows);
}

#[test]
fn an_import_that_the_host_does_not_have_is_named() {
    let scratch = Scratch::new();
    let imports: [(&str, &[&str]); 6] = [
        // Another module could provide this import, so the missing stages are reported.
        ("acme:tools/x@1.0.0", &["module `m` has no stages", "hint: export an interface named `stages`"]),
        ("wasi:nn/tensor@0.2.0", &["imports `wasi:nn/tensor@0.2.0`, which the host does not have", "hint: it may"]),
        ("wasi:cli/environment@0.3.0", &["`wasi:cli/environment@0.3.0`, and the host has version 0.2"]),
        ("wasi:keyvalue/store@0.2.0", &["imports `wasi:keyvalue/store@0.2.0`, which the host does not have"]),
        ("pipeline:api/gpu@0.1.0", &["imports `pipeline:api/gpu@0.1.0`", "hint: the interfaces of `pipeline:api` are"]),
        ("pipeline:api/container@0.9.0", &["and the host has version 0.1", "hint: build the module against"]),
    ];
    for (name, says) in imports {
        scratch.write("m.wasm", importing(name));
        refused(&scratch.host(["call", "-m", "m.wasm", "x"]), INPUT, says);
    }
    works(&scratch);
}

#[test]
fn a_component_that_may_not_be_read_is_named() {
    let scratch = Scratch::new();
    // Root can read every file, but not a directory.
    fs::create_dir(scratch.path("work/directory.wasm")).unwrap();
    refused(&scratch.host(["call", "-m", "directory.wasm", "x"]), INPUT, &["`directory.wasm` has no `host.toml`"]);
    scratch.write("m/host.toml", "name = \"m\"\nversion = \"0.1.0\"\ncomponent = \"gone.wasm\"\n");
    refused(&scratch.host(["call", "-m", "m", "x"]), INPUT, &["cannot read component", "m/gone.wasm"]);
    scratch.write("n/host.toml", "name = \"n\"\nversion = \"0.1.0\"\ncomponent = \"sub\"\n");
    fs::create_dir(scratch.path("work/n/sub")).unwrap();
    refused(&scratch.host(["call", "-m", "n", "x"]), ENVIRONMENT, &["cannot read component", "n/sub"]);
    works(&scratch);
}
