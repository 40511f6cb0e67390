//! `--only-changed-since`: asks git for changed files, and finds the stages that use them.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pipeline::{StageGraph, StageId};
use store::Selector;

use crate::call::{LocalSource, local_sources};
use crate::config::Config;
use crate::report::{Report, Result};

/// The files that changed since a commit.
pub(super) struct Changes {
    /// Absolute paths without links. Some of the files may have been deleted.
    files: Vec<PathBuf>,
}

impl Changes {
    /// Asks git for the files that differ from a commit, including untracked files that it does not ignore.
    ///
    /// # Errors
    /// If there is no git, no repository around the directory, or no such commit.
    pub(super) fn since(reference: &str, directory: &Path, config: &Config) -> Result<Self> {
        let git = Git { program: config.find_program("git"), directory: directory.to_owned() };
        let top = git.ask(&["rev-parse", "--show-toplevel"])?;
        if !top.status.success() {
            let message = format!("`--only-changed-since` needs a git repository around `{}`", directory.display());
            return Err(Report::input(message).caused_by(said(&top)));
        }
        let top = PathBuf::from(OsStr::from_bytes(top.stdout.trim_ascii_end()));
        let git = Git { directory: top.clone(), ..git };
        let commit = format!("{reference}^{{commit}}");
        let commit = git.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
        if !commit.status.success() {
            return Err(Report::input(format!("the git repository has no commit `{reference}`")).with_hint(
                "`--only-changed-since` takes a commit, a branch or a tag, as in `HEAD~1` or `origin/main`",
            ));
        }
        let commit = String::from_utf8_lossy(commit.stdout.trim_ascii_end()).into_owned();
        let changed = git.list(&["diff", "--name-only", "--no-renames", "-z", &commit, "--"])?;
        let untracked = git.list(&["ls-files", "--others", "--exclude-standard", "-z"])?;
        let top = top.canonicalize().unwrap_or(top);
        Ok(Self { files: changed.into_iter().chain(untracked).map(|path| top.join(path)).collect() })
    }

    /// Returns whether one of these files has changed.
    pub(super) fn has(&self, files: &[PathBuf]) -> bool {
        files.iter().any(|file| {
            let file = file.canonicalize().unwrap_or_else(|_| file.clone());
            self.files.contains(&file)
        })
    }

    /// Returns whether one of these stages is given a path with changes.
    ///
    /// # Errors
    /// If a pattern makes no sense.
    pub(super) fn reach(&self, graph: &StageGraph, stages: &[StageId]) -> Result<bool> {
        for &stage in stages {
            for source in local_sources(graph, stage) {
                if self.touch(&source)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn touch(&self, source: &LocalSource) -> Result<bool> {
        let selector = Selector::new(&source.include, &source.exclude)?;
        let is_taken = |file: &PathBuf| match file.strip_prefix(&source.path) {
            Ok(below) => below.as_os_str().is_empty() || selector.takes(below.as_os_str().as_bytes()),
            Err(_) => false,
        };
        Ok(self.files.iter().any(is_taken))
    }
}

/// Git, in a directory.
struct Git {
    program: Option<PathBuf>,
    directory: PathBuf,
}

impl Git {
    fn ask(&self, words: &[&str]) -> Result<Output> {
        let missing = || Report::environment("`--only-changed-since` needs `git`, which is not on the `PATH`");
        let program = self.program.as_deref().ok_or_else(missing)?;
        let output = Command::new(program).args(words).current_dir(&self.directory).stdin(Stdio::null()).output();
        output.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => missing(),
            _ => Report::environment(format!("cannot run `{}`", program.display())).caused_by(error.to_string()),
        })
    }

    /// Returns the paths that git lists, each with a zero byte behind it.
    fn list(&self, words: &[&str]) -> Result<Vec<PathBuf>> {
        let output = self.ask(words)?;
        if !output.status.success() {
            let verb = words.first().copied().unwrap_or_default();
            return Err(Report::environment(format!("`git {verb}` failed")).caused_by(said(&output)));
        }
        let paths = output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        Ok(paths.map(|path| Path::new(OsStr::from_bytes(path)).to_owned()).collect())
    }
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().next().unwrap_or("it says nothing").to_owned()
}
