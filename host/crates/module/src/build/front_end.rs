//! What the front end of a language found in an author's sources.
//!
//! A front end is a program in the language itself, which the language's toolchain runs anyway. It prints JSON: the
//! interface with the source files, or the mistakes.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use guest_sdk_interface::Interface;
use serde::Deserialize;

use super::error::BuildError;
use crate::manifest::API_DIRECTORY;
use crate::reference::ModuleDirectory;
use crate::{docs, sdk, wit};

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

impl Answer {
    /// Returns the interface and the source files, or shows the mistakes.
    pub(super) fn accepted(
        self,
        module: &ModuleDirectory,
        diagnostics: &mut (dyn Write + Send),
    ) -> Result<(Interface, BTreeSet<PathBuf>), BuildError> {
        let mistakes = match self {
            Self::Found { interface, sources } => return Ok((interface, sources)),
            Self::Refused { mistakes } => mistakes,
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
