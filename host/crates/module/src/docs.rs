//! What a module's author wrote about its stages.
#![cfg_attr(not(test), expect(clippy::indexing_slicing, reason = "the ids of an arena index into it"))]

use std::collections::BTreeMap;

use wit_component::DecodedWasm;
use wit_parser::{Docs, Function, FunctionKind, Interface, PackageId, Resolve, Type as WitType, TypeDefKind, TypeId};

use crate::sections::{self, DOCS_SECTION, WIT_SECTION};
use crate::wit;

/// What a module's author wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Documentation {
    /// The package, as in `local:demo@0.1.0`.
    pub package: String,
    /// What the module is for; empty if nothing was written.
    pub text: String,
    /// Of each stage.
    pub stages: BTreeMap<String, StageDocs>,
    /// Of each type of custom objects.
    pub objects: BTreeMap<String, ObjectDocs>,
    /// Of each other type that the interface defines.
    pub types: BTreeMap<String, TypeDocs>,
}

/// What is written about a type of custom objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectDocs {
    /// What it is.
    pub text: String,
    /// What makes one, if its interface says so.
    pub constructor: Option<StageDocs>,
    /// Of each method, and of each function that belongs to the type and takes no object of it.
    pub methods: BTreeMap<String, StageDocs>,
}

/// What is written about a stage, a method or a constructor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageDocs {
    /// What it does, without its parameters.
    pub text: String,
    /// Of each parameter that has any.
    pub params: BTreeMap<String, String>,
    /// The names of the types of the interface that parameters have, `option` and `list` taken off.
    pub param_types: BTreeMap<String, String>,
}

/// What is written about a type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeDocs {
    /// As in `record`.
    pub kind: String,
    /// What it is.
    pub text: String,
    /// Its fields or cases in order.
    pub members: Vec<MemberDocs>,
}

/// What is written about a field or a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberDocs {
    /// Its name.
    pub name: String,
    /// Its type, if it has one.
    pub ty: Option<String>,
    /// What it is.
    pub text: String,
}

/// Returns the documentation in a component, if there is any.
///
/// Prefers what `host build` embedded, and takes the text that the SDK's macro left otherwise.
#[must_use]
pub fn documentation(component: &[u8]) -> Option<Documentation> {
    let (resolve, package) = embedded(component)?;
    Some(of_package(&resolve, package))
}

/// Returns the documented WIT in a component, if there is any.
pub(crate) fn embedded(component: &[u8]) -> Option<(Resolve, PackageId)> {
    if let Some(section) = sections::find_at_the_top(component, DOCS_SECTION) {
        return match wit_component::decode(section).ok()? {
            DecodedWasm::WitPackage(resolve, package) => Some((resolve, package)),
            DecodedWasm::Component(..) => None,
        };
    }
    let text = std::str::from_utf8(sections::find(component, WIT_SECTION)?).ok()?;
    parse(text).ok()
}

/// Encodes the WIT of a module's package, with documentation, as a custom section carries it.
pub(crate) fn encode(text: &str) -> Result<Vec<u8>, String> {
    let (resolve, package) = parse(text)?;
    wit_component::encode(&resolve, package).map_err(|error| format!("{error:#}"))
}

fn parse(text: &str) -> Result<(Resolve, PackageId), String> {
    let (mut resolve, _) = wit::api_package()?;
    let package = resolve.push_source("stages.wit", text).map_err(|error| format!("{error:#}"))?;
    Ok((resolve, package))
}

fn of_package(resolve: &Resolve, package: PackageId) -> Documentation {
    let package = &resolve.packages[package];
    let mut documentation =
        Documentation { package: package.name.to_string(), text: text(&package.docs), ..Documentation::default() };
    for id in package.interfaces.values() {
        let interface = &resolve.interfaces[*id];
        if documentation.text.is_empty() {
            documentation.text = text(&interface.docs);
        }
        documentation.stages.extend(stages(resolve, interface));
        documentation.objects.extend(objects(resolve, interface));
        documentation.types.extend(types(resolve, interface));
    }
    documentation
}

fn stages(resolve: &Resolve, interface: &Interface) -> Vec<(String, StageDocs)> {
    let functions = interface.functions.iter().filter(|(_, function)| function.kind.resource().is_none());
    functions.map(|(name, function)| (name.clone(), stage(resolve, function))).collect()
}

fn objects(resolve: &Resolve, interface: &Interface) -> Vec<(String, ObjectDocs)> {
    let types = interface.types.iter().map(|(name, id)| (name, *id, &resolve.types[*id]));
    let resources = types.filter(|(_, _, definition)| matches!(definition.kind, TypeDefKind::Resource));
    resources
        .map(|(name, id, definition)| {
            let mut object = ObjectDocs { text: text(&definition.docs), ..ObjectDocs::default() };
            for function in interface.functions.values().filter(|function| function.kind.resource() == Some(id)) {
                let docs = stage(resolve, function);
                match function.kind {
                    FunctionKind::Constructor(_) => object.constructor = Some(docs),
                    _ => drop(object.methods.insert(function.item_name().to_owned(), docs)),
                }
            }
            (name.clone(), object)
        })
        .collect()
}

fn stage(resolve: &Resolve, function: &Function) -> StageDocs {
    let (text, params) = split_params(&text(&function.docs));
    let named = function.params.iter().filter_map(|param| Some((param.name.clone(), type_name(resolve, &param.ty)?)));
    StageDocs { text, params, param_types: named.collect() }
}

