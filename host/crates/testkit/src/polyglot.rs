//! Guest programs in Python and JavaScript, built with the public tools of these languages.
//!
//! A tool is installed once, from its registry, into `target/polyglot`. A build takes seconds, so a component is kept
//! under the digest of its sources.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{require, root, run, target_dir};

/// The tools, in the versions that the documentation names.
const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";
const COMPONENTIZE_QJS: &str = "componentize-qjs@0.4.5";

/// What `host build` needs besides for JavaScript and TypeScript.
const FRONT_END: [&str; 2] = ["esbuild@0.27", "typescript@5.9"];

/// A language whose components are built with a tool from its registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Python, built with `componentize-py` from PyPI.
    Python,
    /// JavaScript, built with `componentize-qjs` from npm.
    JavaScript,
}

impl Language {
    /// Returns whether the language is on this machine, as [`require`].
    #[must_use]
    pub fn is_there(self) -> bool {
        match self {
            Self::Python => require("python"),
            Self::JavaScript => require("node"),
        }
    }

    /// Installs the tool unless it is installed, and returns the directory of its program.
    ///
    /// # Panics
    /// If it cannot be installed.
    #[must_use]
    pub fn tool_dir(self) -> PathBuf {
        let home = target_dir().join("polyglot");
        fs::create_dir_all(&home).expect("the build directory can be written");
        // Tests in other processes wait until it is there.
        let lock = File::create(home.join("lock")).expect("the build directory can be written");
        lock.lock().expect("a file can be locked");
        match self {
            Self::Python => {
                let tools = home.join("py");
                if !tools.join("bin/componentize-py").exists() {
                    run(Command::new("python3").args(["-m", "venv"]).arg(&tools));
                    run(Command::new(tools.join("bin/pip")).args(["install", "--quiet", COMPONENTIZE_PY]));
                }
                tools.join("bin")
            }
            Self::JavaScript => {
                let tools = home.join("js");
                let bin = tools.join("node_modules/.bin");
                if !["componentize-qjs", "esbuild", "tsc"].iter().all(|tool| bin.join(tool).exists()) {
                    fs::create_dir_all(&tools).expect("the build directory can be written");
                    run(Command::new("npm")
                        .args(["install", "--silent", "--prefix"])
                        .arg(&tools)
                        .arg(COMPONENTIZE_QJS)
                        .args(FRONT_END));
                }
                bin
            }
        }
    }

    /// Builds a module of `tests/functions/polyglot` unless it is built, and returns its component.
    ///
    /// # Panics
    /// If it cannot be built.
    #[must_use]
    pub fn guest(self, name: &str) -> PathBuf {
        let sources = root().join("tests/functions/polyglot").join(name);
        // Modules without a world of their own share one.
        let own = sources.join("wit");
        let shared = root().join("tests/functions/polyglot/wit");
        let wit = [
            (root().join("wit"), "wit/deps/pipeline-api"),
            (root().join("tests/functions/linked/wit/deps/objects"), "wit/deps/objects"),
            (if own.is_dir() { own } else { shared }, "wit"),
        ];
        let mut inputs: Vec<(PathBuf, String)> = Vec::new();
        for (from, to) in wit {
            inputs.extend(files(&from).into_iter().map(|file| (file, to.to_owned())));
        }
        inputs.extend(files(&sources).into_iter().map(|file| (file, String::new())));
        let built = target_dir().join("polyglot").join(format!("{name}-{:016x}", self.digest(&inputs)));
        let component = built.join(format!("{name}.wasm"));
        let tool = self.tool_dir();
        // One process builds at a time.
        let lock = File::create(target_dir().join("polyglot/build.lock")).expect("the build directory can be written");
        lock.lock().expect("a file can be locked");
        if !component.exists() {
            for (file, to) in &inputs {
                let directory = built.join(to);
                fs::create_dir_all(&directory).expect("the build directory can be written");
                fs::copy(file, directory.join(file.file_name().unwrap_or_default())).expect("the source can be read");
            }
            run(&mut self.build(&tool, &built));
            fs::rename(built.join("partial.wasm"), &component).expect("it was just built");
        }
        component
    }

    fn build(self, tool: &Path, directory: &Path) -> Command {
        let (program, args): (_, &[&str]) = match self {
            Self::Python => {
                ("componentize-py", &["-q", "-d", "wit", "componentize", "-p", ".", "app", "-o", "partial.wasm"])
            }
            Self::JavaScript => {
                ("componentize-qjs", &["--wit", "wit", "--js", "app.js", "--sync", "--opt-size", "-o", "partial.wasm"])
            }
        };
        let mut command = Command::new(tool.join(program));
        command.current_dir(directory).args(args);
        command
    }

    fn digest(self, inputs: &[(PathBuf, String)]) -> u64 {
        let mut hasher = DefaultHasher::new();
        format!("{self:?} {COMPONENTIZE_PY} {COMPONENTIZE_QJS}").hash(&mut hasher);
        for (file, to) in inputs {
            (file.file_name(), to, fs::read(file).expect("the source can be read")).hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// Returns the files right in a directory, sorted.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("it is in the repository");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    files.retain(|file| file.is_file());
    files.sort();
    files
}
