//! The WIT package `pipeline:api`, and WIT as types of the crate `api`.
#![cfg_attr(not(test), expect(clippy::indexing_slicing, reason = "the ids of an arena index into it"))]

use std::sync::OnceLock;

use api::{CustomType, Signature, Type};
use wit_parser::{
    Function, FunctionKind, Handle, InterfaceId, PackageId, Resolve, SourceMap, Type as WitType, TypeDefKind, TypeId,
    TypeOwner,
};

/// The files of `pipeline:api`: their names and contents.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("cache.wit", include_str!("../../../../wit/cache.wit")),
    ("container.wit", include_str!("../../../../wit/container.wit")),
    ("directory.wit", include_str!("../../../../wit/directory.wit")),
    ("effects.wit", include_str!("../../../../wit/effects.wit")),
    ("errors.wit", include_str!("../../../../wit/errors.wit")),
    ("file.wit", include_str!("../../../../wit/file.wit")),
    ("log.wit", include_str!("../../../../wit/log.wit")),
    ("machine.wit", include_str!("../../../../wit/machine.wit")),
    ("report.wit", include_str!("../../../../wit/report.wit")),
    ("secret.wit", include_str!("../../../../wit/secret.wit")),
    ("service.wit", include_str!("../../../../wit/service.wit")),
    ("sources.wit", include_str!("../../../../wit/sources.wit")),
    ("world.wit", include_str!("../../../../wit/world.wit")),
];

/// A function of `pipeline:api`.
#[derive(Debug, Clone)]
pub struct ApiFunction {
    /// The interface that has the function, as in `container`.
    pub interface: String,
    /// The name in the interface, as in `[method]container.with-exec`.
    pub wit_name: String,
    /// The resource that the function is a method or the constructor of.
    pub resource: Option<String>,
    /// The bare name, as in `with-exec`. The name of a constructor is `new`.
    pub name: String,
    /// The types of the function. The first parameter of a method is `self`.
    pub signature: Signature,
    /// The documentation in the package.
    pub docs: String,
}

/// Returns all functions of `pipeline:api`. The package is parsed at the first call.
#[must_use]
pub fn api_functions() -> &'static [ApiFunction] {
    static FUNCTIONS: OnceLock<Vec<ApiFunction>> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        let (resolve, package) = api_package().expect("a test parses the WIT package that is compiled in");
        let interfaces = &resolve.packages[package].interfaces;
        interfaces.iter().flat_map(|(name, id)| functions_of(&resolve, name, *id)).collect()
    })
}

/// Returns the methods of a resource of `pipeline:api`, in the order of the package.
#[must_use]
pub fn api_methods_of(resource: &str) -> Vec<&'static ApiFunction> {
    let is_method = |function: &&ApiFunction| function.resource.as_deref() == Some(resource) && function.name != "new";
    api_functions().iter().filter(is_method).collect()
}

/// Parses the package `pipeline:api`.
pub(crate) fn api_package() -> Result<(Resolve, PackageId), String> {
    let mut map = SourceMap::default();
    for (name, text) in FILES {
        map.push_str(name, *text);
    }
    let group = map.parse().map_err(|(_, error)| error.to_string())?;
    let mut resolve = Resolve::default();
    let package = resolve.push_group(group).map_err(|error| error.to_string())?;
    Ok((resolve, package))
}

fn functions_of(resolve: &Resolve, interface: &str, id: InterfaceId) -> Vec<ApiFunction> {
    let functions = &resolve.interfaces[id].functions;
    functions.values().map(|function| api_function(resolve, interface, function)).collect()
}

fn api_function(resolve: &Resolve, interface: &str, function: &Function) -> ApiFunction {
    let name = match function.kind {
        FunctionKind::Constructor(_) => "new".to_owned(),
        _ => function.item_name().to_owned(),
    };
    ApiFunction {
        interface: interface.to_owned(),
        wit_name: function.name.clone(),
        resource: function.kind.resource().and_then(|id| resolve.types[id].name.clone()),
        signature: signature(resolve, function, &name),
        name,
        docs: function.docs.contents.clone().unwrap_or_default(),
    }
}

/// Returns the types of a function.
pub(crate) fn signature(resolve: &Resolve, function: &Function, name: &str) -> Signature {
    Signature {
        name: name.to_owned(),
        params: function.params.iter().map(|param| (param.name.clone(), type_of(resolve, &param.ty))).collect(),
        result: function.result.as_ref().map(|ty| type_of(resolve, ty)),
    }
}

/// Returns a WIT type by its structure.
pub(crate) fn type_of(resolve: &Resolve, ty: &WitType) -> Type {
    match ty {
        WitType::Bool => Type::Bool,
        WitType::S8 => Type::S8,
        WitType::U8 => Type::U8,
        WitType::S16 => Type::S16,
        WitType::U16 => Type::U16,
        WitType::S32 => Type::S32,
        WitType::U32 => Type::U32,
        WitType::S64 => Type::S64,
        WitType::U64 => Type::U64,
        WitType::F32 => Type::F32,
        WitType::F64 => Type::F64,
        WitType::Char => Type::Char,
        WitType::String => Type::String,
        WitType::ErrorContext => Type::Other("error-context".to_owned()),
        WitType::Id(id) => defined(resolve, *id),
    }
}

