//! Builds the component of a module from its sources.

mod command;
mod error;
mod front_end;
mod javascript;
mod python;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use error::BuildError;

use crate::cargo::{self, CargoRun};
use crate::document;
use crate::fs;
use crate::manifest::Language;
use crate::reference::ModuleDirectory;
use crate::sdk;
use crate::stamp;

/// Options of a build.
pub struct BuildOptions<'a> {
    /// The path of the cargo to run.
    pub cargo: &'a Path,
    /// Cargo's target directory, if it is not the usual one.
    pub target_dir: Option<&'a Path>,
    /// Whether cargo may use colours.
    pub is_colored: bool,
}

/// The result of a build: a component.
#[derive(Debug)]
pub struct Built {
    /// The path of the component.
    pub path: PathBuf,
    /// The size of the component in bytes.
    pub size_bytes: u64,
    /// Warnings for the author of the module, a sentence each.
    pub warnings: Vec<String>,
}

/// Builds the component of a module, embeds its documentation, and keeps a stamp of its sources.
///
/// The messages of cargo, or of the command in the key `build`, go to `diagnostics` as they come. So do the mistakes that
/// a front end finds in sources of other languages, a line each with the file and the line.
///
/// # Errors
/// Fails if the module has no code or is in a language that only the key `build` can build, if a tool is missing, if the
/// sources have mistakes, or if the compiler or the command fails.
pub fn build(
    module: &ModuleDirectory,
    options: &BuildOptions<'_>,
    diagnostics: &mut (dyn Write + Send),
) -> Result<Built, BuildError> {
    if let Some(command) = &module.manifest.build {
        let warnings = command::build(module, command, diagnostics)?;
        let path = module.component(options.target_dir);
        let size_bytes = fs::metadata(&path)?.len();
        return Ok(Built { path, size_bytes, warnings });
    }
    let name = || module.manifest.name.clone();
    if let Some(component) = &module.manifest.component {
        return Err(BuildError::Prebuilt { module: name(), component: component.clone() });
    }
    let started_at = SystemTime::now();
    let made = match module.manifest.language {
        Some(Language::Rust) => of_crate(module, options, diagnostics)?,
        Some(Language::Python) => python::build(module, options.target_dir, diagnostics)?,
        Some(language @ (Language::JavaScript | Language::TypeScript)) => {
            javascript::build(module, language, options.target_dir, diagnostics)?
        }
        None => return Err(BuildError::NoCode { module: name() }),
        Some(language) => return Err(BuildError::Language { module: name(), language }),
    };
    let path = module.component(options.target_dir);
    fs::create_dir_all(&module.output_dir(options.target_dir))?;
    fs::replace(&path, &made.wasm)?;
    let sources = stamp::marks_of_build(&made.sources, started_at)?;
    stamp::write(module, options.target_dir, &sources)?;
    Ok(Built { path, size_bytes: made.wasm.len() as u64, warnings: made.warnings })
}

/// What the tools of a language made.
struct Made {
    /// The component with its documentation.
    wasm: Vec<u8>,
    /// The files that it was made of.
    sources: BTreeSet<PathBuf>,
    /// Warnings for the author of the module, a sentence each.
    warnings: Vec<String>,
}

/// Makes the component of a module in Rust.
fn of_crate(
    module: &ModuleDirectory,
    options: &BuildOptions<'_>,
    diagnostics: &mut (dyn Write + Send),
) -> Result<Made, BuildError> {
    if !module.root.join("Cargo.toml").is_file() {
        return Err(BuildError::NoCrate { module: module.manifest.name.clone() });
    }
    sdk::place_if_used(&module.root)?;
    let artifact = compile(module, options, diagnostics)?;
    let mut wasm = fs::read(&artifact)?;
    let warnings = document::embed(module, &mut wasm);
    Ok(Made { wasm, sources: stamp::sources_of_crate(module, &artifact), warnings })
}

fn compile(
    module: &ModuleDirectory,
    options: &BuildOptions<'_>,
    diagnostics: &mut (dyn Write + Send),
) -> Result<PathBuf, BuildError> {
    // Cargo would notice only after it compiled all macros and build scripts.
    if cargo::has_target(options.cargo, &module.root) == Some(false) {
        return Err(BuildError::NoTarget);
    }
    let run = cargo::build(options.cargo, &module.root, options.target_dir, options.is_colored, diagnostics);
    let CargoRun { status, artifacts } =
        run.map_err(|source| BuildError::NoCargo { cargo: options.cargo.to_owned(), source })?;
    let name = || module.manifest.name.clone();
    match artifacts.into_iter().next_back() {
        _ if !status.success() => Err(BuildError::Compile { module: name() }),
        None => Err(BuildError::NoArtifact { module: name() }),
        Some(artifact) => Ok(artifact),
    }
}
