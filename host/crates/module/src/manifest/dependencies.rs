//! The table `[dependencies]`.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::keys;
use super::names::{API_DIRECTORY, is_name};
use super::problem::{ManifestError, ManifestProblem};
use super::reader::{KeyValue, Reader};
use super::types::Dependency;

const EXPECTED: &str = "a path, or a table with `path` or `component`";

impl Reader<'_> {
    pub(super) fn dependencies(&self, manifest: &DeTable<'_>) -> Result<Vec<Dependency>, ManifestError> {
        let entries = self.table(manifest, "dependencies", "a table of modules")?;
        entries.into_iter().map(|entry| self.dependency(entry)).collect()
    }

    fn dependency(&self, (key, value): KeyValue<'_>) -> Result<Dependency, ManifestError> {
        let alias = key.get_ref().to_string();
        if !is_name(&alias) {
            return Err(self.error(key.span(), ManifestProblem::Name { of: "a dependency", name: alias }));
        }
        if alias == API_DIRECTORY {
            return Err(self.error(key.span(), ManifestProblem::Reserved(alias)));
        }
        let position = self.position(&key.span());
        let table = match value.get_ref() {
            DeValue::String(path) => {
                let path = self.as_path("path", path, value.span())?;
                return Ok(Dependency { alias, path, allow: None, position });
            }
            DeValue::Table(table) => table,
            _ => return Err(self.wrong_type(&alias, EXPECTED, value)),
        };
        self.check_keys(table, &keys::DEPENDENCY)?;
        let path = match (self.path(table, "path")?, self.path(table, "component")?) {
            (Some(path), None) => path,
            (None, Some(path)) if is_component(&path) => path,
            (None, Some(path)) => {
                let span = table.get("component").map_or_else(|| key.span(), |value| value.span());
                return Err(self.error(span, ManifestProblem::NotWasm(path.display().to_string())));
            }
            (None, None) => return Err(self.error(key.span(), ManifestProblem::MissingKey("path"))),
            (Some(_), Some(_)) => return Err(self.excluded(table, "component", "path")),
        };
        Ok(Dependency { alias, path, allow: self.powers(table)?, position })
    }

    /// Makes the error for a key that excludes another key of the table.
    pub(super) fn excluded(&self, table: &DeTable<'_>, key: &'static str, beside: &'static str) -> ManifestError {
        self.error_at_key(table, key, ManifestProblem::Excluded { key, beside })
    }
}

fn is_component(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wasm")
}
