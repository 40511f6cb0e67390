//! The text of an interface in WIT.

use guest_sdk_interface::{self as described, Kind, Part};

use crate::model::{Function, Interface, Member, Param, Role, Type, TypeDef, TypeKind};
use crate::names;

/// The files of the package `pipeline:api`.
const API: &[&str] = &[
    include_str!("../../../wit/cache.wit"),
    include_str!("../../../wit/container.wit"),
    include_str!("../../../wit/directory.wit"),
    include_str!("../../../wit/effects.wit"),
    include_str!("../../../wit/errors.wit"),
    include_str!("../../../wit/file.wit"),
    include_str!("../../../wit/log.wit"),
    include_str!("../../../wit/machine.wit"),
    include_str!("../../../wit/report.wit"),
    include_str!("../../../wit/secret.wit"),
    include_str!("../../../wit/service.wit"),
    include_str!("../../../wit/sources.wit"),
    include_str!("../../../wit/world.wit"),
];

/// The first line of each of these files.
const API_PACKAGE: &str = "package pipeline:api@0.1.0;";

/// Returns `text` followed by the package `pipeline:api`, which it depends on.
pub(crate) fn with_api(text: &str) -> String {
    let mut all = format!("{text}\n{} {{\n", API_PACKAGE.trim_end_matches(';'));
    for file in API {
        all.push_str(file.trim_start().trim_start_matches(API_PACKAGE));
    }
    all.push_str("}\n");
    all
}

/// The package of the module.
pub(crate) struct Package {
    /// The name in kebab case.
    pub name: String,
    pub version: String,
}

impl Package {
    /// Returns the package of the crate that is being compiled.
    pub(crate) fn of_the_crate() -> Self {
        // Only Cargo sets these variables. With other build systems, the package has a fixed name.
        let name = std::env::var("CARGO_PKG_NAME").unwrap_or_else(|_| "module".to_owned());
        let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_else(|_| "0.0.0".to_owned());
        let ident = proc_macro2::Ident::new(&name.replace('-', "_"), proc_macro2::Span::call_site());
        Self { name: names::kebab(&ident).unwrap_or_else(|_| "module".to_owned()), version }
    }
}

/// Returns the text of the module's own package.
pub(crate) fn package(package: &Package, interface: &Interface) -> String {
    let of = Described { interface };
    let objects = interface.objects.iter().map(|object| described::Object {
        name: object.name.clone(),
        docs: object.docs.clone(),
        members: object.members.iter().map(|member| of.member(member)).collect(),
    });
    let described = described::Interface {
        docs: interface.docs.clone(),
        types: interface.types.iter().map(|def| of.type_def(def)).collect(),
        objects: objects.collect(),
        stages: interface.stages.iter().map(|stage| of.function(stage)).collect(),
        // The compiler leaves out the powers that no code uses.
        powers: Vec::new(),
    };
    described.package(&package.name, &package.version)
}

/// Describes the parts of an interface without their places in the source.
struct Described<'a> {
    interface: &'a Interface,
}

impl Described<'_> {
    fn type_def(&self, def: &TypeDef) -> described::TypeDef {
        let part = |name: &String, docs: &Vec<String>, ty: Option<&Type>| Part {
            name: name.clone(),
            docs: docs.clone(),
            ty: ty.map(|ty| self.ty(ty)),
        };
        let (kind, members) = match &def.kind {
            TypeKind::Record(fields) => {
                (Kind::Record, fields.iter().map(|field| part(&field.name, &field.docs, Some(&field.ty))).collect())
            }
            TypeKind::Cases { plain, cases } => (
                if *plain { Kind::Enum } else { Kind::Variant },
                cases.iter().map(|case| part(&case.name, &case.docs, case.ty.as_ref())).collect(),
            ),
        };
        described::TypeDef { name: def.name.clone(), docs: def.docs.clone(), kind, members }
    }

    fn member(&self, member: &Member) -> described::Member {
        let role = match member.role {
            Role::Constructor => described::Role::Constructor,
            Role::Method => described::Role::Method,
            Role::Static => described::Role::Static,
        };
        described::Member { role, function: self.function(&member.function) }
    }

    fn function(&self, function: &Function) -> described::Function {
        let param = |param: &Param| described::Param {
            name: param.name.clone(),
            docs: param.docs.clone(),
            ty: match &param.default {
                Some(_) => described::Type::Option(Box::new(self.ty(&param.ty))),
                None => self.ty(&param.ty),
            },
            default: param.default.as_ref().map(|default| default.text.clone()),
        };
        described::Function {
            name: function.name.clone(),
            docs: function.docs.clone(),
            is_check: function.is_check,
            params: function.params.iter().map(param).collect(),
            result: function.result.as_ref().map(|ty| self.ty(ty)),
            can_fail: function.failure.is_possible(),
        }
    }

    fn ty(&self, ty: &Type) -> described::Type {
        let boxed = |ty: &Type| Box::new(self.ty(ty));
        match ty {
            Type::Primitive(_, wit) => described::Type::Primitive((*wit).to_owned()),
            Type::String => described::Type::Primitive("string".to_owned()),
            Type::List(item) => described::Type::List(boxed(item)),
            Type::Option(item) => described::Type::Option(boxed(item)),
            Type::Tuple(items) => described::Type::Tuple(items.iter().map(|item| self.ty(item)).collect()),
            Type::Api(api) => described::Type::Api(api.name.to_owned()),
            Type::Local(ident) => described::Type::Local(self.interface.name_of(ident).to_owned()),
            Type::Lent(ident) => described::Type::Lent(self.interface.name_of(ident).to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
