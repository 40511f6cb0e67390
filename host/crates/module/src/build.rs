//! From the sources of a module to its component.

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
use crate::sections::{self, DOCS_SECTION, WIT_SECTION};
use crate::stamp;

/// How a module is built.
pub struct BuildOptions<'a> {
    /// The cargo to run.
    pub cargo: &'a Path,
    /// Cargo's target directory, where it is not the usual one.
    pub target_dir: Option<&'a Path>,
    /// Whether cargo may use colours.
    pub is_colored: bool,
}

/// A component that was built.
#[derive(Debug)]
pub struct Built {
    /// Where it is.
    pub path: PathBuf,
    /// How large it is.
    pub size_bytes: u64,
    /// What a person should know, a sentence each.
    pub warnings: Vec<String>,
}

/// Why a module could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// This version builds Rust.
    #[error("module `{module}` is written in {}, and `host build` builds Rust in this version", language.as_str())]
    Language {
        /// Which module.
        module: String,
        /// What it is written in.
        language: Language,
    },
    /// The component of a module is made by another tool.
    #[error("module `{module}` names the component `{}`, which another tool makes", component.display())]
    Prebuilt {
        /// Which module.
        module: String,
        /// Its component.
        component: PathBuf,
    },
    /// There is nothing to build: the module is made of the functions of others.
    #[error("module `{module}` has no code of its own")]
    NoCode {
        /// Which module.
        module: String,
    },
    /// There is no crate.
    #[error("module `{module}` has no `Cargo.toml`")]
    NoCrate {
        /// Which module.
        module: String,
    },
    /// There is no cargo.
    #[error("cannot run `{}`", cargo.display())]
    NoCargo {
        /// What was looked for.
        cargo: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The standard library for the target is missing.
    #[error("the Rust target `{TARGET}` is not installed")]
    NoTarget,
    /// The compiler refused it, and said why.
    #[error("cargo could not build module `{module}`")]
    Compile {
        /// Which module.
        module: String,
    },
    /// The crate makes no component.
    #[error("the crate of module `{module}` makes no `.wasm` file")]
    NoArtifact {
        /// Which module.
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

/// Builds a module's component, embeds its documentation and remembers what it was made of.
///
/// What cargo says goes to `diagnostics` as it says it.
///
/// # Errors
/// If the module is not written in Rust, a tool is missing, or the compiler refuses it.
pub fn build(
    module: &ModuleDirectory,
    options: &BuildOptions<'_>,
    diagnostics: &mut (dyn Write + Send),
) -> Result<Built, BuildError> {
    check(module)?;
    let started_at = SystemTime::now();
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

/// Embeds the documented WIT that the SDK left in the component, and returns what stood against it.
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
