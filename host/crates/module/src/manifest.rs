//! The manifest of a module, `host.toml`.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use graph::{Blame, Diagnostic};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fs::{self, FsError};
use crate::near::suggestion;

/// What the manifest is called.
pub const MANIFEST_NAME: &str = "host.toml";

/// The powers that a module may be granted: the interfaces of `pipeline:api` that no world gives.
pub const POWERS: &[&str] = &["machine", "sources", "effects", "secret-access"];

const KEYS: &[&str] = &["name", "version", "language", "description", "allow", "network", "component"];

/// What a module says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleManifest {
    /// In kebab case.
    pub name: String,
    /// Three numbers, as in `0.1.0`; a pre-release and build metadata may follow.
    pub version: String,
    /// What it is written in; not needed where `component` is given.
    pub language: Option<Language>,
    /// One sentence.
    pub description: Option<String>,
    /// The powers granted when its directory is called; some of [`POWERS`].
    pub allow: BTreeSet<String>,
    /// Whether commands may reach the network; they may unless it says `false`.
    pub network: bool,
    /// A component that some other tool makes, relative to the manifest.
    pub component: Option<PathBuf>,
}

/// What a module is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Built by `host build`.
    Rust,
    /// With componentize-py.
    Python,
    /// With componentize-qjs.
    JavaScript,
    /// Bundled, then as JavaScript.
    TypeScript,
    /// With wit-bindgen and the Go toolchain.
    Go,
    /// With wit-bindgen and clang.
    C,
}

impl Language {
    const ALL: &[(&str, Self)] = &[
        ("rust", Self::Rust),
        ("python", Self::Python),
        ("javascript", Self::JavaScript),
        ("typescript", Self::TypeScript),
        ("go", Self::Go),
        ("c", Self::C),
    ];

    /// Returns the name as a manifest has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, language)| *language == self).map_or("", |(name, _)| name)
    }
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It cannot be read.
    #[error(transparent)]
    Read(FsError),
    /// Something in it is wrong.
    #[error("`{}:{line}:{column}`: {problem}", path.display())]
    At {
        /// Which manifest.
        path: PathBuf,
        /// Counts from 1.
        line: usize,
        /// Counts characters from 1.
        column: usize,
        /// What is wrong.
        problem: ManifestProblem,
    },
}

/// What is wrong in a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestProblem {
    /// It is not TOML.
    #[error("{0}")]
    Syntax(String),
    /// There is no such key.
    #[error("there is no key `{0}` in a manifest")]
    UnknownKey(String),
    /// A key that must be there is not.
    #[error("the key `{0}` is missing")]
    MissingKey(&'static str),
    /// A value of another type.
    #[error("`{key}` takes {expected}, not {found}")]
    WrongType {
        /// The key.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A name with other characters.
    #[error("`{0}` cannot be the name of a module: it takes lowercase letters, digits and single hyphens")]
    Name(String),
    /// A version that is none.
    #[error("`{0}` is not a version: it takes three numbers, as in `0.1.0`")]
    Version(String),
    /// A language that nobody knows.
    #[error("`{0}` is not a language")]
    Language(String),
    /// A power that does not exist.
    #[error("`{0}` is not a power")]
    Power(String),
}

impl Diagnostic for ManifestError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read(error) => error.blame(),
            Self::At { .. } => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        let Self::At { problem, .. } = self else { return None };
        match problem {
            ManifestProblem::UnknownKey(key) => Some(suggestion(key, KEYS, "a manifest has")),
            ManifestProblem::MissingKey("language") => Some(
                "add `language = \"rust\"`, or `component = \"PATH.wasm\"` for a component made by another tool".into(),
            ),
            ManifestProblem::MissingKey(key) => Some(format!("add `{key} = \"...\"`")),
            ManifestProblem::Language(name) => {
                let names: Vec<&str> = Language::ALL.iter().map(|(name, _)| *name).collect();
                Some(suggestion(name, &names, "languages"))
            }
            ManifestProblem::Power(name) => Some(suggestion(name, POWERS, "powers")),
            ManifestProblem::Syntax(_)
            | ManifestProblem::WrongType { .. }
            | ManifestProblem::Name(_)
            | ManifestProblem::Version(_) => None,
        }
    }
}