fn defined(resolve: &Resolve, id: TypeId) -> Type {
    let of = |ty: &WitType| type_of(resolve, ty);
    let boxed = |ty: &Option<WitType>| ty.as_ref().map(|ty| Box::new(of(ty)));
    match &resolve.types[id].kind {
        TypeDefKind::Type(ty) => of(ty),
        TypeDefKind::Option(item) => Type::Option(Box::new(of(item))),
        TypeDefKind::List(item) => Type::List(Box::new(of(item))),
        TypeDefKind::Tuple(tuple) => Type::Tuple(tuple.types.iter().map(of).collect()),
        TypeDefKind::Record(record) => {
            Type::Record(record.fields.iter().map(|field| (field.name.clone(), of(&field.ty))).collect())
        }
        TypeDefKind::Variant(variant) => {
            Type::Variant(variant.cases.iter().map(|case| (case.name.clone(), case.ty.as_ref().map(of))).collect())
        }
        TypeDefKind::Enum(cases) => Type::Enum(cases.cases.iter().map(|case| case.name.clone()).collect()),
        TypeDefKind::Flags(flags) => Type::Flags(flags.flags.iter().map(|flag| flag.name.clone()).collect()),
        TypeDefKind::Result(result) => Type::Result(boxed(&result.ok), boxed(&result.err)),
        TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => resource(resolve, *id),
        TypeDefKind::Resource => resource(resolve, id),
        other => Type::Other(other.as_str().to_owned()),
    }
}

fn resource(resolve: &Resolve, id: TypeId) -> Type {
    let definition = &resolve.types[id];
    if let TypeDefKind::Type(WitType::Id(target)) = definition.kind {
        return resource(resolve, target);
    }
    let name = definition.name.clone().unwrap_or_default();
    let TypeOwner::Interface(interface) = definition.owner else { return Type::Other(name) };
    match (resolve.interfaces[interface].package, resolve.id_of(interface)) {
        (Some(package), _) if is_api(resolve, package) => Type::Object(name),
        (_, Some(interface)) => Type::Custom(CustomType { interface, name }),
        (_, None) => Type::Other(name),
    }
}

/// Returns whether a package is `pipeline:api`.
pub(crate) fn is_api(resolve: &Resolve, package: PackageId) -> bool {
    let name = &resolve.packages[package].name;
    name.namespace == "pipeline" && name.name == "api"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_package_is_known() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit");
        let mut on_disk: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name()).collect();
        on_disk.retain(|name| name.to_string_lossy().ends_with(".wit"));
        assert_eq!(on_disk.len(), FILES.len(), "a file of the package is not compiled in");
        assert!(api_functions().len() > 100);
        assert!(api_functions().iter().all(|function| !function.docs.is_empty()));
    }

    #[test]
    fn the_methods_of_a_resource_have_their_types() {
        let methods = api_methods_of("container");
        let with_exec = methods.iter().find(|method| method.name == "with-exec-options").unwrap();
        assert_eq!(with_exec.wit_name, "[method]container.with-exec-options");
        assert_eq!(with_exec.interface, "container");
        let params: Vec<_> = with_exec.signature.params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
        assert_eq!(params, ["self: container", "args: list<string>", "options: exec-options"]);
        assert_eq!(with_exec.signature.result, Some(Type::Object("container".into())));
        assert!(methods.iter().all(|method| method.name != "new"));
    }

    #[test]
    fn a_resource_of_another_package_is_a_custom_object() {
        let (mut resolve, _) = api_package().unwrap();
        let text = "package local:lint@0.1.0; interface stages { resource linter; }
            interface user { use stages.{linter as tool}; run: func(by: borrow<tool>) -> list<tool>; }
            world w { resource lost; import take: func(it: lost); }";
        let package = resolve.push_source("lint.wit", text).unwrap();
        let user = &resolve.interfaces[resolve.packages[package].interfaces["user"]];
        let signature = signature(&resolve, &user.functions["run"], "run");
        let linter = CustomType { interface: "local:lint/stages@0.1.0".into(), name: "linter".into() };
        assert_eq!(signature.params, [("by".to_owned(), Type::Custom(linter.clone()))]);
        assert_eq!(signature.result, Some(Type::List(Box::new(Type::Custom(linter)))));
        let lost = resolve.types.iter().find(|(_, ty)| ty.name.as_deref() == Some("lost")).unwrap().0;
        assert_eq!(type_of(&resolve, &WitType::Id(lost)), Type::Other("lost".into()));
    }
}
