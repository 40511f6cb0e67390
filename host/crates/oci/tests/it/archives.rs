//! Images in files: they are found by tag and platform in layouts and archives, and written.

use std::fs;
use std::io::{self, Read, Write as _};
use std::path::Path;

use expect_test::expect;
use oci::Digest;
use oci::archive::{DirectoryFiles, TarFiles, write_tar};
use oci::compression::Compression;
use oci::layout::{Files, ImageFiles, blob_path, find_image, layout_files};
use serde_json::json;

use crate::archives_images::{Image, Memory, layout};

/// Returns what is found: the contents of the layer's only file, or the message.
fn find(files: &dyn Files, tag: Option<&str>, platform: &str) -> String {
    let image = match find_image(files, tag, &platform.parse().unwrap()) {
        Ok(image) => image,
        Err(error) => return error.to_string(),
    };
    assert_eq!(image.digest, Digest::of(&image.manifest_bytes));
    assert_eq!(image.manifest.config.digest, Digest::of(&image.config_bytes));
    let [layer] = &image.layers[..] else { panic!("{} layers", image.layers.len()) };
    let mut bytes = Vec::new();
    files.open(&layer.path).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!((Digest::of(&bytes), bytes.len() as u64), (layer.descriptor.digest, layer.descriptor.size));
    assert_eq!(layer.diff_id, image.config.rootfs.diff_ids[0]);
    let dir = tempfile::tempdir().unwrap();
    let options = oci::layer::UnpackOptions { diff_id: Some(layer.diff_id), ..Default::default() };
    oci::layer::unpack(bytes.as_slice(), dir.path(), &options).unwrap();
    fs::read_to_string(dir.path().join("f")).unwrap()
}

fn image(contents: &str) -> Image {
    Image::new("linux/amd64", contents, Compression::Gzip)
}

fn index(entries: &[serde_json::Value]) -> Vec<u8> {
    json!({ "schemaVersion": 2, "manifests": entries }).to_string().into_bytes()
}

fn entry(bytes: &[u8], media_type: &str, more: serde_json::Value) -> serde_json::Value {
    let mut entry = json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() });
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    entry
}

fn named(image: &Image, name: &str) -> serde_json::Value {
    let annotations = json!({ "annotations": { "org.opencontainers.image.ref.name": name } });
    entry(&image.manifest, oci::image::MANIFEST, annotations)
}

#[test]
fn the_only_image_needs_no_tag() {
    let files = layout(&[&image("x")], &[]);
    assert_eq!(find(&files, None, "linux/amd64"), "x");
    let files = layout(&[&image("x")], &["docker.io/library/a:1", "docker.io/library/b:2"]);
    assert_eq!(find(&files, None, "linux/amd64"), "x");
}

#[test]
fn an_image_is_found_by_its_tag_or_its_name() {
    let (one, two) = (image("one"), image("two"));
    let mut files = Memory::default();
    one.put_blobs(&mut files);
    two.put_blobs(&mut files);
    files.0.insert("index.json".to_owned(), index(&[named(&one, "v1"), named(&two, "registry:5000/a/b:v2")]));
    let check = |tag: Option<&str>, expect: &str| assert_eq!(find(&files, tag, "linux/amd64"), expect, "{tag:?}");
    check(Some("v1"), "one");
    check(Some("v2"), "two");
    check(Some("registry:5000/a/b:v2"), "two");
    check(Some("5000/a/b:v2"), "no image has the tag `5000/a/b:v2`; there are: `registry:5000/a/b:v2`, `v1`");
    check(None, "there are several images: `registry:5000/a/b:v2`, `v1`");
}

