//! `tree-cold`, `tree-same` and `tree-changed`: a large directory of the user, beside git.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::measure::{self, N_ROUNDS};
use crate::report::Row;
use crate::setup::{self, Bench, program};
use crate::worker::Random;

const N_TOP: usize = 50;
const N_DIRECTORIES: usize = 100;
const N_FILES: usize = 10;

/// The smallest and the largest size of a file in bytes: 7.3 KB on average, 365 MB in all.
const SIZES: (f64, f64) = (100.0, 45_000.0);

/// Git, with a repository outside of the tree, so that a scan of the tree does not read the repository.
pub(super) struct Git {
    program: PathBuf,
    repository: PathBuf,
    tree: PathBuf,
}

/// Measures a scan with an empty store, beside git with an empty index.
pub(super) fn cold(bench: &Bench) -> Result<Vec<Row>> {
    let (git, module) = prepare(bench, "cold")?;
    let store = bench.directory("store-tree-cold")?;
    let pair = measure::interleave(
        "tree-cold",
        N_ROUNDS,
        || {
            setup::empty(&store)?;
            Ok(measure::run(&mut digest(bench, &store, &module, &git.tree)?)?.seconds)
        },
        || {
            git.fresh()?;
            Ok(measure::run(&mut git.command(&["add", "-A"]))?.seconds)
        },
    )?;
    Ok(vec![Row::times("tree-cold", pair.value, pair.reference, 0.1)])
}

/// Measures a scan with a store that has seen the tree, beside git with an index that has it.
pub(super) fn same(bench: &Bench) -> Result<Vec<Row>> {
    let (git, module) = prepare(bench, "same")?;
    let store = bench.directory("store-tree-same")?;
    settle(bench, &git, &store, &module)?;
    let pair = measure::interleave(
        "tree-same",
        N_ROUNDS,
        || Ok(measure::run(&mut digest(bench, &store, &module, &git.tree)?)?.seconds),
        || Ok(measure::run(&mut git.command(&["status"]))?.seconds),
    )?;
    Ok(vec![Row::times("tree-same", pair.value, pair.reference, 1.2)])
}

/// Measures the same after ten files were changed.
pub(super) fn changed(bench: &Bench) -> Result<Vec<Row>> {
    let (git, module) = prepare(bench, "changed")?;
    let store = bench.directory("store-tree-changed")?;
    settle(bench, &git, &store, &module)?;
    let mut n_changes = 0;
    let pair = measure::interleave(
        "tree-changed",
        N_ROUNDS,
        || {
            n_changes += 1;
            // The files are the same ten in each round, because git reports them as changed from then on.
            for top in 0..10 {
                let path = file(&git.tree, top * 5, top * 7, top);
                setup::write(&path, format!("change {n_changes} of file {top}\n"))?;
            }
            Ok(measure::run(&mut digest(bench, &store, &module, &git.tree)?)?.seconds)
        },
        || Ok(measure::run(&mut git.command(&["status"]))?.seconds),
    )?;
    Ok(vec![Row::times("tree-changed", pair.value, pair.reference, 1.3)])
}

fn prepare(bench: &Bench, name: &str) -> Result<(Git, String)> {
    let module = bench.module("benches/modules/chain")?;
    Ok((Git::new(bench, name, bench.tree(make)?)?, module))
}

/// Lets git and the store see the tree twice, with a pause, so that the times of all files can be trusted.
pub(super) fn settle(bench: &Bench, git: &Git, store: &Path, module: &str) -> Result<()> {
    git.fresh()?;
    measure::output(&mut git.command(&["add", "-A"]))?;
    measure::output(&mut git.command(&["commit", "--quiet", "--message", "all"]))?;
    let first = measure::output(&mut digest(bench, store, module, &git.tree)?)?;
    std::thread::sleep(std::time::Duration::from_secs(2));
    measure::output(&mut git.command(&["status"]))?;
    let second = measure::output(&mut digest(bench, store, module, &git.tree)?)?;
    ensure!(first == second, "the digest of the tree was {first} and is {second}");
    Ok(())
}

pub(super) fn digest(bench: &Bench, store: &Path, module: &str, tree: &Path) -> Result<Command> {
    let mut command = bench.command(store, &["call", "-m", module, "digest", "--src"])?;
    command.arg(tree);
    Ok(command)
}

impl Git {
    /// Makes an empty directory for the repository.
    pub(super) fn new(bench: &Bench, name: &str, tree: &Path) -> Result<Self> {
        let repository = bench.directory(&format!("git-{name}"))?;
        Ok(Self { program: program("git", "git")?, repository, tree: tree.to_owned() })
    }

    /// Makes a new repository with an empty index.
    fn fresh(&self) -> Result<()> {
        setup::empty(&self.repository)?;
        measure::output(&mut self.command(&["init", "--quiet"])).map(|_| ())
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["-c", "gc.auto=0", "-c", "user.name=bench", "-c", "user.email=bench@example.org"])
            .args(args)
            .current_dir(&self.tree)
            .env("GIT_DIR", &self.repository)
            .env("GIT_WORK_TREE", &self.tree)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }
}

fn file(tree: &Path, top: usize, directory: usize, file: usize) -> PathBuf {
    tree.join(format!("d{top:02}/d{directory:02}/file{file}.txt"))
}

/// Writes the tree, which is the same on every machine.
fn make(tree: &Path) -> Result<()> {
    crate::say(&format!("making a tree of {} files in {}", N_TOP * N_DIRECTORIES * N_FILES, tree.display()));
    let mut random = Random::new(1);
    let mut text = String::new();
    for top in 0..N_TOP {
        for directory in 0..N_DIRECTORIES {
            let parent = file(tree, top, directory, 0);
            let parent = parent.parent().context("a file has a parent")?;
            fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
            for n in 0..N_FILES {
                let (least, most) = SIZES;
                let size = random.size(least, most);
                text.clear();
                random.write_text(&mut text, size);
                setup::write(&file(tree, top, directory, n), &text)?;
            }
        }
    }
    Ok(())
}
