//! What a registry says that is not so. A lie about what nobody relies on, such as a media type, changes nothing: what
//! counts are digests and contents.

use serde_json::{Value as Json, json};

use super::{Asked, Image, Lie, Part, Reply, Row, TRUTH, descriptor, gzip, tar};

const MANIFEST: &str = oci::image::MANIFEST;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Returns all lies but the slow ones.
pub(super) fn all() -> Vec<Row> {
    let mut all = manifests();
    all.extend(indexes());
    all.extend(configurations());
    all.extend(responses());
    all.extend(downloads());
    all.extend(layers());
    all
}

fn manifests() -> Vec<Row> {
    fn change(name: &'static str, is_right: bool, change: fn(&mut Json)) -> Row {
        (name, is_right, Lie::Manifest(change))
    }
    vec![
        change("a manifest of version 1", false, |m| m["schemaVersion"] = json!(1)),
        change("a manifest of version 99", true, |m| m["schemaVersion"] = json!(99)),
        change("a version that is text", false, |m| m["schemaVersion"] = json!("2")),
        change("a media type of nobody", true, |m| m["mediaType"] = json!("text/html")),
        change("a manifest that says it is an index", true, |m| m["mediaType"] = json!(INDEX)),
        change("no configuration", false, |m| drop(m.as_object_mut().unwrap().remove("config"))),
        change("a configuration that is null", false, |m| m["config"] = Json::Null),
        change("a configuration by md5", false, |m| {
            m["config"]["digest"] = json!("md5:d41d8cd98f00b204e9800998ecf8427e")
        }),
        change("a short digest", false, |m| m["config"]["digest"] = json!("sha256:ab")),
        change("a digest that is a path", false, |m| {
            m["config"]["digest"] = json!("sha256:../../../../../../etc/passwd")
        }),
        change("an empty digest", false, |m| m["config"]["digest"] = json!("")),
        change("a digest of nothing that is there", false, |m| {
            m["config"]["digest"] = json!(format!("sha256:{:064}", 1))
        }),
        change("a configuration of no bytes", false, |m| m["config"]["size"] = json!(0)),
        change("a configuration of fewer than no bytes", false, |m| m["config"]["size"] = json!(-1)),
        change("a configuration of 2^63 bytes", false, |m| m["config"]["size"] = json!(1_u64 << 63)),
        change("a configuration of one byte more", false, |m| {
            m["config"]["size"] = json!(m["config"]["size"].as_u64().unwrap() + 1)
        }),
        change("a configuration of one byte less", false, |m| {
            m["config"]["size"] = json!(m["config"]["size"].as_u64().unwrap() - 1)
        }),
        change("a size that is text", false, |m| m["config"]["size"] = json!("12")),
        change("layers that are null", false, |m| m["layers"] = Json::Null),
        change("layers that are text", false, |m| m["layers"] = json!("sha256:ab")),
        change("no layers", false, |m| m["layers"] = json!([])),
        change("a layer twice", false, |m| m["layers"] = json!([m["layers"][0], m["layers"][0]])),
        change("50000 layers", false, |m| m["layers"] = Json::Array(vec![m["layers"][0].clone(); 50_000])),
        change("a layer of one byte less", false, |m| {
            m["layers"][0]["size"] = json!(m["layers"][0]["size"].as_u64().unwrap() - 1)
        }),
        change("a layer of one byte more", false, |m| {
            m["layers"][0]["size"] = json!(m["layers"][0]["size"].as_u64().unwrap() + 1)
        }),
        change("a layer of 2^62 bytes", false, |m| m["layers"][0]["size"] = json!(1_u64 << 62)),
        change("a layer that is the configuration", false, |m| m["layers"][0] = m["config"].clone()),
        change("a layer for another system", true, |m| {
            m["layers"][0]["mediaType"] = json!("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
        }),
        change("a layer of an unknown kind", true, |m| m["layers"][0]["mediaType"] = json!("application/x-robot")),
        change("a layer from another place", false, |m| {
            m["layers"][0]["digest"] = json!(format!("sha256:{:064}", 2));
            m["layers"][0]["urls"] = json!(["http://127.0.0.1:1/layer", "file:///etc/passwd"]);
        }),
        change("an annotation of a MiB", true, |m| m["annotations"] = json!({ "a": "x".repeat(1 << 20) })),
        change("a manifest of 9 MiB", false, |m| m["annotations"] = json!({ "a": "x".repeat(9 << 20) })),
    ]
}

fn indexes() -> Vec<Row> {
    /// Returns an index of one manifest, which is described by these bytes.
    fn of(bytes: &[u8], media_type: &str, change: impl Fn(&mut Json)) -> Vec<u8> {
        let mut entry = descriptor(media_type, bytes);
        entry["platform"] = json!({ "os": "linux", "architecture": "amd64" });
        change(&mut entry);
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] }).to_string().into_bytes()
    }
    fn index(name: &'static str, is_right: bool, bytes: fn(&Image) -> Vec<u8>) -> Row {
        (name, is_right, Lie::Bytes(INDEX, bytes))
    }
    vec![
        index("an index of a manifest that is another", false, |_| of(b"another", MANIFEST, |_| {})),
        index("an index with another size", false, |image| {
            of(&image.manifest, MANIFEST, |entry| entry["size"] = json!(7))
        }),
        index("an index for another machine", false, |image| {
            of(&image.manifest, MANIFEST, |entry| entry["platform"]["architecture"] = json!("s390x"))
        }),
        index("an index of an index that is not there", false, |_| of(b"{}", INDEX, |_| {})),
        index("an index of a configuration", false, |image| of(&image.config, oci::image::CONFIG, |_| {})),
        index("an index of nothing", false, |_| {
            json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }).to_string().into()
        }),
        index("an index of 50000", false, |_| {
            let entry = descriptor(MANIFEST, b"none");
            json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": vec![entry; 50_000] }).to_string().into()
        }),
        index("a manifest that is called an index", false, |image| image.manifest.clone()),
        index("half an index", false, |image| of(&image.manifest, MANIFEST, |_| {})[..100].to_vec()),
        ("nested lists in the place of a manifest", false, Lie::Bytes(MANIFEST, |_| b"[".repeat(200_000))),
        ("an empty manifest", false, Lie::Bytes(MANIFEST, |_| Vec::new())),
        ("a manifest that is no text", false, Lie::Bytes(MANIFEST, |_| vec![0xff; 300])),
        (
            "an image that is a chart",
            true,
            Lie::Bytes("application/vnd.cncf.helm.config.v1+json", |image| image.manifest.clone()),
        ),
        (
            "an image of the first version",
            false,
            Lie::Bytes("application/vnd.docker.distribution.manifest.v1+prettyjws", |_| {
                b"{\"schemaVersion\":1}".to_vec()
            }),
        ),
    ]
}