#[test]
fn an_image_is_found_by_its_platform() {
    let of = |platform: &str| Image::new(platform, platform, Compression::None);
    let (amd, arm6, arm7) = (of("linux/amd64"), of("linux/arm/v6"), of("linux/arm/v7"));
    let files = layout(&[&amd, &arm6, &arm7], &["docker.io/library/a:1"]);
    let check = |platform: &str, expect: &str| assert_eq!(find(&files, Some("1"), platform), expect, "{platform}");
    check("linux/amd64", "linux/amd64");
    check("linux/arm", "linux/arm/v7");
    check("linux/arm/v6", "linux/arm/v6");
    check("linux/arm/v8", "linux/arm/v7");
    check(
        "linux/riscv64",
        "there is no image for `linux/riscv64`; there are: `linux/amd64`, `linux/arm/v6`, `linux/arm/v7`",
    );
}

#[test]
fn what_belongs_to_an_image_and_is_none_is_passed_over() {
    let image = image("x");
    let attestation = b"{}";
    let platform = json!({ "platform": { "os": "unknown", "architecture": "unknown" } });
    let inner = index(&[
        entry(attestation, oci::image::MANIFEST, platform),
        entry(&image.manifest, oci::image::MANIFEST, json!({})),
        // The image is for another platform, and is not in this layout.
        entry(b"elsewhere", oci::image::MANIFEST, json!({ "platform": { "os": "linux", "architecture": "arm64" } })),
    ]);
    let mut files = Memory::default();
    image.put_blobs(&mut files);
    files.0.insert(blob_path(&Digest::of(&inner)), inner.clone());
    files.0.insert("index.json".to_owned(), index(&[entry(&inner, oci::image::INDEX, json!({}))]));
    assert_eq!(find(&files, None, "linux/amd64"), "x");
}

#[test]
fn what_is_not_what_its_digest_says_is_refused() {
    let image = image("x");
    let good = layout(&[&image], &[]);
    let damaged = |path: &str, bytes: &[u8]| {
        let mut files = good.clone();
        files.0.insert(path.to_owned(), bytes.to_vec()).unwrap();
        find(&files, None, "linux/amd64")
            .replace(&Digest::of(&image.manifest).hex(), "MANIFEST")
            .replace(&Digest::of(&image.config).hex(), "CONFIG")
            .replace(&Digest::of(bytes).hex(), "OTHER")
    };
    expect!["`blobs/sha256/MANIFEST` of the image has the digest sha256:OTHER, not sha256:MANIFEST"]
        .assert_eq(&damaged(&blob_path(&Digest::of(&image.manifest)), b"{}"));
    expect!["`blobs/sha256/CONFIG` of the image has the digest sha256:OTHER, not sha256:CONFIG"]
        .assert_eq(&damaged(&blob_path(&Digest::of(&image.config)), b"{}"));
    expect!["`index.json` of the image is not valid: expected ident at line 1 column 2"]
        .assert_eq(&damaged("index.json", b"no"));
    expect!["the image layout has the version `2.0.0`; only 1.0.0 is understood"]
        .assert_eq(&damaged("oci-layout", br#"{"imageLayoutVersion":"2.0.0"}"#));
    expect!["there is no image: neither `index.json` nor `manifest.json` is there"].assert_eq(&find(
        &Memory::default(),
        None,
        "linux/amd64",
    ));
}

#[test]
fn indexes_that_name_each_other_end() {
    // An index cannot have its own digest in it, but a long chain can be made.
    let mut files = Memory::default();
    let mut inner = index(&[]);
    for _ in 0..10 {
        files.0.insert(blob_path(&Digest::of(&inner)), inner.clone());
        inner = index(&[entry(&inner, oci::image::INDEX, json!({}))]);
    }
    files.0.insert("index.json".to_owned(), inner);
    expect!["the index of the image has indexes more than 4 deep"].assert_eq(&find(&files, None, "linux/amd64"));
}

/// Writes files into a directory.
fn write_dir(files: &Memory, dir: &Path) {
    for (path, bytes) in &files.0 {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn tar_of(image: &Image, names: &[&str]) -> Vec<u8> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let files = layout_files(&[ImageFiles { manifest: &image.manifest, config: &image.config }], &names).unwrap();
    let mut tar = Vec::new();
    let layer = image.layer.clone();
    write_tar(&files, &mut tar, |_| Ok(Box::new(io::Cursor::new(layer.clone())))).unwrap();
    tar
}

#[test]
fn an_image_reads_the_same_from_a_directory_and_from_tar_files() {
    let image = image("x");
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write_dir(&layout(&[&image], &["docker.io/library/a:1"]), &at("layout"));
    let tar = tar_of(&image, &["docker.io/library/a:1"]);
    fs::write(at("a.tar"), &tar).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    fs::write(at("a.tar.gz"), gzip.finish().unwrap()).unwrap();
    let before = fs::read_dir(dir.path()).unwrap().count();
    let platform = "linux/amd64".parse().unwrap();
    let mut found = Vec::new();
    let directory = DirectoryFiles::open(&at("layout")).unwrap();
    found.push(find_image(&directory, Some("1"), &platform).unwrap());
    assert_eq!(find(&directory, None, "linux/amd64"), "x");
    for name in ["a.tar", "a.tar.gz"] {
        let files = TarFiles::open(&at(name), dir.path()).unwrap();
        found.push(find_image(&files, Some("1"), &platform).unwrap());
        assert_eq!(find(&files, None, "linux/amd64"), "x");
    }
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), before, "nothing is left in the scratch directory");
}

#[test]
fn a_tar_file_of_an_image_is_sorted_and_always_the_same() {
    let image = Image::new("linux/amd64", "x", Compression::None);
    let tar = tar_of(&image, &["docker.io/library/a:1"]);
    assert!(tar == tar_of(&image, &["docker.io/library/a:1"]));
    let mut names: Vec<String> = Vec::new();
    for entry in tar::Archive::new(tar.as_slice()).entries().unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.header().mtime().unwrap(), 0);
        names.push(entry.path().unwrap().display().to_string());
    }
    let short =
        |name: &String| name.get(..20).unwrap_or(name).trim_end_matches(|c: char| c.is_ascii_hexdigit()).to_owned();
    let shown: Vec<String> = names.iter().map(short).collect();
    assert_eq!(
        shown,
        [
            "blobs/",
            "blobs/sha256/",
            "blobs/sha256/",
            "blobs/sha256/",
            "blobs/sha256/",
            "index.json",
            "manifest.json",
            "oci-layout"
        ]
    );
    assert!(names.is_sorted());
}

