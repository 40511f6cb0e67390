//! Prints an interface as WIT.
//!
//! The text is written here and not by `wit-encoder`. That crate would replace about a third of this file by as many calls
//! of its builders, and it brings `pretty_assertions`, a crate for tests, into the build of every module. The text that is
//! written here is parsed by `wit-parser` before anything uses it.

use std::collections::{BTreeMap, BTreeSet};

use crate::text::Text;
use crate::{API_TYPES, ApiType, ERROR, Function, Interface, Kind, Member, Object, Part, Role, Type, TypeDef, escaped};

/// Returns the text of the module's own package.
pub(crate) fn package(interface: &Interface, name: &str, version: &str) -> String {
    let mut text = Text::default();
    let aliases = Aliases::of(interface);
    text.line(&format!("package local:{}@{version};", escaped(name)));
    text.line("");
    text.docs(&interface.docs);
    text.open("interface stages {");
    for line in aliases.uses() {
        text.line(&line);
    }
    for def in &interface.types {
        text.gap();
        type_def(&mut text, def, &aliases);
    }
    for object in &interface.objects {
        text.gap();
        resource(&mut text, object, &aliases);
    }
    for stage in &interface.stages {
        text.gap();
        text.docs(&function_docs(stage));
        text.line(&format!("{}: func{};", escaped(&stage.name), signature(stage, &aliases)));
    }
    text.close();
    text.line("");
    text.open("world module {");
    text.line("include pipeline:api/imports@0.1.0;");
    for power in &interface.powers {
        text.line(&format!("import pipeline:api/{power}@0.1.0;"));
    }
    text.line("export stages;");
    text.close();
    text.text
}

fn type_def(text: &mut Text, def: &TypeDef, aliases: &Aliases) {
    let kind = match def.kind {
        Kind::Record => "record",
        Kind::Enum => "enum",
        Kind::Variant => "variant",
    };
    text.docs(&def.docs);
    text.open(&format!("{kind} {} {{", escaped(&def.name)));
    for member in &def.members {
        text.docs(&member.docs);
        text.line(&format!("{}{},", escaped(&member.name), part_type(def.kind, member, aliases)));
    }
    text.close();
}

fn part_type(kind: Kind, part: &Part, aliases: &Aliases) -> String {
    match (kind, &part.ty) {
        (_, None) => String::new(),
        (Kind::Record, Some(ty)) => format!(": {}", written(ty, aliases)),
        (Kind::Enum | Kind::Variant, Some(ty)) => format!("({})", written(ty, aliases)),
    }
}

fn resource(text: &mut Text, object: &Object, aliases: &Aliases) {
    let name = escaped(&object.name);
    text.docs(&object.docs);
    if object.members.is_empty() {
        text.line(&format!("resource {name};"));
        return;
    }
    text.open(&format!("resource {name} {{"));
    for member in &object.members {
        text.gap();
        text.docs(&function_docs(&member.function));
        text.line(&format!("{};", declaration(member, aliases)));
    }
    text.close();
}

fn declaration(member: &Member, aliases: &Aliases) -> String {
    let name = escaped(&member.function.name);
    match member.role {
        Role::Constructor => format!("constructor({})", params(&member.function, aliases)),
        Role::Method => format!("{name}: func{}", signature(&member.function, aliases)),
        Role::Static => format!("{name}: static func{}", signature(&member.function, aliases)),
    }
}

/// Returns the part of a declaration after `func`.
fn signature(function: &Function, aliases: &Aliases) -> String {
    let value = function.result.as_ref().map(|ty| written(ty, aliases));
    let result = match (value, function.can_fail) {
        (value, true) => format!(" -> result<{}, {}>", value.as_deref().unwrap_or("_"), aliases.name(ERROR.name)),
        (Some(value), false) => format!(" -> {value}"),
        (None, false) => String::new(),
    };
    format!("({}){result}", params(function, aliases))
}

fn params(function: &Function, aliases: &Aliases) -> String {
    let param = |(name, ty): (&str, &Type)| format!("{}: {}", escaped(name), written(ty, aliases));
    let params: Vec<String> = function.params.iter().map(|p| param((p.name.as_str(), &p.ty))).collect();
    params.join(", ")
}

/// Returns the documentation of a function, followed by what `host` reads in it: ``- `name`: text`` for each documented
/// parameter, `@default name value` for each default, and `@check`.
fn function_docs(function: &Function) -> Vec<String> {
    let mut lines = function.docs.clone();
    let documented: Vec<_> = function.params.iter().filter(|param| !param.docs.is_empty()).collect();
    if !documented.is_empty() {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push("Parameters:".to_owned());
        lines.extend(documented.iter().map(|param| format!("- `{}`: {}", param.name, param.docs)));
    }
    let default = |param: &crate::Param| Some(format!("@default {} {}", param.name, param.default.as_ref()?));
    lines.extend(function.params.iter().filter_map(default));
    lines.extend(function.is_check.then(|| "@check".to_owned()));
    lines
}

fn written(ty: &Type, aliases: &Aliases) -> String {
    let written = |ty: &Type| written(ty, aliases);
    match ty {
        Type::Primitive(name) => name.clone(),
        Type::List(item) => format!("list<{}>", written(item)),
        Type::Option(item) => format!("option<{}>", written(item)),
        Type::Tuple(items) => format!("tuple<{}>", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        Type::Api(name) => aliases.name(name),
        Type::Local(name) => escaped(name),
        Type::Lent(name) => format!("borrow<{}>", escaped(name)),
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
        interface.each_api(&mut |name| used.extend(API_TYPES.iter().find(|api| api.name == name)));
        if interface.functions().any(|function| function.can_fail) {
            used.insert(ERROR);
        }
        let types = interface.types.iter().map(|def| def.name.clone());
        let objects = interface.objects.iter().map(|object| object.name.clone());
        let taken = types.chain(objects).chain(interface.stages.iter().map(|stage| stage.name.clone())).collect();
        Self { used, taken }
    }

    /// Returns the name of an API type in the interface. The name is changed if a stage has it,
    /// because functions and types of an interface share their names.
    fn name(&self, api: &str) -> String {
        let mut name = api.to_owned();
        while self.taken.contains(&name) {
            name = format!("api-{name}");
        }
        name
    }

    fn uses(&self) -> Vec<String> {
        let mut by_interface: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for api in &self.used {
            let name = self.name(api.name);
            let item = if name == api.name { name } else { format!("{} as {name}", api.name) };
            by_interface.entry(api.interface).or_default().push(item);
        }
        by_interface
            .into_iter()
            .map(|(interface, items)| format!("use pipeline:api/{interface}@0.1.0.{{{}}};", items.join(", ")))
            .collect()
    }
}