fn configurations() -> Vec<Row> {
    fn change(name: &'static str, is_right: bool, change: fn(&mut Json)) -> Row {
        (name, is_right, Lie::Config(change))
    }
    vec![
        change("an image for another machine", false, |c| c["architecture"] = json!("s390x")),
        change("an image for another system", false, |c| c["os"] = json!("windows")),
        change("another digest of the layer's contents", false, |c| {
            c["rootfs"]["diff_ids"] = json!([format!("sha256:{:064}", 3)])
        }),
        change("digests of two layers", false, |c| {
            c["rootfs"]["diff_ids"] = json!([c["rootfs"]["diff_ids"][0], c["rootfs"]["diff_ids"][0]])
        }),
        change("digests of no layers", false, |c| c["rootfs"]["diff_ids"] = json!([])),
        change("digests that are null", false, |c| c["rootfs"]["diff_ids"] = Json::Null),
        change("a digest of another kind", false, |c| c["rootfs"]["diff_ids"] = json!(["crc32:00000000"])),
        change("no root", false, |c| drop(c.as_object_mut().unwrap().remove("rootfs"))),
        change("variables that are text", false, |c| c["config"]["Env"] = json!("A=b")),
        change("a command that is a number", false, |c| c["config"]["Cmd"] = json!(7)),
        change("a label of 4 MiB", true, |c| c["config"]["Labels"] = json!({ "a": "x".repeat(4 << 20) })),
        change("a configuration of 9 MiB", false, |c| c["config"]["Labels"] = json!({ "a": "x".repeat(9 << 20) })),
        change("100000 variables", true, |c| {
            c["config"]["Env"] = Json::Array((0..100_000).map(|n| json!(format!("V{n}=x"))).collect())
        }),
        ("a configuration that is empty", false, Lie::Text(Vec::new)),
        ("a configuration that is a list", false, Lie::Text(|| b"[]".to_vec())),
        ("a configuration of nested lists", false, Lie::Text(|| b"[".repeat(200_000))),
        ("a configuration that is no text", false, Lie::Text(|| vec![0xff; 300])),
        ("a configuration of nothing", false, Lie::Text(|| b"{}".to_vec())),
    ]
}

