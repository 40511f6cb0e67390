//! The files that the build script watches.

use std::path::{Path, PathBuf};

#[path = "../../build.rs"]
#[allow(dead_code, clippy::print_stdout, reason = "only the list of the build script is read here")]
mod script;

/// Returns all files below a directory of this crate.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn a_change_of_any_file_that_a_program_is_made_of_compiles_it_again() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_watched = |file: &Path| script::WATCHED.iter().any(|watched| file.starts_with(root.join(watched)));
    let mut files = files_below(&root.join("src"));
    assert!(files.iter().any(|file| file.ends_with("shim/redact.rs")), "{files:?}");
    files.push(root.join("build.rs"));
    // The shim is compiled from files of another crate too.
    let shared = std::fs::read_to_string(root.join("src/shim/redact.rs")).unwrap();
    let shared = shared.lines().filter_map(|line| line.strip_prefix("#[path = \"../../")?.strip_suffix("\"]"));
    files.extend(shared.map(|path| root.join(path)));
    assert!(files.iter().any(|file| file.ends_with("redact/find.rs")), "{files:?}");
    files.retain(|file| !is_watched(file));
    assert_eq!(files, Vec::<PathBuf>::new());
}
