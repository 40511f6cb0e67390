//! The files of a new module.

use std::path::{Path, PathBuf};

use graph::{Blame, Diagnostic};

use crate::fs::{self, FsError};
use crate::manifest::{Language, MANIFEST_NAME, is_name};
use crate::sdk;

/// The source of the SDK for a new module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sdk {
    /// The SDK that the program carries. It is put into the module, and every build puts it there again.
    Carried,
    /// The path of a checkout.
    Path(PathBuf),
}

/// What a new module is written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// Rust, with the SDK from there.
    Rust(Sdk),
    /// Python, with the SDK that the program carries.
    Python,
    /// TypeScript, with the SDK that the program carries.
    TypeScript,
    /// JavaScript, with the SDK that the program carries.
    JavaScript,
}

impl Template {
    /// Returns the names of the languages that have a template, as they are in a manifest.
    #[must_use]
    pub fn languages() -> [&'static str; 4] {
        [Language::Rust, Language::Python, Language::TypeScript, Language::JavaScript].map(Language::as_str)
    }

    /// Returns the files of a new module: their paths in it, and their contents.
    fn files(&self, name: &str) -> Result<Vec<(&'static str, String)>, ScaffoldError> {
        let mut files = match self {
            Self::Rust(sdk) => vec![
                (MANIFEST_NAME, manifest(name, Language::Rust)),
                ("Cargo.toml", cargo_toml(name, &quoted_path(sdk)?)),
                ("src/lib.rs", LIB_RS.to_owned()),
            ],
            Self::Python => vec![
                (MANIFEST_NAME, manifest(name, Language::Python)),
                ("main.py", include_str!("scaffold/main.py").to_owned()),
                ("pyproject.toml", include_str!("scaffold/pyproject.toml").to_owned()),
            ],
            Self::TypeScript => of_node(name, Language::TypeScript, "main.ts", include_str!("scaffold/main.ts")),
            Self::JavaScript => of_node(name, Language::JavaScript, "main.js", include_str!("scaffold/main.js")),
        };
        files.push((".gitignore", "/.host\n/node_modules\n/target\n".to_owned()));
        Ok(files)
    }

    /// Puts the SDK that the program carries into the module, if it uses that one.
    fn place_sdk(&self, root: &Path) -> Result<(), FsError> {
        match self {
            Self::Rust(Sdk::Carried) => sdk::place(root),
            Self::Rust(Sdk::Path(_)) => Ok(()),
            Self::Python => sdk::place_python(root).map(drop),
            Self::TypeScript | Self::JavaScript => sdk::place_javascript(root).map(drop),
        }
    }
}

/// Returns the files of a new module whose tools come from npm.
fn of_node(name: &str, language: Language, source: &'static str, text: &str) -> Vec<(&'static str, String)> {
    vec![
        (MANIFEST_NAME, manifest(name, language)),
        (source, text.to_owned()),
        ("package.json", include_str!("scaffold/package.json").to_owned()),
        ("tsconfig.json", include_str!("scaffold/tsconfig.json").to_owned()),
    ]
}

/// The reason why a module was not made.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// The name has characters that are not allowed.
    #[error("`{0}` cannot be the name of a module: it takes lowercase letters, digits and single hyphens")]
    Name(String),
    /// A file exists already. It is not overwritten.
    #[error("`{}` is there already", path.display())]
    Exists {
        /// The path of the file.
        path: PathBuf,
    },
    /// The path of the SDK cannot be written in TOML.
    #[error("the path of the SDK, `{}`, is not UTF-8", path.display())]
    SdkPath {
        /// The path of the SDK.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] FsError),
}