fn responses() -> Vec<Row> {
    fn asked(name: &'static str, is_right: bool, change: fn(&Asked, Reply) -> Reply) -> Row {
        (name, is_right, Lie::Asked(Part::Manifest, change))
    }
    vec![
        asked("a web page", false, |_, _| Reply::new(200, "<html></html>").header("Content-Type", "text/html")),
        asked("nothing, and that it is well", false, |_, _| Reply::new(200, "")),
        asked("no content", false, |_, _| Reply::new(204, "")),
        asked("not modified", false, |_, _| Reply::new(304, "")),
        asked("a circle of redirections", false, |asked, _| Reply::new(302, "").header("Location", &asked.path)),
        asked("longer and longer redirections", false, |asked, _| {
            Reply::new(307, "").header("Location", &format!("{}x", asked.path))
        }),
        asked("a redirection to a file", false, |_, _| Reply::new(302, "").header("Location", "file:///etc/passwd")),
        asked("a redirection to nowhere", false, |_, _| Reply::new(302, "")),
        asked("a redirection to what is no address", false, |_, _| {
            Reply::new(302, "").header("Location", "http://[::")
        }),
        asked("that nobody may", false, |_, _| Reply::error(403, "DENIED", "no")),
        asked("a password without saying how", false, |_, _| Reply::new(401, "")),
        asked("a token from a file", false, |_, _| {
            Reply::new(401, "").header("WWW-Authenticate", "Bearer realm=\"file:///etc/passwd\",service=\"x\"")
        }),
        asked("a token from nowhere", false, |_, _| {
            Reply::new(401, "").header("WWW-Authenticate", "Bearer realm=\"http://127.0.0.1:1/\"")
        }),
        asked("a long challenge", false, |_, _| {
            Reply::new(401, "").header("WWW-Authenticate", &format!("Bearer {}", "a=\"b\",".repeat(5000)))
        }),
        asked("that it does not exist, at length", false, |_, _| {
            Reply::error(404, "MANIFEST_UNKNOWN", &"\u{1b}[2J".repeat(100_000))
        }),
        asked("errors that are nested", false, |_, _| Reply::new(400, b"[".repeat(100_000))),
        asked("another digest in the header", false, |_, reply| {
            reply.header("Docker-Content-Digest", &format!("sha256:{:064}", 4))
        }),
        asked("a digest that is none in the header", true, |_, reply| reply.header("Docker-Content-Digest", "x")),
        asked("a length that is too small", false, |_, reply| Reply { length: Some(10), ..reply }),
        asked("a length of no number", false, |_, reply| reply.header("Content-Length", "many")),
        asked("a negative length", false, |_, reply| reply.header("Content-Length", "-1")),
        asked("a length of 2^64", false, |_, reply| reply.header("Content-Length", "18446744073709551616")),
        asked("two lengths", false, |_, mut reply| {
            reply.headers.push(("Content-Length".into(), reply.body.len().to_string()));
            reply.headers.push(("Content-Length".into(), "7".into()));
            reply
        }),
        asked("a length twice", true, |_, mut reply| {
            let length = reply.body.len().to_string();
            reply.headers.push(("Content-Length".into(), length.clone()));
            reply.headers.push(("Content-Length".into(), length));
            reply
        }),
        asked("chunks that are none", false, |_, reply| reply.header("Transfer-Encoding", "chunked")),
        asked("a chunk of 2^60 bytes", false, |_, _| {
            Reply::new(200, "fffffffffffffff\r\n{").header("Transfer-Encoding", "chunked")
        }),
        asked("a header of a MiB", false, |_, reply| reply.header("X-Long", &"x".repeat(1 << 20))),
        asked("10000 headers", false, |_, mut reply| {
            reply.headers.extend((0..10_000).map(|n| (format!("X-{n}"), "x".to_owned())));
            reply
        }),
        asked("that it is compressed", true, |_, reply| reply.header("Content-Encoding", "gzip")),
        asked("64 MiB of spaces", false, |_, _| Reply::new(200, vec![b' '; 64 << 20]).header("Content-Type", MANIFEST)),
        asked("a status of nobody", false, |_, _| Reply::new(799, "")),
    ]
}

