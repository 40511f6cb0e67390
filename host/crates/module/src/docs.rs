//! The documentation of stages that a module's author wrote.
#![cfg_attr(not(test), expect(clippy::indexing_slicing, reason = "the ids of an arena index into it"))]

use std::collections::BTreeMap;

use api::Signature;
use wit_component::DecodedWasm;
use wit_parser::{Docs, Function, FunctionKind, Interface, PackageId, Resolve, Type as WitType, TypeDefKind, TypeId};

use crate::sections::{self, DOCS_SECTION, WIT_SECTION};
use crate::wit;

/// The line of a function's documentation that marks a check, in every language.
const CHECK_MARK: &str = "@check";

/// The beginning of a line that has the default of a parameter, in every language: `@default name value`.
const DEFAULT_MARK: &str = "@default ";

/// The documentation of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Documentation {
    /// The package of the module, as in `local:demo@0.1.0`.
    pub package: String,
    /// The documentation of the module itself; empty if there is none.
    pub text: String,
    /// The documentation of each stage.
    pub stages: BTreeMap<String, StageDocs>,
    /// The documentation of each type of custom objects.
    pub objects: BTreeMap<String, ObjectDocs>,
    /// The documentation of each other type that the interface defines.
    pub types: BTreeMap<String, TypeDocs>,
}

/// The documentation of a type of custom objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectDocs {
    /// The documentation of the type itself.
    pub text: String,
    /// The documentation of the constructor, if there is one.
    pub constructor: Option<StageDocs>,
    /// The documentation of each method, and of each function that belongs to the type and takes no object of it.
    pub methods: BTreeMap<String, StageDocs>,
}

/// The documentation of a stage, a method or a constructor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageDocs {
    /// The documentation without the part about parameters.
    pub text: String,
    /// The documentation of each parameter that has any.
    pub params: BTreeMap<String, String>,
    /// Whether the author says that the stage is a check, by the line `@check`.
    pub is_check: bool,
    /// The values that the function takes for parameters that are not given, in the text form of WebAssembly values.
    pub defaults: BTreeMap<String, String>,
    /// The name of each parameter's type, if the interface defines the type. `option` and `list` are left out.
    pub param_types: BTreeMap<String, String>,
}

/// The documentation of a type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeDocs {
    /// The kind of type, as in `record`.
    pub kind: String,
    /// The documentation of the type itself.
    pub text: String,
    /// The fields or cases in order.
    pub members: Vec<MemberDocs>,
}

/// The documentation of a field or a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberDocs {
    /// The name of the field or case.
    pub name: String,
    /// The type of the field, or of the value of the case; none if there is no value.
    pub ty: Option<String>,
    /// The documentation of the field or case.
    pub text: String,
}

/// Returns the documentation in a component, if there is any.
///
/// The documentation that `host build` embedded comes first; without it, the text is taken that the macro of the SDK
/// left.
#[must_use]
pub fn documentation(component: &[u8]) -> Option<Documentation> {
    let (resolve, package) = embedded(component)?;
    Some(of_package(&resolve, package))
}

/// Returns the signatures of a component's stages from the WIT that it carries, without compiling it. None if it carries
/// none.
///
/// `host build` embeds that WIT, and so does the macro of the Rust SDK.
#[must_use]
pub fn documented_stages(component: &[u8]) -> Option<Vec<Signature>> {
    let (resolve, package) = embedded(component)?;
    let interfaces = resolve.packages[package].interfaces.values().map(|id| &resolve.interfaces[*id]);
    let functions = interfaces.flat_map(|interface| interface.functions.values());
    let stages = functions.filter(|function| function.kind.resource().is_none());
    Some(stages.map(|function| wit::signature(&resolve, function, &function.name)).collect())
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

/// Encodes the documented WIT of a module for a custom section.
pub(crate) fn encode(text: &str) -> Result<Vec<u8>, String> {
    let (resolve, package) = parse(text)?;
    encoded(&resolve, package)
}

/// Encodes a package for a custom section.
pub(crate) fn encoded(resolve: &Resolve, package: PackageId) -> Result<Vec<u8>, String> {
    wit_component::encode(resolve, package).map_err(|error| format!("{error:#}"))
}

/// Returns whether a package has an interface of this full name.
pub(crate) fn has(resolve: &Resolve, package: PackageId, interface: &str) -> bool {
    resolve.packages[package].interfaces.values().any(|id| resolve.id_of(*id).as_deref() == Some(interface))
}

fn parse(text: &str) -> Result<(Resolve, PackageId), String> {
    let (mut resolve, _) = wit::api_package()?;
    let package = resolve.push_source("stages.wit", text).map_err(|error| format!("{error:#}"))?;
    Ok((resolve, package))
}

/// Returns the documentation of a package.
pub(crate) fn of_package(resolve: &Resolve, package: PackageId) -> Documentation {
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
    let (text, is_check) = split_mark(&text);
    let (text, defaults) = split_defaults(&text);
    let named = function.params.iter().filter_map(|param| Some((param.name.clone(), type_name(resolve, &param.ty)?)));
    StageDocs { text, params, is_check, defaults, param_types: named.collect() }
}

/// Takes the line `@check` out of the documentation of a function, and returns whether it was there.
fn split_mark(docs: &str) -> (String, bool) {
    let lines: Vec<&str> = docs.lines().filter(|line| line.trim() != CHECK_MARK).collect();
    let is_marked = lines.len() < docs.lines().count();
    (lines.join("\n").trim().to_owned(), is_marked)
}

/// Takes the lines `@default name value` out of the documentation of a function.
fn split_defaults(docs: &str) -> (String, BTreeMap<String, String>) {
    let default = |line: &str| {
        let (name, value) = line.trim().strip_prefix(DEFAULT_MARK)?.trim().split_once(' ')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    let rest: Vec<&str> = docs.lines().filter(|line| default(line).is_none()).collect();
    (rest.join("\n").trim().to_owned(), docs.lines().filter_map(default).collect())
}

/// Splits the documentation of a function into the text and the parameters. A parameter is a line ``- `name`: text``,
/// and the line `Parameters:` before them is dropped.
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
        // An alias of a type of the API has no documentation of its own.
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

/// Returns the name of a record, a variant, an enum or a type of flags, also inside `option` and `list`.
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

    #[test]
    fn a_line_of_its_own_marks_a_check() {
        let check = |docs: &str, text: &str, is_check: bool| assert_eq!(split_mark(docs), (text.to_owned(), is_check));
        check("Runs the tests.", "Runs the tests.", false);
        check("Runs the tests.\n@check", "Runs the tests.", true);
        check("  @check\nRuns the tests.", "Runs the tests.", true);
        check("Runs what `@check` marks.", "Runs what `@check` marks.", false);
        check("", "", false);
    }

    const WIT: &str = "
        package local:demo@0.1.0;

        /// Builds all things.
        interface stages {
            use pipeline:api/directory@0.1.0.{directory};
            use pipeline:api/errors@0.1.0.{error};

            /// The care taken.
            enum quality {
                /// A fast build.
                draft,
                final,
            }

            /// Compiles the sources.
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
                /// Looks at it.
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
        assert_eq!(documentation.text, "Builds all things.");
        let build = &documentation.stages["build"];
        assert_eq!(build.text, "Compiles the sources.\n\nTwice if need be.");
        assert_eq!(build.params["src"], "The sources.");
        assert_eq!(build.params["quality"], "Draft unless given.");
        assert_eq!(build.param_types["quality"], "quality");
        assert_eq!(documentation.types["quality"].members[0].text, "A fast build.");
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
        assert_eq!(linter.methods["check"].text, "Looks at it.");
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
