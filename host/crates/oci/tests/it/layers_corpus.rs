//! Runs every case of `tests/corpus` and compares the result. With `UPDATE_EXPECT=1`, the results
//! are written to the corpus.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use expect_test::expect_file;
use graph::Diagnostic as _;
use oci::layer::{UnpackOptions, Unpacked, escape, unpack};

use crate::layers_case::Case;

/// Runs the cases of a file, and returns the file with the results.
fn run(text: &str) -> String {
    let mut out = String::new();
    let mut given: Vec<&str> = Vec::new();
    let mut is_outcome = false;
    for line in text.lines().chain(["## "]) {
        if line.starts_with("## ") {
            if given.first().is_some_and(|line| line.starts_with("## ")) {
                out += &format!("{}\n=>\n{}\n", given.join("\n"), outcome(&given));
            } else if !given.is_empty() {
                out += &format!("{}\n\n", given.join("\n"));
            }
            (given, is_outcome) = (Vec::new(), false);
        }
        is_outcome |= line == "=>";
        if !is_outcome && !line.is_empty() && line != "## " {
            given.push(line);
        }
    }
    out.trim_end().to_owned() + "\n"
}

/// Unpacks a case between files that must not change.
fn outcome(lines: &[&str]) -> String {
    let outer = tempfile::tempdir().unwrap();
    let at = |name: &str| outer.path().join(name);
    fs::write(at("canary"), "untouched").unwrap();
    fs::create_dir(at("beside")).unwrap();
    fs::create_dir(at("layer")).unwrap();
    let case = Case::parse(&lines[1..], outer.path().to_str().unwrap());
    if case.needs_root && !may_do_all() {
        return expected(lines[0]);
    }
    for (path, contents) in &case.lower {
        let path = at("lower").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if path.as_os_str().as_bytes().ends_with(b"/") {
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        } else {
            fs::write(&path, contents).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        }
    }
    let lower_dir = at("lower");
    let lower = |path: &Path| Some(lower_dir.join(path)).filter(|path| path.symlink_metadata().is_ok());
    let options = UnpackOptions {
        diff_id: case.diff_id,
        limits: case.limits,
        lower: if case.lower.is_empty() { None } else { Some(&lower) },
        is_device_allowed: case.is_device_allowed,
    };
    let before = shown_around(outer.path());
    let done = unpack(case.bytes.as_slice(), &at("layer"), &options);
    assert_eq!(shown_around(outer.path()), before, "{}: something outside was touched", lines[0]);
    match done {
        Ok(unpacked) => without_outer(&show_dir(&at("layer")), outer.path()) + &show_rest(&unpacked),
        Err(error) => {
            let mut text = format!("error: {error}\n");
            let mut cause = std::error::Error::source(&error);
            while let Some(source) = cause {
                if !text.contains(&source.to_string()) {
                    text += &format!("  {source}\n");
                }
                cause = source.source();
            }
            text += &format!("  blame: {:?}\n", error.blame());
            text.replace(outer.path().to_str().unwrap(), "$OUT")
        }
    }
}

/// Returns whether devices can be created and owners changed, which is so for root of the machine
/// and not for root of a namespace.
fn may_do_all() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    rustix::process::geteuid().is_root() && map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// Replaces the path of the test's directory in a text.
fn without_outer(text: &str, outer: &Path) -> String {
    let outer = outer.to_str().unwrap();
    let above = |line: &&str| line.strip_suffix("/ 755").is_none_or(|dir| !outer[1..].starts_with(dir));
    let lines: String = text.lines().filter(above).map(|line| format!("{line}\n")).collect();
    lines.replace(outer, "$OUT").replace(&outer[1..], "$OUT")
}

/// Returns the result in the corpus, for a case that cannot run here.
fn expected(title: &str) -> String {
    let texts = ALL.concat();
    let case = texts.split("## ").find(|case| case.starts_with(&title[3..])).unwrap();
    let outcome = case.split_once("=>\n").unwrap().1.trim_end();
    format!("{outcome}\n")
}

fn show_rest(unpacked: &Unpacked) -> String {
    let mut text = String::new();
    if unpacked.is_opaque {
        text += "(hides everything below)\n";
    }
    for skipped in &unpacked.skipped {
        text += &format!("(without `{}`: {})\n", skipped.name, skipped.why);
    }
    if unpacked.n_not_owned > 0 && may_do_all() {
        text += &format!("({} not given to their owner)\n", unpacked.n_not_owned);
    }
    if unpacked.n_xattrs_skipped > 0 {
        text += &format!("(without {} attributes)\n", unpacked.n_xattrs_skipped);
    }
    if text.is_empty() && unpacked.n_entries == 0 {
        text += "(empty)\n";
    }
    text
}

/// Returns everything around the directory of the layer.
fn shown_around(outer: &Path) -> String {
    let mut lines = Vec::new();
    walk(outer, outer, &mut lines, &|path| !path.ends_with("layer"));
    let canary = fs::metadata(outer.join("canary")).unwrap();
    lines.push(format!("{} {} {}", canary.nlink(), canary.mode(), canary.mtime_nsec()));
    lines.concat()
}