#[test]
fn an_old_docker_finds_its_own_manifest() {
    let mut files = layout(&[&image("x")], &["docker.io/library/a:1"]);
    files.0.remove("index.json");
    assert_eq!(find(&files, Some("1"), "linux/amd64"), "x");
    expect!["no image has the tag `2`; there are: `docker.io/library/a:1`"].assert_eq(&find(
        &files,
        Some("2"),
        "linux/amd64",
    ));
    expect!["there is no image for `linux/arm64`; there are: `linux/amd64`"].assert_eq(&find(
        &files,
        None,
        "linux/arm64",
    ));
}

/// Returns what Docker before 25 writes: a directory for each layer, and links between equal
/// layers.
fn legacy(image: &Image, link: &str) -> Vec<u8> {
    let config = format!("{}.json", Digest::of(&image.config).hex());
    let manifest = json!([{ "Config": config, "RepoTags": ["a:1"], "Layers": ["one/layer.tar"] }]).to_string();
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |name: &str, type_: tar::EntryType, bytes: &[u8], link: &str| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(type_);
        header.set_size(bytes.len() as u64);
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, bytes).unwrap();
    };
    add(&config, tar::EntryType::Regular, &image.config, "");
    add("one/layer.tar", tar::EntryType::Symlink, b"", link);
    add("two/layer.tar", tar::EntryType::Regular, &image.layer, "");
    add("manifest.json", tar::EntryType::Regular, manifest.as_bytes(), "");
    builder.into_inner().unwrap()
}

