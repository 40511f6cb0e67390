//! The manifest of a module, `host.toml`.

mod dependencies;
mod escapes;
mod expression;
mod keys;
mod literal;
mod names;
mod problem;
mod reader;
mod stages;
#[cfg(test)]
mod tests;
mod types;

use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use keys::Keys;
pub(crate) use names::{API_DIRECTORY, is_name};
pub use names::{POWERS, parse_duration};
pub use problem::{ManifestError, ManifestProblem};
pub use types::{
    Argument, CallTarget, Dependency, Expression, ExpressionStep, Ignore, Language, ModuleManifest, Policy, Position,
    Setting, StageEntry, StageWork,
};

use crate::fs;
use names::is_version;
use reader::Reader;

/// The file name of a manifest.
pub const MANIFEST_NAME: &str = "host.toml";

impl ModuleManifest {
    /// Reads a manifest from a file.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is not TOML, or has a mistake.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let text = fs::read_text(path).map_err(ManifestError::Read)?;
        Self::parse(path, &text)
    }

    /// Parses a manifest. Errors show `path`.
    ///
    /// # Errors
    /// Fails if the text is not TOML, or has a mistake.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ManifestError> {
        Reader::new(path, text).manifest()
    }
}

impl Reader<'_> {
    fn manifest(&self) -> Result<ModuleManifest, ManifestError> {
        let table = self.document(self.text)?;
        self.check_keys(&table, &keys::MANIFEST)?;
        let component = self.path(&table, "component")?;
        let language = self.language(&table)?;
        let build = self.build(&table)?;
        let manifest = ModuleManifest {
            name: self.required(&table, "name", is_name, |name| ManifestProblem::Name { of: "a module", name })?,
            version: self.required(&table, "version", is_version, ManifestProblem::Version)?,
            language,
            description: self.text(&table, "description")?.map(|(text, _)| text),
            allow: self.powers(&table)?.unwrap_or_default(),
            network: self.flag(&table, "network", true)?,
            new_privileges: self.flag(&table, "new-privileges", true)?,
            component,
            build,
            sources: self.sources(&table)?,
            dependencies: self.dependencies(&table)?,
            stages: self.stages(&table)?,
        };
        self.check_calls(&manifest)?;
        self.check_code(&manifest)?;
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

    fn build(&self, table: &DeTable<'_>) -> Result<Option<String>, ManifestError> {
        let Some((command, span)) = self.text(table, "build")? else { return Ok(None) };
        if command.trim().is_empty() {
            return Err(self.error(span, ManifestProblem::EmptyCommand));
        }
        match table.contains_key("component") {
            true => Ok(Some(command)),
            false => Err(self.error_at_key(table, "build", ManifestProblem::MissingKey("component"))),
        }
    }

    fn sources(&self, table: &DeTable<'_>) -> Result<Vec<PathBuf>, ManifestError> {
        let Some(value) = table.get("sources") else { return Ok(Vec::new()) };
        if !table.contains_key("build") {
            return Err(self.error_at_key(table, "sources", ManifestProblem::MissingKey("build")));
        }
        let paths = self.strings("sources", "a list of paths", value)?;
        paths.into_iter().map(|(path, span)| self.as_path("sources", &path, span)).collect()
    }

    /// Refuses calls of dependencies that the manifest does not have.
    fn check_calls(&self, manifest: &ModuleManifest) -> Result<(), ManifestError> {
        let aliases = || manifest.dependencies.iter().map(|dependency| dependency.alias.clone());
        for stage in &manifest.stages {
            if let StageWork::Call(CallTarget { dependency: Some(alias), position, .. }) = &stage.work
                && !aliases().any(|known| known == *alias)
            {
                let problem = ManifestProblem::NoDependency { alias: alias.clone(), aliases: aliases().collect() };
                return Err(self.error_at(*position, problem));
            }
        }
        Ok(())
    }

    /// Refuses a module without code that has no stages of other modules, or that calls itself.
    fn check_code(&self, manifest: &ModuleManifest) -> Result<(), ManifestError> {
        if manifest.has_code() {
            return Ok(());
        }
        let own = |stage: &StageEntry| match &stage.work {
            StageWork::Own => Some((stage.name.clone(), stage.position)),
            StageWork::Call(call) if call.dependency.is_none() => Some((call.function.clone(), call.position)),
            StageWork::Call(_) | StageWork::From(_) => None,
        };
        if manifest.stages.iter().all(|stage| own(stage).is_some()) {
            return Err(self.missing("language"));
        }
        match manifest.stages.iter().find_map(|stage| Some((stage, own(stage)?))) {
            None => Ok(()),
            Some((stage, (function, position))) => {
                Err(self.error_at(position, ManifestProblem::NoCode { stage: stage.name.clone(), function }))
            }
        }
    }
}
