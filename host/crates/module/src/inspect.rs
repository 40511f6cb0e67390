//! Inspection of a component without running it.

use std::collections::BTreeSet;

use graph::{Blame, ContentDigest, Diagnostic};
use wasmparser::{ComponentExternalKind, Encoding, KnownCustom, Parser, Payload};

use crate::manifest::POWERS;
use crate::sections;

/// The facts about a component.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Inspection {
    /// The digest of the file.
    pub digest: String,
    /// The size of the file in bytes.
    pub size_bytes: u64,
    /// The names of its imports, in order.
    pub imports: Vec<String>,
    /// Its exports, in order.
    pub exports: Vec<Export>,
    /// The powers among its imports: the things that it can do besides computing.
    pub powers: BTreeSet<String>,
    /// The languages, tools and SDKs that made it.
    pub producers: Vec<Producer>,
    /// Whether it has documentation that `--help` can show.
    pub is_documented: bool,
}

/// An export of a component.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Export {
    /// The name of the export.
    pub name: String,
    /// The kind of the export, as in `instance`.
    pub kind: &'static str,
}

/// A language, a tool or an SDK that made a component.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Producer {
    /// The kind of producer, as in `language`.
    pub field: String,
    /// The name of the producer, as in `Rust`.
    pub name: String,
    /// The version of the producer; it may be empty.
    pub version: String,
}

/// The reason why a file is not a component.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The file is not WebAssembly.
    #[error("it is not WebAssembly")]
    NotWasm,
    /// The file is a core module.
    #[error("it is a core module, not a component")]
    CoreModule,
    /// The file is cut off or damaged.
    #[error("it is a damaged component")]
    Damaged(#[source] wasmparser::BinaryReaderError),
}

impl Diagnostic for InspectError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotWasm => None,
            Self::CoreModule => Some("build for `wasm32-wasip2`, or run `wasm-tools component new` on it".to_owned()),
            Self::Damaged(_) => Some("build it or copy it again".to_owned()),
        }
    }
}

/// Reads the facts about a component.
///
/// # Errors
/// Fails if the bytes are not a component.
pub fn inspect(component: &[u8]) -> Result<Inspection, InspectError> {
    if !component.starts_with(b"\0asm") {
        return Err(InspectError::NotWasm);
    }
    let mut inspection = Inspection {
        digest: ContentDigest::of(component).to_string(),
        size_bytes: component.len() as u64,
        imports: Vec::new(),
        exports: Vec::new(),
        powers: BTreeSet::new(),
        producers: Vec::new(),
        is_documented: crate::documentation(component).is_some(),
    };
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        read(&payload.map_err(InspectError::Damaged)?, &mut depth, &mut inspection)?;
    }
    inspection.producers.sort();
    inspection.producers.dedup();
    inspection.powers = inspection.imports.iter().filter_map(|import| power(import)).collect();
    Ok(inspection)
}

/// Returns the names of the interfaces that a component exports, in order. It reads nothing else.
pub(crate) fn exported_interfaces(component: &[u8]) -> Result<Vec<String>, InspectError> {
    if !component.starts_with(b"\0asm") {
        return Err(InspectError::NotWasm);
    }
    let mut interfaces = Vec::new();
    for payload in sections::at_the_top(component) {
        match payload.map_err(InspectError::Damaged)? {
            Payload::Version { encoding: Encoding::Module, .. } => return Err(InspectError::CoreModule),
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export.map_err(InspectError::Damaged)?;
                    if export.kind == ComponentExternalKind::Instance {
                        interfaces.push(export.name.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(interfaces)
}

fn read(payload: &Payload<'_>, depth: &mut usize, inspection: &mut Inspection) -> Result<(), InspectError> {
    match payload {
        Payload::Version { encoding: Encoding::Module, .. } if *depth == 0 => return Err(InspectError::CoreModule),
        Payload::Version { .. } => *depth += 1,
        Payload::End(_) => *depth = depth.saturating_sub(1),
        Payload::ComponentImportSection(section) if *depth == 1 => {
            for import in section.clone() {
                inspection.imports.push(import.map_err(InspectError::Damaged)?.name.name.to_owned());
            }
        }
        Payload::ComponentExportSection(section) if *depth == 1 => {
            for export in section.clone() {
                let export = export.map_err(InspectError::Damaged)?;
                inspection.exports.push(Export { name: export.name.name.to_owned(), kind: kind(export.kind) });
            }
        }
        Payload::CustomSection(section) => {
            if let KnownCustom::Producers(fields) = section.as_known() {
                // The producers are only for people: unreadable ones are left out.
                for field in fields.into_iter().map_while(Result::ok) {
                    inspection.producers.extend(field.values.into_iter().map_while(Result::ok).map(|value| Producer {
                        field: field.name.to_owned(),
                        name: value.name.to_owned(),
                        version: value.version.to_owned(),
                    }));
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn kind(kind: ComponentExternalKind) -> &'static str {
    match kind {
        ComponentExternalKind::Module => "core module",
        ComponentExternalKind::Func => "function",
        ComponentExternalKind::Value => "value",
        ComponentExternalKind::Type => "type",
        ComponentExternalKind::Instance => "interface",
        ComponentExternalKind::Component => "component",
    }
}

/// Returns the power that an import needs, if it needs one.
fn power(import: &str) -> Option<String> {
    let interface = import.strip_prefix("pipeline:api/")?;
    let interface = interface.split('@').next().unwrap_or(interface);
    POWERS.contains(&interface).then(|| interface.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_read_from_imports() {
        assert_eq!(power("pipeline:api/machine@0.1.0").as_deref(), Some("machine"));
        assert_eq!(power("pipeline:api/container@0.1.0"), None);
        assert_eq!(power("wasi:io/streams@0.2.0"), None);
    }

    #[test]
    fn what_is_no_component_is_told() {
        assert!(matches!(inspect(b"#!/bin/sh"), Err(InspectError::NotWasm)));
        assert!(matches!(inspect(b"\0asm\x01\0\0\0"), Err(InspectError::CoreModule)));
        assert!(matches!(inspect(b"\0asm\x0d\0\x01\0\x07\x55"), Err(InspectError::Damaged(_))));
        assert!(inspect(b"\0asm\x0d\0\x01\0").unwrap().imports.is_empty());
    }
}