#[test]
fn an_archive_of_an_old_docker_is_read_through_its_links() {
    let dir = tempfile::tempdir().unwrap();
    let found = |image: &Image, link: &str| {
        fs::write(dir.path().join("a.tar"), legacy(image, link)).unwrap();
        let files = TarFiles::open(&dir.path().join("a.tar"), dir.path()).unwrap();
        find(&files, Some("a:1"), "linux/amd64")
    };
    let plain = Image::new("linux/amd64", "plain", Compression::None);
    assert_eq!(found(&plain, "../two/layer.tar"), "plain");
    assert_eq!(found(&plain, "../../../two/layer.tar"), "plain");
    let zipped = Image::new("linux/amd64", "zipped", Compression::Gzip);
    assert_eq!(found(&zipped, "../two/layer.tar"), "zipped");
    assert_eq!(found(&plain, "../one/layer.tar"), "`one/layer.tar` of the image cannot be read");
    assert_eq!(found(&plain, "/etc/passwd"), "`one/layer.tar` of the image cannot be read");
}

#[test]
fn a_manifest_that_is_made_is_always_the_same() {
    let plain = Image::new("linux/amd64", "x", Compression::None);
    let mut files = layout(&[&plain], &["a:1"]);
    files.0.remove("index.json");
    let platform = "linux/amd64".parse().unwrap();
    let made = find_image(&files, None, &platform).unwrap();
    assert_eq!(made, find_image(&files, None, &platform).unwrap());
    assert_eq!(made.layers[0].descriptor.digest, plain.diff_id);
    // The image that was written had the same contents.
    assert_eq!(made.digest, Digest::of(&plain.manifest));
}

#[test]
fn a_directory_is_not_left_by_links() {
    let dir = tempfile::tempdir().unwrap();
    let image = image("x");
    let root = dir.path().join("layout");
    write_dir(&layout(&[&image], &[]), &root);
    let index = root.join("index.json");
    fs::rename(&index, dir.path().join("index.json")).unwrap();
    let files = DirectoryFiles::open(&root).unwrap();
    for target in ["../index.json", dir.path().join("index.json").to_str().unwrap()] {
        std::os::unix::fs::symlink(target, &index).unwrap();
        // Both lead to a file of that name in the directory itself, which is the link, or to no file.
        let error = files.open("index.json").err().unwrap();
        assert!(matches!(error.raw_os_error(), Some(2 | 40)), "{target}: {error}");
        fs::remove_file(&index).unwrap();
    }
    fs::rename(dir.path().join("index.json"), root.join("real.json")).unwrap();
    std::os::unix::fs::symlink("real.json", &index).unwrap();
    assert_eq!(find(&files, None, "linux/amd64"), "x");
}

#[test]
fn a_bad_tar_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let check = |bytes: &[u8]| {
        let path = dir.path().join("a.tar");
        fs::write(&path, bytes).unwrap();
        let error = TarFiles::open(&path, dir.path()).err().unwrap();
        error.to_string().replace(path.to_str().unwrap(), "a.tar")
    };
    let tar = tar_of(&image("x"), &[]);
    expect!["`a.tar` is not a tar file with an image, or is damaged: there is no tar header at byte 0: the checksum is wrong"]
        .assert_eq(&check(&b"garbage".repeat(100)));
    expect!["`a.tar` is not a tar file with an image, or is damaged: the tar file ends too early, at byte 1636"]
        .assert_eq(&check(&tar[..1636]));
    expect!["`a.tar` is unreadable: its gzip data end too early"].assert_eq(&check(&[0x1f, 0x8b, 8, 0, 0]));
    let case = crate::layers_case::Case::parse(&["file ../x = y"], "");
    expect!["`a.tar` has a bad entry `../x`: it leads out of the layer"].assert_eq(&check(&case.bytes));
}

#[test]
fn a_layer_of_another_size_stops_the_writing() {
    let image = image("x");
    let files = layout_files(&[ImageFiles { manifest: &image.manifest, config: &image.config }], &[]).unwrap();
    let error = write_tar(&files, &mut Vec::new(), |_| Ok(Box::new(io::Cursor::new(b"short".to_vec())))).unwrap_err();
    expect!["it is shorter than it was said to be"].assert_eq(&error.to_string());
}
