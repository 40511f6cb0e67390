//! Builds the component of a module from its sources.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use graph::{Blame, Diagnostic};

use crate::cargo::{self, CargoRun, TARGET};
use crate::docs;
use crate::fs::{self, FsError};
use crate::manifest::Language;
use crate::reference::ModuleDirectory;
use crate::sdk;
use crate::sections::{self, DOCS_SECTION, WIT_SECTION};
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

/// The reason why a module could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The module is written in a language that this version does not build.
    #[error("module `{module}` is written in {}, and `host build` builds Rust in this version", language.as_str())]
    Language {
        /// The name of the module.
        module: String,
        /// The language of the module.
        language: Language,
    },
    /// The manifest names a component that another tool makes.
    #[error("module `{module}` names the component `{}`, which another tool makes", component.display())]
    Prebuilt {
        /// The name of the module.
        module: String,
        /// The path of the component.
        component: PathBuf,
    },
    /// The module has no code: it is made of the functions of other modules.
    #[error("module `{module}` has no code of its own")]
    NoCode {
        /// The name of the module.
        module: String,
    },
    /// The directory has no `Cargo.toml`.
    #[error("module `{module}` has no `Cargo.toml`")]
    NoCrate {
        /// The name of the module.
        module: String,
    },
    /// Cargo cannot be run.
    #[error("cannot run `{}`", cargo.display())]
    NoCargo {
        /// The path of cargo.
        cargo: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The standard library for the target is not installed.
    #[error("the Rust target `{TARGET}` is not installed")]
    NoTarget,
    /// The compiler refused the module, and told the reason.
    #[error("cargo could not build module `{module}`")]
    Compile {
        /// The name of the module.
        module: String,
    },
    /// The crate makes no component.
    #[error("the crate of module `{module}` makes no `.wasm` file")]
    NoArtifact {
        /// The name of the module.
        module: String,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FsError),
}

impl Diagnostic for BuildError {
    fn blame(&self) -> Blame {
        match self {
            Self::Language { .. } | Self::Prebuilt { .. } | Self::NoCode { .. } | Self::NoCrate { .. } => Blame::User,
            Self::NoCargo { .. } | Self::NoTarget => Blame::Environment,
            Self::Compile { .. } | Self::NoArtifact { .. } => Blame::Function,
            Self::File(error) => error.blame(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Language { .. } => Some(
                "build the component with the language's own tool and name it with `component = \"PATH.wasm\"`, \
                 or call the `.wasm` file with `-m`"
                    .into(),
            ),
            Self::Prebuilt { .. } => Some("remove `component` from `host.toml` to build it here".into()),
            Self::NoCode { .. } => {
                Some("build the modules of its `[dependencies]`, or add `language` to `host.toml`".into())
            }
            Self::NoCrate { .. } => Some("`host init` makes one".into()),
            Self::NoCargo { .. } => {
                Some("install Rust with `curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh`".into())
            }
            Self::NoTarget => Some(format!("install it with `rustup target add {TARGET}`")),
            Self::Compile { .. } => None,
            Self::NoArtifact { .. } => Some("add `crate-type = [\"cdylib\"]` to `[lib]` in `Cargo.toml`".into()),
            Self::File(error) => error.hint(),
        }
    }
}

/// Builds the component of a module, embeds its documentation, and keeps a stamp of its sources.
///
/// The messages of cargo go to `diagnostics` as they come.
///
/// # Errors
/// Fails if the module is not written in Rust, if a tool is missing, or if the compiler refuses the module.
pub fn build(
    module: &ModuleDirectory,
    options: &BuildOptions<'_>,
    diagnostics: &mut (dyn Write + Send),
) -> Result<Built, BuildError> {
    check(module)?;
    let started_at = SystemTime::now();
    sdk::place_if_used(&module.root)?;
    let artifact = compile(module, options, diagnostics)?;
    let mut wasm = fs::read(&artifact)?;
    let warnings = document(module, &mut wasm);
    let path = module.component(options.target_dir);
    fs::create_dir_all(&module.output_dir(options.target_dir))?;
    fs::replace(&path, &wasm)?;
    let sources: BTreeSet<PathBuf> = stamp::sources(module, &artifact);
    stamp::write(module, options.target_dir, &sources, started_at)?;
    Ok(Built { path, size_bytes: wasm.len() as u64, warnings })
}

fn check(module: &ModuleDirectory) -> Result<(), BuildError> {
    let name = || module.manifest.name.clone();
    if let Some(component) = &module.manifest.component {
        return Err(BuildError::Prebuilt { module: name(), component: component.clone() });
    }
    match module.manifest.language {
        Some(Language::Rust) => {}
        None => return Err(BuildError::NoCode { module: name() }),
        Some(language) => return Err(BuildError::Language { module: name(), language }),
    }
    match module.root.join("Cargo.toml").is_file() {
        true => Ok(()),
        false => Err(BuildError::NoCrate { module: name() }),
    }
}

fn compile(
    module: &ModuleDirectory,
    options: &BuildOptions<'_>,
    diagnostics: &mut (dyn Write + Send),
) -> Result<PathBuf, BuildError> {
    let run = cargo::build(options.cargo, &module.root, options.target_dir, options.is_colored, diagnostics);
    let CargoRun { status, artifacts } =
        run.map_err(|source| BuildError::NoCargo { cargo: options.cargo.to_owned(), source })?;
    let name = || module.manifest.name.clone();
    match artifacts.into_iter().next_back() {
        _ if !status.success() && !cargo::has_target(options.cargo, &module.root) => Err(BuildError::NoTarget),
        _ if !status.success() => Err(BuildError::Compile { module: name() }),
        None => Err(BuildError::NoArtifact { module: name() }),
        Some(artifact) => Ok(artifact),
    }
}

/// Embeds the documented WIT that the SDK left in the component. Returns a warning if that is not possible.
fn document(module: &ModuleDirectory, wasm: &mut Vec<u8>) -> Vec<String> {
    let name = &module.manifest.name;
    let Some(text) = sections::find(wasm, WIT_SECTION) else {
        return vec![format!("module `{name}` has no embedded WIT: `--help` will show types and no documentation")];
    };
    let encoded = match std::str::from_utf8(text) {
        Ok(text) => docs::encode(text),
        Err(error) => Err(error.to_string()),
    };
    match encoded {
        Ok(docs) => {
            sections::append(wasm, DOCS_SECTION, &docs);
            Vec::new()
        }
        Err(error) => vec![format!("the documentation of module `{name}` cannot be embedded: {error}")],
    }
}