pub(crate) fn show_dir(dir: &Path) -> String {
    let mut lines = Vec::new();
    walk(dir, dir, &mut lines, &|_| true);
    let root = fs::symlink_metadata(dir).unwrap();
    if root.mode() & 0o7777 != 0o755 {
        lines.insert(0, format!("./ {:o}\n", root.mode() & 0o7777));
    }
    if lines.len() > 20 {
        return format!("{} files and directories\n", lines.len());
    }
    lines.concat()
}

fn walk(root: &Path, dir: &Path, lines: &mut Vec<String>, wanted: &dyn Fn(&Path) -> bool) {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| wanted(path)) {
        lines.push(show(path, escape(path.strip_prefix(root).unwrap().as_os_str().as_bytes())));
        if path.symlink_metadata().unwrap().is_dir() {
            walk(root, path, lines, wanted);
        }
    }
}

fn show(path: &Path, name: String) -> String {
    let metadata = fs::symlink_metadata(path).unwrap();
    let kind = metadata.file_type();
    let mode = format!("{:o}", metadata.mode() & 0o7777);
    let mut text = if kind.is_symlink() {
        format!("{name} -> {}", escape(fs::read_link(path).unwrap().as_os_str().as_bytes()))
    } else if kind.is_dir() {
        format!("{name}/ {mode}")
    } else if kind.is_fifo() {
        format!("{name} fifo {mode}")
    } else if kind.is_char_device() && metadata.rdev() == 0 {
        format!("{name} gone")
    } else if kind.is_char_device() || kind.is_block_device() {
        let (major, minor) = (rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev()));
        format!("{name} device {major}:{minor} {mode}")
    } else {
        show_file(path, &name, &mode, &metadata)
    };
    if (metadata.uid(), metadata.gid()) != (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()) {
        text += &format!(" {}:{}", metadata.uid(), metadata.gid());
    }
    // Other times are the current time.
    if metadata.mtime() < 1_000_000_000 && (metadata.mtime(), metadata.mtime_nsec()) != (0, 0) {
        text += &format!(" at {}.{:09}", metadata.mtime(), metadata.mtime_nsec());
    }
    text + &show_xattrs(path) + "\n"
}

fn show_file(path: &Path, name: &str, mode: &str, metadata: &fs::Metadata) -> String {
    let links = if metadata.nlink() > 1 { format!(" {} links", metadata.nlink()) } else { String::new() };
    if metadata.len() > 100 {
        let holes = if metadata.blocks() * 512 < metadata.len() / 2 { " with holes" } else { "" };
        return format!("{name} {mode}{links} {} bytes{holes}", metadata.len());
    }
    let contents = escape(&fs::read(path).unwrap());
    format!("{name} {mode}{links} `{contents}`")
}

fn show_xattrs(path: &Path) -> String {
    let mut names = vec![0; 4096];
    let Ok(n) = rustix::fs::llistxattr(path, &mut names[..]) else { return String::new() };
    let mut text = String::new();
    let mut names: Vec<_> = names[..n].split(|&b| b == 0).filter(|name| !name.is_empty()).collect();
    names.sort();
    for name in names {
        let mut value = vec![0; 4096];
        let n = rustix::fs::lgetxattr(path, name, &mut value[..]).unwrap();
        text += &format!(" {}={}", escape(name), escape(&value[..n]));
    }
    text
}

const PATHS: &str = include_str!("../corpus/paths.txt");
const LINKS: &str = include_str!("../corpus/links.txt");
const WHITEOUTS: &str = include_str!("../corpus/whiteouts.txt");
const KINDS: &str = include_str!("../corpus/kinds.txt");
const NAMES: &str = include_str!("../corpus/names.txt");
const SPARSE: &str = include_str!("../corpus/sparse.txt");
const DAMAGED: &str = include_str!("../corpus/damaged.txt");

/// The files of the corpus.
pub(crate) const ALL: [&str; 7] = [PATHS, LINKS, WHITEOUTS, KINDS, NAMES, SPARSE, DAMAGED];

#[test]
fn a_path_leads_nowhere_but_into_the_layer() {
    expect_file!["../corpus/paths.txt"].assert_eq(&run(PATHS));
}

#[test]
fn a_link_leads_nowhere_but_into_the_layer() {
    expect_file!["../corpus/links.txt"].assert_eq(&run(LINKS));
}

#[test]
fn a_removal_is_what_an_overlay_takes_for_one() {
    expect_file!["../corpus/whiteouts.txt"].assert_eq(&run(WHITEOUTS));
}

#[test]
fn each_kind_of_file_is_made_or_named() {
    expect_file!["../corpus/kinds.txt"].assert_eq(&run(KINDS));
}

#[test]
fn long_and_strange_names_are_kept_or_refused() {
    expect_file!["../corpus/names.txt"].assert_eq(&run(NAMES));
}

#[test]
fn files_with_holes_keep_them_and_wrong_maps_are_refused() {
    expect_file!["../corpus/sparse.txt"].assert_eq(&run(SPARSE));
}

#[test]
fn damage_is_named_and_limits_are_kept() {
    expect_file!["../corpus/damaged.txt"].assert_eq(&run(DAMAGED));
}
