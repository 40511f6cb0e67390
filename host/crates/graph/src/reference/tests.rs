//! The names of images, one by one.

use crate::Diagnostic as _;
use expect_test::{Expect, expect};

use super::Reference;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn check(text: &str, full: &str, familiar: &str) {
    let reference: Reference = text.parse().unwrap();
    assert_eq!((reference.to_string().as_str(), reference.familiar().as_str()), (full, familiar), "{text}");
    assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference, "the full form of {text}");
    assert_eq!(reference.familiar().parse::<Reference>().unwrap(), reference, "the short form of {text}");
}

fn check_error(text: &str, expect: &Expect) {
    let error = text.parse::<Reference>().unwrap_err();
    expect.assert_eq(&format!("{error}\n{}\n", error.hint().unwrap_or_default()));
}

#[test]
fn names_are_completed_as_docker_does() {
    check("alpine", "docker.io/library/alpine:latest", "alpine:latest");
    check("alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20");
    check("bitnami/redis", "docker.io/bitnami/redis:latest", "bitnami/redis:latest");
    check("index.docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine:latest");
    check("docker.io/library/a/b:1", "docker.io/library/a/b:1", "library/a/b:1");
    check("localhost/x", "localhost/x:latest", "localhost/x:latest");
    check("localhost:5000/x/y:t", "localhost:5000/x/y:t", "localhost:5000/x/y:t");
    check("127.0.0.1:5000/x", "127.0.0.1:5000/x:latest", "127.0.0.1:5000/x:latest");
    check("[::1]:5000/x:t", "[::1]:5000/x:t", "[::1]:5000/x:t");
    check("Registry/x", "Registry/x:latest", "Registry/x:latest");
    check("ghcr.io/a.b/c__d/e---f:V1_x", "ghcr.io/a.b/c__d/e---f:V1_x", "ghcr.io/a.b/c__d/e---f:V1_x");
}

#[test]
fn a_digest_replaces_the_default_tag_and_goes_with_a_tag() {
    check(&format!("alpine@{DIGEST}"), &format!("docker.io/library/alpine@{DIGEST}"), &format!("alpine@{DIGEST}"));
    let both = format!("localhost:1/x:t@{DIGEST}");
    check(&both, &both, &both);
    let reference: Reference = both.parse().unwrap();
    assert_eq!((reference.tag(), reference.selector().as_str()), (Some("t"), DIGEST));
    let pinned = "alpine:3".parse::<Reference>().unwrap().with_digest(DIGEST.parse().unwrap());
    assert_eq!(pinned.to_string(), format!("docker.io/library/alpine:3@{DIGEST}"));
}

