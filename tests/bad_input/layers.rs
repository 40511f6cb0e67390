//! Images whose layers are hostile or damaged: the corpus of `oci`, through the real binary.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use testkit::{Scratch, require};

use crate::case::{VERDICT, call, refused, works};

/// The parser of the corpus.
#[path = "../../host/crates/oci/tests/it/layers_case.rs"]
mod layers_case;

const CORPUS: [&str; 4] = [
    include_str!("../../host/crates/oci/tests/corpus/paths.txt"),
    include_str!("../../host/crates/oci/tests/corpus/links.txt"),
    include_str!("../../host/crates/oci/tests/corpus/kinds.txt"),
    include_str!("../../host/crates/oci/tests/corpus/damaged.txt"),
];

/// The cases that are refused.
const REFUSED: &[&str] = &[
    "a path that starts with two dots",
    "a path that goes up in the middle, past the root",
    "a directory that is two dots",
    "links that loop",
    "a link to nothing",
    "a hard link out of the layer",
    "a hard link to an absolute path is one from the root",
    "a hard link through a symbolic link out",
    "a hard link to what comes later",
    "a cycle of hard links",
    "a size below zero",
    "an owner that is larger than any",
    "garbage instead of a tar file",
    "a wrong checksum",
    "the end in the middle of a file",
    "a size that is larger than any",
    "a link to itself",
];

/// The cases whose files seem to leave the root and stay inside.
const INSIDE: &[&str] = &[
    "a link out and a file through it",
    "a link to a directory outside and a file through it",
    "an absolute path is one from the root",
    "a hard link to a symbolic link does not follow it",
    "devices are left out and named",
];

/// Returns the entries of a case of the corpus, and the expected result.
fn case(name: &str) -> (Vec<&'static str>, &'static str) {
    let cases = CORPUS.iter().flat_map(|text| text.split("## "));
    let found = cases.filter_map(|case| case.split_once('\n')).find(|(title, _)| *title == name);
    let (_, text) = found.unwrap_or_else(|| panic!("the corpus has no case `{name}`"));
    let (given, outcome) = text.split_once("=>\n").unwrap();
    (given.lines().filter(|line| !line.is_empty()).collect(), outcome.trim_end())
}

/// A store, and directories outside of it that must stay as they are.
struct Bench {
    scratch: Scratch,
    /// The directory that hostile layers name. Its path is short: a header of a tar file has 100 bytes for a path.
    named: TempDir,
}

/// Writes an image, as `docker save` does, with the layer of a case.
fn write_image(bench: &Bench, name: &str) {
    let case = layers_case::Case::parse(&case(name).0, bench.named.path().to_str().unwrap());
    let diff_id = case.diff_id.unwrap_or_else(|| oci::Digest::of(&case.bytes)).to_string();
    let architecture = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    let config = serde_json::json!({
        "architecture": architecture, "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [diff_id] },
    });
    let manifest = serde_json::json!([{ "Config": "config.json", "RepoTags": ["bad:1"], "Layers": ["layer.tar"] }]);
    let mut tar = tar::Builder::new(Vec::new());
    let files = [("manifest.json", manifest.to_string()), ("config.json", config.to_string())];
    let files = files.map(|(name, text)| (name, text.into_bytes()));
    for (name, bytes) in files.into_iter().chain([("layer.tar", case.bytes)]) {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    bench.scratch.write("image.tar", tar.into_inner().unwrap());
}

impl Bench {
    fn new() -> Option<Self> {
        if !require("crun") {
            return None;
        }
        let bench = Self { scratch: Scratch::new(), named: testkit::short_dir() };
        for outside in bench.outside() {
            fs::create_dir_all(outside.join("beside")).unwrap();
            fs::write(outside.join("canary"), "untouched").unwrap();
        }
        Some(bench)
    }

    /// Returns the directories that must stay as they are.
    fn outside(&self) -> [PathBuf; 2] {
        [self.scratch.path("outside"), self.named.path().to_owned()]
    }

    /// Checks that nothing was written outside of the store and the working directory.
    fn is_untouched(&self, name: &str) {
        for outside in self.outside() {
            assert_eq!(fs::read_to_string(outside.join("canary")).unwrap(), "untouched", "{name}");
            assert_eq!(fs::read_dir(outside.join("beside")).unwrap().count(), 0, "{name}");
            assert_eq!(fs::read_dir(&outside).unwrap().count(), 2, "{name}");
        }
    }
}

/// Returns the files below a directory.
fn left(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let mut paths = Vec::new();
    for path in entries.map(|entry| entry.path()) {
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            paths.extend(left(&path));
        } else {
            paths.push(path.display().to_string());
        }
    }
    paths
}

#[test]
fn a_hostile_layer_is_named_and_nothing_of_it_is_kept() {
    let Some(bench) = Bench::new() else { return };
    let scratch = &bench.scratch;
    let import = || scratch.host(call("values", "base import-image --source image.tar sync"));
    for name in REFUSED {
        write_image(&bench, name);
        let outcome = case(name).1.replace("$OUT", bench.named.path().to_str().unwrap());
        let says = outcome.lines().next().and_then(|line| line.strip_prefix("error: "));
        let says = says.unwrap_or_else(|| panic!("the case `{name}` is no error"));
        let answer = import();
        assert!(answer.stderr.contains(says), "{name}: it does not say: {says}\n{}", answer.stderr);
        refused(&answer, VERDICT, &[]);
        for dir in ["layers-v1", "tmp-v1", "trash-v1"] {
            assert_eq!(left(&scratch.path("store").join(dir)), Vec::<String>::new(), "{name}");
        }
        bench.is_untouched(name);
    }
    // The refusal is not replaced by a cached result.
    refused(&import(), VERDICT, &[]);
    works(scratch);
}

#[test]
fn a_layer_with_links_out_of_the_root_stays_inside() {
    let Some(bench) = Bench::new() else { return };
    let scratch = &bench.scratch;
    for name in INSIDE {
        write_image(&bench, name);
        let answer = scratch.host(call("values", "base import-image --source image.tar -o root"));
        assert_eq!(answer.code, Some(0), "{name}: {}", answer.stderr);
        bench.is_untouched(name);
        fs::remove_dir_all(scratch.path("work/root")).unwrap();
    }
    works(scratch);
}
