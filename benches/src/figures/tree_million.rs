//! `tree-million`: a million files in 100,000 directories, beside `git status`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::tree::{Git, digest, settle};
use crate::children;
use crate::measure::{self, N_ROUNDS, Usage};
use crate::report::Row;
use crate::setup::{self, Bench};

/// The number of directories in a directory, for each level. Those of the last level have the files.
const LEVELS: [usize; 3] = [100, 100, 10];
const N_FILES: usize = 10;

/// The number of files that change between two rounds.
const N_CHANGES: usize = 10;

/// Measures the unchanged tree and the tree with ten changed files, and the larger peak memory of both.
pub(super) fn million(bench: &Bench) -> Result<Vec<Row>> {
    let module = bench.module("benches/modules/chain")?;
    let tree = bench.directory("tree-million")?;
    make(&tree)?;
    let git = Git::new(bench, "million", &tree)?;
    let store = bench.directory("store-tree-million")?;
    crate::say("tree-million: git and the store see the tree for the first time");
    settle(bench, &git, &store, &module)?;
    let mut peak_bytes = 0_f64;
    let mut call = || {
        let Usage { seconds, peak_bytes: peak } = measure::run(&mut digest(bench, &store, &module, &tree)?)?;
        peak_bytes = peak_bytes.max(peak);
        Ok(seconds)
    };
    let status = || Ok(measure::run(&mut git.command(&["status"]))?.seconds);
    let same = measure::interleave("tree-million", N_ROUNDS, &mut call, status)?;
    let mut n_rounds = 0;
    let changed = measure::interleave(
        "tree-million-changed",
        N_ROUNDS,
        || {
            n_rounds += 1;
            for n in 0..N_CHANGES {
                // The files are the same ten in each round, because git reports them as changed from then on.
                let path = directory(&tree, [n * 7, n * 3, n]).join("file0");
                setup::write(&path, format!("change {n_rounds} of file {n}\n"))?;
            }
            call()
        },
        status,
    )?;
    fs::remove_dir_all(&tree).with_context(|| format!("cannot remove `{}`", tree.display()))?;
    Ok(vec![
        Row::times("tree-million", same.value, same.reference, 0.8),
        Row::times("tree-million-changed", changed.value, changed.reference, 0.8),
        Row::bytes("tree-million-memory", peak_bytes, f64::from(400 << 20)),
    ])
}

fn directory(tree: &Path, [a, b, c]: [usize; 3]) -> PathBuf {
    tree.join(format!("d{a:02}/d{b:02}/d{c}"))
}

/// Writes the tree. One file of ten has contents, which no other file has. The others are empty, so that the tree
/// needs little space on the disk.
fn make(tree: &Path) -> Result<()> {
    crate::say(&format!("tree-million: making the tree, in {}", tree.display()));
    for a in 0..LEVELS[0] {
        if children::is_stopped() {
            bail!("the measurement was stopped");
        }
        for b in 0..LEVELS[1] {
            for c in 0..LEVELS[2] {
                let directory = directory(tree, [a, b, c]);
                fs::create_dir_all(&directory).with_context(|| format!("cannot make `{}`", directory.display()))?;
                setup::write(&directory.join("file0"), format!("the file of {a} {b} {c}\n"))?;
                for n in 1..N_FILES {
                    let path = directory.join(format!("file{n}"));
                    File::create(&path).with_context(|| format!("cannot make `{}`", path.display()))?;
                }
            }
        }
    }
    Ok(())
}