#[test]
fn a_mistake_is_named() {
    check_error(
        "",
        &expect![[r#"
        `` is not the name of an image: it has no repository
        a name looks like `docker.io/library/alpine:3.20`
    "#]],
    );
    check_error(
        ":3",
        &expect![[r#"
        `:3` is not the name of an image: it has no repository
        a name looks like `docker.io/library/alpine:3.20`
    "#]],
    );
    check_error(
        "localhost:5000/",
        &expect![[r#"
        `localhost:5000/` is not the name of an image: it has no repository
        a name looks like `docker.io/library/alpine:3.20`
    "#]],
    );
    check_error(
        "Alpine:3",
        &expect![[r#"
        `Alpine:3` is not the name of an image: the repository `Alpine` has upper case letters
        write `alpine:3`
    "#]],
    );
    check_error(
        "https://ghcr.io/a/b",
        &expect![[r#"
            `https://ghcr.io/a/b` is not the name of an image: it begins with `https://`, but the name of an image has no scheme
            write `ghcr.io/a/b`
        "#]],
    );
    check_error(
        "alpine:",
        &expect![[r#"
        `alpine:` is not the name of an image: its tag is empty
        remove the colon, or write a tag such as `latest`
    "#]],
    );
    check_error(
        "alpine:-x",
        &expect![[r#"
        `alpine:-x` is not the name of an image: the tag `-x` is not made of letters, digits, `_`, `.` and `-`, the first one a letter, a digit or `_`
        a name looks like `docker.io/library/alpine:3.20`
    "#]],
    );
    check_error(
        "alpine:a:b",
        &expect![[r#"
        `alpine:a:b` is not the name of an image: the tag `a:b` is not made of letters, digits, `_`, `.` and `-`, the first one a letter, a digit or `_`
        a name looks like `docker.io/library/alpine:3.20`
    "#]],
    );
    check_error(
        "a//b",
        &expect![[r#"
        `a//b` is not the name of an image: `` in its repository is not made of a-z and 0-9, joined by `.`, `_`, `__` or `-`
        a name looks like `docker.io/library/alpine:3.20`
    "#]],
    );
    check_error(
        "a/-b",
        &expect![[r#"
        `a/-b` is not the name of an image: `-b` in its repository is not made of a-z and 0-9, joined by `.`, `_`, `__` or `-`
        a name looks like `docker.io/library/alpine:3.20`
    "#]],
    );
    check_error(
        "a/b..c",
        &expect![[r#"
        `a/b..c` is not the name of an image: `b..c` in its repository is not made of a-z and 0-9, joined by `.`, `_`, `__` or `-`
        a name looks like `docker.io/library/alpine:3.20`
    "#]],
    );
    check_error(
        "al pine",
        &expect![[r#"
        `al pine` is not the name of an image: `al pine` in its repository is not made of a-z and 0-9, joined by `.`, `_`, `__` or `-`
        a name looks like `docker.io/library/alpine:3.20`
    "#]],
    );
    check_error(
        "host:port/x",
        &expect![[r#"
            `host:port/x` is not the name of an image: `host:port` is not a registry: write a host name or an address, with `:` and a port if needed
            a name looks like `docker.io/library/alpine:3.20`
        "#]],
    );
    check_error(
        "host:0/x",
        &expect![[r#"
            `host:0/x` is not the name of an image: `host:0` is not a registry: write a host name or an address, with `:` and a port if needed
            a name looks like `docker.io/library/alpine:3.20`
        "#]],
    );
    check_error(
        "-host.io/x",
        &expect![[r#"
            `-host.io/x` is not the name of an image: `-host.io` is not a registry: write a host name or an address, with `:` and a port if needed
            a name looks like `docker.io/library/alpine:3.20`
        "#]],
    );
    check_error(
        "[::1/x",
        &expect![[r#"
            `[::1/x` is not the name of an image: `[::1` is not a registry: write a host name or an address, with `:` and a port if needed
            a name looks like `docker.io/library/alpine:3.20`
        "#]],
    );
}

#[test]
fn a_digest_or_a_length_that_cannot_be_is_named() {
    check_error(
        "alpine@sha256:12",
        &expect![[r#"
        `alpine@sha256:12` is not the name of an image: its digest `sha256:12` is not `sha256:` with 64 hex digits
        a name looks like `alpine@sha256:…`
    "#]],
    );
    check_error(
        "alpine@md5:d41d8cd98f00b204e9800998ecf8427e",
        &expect![[r#"
        `alpine@md5:d41d8cd98f00b204e9800998ecf8427e` is not the name of an image: its digest `md5:d41d8cd98f00b204e9800998ecf8427e` is not `sha256:` with 64 hex digits
        a name looks like `alpine@sha256:…`
    "#]],
    );
    check_error(
        "alpine@",
        &expect![[r#"
        `alpine@` is not the name of an image: its digest `` is not `sha256:` with 64 hex digits
        a name looks like `alpine@sha256:…`
    "#]],
    );
    check_error(
        &"a".repeat(64),
        &expect![[r#"
        `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` is not the name of an image: 64 hex digits are the id of a local image, which a registry does not know
        a name looks like `docker.io/library/alpine:3.20`
    "#]],
    );
    check_error(
        &format!("x/{}", "b".repeat(300)),
        &expect![[r#"
        `x/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb` is not the name of an image: its repository has 302 characters, and at most 255 are allowed
        a name looks like `docker.io/library/alpine:3.20`
    "#]],
    );
    check_error(
        &format!("x:{}", "t".repeat(129)),
        &expect![[r#"
        `x:ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt` is not the name of an image: its tag has 129 characters, and at most 128 are allowed
        a name looks like `docker.io/library/alpine:3.20`
    "#]],
    );
}
