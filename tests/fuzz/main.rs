//! What the fuzzer begins with is read by the functions that it calls, so that they are right without it.

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "it is a library of its own, too")]
mod fuzz;

use std::path::Path;

#[test]
fn no_file_of_the_corpora_is_too_much_for_its_reader() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, _) in fuzz::TARGETS {
        let files = std::fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let files: Vec<_> = files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        assert!(!files.is_empty(), "{name}");
        files.iter().for_each(|bytes| fuzz::run(name, bytes));
    }
}

#[test]
fn each_target_has_a_program() {
    let manifest = include_str!("../../fuzz/Cargo.toml");
    let programs = manifest.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let names: Vec<&str> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
    // The first two are the package and its library.
    assert_eq!(programs.skip(2).collect::<Vec<_>>(), names);
}
