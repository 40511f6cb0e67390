//! Prints an interface as WIT.
//!
//! The text is written here and not by `wit-encoder`. That crate would replace about a third of this file by as many calls
//! of its builders, and it brings `pretty_assertions`, a crate for tests, into the build of every module. The text that is
//! written here is parsed by `wit-parser` before anything uses it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ApiType, ERROR, Function, Interface, Member, Object, Role, Type, TypeDef, TypeKind};
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
    let mut text = Text::default();
    let aliases = Aliases::of(interface);
    text.line(&format!("package local:{}@{};", names::escaped(&package.name), package.version));
    text.line("");
    text.docs(&interface.docs);
    text.open("interface stages {");
    for line in aliases.uses() {
        text.line(&line);
    }
    for def in &interface.types {
        text.gap();
        type_def(&mut text, def, interface, &aliases);
    }
    for object in &interface.objects {
        text.gap();
        resource(&mut text, object, interface, &aliases);
    }
    for stage in &interface.stages {
        text.gap();
        text.docs(&function_docs(stage));
        text.line(&format!("{}: func{};", names::escaped(&stage.name), signature(stage, interface, &aliases)));
    }
    text.close();
    text.line("");
    text.open("world module {");
    text.line("include pipeline:api/imports@0.1.0;");
    text.line("export stages;");
    text.close();
    text.text
}

fn type_def(text: &mut Text, def: &TypeDef, interface: &Interface, aliases: &Aliases) {
    let name = names::escaped(&def.name);
    text.docs(&def.docs);
    match &def.kind {
        TypeKind::Record(fields) => {
            text.open(&format!("record {name} {{"));
            for field in fields {
                text.docs(&field.docs);
                text.line(&format!("{}: {},", names::escaped(&field.name), written(&field.ty, interface, aliases)));
            }
        }
        TypeKind::Cases { plain, cases } => {
            text.open(&format!("{} {name} {{", if *plain { "enum" } else { "variant" }));
            for case in cases {
                let value = case.ty.as_ref().map(|ty| format!("({})", written(ty, interface, aliases)));
                text.docs(&case.docs);
                text.line(&format!("{}{},", names::escaped(&case.name), value.unwrap_or_default()));
            }
        }
    }
    text.close();
}

fn resource(text: &mut Text, object: &Object, interface: &Interface, aliases: &Aliases) {
    let name = names::escaped(&object.name);
    text.docs(&object.docs);
    if object.members.is_empty() {
        text.line(&format!("resource {name};"));
        return;
    }
    text.open(&format!("resource {name} {{"));
    for member in &object.members {
        text.gap();
        text.docs(&function_docs(&member.function));
        text.line(&format!("{};", declaration(member, interface, aliases)));
    }
    text.close();
}

fn declaration(member: &Member, interface: &Interface, aliases: &Aliases) -> String {
    let name = names::escaped(&member.function.name);
    match member.role {
        Role::Constructor => format!("constructor({})", params(&member.function, interface, aliases)),
        Role::Method => format!("{name}: func{}", signature(&member.function, interface, aliases)),
        Role::Static => format!("{name}: static func{}", signature(&member.function, interface, aliases)),
    }
}

/// Returns the part of a declaration after `func`.
fn signature(function: &Function, interface: &Interface, aliases: &Aliases) -> String {
    let value = function.result.as_ref().map(|ty| written(ty, interface, aliases));
    let result = match (value, function.failure.is_possible()) {
        (value, true) => format!(" -> result<{}, {}>", value.as_deref().unwrap_or("_"), aliases.name(ERROR)),
        (Some(value), false) => format!(" -> {value}"),
        (None, false) => String::new(),
    };
    format!("({}){result}", params(function, interface, aliases))
}

fn params(function: &Function, interface: &Interface, aliases: &Aliases) -> String {
    let params: Vec<String> = function
        .params
        .iter()
        .map(|param| format!("{}: {}", names::escaped(&param.name), written(&param.ty, interface, aliases)))
        .collect();
    params.join(", ")
}

/// Returns the doc comment of a function, followed by one line for each documented parameter in the
/// form that `host` reads: ``- `name`: text``.
pub(crate) fn function_docs(function: &Function) -> Vec<String> {
    let mut lines = function.docs.clone();
    let documented: Vec<_> = function.params.iter().filter(|param| !param.docs.is_empty()).collect();
    if !documented.is_empty() {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push("Parameters:".to_owned());
        lines.extend(documented.iter().map(|param| format!("- `{}`: {}", param.name, param.docs)));
    }
    lines
}

fn written(ty: &Type, interface: &Interface, aliases: &Aliases) -> String {
    let written = |ty: &Type| written(ty, interface, aliases);
    match ty {
        Type::Primitive(_, wit) => (*wit).to_owned(),
        Type::String => "string".to_owned(),
        Type::List(item) => format!("list<{}>", written(item)),
        Type::Option(item) => format!("option<{}>", written(item)),
        Type::Tuple(items) => format!("tuple<{}>", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        Type::Api(api) => aliases.name(*api),
        Type::Local(ident) => names::escaped(interface.name_of(ident)),
        Type::Lent(ident) => format!("borrow<{}>", names::escaped(interface.name_of(ident))),
    }
}

/// The types that the interface uses from `pipeline:api`, and their names in the interface.
struct Aliases {
    used: BTreeSet<ApiType>,
    /// The names of the module's own stages, types and objects.
    taken: BTreeSet<String>,
}

impl Aliases {
    fn of(interface: &Interface) -> Self {
        let mut used = BTreeSet::new();
        interface.each_type(&mut |ty| {
            ty.each_api(&mut |api| {
                used.insert(api);
            });
        });
        if interface.functions().any(|function| function.failure.is_possible()) {
            used.insert(ERROR);
        }
        let types = interface.types.iter().map(|def| def.name.clone());
        let objects = interface.objects.iter().map(|object| object.name.clone());
        let taken = types.chain(objects).chain(interface.stages.iter().map(|stage| stage.name.clone())).collect();
        Self { used, taken }
    }

    /// Returns the name of an API type in the interface. The name is changed if a stage has it,
    /// because functions and types of an interface share their names.
    fn name(&self, api: ApiType) -> String {
        let mut name = api.name.to_owned();
        while self.taken.contains(&name) {
            name = format!("api-{name}");
        }
        name
    }

    fn uses(&self) -> Vec<String> {
        let mut by_interface: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for api in &self.used {
            let name = self.name(*api);
            let item = if name == api.name { name } else { format!("{} as {name}", api.name) };
            by_interface.entry(api.interface).or_default().push(item);
        }
        by_interface
            .into_iter()
            .map(|(interface, items)| format!("use pipeline:api/{interface}@0.1.0.{{{}}};", items.join(", ")))
            .collect()
    }
}

/// Text that grows line by line, with indentation.
#[derive(Default)]
struct Text {
    text: String,
    depth: usize,
}

impl Text {
    fn line(&mut self, line: &str) {
        if !line.is_empty() {
            self.text.push_str(&"    ".repeat(self.depth));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    fn docs(&mut self, lines: &[String]) {
        for line in lines {
            self.line(format!("/// {line}").trim_end());
        }
    }

    fn open(&mut self, line: &str) {
        self.line(line);
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    /// Adds an empty line, except at the beginning of a block.
    fn gap(&mut self) {
        if !self.text.ends_with("{\n") {
            self.line("");
        }
    }
}

#[cfg(test)]
mod tests;