impl Diagnostic for ScaffoldError {
    fn blame(&self) -> Blame {
        match self {
            Self::Name(_) | Self::Exists { .. } | Self::SdkPath { .. } => Blame::User,
            Self::File(error) => error.blame(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Name(_) => Some("give one with `--name`, as in `--name my-module`".to_owned()),
            Self::Exists { .. } => Some("name another directory: nothing is overwritten".to_owned()),
            Self::SdkPath { .. } => None,
            Self::File(error) => error.hint(),
        }
    }
}

/// Writes a new module into `directory` and returns the paths of its files.
///
/// # Errors
/// Fails if one of the files exists, before any is written, or if a file cannot be written.
pub fn scaffold(directory: &Path, name: &str, template: &Template) -> Result<Vec<PathBuf>, ScaffoldError> {
    if !is_name(name) {
        return Err(ScaffoldError::Name(name.to_owned()));
    }
    let files = template.files(name)?;
    // An existing ignore file is kept.
    let is_kept = |path: &Path| path.ends_with(".gitignore") && path.exists();
    let paths: Vec<PathBuf> = files.iter().map(|(file, _)| directory.join(file)).collect();
    if let Some(path) = paths.iter().find(|path| path.exists() && !is_kept(path)) {
        return Err(ScaffoldError::Exists { path: path.clone() });
    }
    let mut written = Vec::new();
    for (path, (_, contents)) in paths.into_iter().zip(&files) {
        if !is_kept(&path) {
            fs::create_dir_all(path.parent().unwrap_or(directory))?;
            fs::write_new(&path, contents)?;
            written.push(path);
        }
    }
    template.place_sdk(directory)?;
    Ok(written)
}

/// Returns the path of the SDK as TOML has it.
fn quoted_path(sdk: &Sdk) -> Result<String, ScaffoldError> {
    match sdk {
        Sdk::Carried => Ok(quoted(sdk::PATH)),
        Sdk::Path(path) => path.to_str().map(quoted).ok_or_else(|| ScaffoldError::SdkPath { path: path.clone() }),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn manifest(name: &str, language: Language) -> String {
    format!(
        "name = \"{name}\"
version = \"0.1.0\"
language = \"{}\"
# What the stages may do besides computing; `machine` is to use the tools installed here.
allow = [\"machine\"]
",
        language.as_str()
    )
}

fn cargo_toml(name: &str, path: &str) -> String {
    format!(
        "[package]
name = \"{name}\"
version = \"0.1.0\"
edition = \"2024\"
publish = false

[lib]
crate-type = [\"cdylib\"]

[dependencies]
guest-sdk = {{ path = {path} }}

[profile.release]
# A panic names the file and the line of the stage's source.
debug = \"line-tables-only\"
strip = \"none\"
opt-level = \"s\"

# A workspace of its own, wherever the directory is. The SDK in `.host` is put there by `host build`.
[workspace]
exclude = [\".host\"]
"
    )
}

const LIB_RS: &str = r#"//! The stages of this module; `host functions` lists them.

use guest_sdk::prelude::*;

/// Greets people and counts lines.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Returns a greeting.
    pub fn hello(
        /// The person to greet.
        #[default("world")]
        name: String,
    ) -> String {
        format!("Hello, {name}!")
    }

    /// Counts the lines of each file with `wc`, and returns a directory with the result.
    pub fn build(
        /// The directory with the files.
        src: Directory,
    ) -> Directory {
        machine::rootfs()
            .with_directory("/src", src)
            .with_workdir("/src")
            .with_exec(["sh", "-c", "mkdir -p /out && find . -type f -exec wc -l {} + > /out/lines.txt"])
            .directory("/out")
    }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::ModuleManifest;

    #[test]
    fn a_new_module_has_a_good_manifest_and_nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let template = Template::Rust(Sdk::Path("/a \"b\"/guest-sdk".into()));
        let written = scaffold(dir.path(), "demo", &template).unwrap();
        assert_eq!(written.len(), 4);
        assert_eq!(ModuleManifest::load(&dir.path().join("host.toml")).unwrap().name, "demo");
        let cargo = std::fs::read_to_string(dir.path().join("Cargo.toml")).unwrap();
        assert!(cargo.contains(r#"guest-sdk = { path = "/a \"b\"/guest-sdk" }"#), "{cargo}");
        assert!(!dir.path().join(".host").exists());
        assert!(matches!(scaffold(dir.path(), "demo", &template), Err(ScaffoldError::Exists { .. })));
        assert!(matches!(scaffold(dir.path(), "De mo", &template), Err(ScaffoldError::Name(_))));
    }

    #[test]
    fn a_new_module_names_no_path_outside_of_itself() {
        let dir = tempfile::tempdir().unwrap();
        scaffold(dir.path(), "demo", &Template::Rust(Sdk::Carried)).unwrap();
        let cargo = std::fs::read_to_string(dir.path().join("Cargo.toml")).unwrap();
        assert!(cargo.contains("guest-sdk = { path = \".host/guest-sdk\" }"), "{cargo}");
        assert!(dir.path().join(".host/guest-sdk/Cargo.toml").is_file());
        assert!(dir.path().join(".host/wit/world.wit").is_file());
    }
}