fn downloads() -> Vec<Row> {
    fn layer(name: &'static str, is_right: bool, change: fn(&Asked, Reply) -> Reply) -> Row {
        (name, is_right, Lie::Asked(Part::Layer, change))
    }
    fn flip(mut reply: Reply) -> Reply {
        let at = reply.body.len() / 2;
        reply.body[at] ^= 1;
        reply
    }
    vec![
        layer("a layer with one bit that is another", false, |_, reply| flip(reply)),
        layer("a layer of zeros", false, |_, reply| Reply { body: vec![0; reply.body.len()], ..reply }),
        layer("a layer that goes on", false, |_, mut reply| {
            reply.body.extend([0; 100_000]);
            reply
        }),
        layer("a layer that goes on in chunks", false, |_, _| {
            Reply::new(200, "1000\r\n".to_owned() + &"x".repeat(0x1000) + "\r\n0\r\n\r\n")
                .header("Transfer-Encoding", "chunked")
        }),
        layer("a layer that is shorter", false, |_, mut reply| {
            reply.body.truncate(30);
            reply
        }),
        layer("a layer that breaks and goes on", true, |asked, reply| {
            if asked.header("range").is_empty() { reply.cut(40) } else { reply }
        }),
        layer("a layer that breaks and goes on with others", false, |asked, reply| {
            if asked.header("range").is_empty() { reply.cut(40) } else { flip(reply) }
        }),
        layer("another range than was asked for", false, |asked, reply| {
            if asked.header("range").is_empty() { reply.cut(40) } else { reply.header("Content-Range", "bytes 0-1/2") }
        }),
        layer("a part that nobody asked for", true, |_, reply| {
            Reply { status: 206, ..reply }.header("Content-Range", "bytes 0-9/10")
        }),
        layer("no layer, and that it is well", false, |_, _| Reply::new(200, "")),
        layer("a layer that is gone", false, |_, _| Reply::error(404, "BLOB_UNKNOWN", "gone")),
        layer("a layer that nobody may have", false, |_, _| Reply::error(403, "DENIED", "no")),
        layer("a layer that is a web page", false, |_, _| {
            Reply::new(200, "<html>").header("Content-Type", "text/html")
        }),
        layer("a layer in a circle", false, |asked, _| Reply::new(307, "").header("Location", &asked.path)),
        layer("a layer on this machine", false, |_, _| Reply::new(307, "").header("Location", "file:///etc/passwd")),
        layer("a layer that is compressed once more", false, |_, reply| {
            Reply { body: gzip(&reply.body), ..reply }.header("Content-Encoding", "gzip")
        }),
        ("a configuration that is another", false, Lie::Asked(Part::Config, |_, reply| flip(reply))),
        (
            "a configuration that goes on",
            false,
            Lie::Asked(Part::Config, |_, mut reply| {
                reply.body.extend(b" ".repeat(1 << 20));
                reply
            }),
        ),
        ("no configuration, and that it is well", false, Lie::Asked(Part::Config, |_, _| Reply::new(200, ""))),
    ]
}

fn layers() -> Vec<Row> {
    fn layer(name: &'static str, is_right: bool, bytes: fn() -> Vec<u8>) -> Row {
        (name, is_right, Lie::Layer(bytes))
    }
    vec![
        layer("an honest layer", true, || tar(&[("f", TRUTH)])),
        layer("a layer that is no archive", false, || b"no archive".repeat(200)),
        layer("an archive of nothing", false, || tar(&[])),
        layer("half an archive", false, || tar(&[("f", TRUTH)])[..700].to_vec()),
        layer("a file above the root", false, || tar(&[("f", TRUTH), ("../../f", "a lie")])),
        layer("a file by its full path", true, || tar(&[("f", TRUTH), ("/g", "a lie")])),
        layer("a name that goes down and up", false, || tar(&[("f", TRUTH), ("a/../../g", "a lie")])),
        layer("a wrong checksum", false, || {
            let mut bytes = tar(&[("f", TRUTH)]);
            bytes[0] = b'g';
            bytes
        }),
        layer("a file that is 8 GiB long", false, || {
            let mut bytes = tar(&[("f", TRUTH)]);
            bytes[124..136].copy_from_slice(b"77777777777\0");
            bytes
        }),
        layer("a deletion that hides the file", false, || tar(&[(".wh.f", ""), ("f/..", "x")])),
        layer("a name of a deletion alone", false, || tar(&[("f", TRUTH), (".wh.", "")])),
        layer("a deletion of what is above", false, || tar(&[("f", TRUTH), (".wh...", "")])),
        layer("a gzip file in the archive's place", false, || gzip(&tar(&[("f", TRUTH)]))),
        layer("an archive that goes on after its end", true, || [tar(&[("f", TRUTH)]), vec![7; 10_000]].concat()),
        layer("100 MB that are compressed well", true, || [tar(&[("f", TRUTH)]), vec![0; 100 << 20]].concat()),
    ]
}

/// Returns lies that take a minute each.
pub(super) fn slow() -> Vec<Row> {
    vec![
        ("a manifest that does not come", false, Lie::Asked(Part::Manifest, |_, _| Reply::default().stall(0))),
        ("a manifest that does not end", false, Lie::Asked(Part::Manifest, |_, reply| reply.stall(20))),
        ("a configuration that does not end", false, Lie::Asked(Part::Config, |_, reply| reply.stall(20))),
        ("a layer that does not end", false, Lie::Asked(Part::Layer, |_, reply| reply.stall(20))),
        ("a registry that hangs up", false, Lie::Asked(Part::Manifest, |_, _| Reply::default())),
        ("a registry that fails", false, Lie::Asked(Part::Manifest, |_, _| Reply::new(500, ""))),
        (
            "a registry that is busy",
            false,
            Lie::Asked(Part::Layer, |_, _| Reply::new(429, "").header("Retry-After", "1")),
        ),
        ("a manifest that breaks", false, Lie::Asked(Part::Manifest, |_, reply| reply.cut(10))),
    ]
}
