//! What the front end of a language found in an author's sources.
//!
//! A front end is a program in the language itself, which the language's toolchain runs anyway. It prints JSON: the
//! interface with the source files, or the mistakes.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use guest_sdk_interface::Interface;
use serde::Deserialize;

use super::command;
use super::error::BuildError;
use crate::manifest::{API_DIRECTORY, Language, MANIFEST_NAME};
use crate::reference::ModuleDirectory;
use crate::{docs, fs, sdk, wit};

/// The answer of a front end.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Answer {
    /// The sources have an interface.
    Found {
        interface: Interface,
        /// The absolute paths of the source files.
        sources: BTreeSet<PathBuf>,
    },
    /// The sources have mistakes.
    Refused { mistakes: Vec<Mistake> },
    /// A package that reads the sources is not installed.
    Missing { missing: String },
}

/// A mistake in the sources of a module.
#[derive(Deserialize)]
pub(super) struct Mistake {
    /// The path of the file, relative to the module.
    path: String,
    /// The line. The first line is 1, and 0 means the whole file.
    line: usize,
    message: String,
    hint: Option<String>,
}

/// The tools of a language.
pub(super) struct Tools {
    pub(super) language: Language,
    /// The command that installs what makes components.
    pub(super) install: String,
}

impl Tools {
    /// Returns a program that is on the `PATH`.
    pub(super) fn find(&self, tool: &str, root: &Path) -> Result<PathBuf, BuildError> {
        if command::is_there(tool, root) { Ok(PathBuf::from(tool)) } else { Err(self.missing(tool)) }
    }

    /// Returns the error of a tool that is not there.
    pub(super) fn missing(&self, tool: &str) -> BuildError {
        BuildError::NoTool { tool: tool.to_owned(), language: self.language, install: self.install.clone() }
    }

    /// Runs the program that makes a component, and returns the component. What it prints is shown if it fails.
    pub(super) fn componentize(
        &self,
        module: &ModuleDirectory,
        tool: &'static str,
        run: &mut Command,
        component: &Path,
        diagnostics: &mut (dyn Write + Send),
    ) -> Result<Vec<u8>, BuildError> {
        let mut printed = Vec::new();
        let status = command::stream(run.current_dir(&module.root), &mut printed).map_err(|_| self.missing(tool))?;
        if status.success() {
            return Ok(fs::read(component)?);
        }
        // Nobody reads it if it cannot be written.
        let _ = diagnostics.write_all(&printed);
        Err(BuildError::Tool { module: module.manifest.name.clone(), tool })
    }
}

/// Runs a front end, and returns its answer.
pub(super) fn ask(
    module: &ModuleDirectory,
    tool: &'static str,
    run: &mut Command,
    diagnostics: &mut (dyn Write + Send),
) -> Result<Answer, BuildError> {
    let answer = run.stdin(Stdio::null()).output().and_then(|output| {
        let _ = diagnostics.write_all(&output.stderr);
        serde_json::from_slice(&output.stdout).map_err(io::Error::other)
    });
    answer.map_err(|_| BuildError::Tool { module: module.manifest.name.clone(), tool })
}

impl Answer {
    /// Returns the interface and the source files, or shows the mistakes.
    pub(super) fn accepted(
        self,
        module: &ModuleDirectory,
        tools: &Tools,
        diagnostics: &mut (dyn Write + Send),
    ) -> Result<(Interface, BTreeSet<PathBuf>), BuildError> {
        let mistakes = match self {
            Self::Found { interface, mut sources } => {
                sources.insert(fs::canonicalize(&module.root.join(MANIFEST_NAME))?);
                return Ok((interface, sources));
            }
            Self::Refused { mistakes } => mistakes,
            Self::Missing { missing } => return Err(tools.missing(&missing)),
        };
        for mistake in &mistakes {
            // Nobody reads them if they cannot be written.
            let _ = diagnostics.write_all(mistake.text().as_bytes());
        }
        Err(BuildError::Sources { module: module.manifest.name.clone(), n_mistakes: mistakes.len() })
    }
}

impl Mistake {
    fn text(&self) -> String {
        let at = if self.line == 0 { self.path.clone() } else { format!("{}:{}", self.path, self.line) };
        let hint = self.hint.iter().map(|hint| format!("  hint: {hint}\n")).collect::<String>();
        format!("error: {at}: {}\n{hint}", self.message)
    }
}

/// Writes the interface and the package `pipeline:api` into a directory for tools that read WIT. Returns the documented
/// WIT as `host build` embeds it.
pub(super) fn place_wit(
    module: &ModuleDirectory,
    interface: &Interface,
    directory: &Path,
) -> Result<Vec<u8>, BuildError> {
    let name = &module.manifest.name;
    let text = interface.package(name, &module.manifest.version);
    let encoded = docs::encode(&text).map_err(|reason| BuildError::Interface { module: name.clone(), reason })?;
    sdk::put(&directory.join("stages.wit"), &text)?;
    for (file, text) in wit::FILES {
        sdk::put(&directory.join("deps").join(API_DIRECTORY).join(file), text)?;
    }
    Ok(encoded)
}
