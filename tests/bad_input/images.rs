//! Malformed names of images, files without an image, and targets that cannot have an image.

use testkit::{Scratch, require};

use crate::case::{ENVIRONMENT, INPUT, Row, USAGE, VERDICT, check_calls};

#[test]
fn a_malformed_name_of_an_image_is_named_with_the_mistake() {
    let scratch = Scratch::new();
    let digest = format!("base from-image --address x@sha256:{} sync", "A".repeat(64));
    let long = format!("base from-image --address {} sync", "a/".repeat(200) + "a");
    let none = "is not the name of an image: ";
    let looks = "hint: a name looks like `";
    let rows: &[Row<'_>] = &[
        ("nothing", "base from-image --address '' sync", VERDICT, &[none, "it has no repository", looks]),
        ("a space", "base from-image --address 'a b' sync", VERDICT, &["`a b`", none, looks]),
        (
            "no tag",
            "base from-image --address app: sync",
            VERDICT,
            &[none, "its tag is empty", "hint: remove the colon"],
        ),
        ("a short digest", "base from-image --address x@sha256:12 sync", VERDICT, &[none, "with 64 hex digits", looks]),
        ("a digest in capitals", &digest, VERDICT, &[none, "hex digits", looks]),
        ("a URL", "base from-image --address http://x/y sync", VERDICT, &[none, "no scheme", "hint: write `x/y`"]),
        ("a path", "base from-image --address ../x sync", VERDICT, &[none, looks]),
        ("capitals", "base from-image --address r.example/Up:1 sync", VERDICT, &[none, "hint: write `r.example/up:1`"]),
        ("too long", &long, VERDICT, &[none, "characters"]),
        ("no platform", "base with-platform --platform x from-image --address x sync", VERDICT, &["`x`", "platform"]),
    ];
    check_calls(&scratch, "values", rows);
}

#[test]
fn a_file_without_an_image_is_an_error_that_names_the_formats() {
    let scratch = Scratch::new();
    scratch.write("text", "no image");
    scratch.write("empty", "");
    scratch.write("dir/file", "no image");
    scratch.write("layout/oci-layout", r#"{"imageLayoutVersion": "1.0.0"}"#);
    let blob = format!("sha256:{}", "0".repeat(64));
    let index = |digest: &str| {
        serde_json::json!({ "schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 3,
        }] })
    };
    scratch.write("layout/index.json", index(&blob).to_string());
    scratch.write("climbs/oci-layout", r#"{"imageLayoutVersion": "1.0.0"}"#);
    scratch.write("climbs/index.json", index("sha256:../../../text").to_string());
    scratch.write("json/oci-layout", r#"{"imageLayoutVersion": "1.0.0"}"#);
    scratch.write("json/index.json", "{ no JSON");
    let rows: &[Row<'_>] = &[
        (
            "a text",
            "base import-image --source text sync",
            VERDICT,
            &["text` is not a tar file with an image", "hint: write the image again, with `docker save`"],
        ),
        ("an empty file", "base import-image --source empty sync", VERDICT, &["there is no image", "hint: "]),
        ("a directory", "base import-image --source dir sync", INPUT, &["`dir` is a directory, not a file"]),
        ("a missing file", "base import-image --source nosuch sync", INPUT, &["there is no file at `nosuch`"]),
        (
            "a directory without an image",
            "base import-layout --source dir sync",
            VERDICT,
            &["there is no image", "hint: name an image layout"],
        ),
        ("a file for a layout", "base import-layout --source text sync", INPUT, &["`text` is a file, not a directory"]),
        ("a blob is missing", "base import-layout --source layout sync", VERDICT, &["0000"]),
        ("a digest that climbs", "base import-layout --source climbs sync", VERDICT, &["index.json", "digest"]),
        ("an index that is no JSON", "base import-layout --source json sync", VERDICT, &["index.json"]),
        (
            "no such tag",
            "base import-layout --source layout --tag none sync",
            VERDICT,
            &["no image has the tag `none`"],
        ),
    ];
    check_calls(&scratch, "values", rows);
}

#[test]
fn a_target_that_cannot_have_an_image_is_an_error_before_anything_is_written() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("file", "kept");
    std::fs::create_dir(scratch.path("work/dir.tar")).unwrap();
    let digest = format!("base -o docker://127.0.0.1:1/x@sha256:{}", "0".repeat(64));
    let rows: &[Row<'_>] = &[
        ("no name", "base -o docker://", USAGE, &["`-o docker:` names nothing to write to"]),
        ("capitals", "base -o docker://127.0.0.1:1/UP", USAGE, &["upper case", "hint: write `127.0.0.1:1/up`"]),
        ("a digest", &digest, VERDICT, &["cannot be pushed by its digest", "hint: leave the digest out"]),
        ("nobody listens", "base -o docker://127.0.0.1:1/x", ENVIRONMENT, &["`127.0.0.1:1`: cannot connect", "hint: "]),
        ("a directory", "base -o dir.tar", VERDICT, &["dir.tar` is in the way: it is not a file", "hint: remove it"]),
        ("below a file", "base -o file/x.tar", ENVIRONMENT, &["/file`"]),
    ];
    check_calls(&scratch, "values", rows);
    assert_eq!(std::fs::read_to_string(scratch.path("work/file")).unwrap(), "kept");
}