/// Takes the lines ``- `name`: text`` out of the documentation of a function, and the line
/// `Parameters:` before them.
fn split_params(docs: &str) -> (String, BTreeMap<String, String>) {
    let mut params = BTreeMap::new();
    let mut rest: Vec<&str> = Vec::new();
    for line in docs.lines() {
        let param = line.trim_start().strip_prefix("- `").and_then(|line| line.split_once("`:"));
        match param {
            Some((name, text)) => {
                params.insert(name.to_owned(), text.trim().to_owned());
            }
            None => rest.push(line),
        }
    }
    if !params.is_empty() {
        rest.retain(|line| line.trim() != "Parameters:");
    }
    (rest.join("\n").trim().to_owned(), params)
}

fn types(resolve: &Resolve, interface: &Interface) -> Vec<(String, TypeDocs)> {
    let mut types = Vec::new();
    for (name, id) in &interface.types {
        let definition = &resolve.types[*id];
        let members = members(resolve, *id);
        // An alias of a type of the API says nothing of its own.
        if !members.is_empty() {
            let kind = definition.kind.as_str().to_owned();
            types.push((name.clone(), TypeDocs { kind, text: text(&definition.docs), members }));
        }
    }
    types
}

fn members(resolve: &Resolve, id: TypeId) -> Vec<MemberDocs> {
    let member = |name: &str, ty: Option<&WitType>, docs: &Docs| MemberDocs {
        name: name.to_owned(),
        ty: ty.map(|ty| type_name(resolve, ty).unwrap_or_else(|| wit::type_of(resolve, ty).to_string())),
        text: text(docs),
    };
    match &resolve.types[id].kind {
        TypeDefKind::Record(record) => {
            record.fields.iter().map(|field| member(&field.name, Some(&field.ty), &field.docs)).collect()
        }
        TypeDefKind::Variant(variant) => {
            variant.cases.iter().map(|case| member(&case.name, case.ty.as_ref(), &case.docs)).collect()
        }
        TypeDefKind::Enum(cases) => cases.cases.iter().map(|case| member(&case.name, None, &case.docs)).collect(),
        TypeDefKind::Flags(flags) => flags.flags.iter().map(|flag| member(&flag.name, None, &flag.docs)).collect(),
        _ => Vec::new(),
    }
}

/// Returns the name of a record, variant, enum or set of flags, also inside of `option` and `list`.
fn type_name(resolve: &Resolve, ty: &WitType) -> Option<String> {
    let WitType::Id(id) = ty else { return None };
    let definition = &resolve.types[*id];
    match &definition.kind {
        TypeDefKind::Option(item) | TypeDefKind::List(item) => type_name(resolve, item),
        TypeDefKind::Type(inner) => type_name(resolve, inner).and(definition.name.clone()),
        TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_) | TypeDefKind::Flags(_) => {
            definition.name.clone()
        }
        _ => None,
    }
}

fn text(docs: &Docs) -> String {
    docs.contents.as_deref().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIT: &str = "
        package local:demo@0.1.0;

        /// Builds things.
        interface stages {
            use pipeline:api/directory@0.1.0.{directory};
            use pipeline:api/errors@0.1.0.{error};

            /// How well.
            enum quality {
                /// Fast.
                draft,
                final,
            }

            /// Compiles it.
            ///
            /// Twice if need be.
            ///
            /// Parameters:
            /// - `src`: The sources.
            /// - `quality`: Draft unless given.
            build: func(src: directory, quality: option<quality>) -> result<directory, error>;

            /// Looks at sources.
            resource linter {
                /// A lenient one.
                /// - `level`: How strict.
                constructor(level: u32);
                /// Looks.
                /// - `quality`: Of the look.
                check: func(quality: quality) -> string;
                /// A strict one.
                strict: static func() -> linter;
            }
        }

        world module {
            include pipeline:api/imports@0.1.0;
            export stages;
        }
    ";

    fn check(documentation: &Documentation) {
        assert_eq!(documentation.package, "local:demo@0.1.0");
        assert_eq!(documentation.text, "Builds things.");
        let build = &documentation.stages["build"];
        assert_eq!(build.text, "Compiles it.\n\nTwice if need be.");
        assert_eq!(build.params["src"], "The sources.");
        assert_eq!(build.params["quality"], "Draft unless given.");
        assert_eq!(build.param_types["quality"], "quality");
        assert_eq!(documentation.types["quality"].members[0].text, "Fast.");
        assert_eq!(documentation.types.len(), 1);
        assert_eq!(documentation.stages.keys().collect::<Vec<_>>(), ["build"]);
        let linter = &documentation.objects["linter"];
        assert_eq!(linter.text, "Looks at sources.");
        let constructor = linter.constructor.as_ref().unwrap();
        assert_eq!(
            (constructor.text.as_str(), constructor.params["level"].as_str()),
            ("A lenient one.", "How strict.")
        );
        assert_eq!(linter.methods.keys().collect::<Vec<_>>(), ["check", "strict"]);
        assert_eq!(linter.methods["check"].text, "Looks.");
        assert_eq!(linter.methods["check"].param_types["quality"], "quality");
    }

    fn component(name: &str, data: &[u8]) -> Vec<u8> {
        let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
        sections::append(&mut wasm, name, data);
        wasm
    }

    #[test]
    fn documentation_survives_embedding() {
        check(&documentation(&component(DOCS_SECTION, &encode(WIT).unwrap())).unwrap());
        check(&documentation(&component(WIT_SECTION, WIT.as_bytes())).unwrap());
    }

    #[test]
    fn a_component_without_documentation_has_none() {
        assert_eq!(documentation(b"\0asm\x0d\0\x01\0"), None);
        assert_eq!(documentation(&component(DOCS_SECTION, b"nonsense")), None);
        assert_eq!(documentation(b""), None);
    }
}