impl ModuleManifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// If it cannot be read, is not TOML, or says something that a manifest cannot say.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let text = fs::read_text(path).map_err(ManifestError::Read)?;
        Self::parse(path, &text)
    }

    /// Parses a manifest; `path` is for errors.
    ///
    /// # Errors
    /// If it is not TOML, or says something that a manifest cannot say.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ManifestError> {
        Reader { path, text }.manifest()
    }
}

/// Returns whether it can be the name of a module.
pub(crate) fn is_name(name: &str) -> bool {
    let mut parts = name.split('-');
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && parts.all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

fn is_version(version: &str) -> bool {
    let (numbers, rest) = match version.find(['-', '+']) {
        Some(at) => version.split_at(at),
        None => (version, ""),
    };
    let numbers: Vec<&str> = numbers.split('.').collect();
    let is_number = |number: &&str| number.parse::<u64>().is_ok() && (number.len() == 1 || !number.starts_with('0'));
    numbers.len() == 3
        && numbers.iter().all(is_number)
        && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-+.".contains(c))
        && rest.len() != 1
}

/// Takes a parsed document apart, with places for errors.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn manifest(&self) -> Result<ModuleManifest, ManifestError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let message = error.message().lines().next().unwrap_or_default().trim_end_matches(", expected nothing");
            let span = error.span().unwrap_or(0..0);
            let problem = match self.text.get(span.clone()) {
                // It is all that the message lacks.
                Some(key) if message == "duplicate key" => format!("the key `{key}` is given twice"),
                _ => message.to_owned(),
            };
            self.error(span, ManifestProblem::Syntax(problem))
        })?;
        let table = table.into_inner();
        if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.get_ref().as_ref())) {
            return Err(self.error(key.span(), ManifestProblem::UnknownKey(key.get_ref().to_string())));
        }
        let component = self.text(&table, "component")?.map(|(path, _)| PathBuf::from(path));
        let language = self.language(&table)?;
        let manifest = ModuleManifest {
            name: self.required(&table, "name", is_name, ManifestProblem::Name)?,
            version: self.required(&table, "version", is_version, ManifestProblem::Version)?,
            language,
            description: self.text(&table, "description")?.map(|(text, _)| text),
            allow: self.allow(&table)?,
            network: self.flag(&table, "network", true)?,
            component,
        };
        if manifest.language.is_none() && manifest.component.is_none() {
            return Err(self.missing("language"));
        }
        Ok(manifest)
    }

    fn required(
        &self,
        table: &DeTable<'_>,
        key: &'static str,
        is_good: fn(&str) -> bool,
        problem: fn(String) -> ManifestProblem,
    ) -> Result<String, ManifestError> {
        match self.text(table, key)? {
            None => Err(self.missing(key)),
            Some((text, _)) if is_good(&text) => Ok(text),
            Some((text, span)) => Err(self.error(span, problem(text))),
        }
    }

    fn language(&self, table: &DeTable<'_>) -> Result<Option<Language>, ManifestError> {
        let Some((text, span)) = self.text(table, "language")? else { return Ok(None) };
        match Language::ALL.iter().find(|(name, _)| *name == text) {
            Some((_, language)) => Ok(Some(*language)),
            None => Err(self.error(span, ManifestProblem::Language(text))),
        }
    }

    fn allow(&self, table: &DeTable<'_>) -> Result<BTreeSet<String>, ManifestError> {
        let Some(value) = table.get("allow") else { return Ok(BTreeSet::new()) };
        let DeValue::Array(items) = value.get_ref() else {
            return Err(self.wrong_type("allow", "a list of powers", value));
        };
        let mut powers = BTreeSet::new();
        for item in items.iter() {
            let DeValue::String(power) = item.get_ref() else {
                return Err(self.wrong_type("allow", "a list of powers", item));
            };
            if !POWERS.contains(&power.as_ref()) {
                return Err(self.error(item.span(), ManifestProblem::Power(power.to_string())));
            }
            powers.insert(power.to_string());
        }
        Ok(powers)
    }

    fn text(&self, table: &DeTable<'_>, key: &str) -> Result<Option<(String, Range<usize>)>, ManifestError> {
        match table.get(key) {
            None => Ok(None),
            Some(value) => match value.get_ref() {
                DeValue::String(text) => Ok(Some((text.to_string(), value.span()))),
                _ => Err(self.wrong_type(key, "a string", value)),
            },
        }
    }

    fn flag(&self, table: &DeTable<'_>, key: &str, default: bool) -> Result<bool, ManifestError> {
        let Some(value) = table.get(key) else { return Ok(default) };
        match value.get_ref() {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => Err(self.wrong_type(key, "true or false", value)),
        }
    }

    fn wrong_type(&self, key: &str, expected: &'static str, value: &Spanned<DeValue<'_>>) -> ManifestError {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(value.span(), ManifestProblem::WrongType { key: key.to_owned(), expected, found })
    }

    fn missing(&self, key: &'static str) -> ManifestError {
        self.error(0..0, ManifestProblem::MissingKey(key))
    }

    fn error(&self, span: Range<usize>, problem: ManifestProblem) -> ManifestError {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        ManifestError::At { path: self.path.to_owned(), line, column, problem }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expect: &Expect) {
        let shown = match ModuleManifest::parse(Path::new("host.toml"), text) {
            Ok(manifest) => format!("{manifest:?}"),
            Err(error) => format!("{error}\nhint: {}", error.hint().unwrap_or_default()),
        };
        expect.assert_eq(&shown);
    }

    const GOOD: &str = "name = \"demo\"\nversion = \"0.1.0\"\nlanguage = \"rust\"\n";

    #[test]
    fn a_manifest_says_what_a_module_is() {
        check(
            &format!("{GOOD}allow = [\"machine\"]\n"),
            &expect![[
                r#"ModuleManifest { name: "demo", version: "0.1.0", language: Some(Rust), description: None, allow: {"machine"}, network: true, component: None }"#
            ]],
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place_and_what_is_near() {
        check(
            &format!("{GOOD}\n  alow = []\n"),
            &expect![[r#"
            `host.toml:5:3`: there is no key `alow` in a manifest
            hint: did you mean `allow`?"#]],
        );
        check(
            &format!("{GOOD}[tools]\n"),
            &expect![[r#"
            `host.toml:4:2`: there is no key `tools` in a manifest
            hint: a manifest has: name, version, language, description, allow, network, component"#]],
        );
    }

    #[test]
    fn a_wrong_type_is_named_with_its_place() {
        check(
            "name = 7\n",
            &expect![[r#"
            `host.toml:1:8`: `name` takes a string, not an integer
            hint: "#]],
        );
        check(
            &format!("{GOOD}network = \"no\"\n"),
            &expect![[r#"
            `host.toml:4:11`: `network` takes true or false, not a string
            hint: "#]],
        );
        check(
            &format!("{GOOD}allow = \"machine\"\n"),
            &expect![[r#"
            `host.toml:4:9`: `allow` takes a list of powers, not a string
            hint: "#]],
        );
    }

    #[test]
    fn what_is_not_toml_is_named_with_its_place() {
        check(
            "name = \"demo\"\nversion = 0.1.0\n",
            &expect![[r#"
            `host.toml:2:14`: invalid float
            hint: "#]],
        );
    }

    #[test]
    fn a_value_that_makes_no_sense_is_named() {
        check(
            "name = \"My Module\"\nlanguage = \"rust\"\n",
            &expect![[r#"
            `host.toml:1:8`: `My Module` cannot be the name of a module: it takes lowercase letters, digits and single hyphens
            hint: "#]],
        );
        check(
            "name = \"a\"\nversion = \"1.0\"\nlanguage = \"rust\"\n",
            &expect![[r#"
            `host.toml:2:11`: `1.0` is not a version: it takes three numbers, as in `0.1.0`
            hint: "#]],
        );
        check(
            "language = \"rst\"\n",
            &expect![[r#"
            `host.toml:1:12`: `rst` is not a language
            hint: did you mean `rust`?"#]],
        );
        check(
            &format!("{GOOD}allow = [\"machines\"]\n"),
            &expect![[r#"
            `host.toml:4:10`: `machines` is not a power
            hint: did you mean `machine`?"#]],
        );
        check(
            "name = \"a\"\nversion = \"1.0.0\"\n",
            &expect![[r#"
            `host.toml:1:1`: the key `language` is missing
            hint: add `language = "rust"`, or `component = "PATH.wasm"` for a component made by another tool"#]],
        );
    }

    #[test]
    fn versions_are_three_numbers() {
        for good in ["0.1.0", "1.2.3-rc.1", "1.2.3+build"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "1.2.3-"] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
