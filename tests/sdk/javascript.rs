//! The SDK for JavaScript and TypeScript: the classes of the bindings with methods as authors expect them, and types.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use wit_parser::{Function, Param, TypeDef, TypeDefKind, TypeId};

use crate::package::{FUNCTIONS, Method, Options, Package, Shape, text};

const HEAD: &str = "// Generated from the WIT package by the test `sdk`. Do not edit.\n";

/// Returns the module that changes the classes of the bindings, and exports them.
pub(crate) fn objects(package: &Package) -> String {
    let mut imported: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut body = String::new();
    let mut exported = Vec::new();
    for (interface, name, id) in package.objects() {
        imported.entry(interface).or_default().insert(pascal(name));
        exported.push(pascal(name));
        let mut table = String::new();
        for method in package.methods(id) {
            if let Some(options) = &method.options {
                imported.entry(options.interface).or_default().insert(pascal(options.name));
            }
            if let Some(row) = row(package, &method) {
                let _ = writeln!(table, "  {}: {{ {row} }},", camel(method.name));
            }
        }
        if !table.is_empty() {
            let _ = writeln!(body, "\nmethods({}, {{\n{table}}});", pascal(name));
        }
    }
    let mut out = format!("{HEAD}\n");
    for (interface, names) in imported {
        let names: Vec<String> = names.into_iter().collect();
        let _ = writeln!(out, "import {{ {} }} from \"pipeline:api/{interface}@0.1.0\";", names.join(", "));
    }
    let _ = writeln!(out, "import {{ methods }} from \"./runtime.js\";\n{body}\nexport {{ {} }};", exported.join(", "));
    out
}

/// Returns what is different for a method, or none if the one of the bindings is good as it is.
fn row(package: &Package, method: &Method<'_>) -> Option<String> {
    let own = own_params(method.function);
    let shapes: Vec<Shape<'_>> = own.iter().map(|param| package.shape(&param.ty)).collect();
    let (result, can_fail) = package.result(method.function);
    let mut parts = Vec::new();
    if can_fail {
        parts.push("leaf: true".to_owned());
    }
    if let (Some(options), Some(twin)) = (&method.options, method.twin) {
        if twin.item_name() != method.name {
            parts.push(format!("twin: \"{}\"", camel(twin.item_name())));
        }
        let (mut keywords, mut several) = (String::new(), String::new());
        for keyword in self::keywords(package, options) {
            let _ = write!(keywords, " {}: \"{}\",", keyword.name, keyword.method);
            if keyword.is_several {
                let _ = write!(several, "\"{}\"", keyword.name);
            }
        }
        parts.push(format!("options: {}, keywords: {{{} }}", pascal(options.name), keywords.trim_end_matches(',')));
        if !several.is_empty() {
            parts.push(format!("several: [{several}]"));
        }
        let bytes = own_params(twin).iter().position(|param| matches!(package.shape(&param.ty), Shape::Bytes));
        parts.extend(bytes.map(|at| format!("bytes: {at}")));
    }
    let lists: Vec<String> = shapes
        .iter()
        .enumerate()
        .filter(|(_, shape)| matches!(shape, Shape::List(_)))
        .map(|(at, _)| at.to_string())
        .collect();
    if !lists.is_empty() {
        parts.push(format!("lists: [{}]", lists.join(", ")));
    }
    if matches!(&result, Some(Shape::List(item)) if is_pair(item)) {
        parts.push("pairs: true".to_owned());
    }
    let has_optional = shapes.iter().any(|shape| matches!(shape, Shape::Option(_)));
    (!parts.is_empty() || has_optional).then(|| {
        parts.insert(0, format!("n: {}", own.len()));
        parts.join(", ")
    })
}

/// Returns the module of an interface whose functions belong to no object.
pub(crate) fn functions(package: &Package, interface: &str) -> String {
    let mut out = format!("{HEAD}\nimport * as raw from \"pipeline:api/{interface}@0.1.0\";\n");
    let functions = package.functions(interface);
    if functions.iter().any(|function| package.result(function).1) {
        out.push_str("import { leaf } from \"./runtime.js\";\n");
    }
    for function in functions {
        let name = camel(function.item_name());
        let params: Vec<String> = function.params.iter().map(|param| camel(&param.name)).collect();
        let params = params.join(", ");
        let call = format!("raw.{name}({params})");
        let call = if package.result(function).1 { format!("leaf(() => {call})") } else { call };
        let _ = writeln!(out, "\nexport function {name}({params}) {{\n  return {call};\n}}");
    }
    out
}

/// Returns the types of all modules.
pub(crate) fn types(package: &Package) -> String {
    let mut out = HEAD.to_owned();
    for (_, name, def) in package.values() {
        value(&mut out, package, name, def);
    }
    for (_, name, id) in package.objects() {
        object(&mut out, package, name, id);
    }
    for interface in FUNCTIONS {
        docs(&mut out, 0, package, &package.interface_docs(interface), true);
        let _ = writeln!(out, "export declare namespace {} {{", camel(interface));
        for function in package.functions(interface) {
            docs(&mut out, 1, package, &text(&function.docs), false);
            let params = params(package, &function.params).join(", ");
            let name = camel(function.item_name());
            let _ = writeln!(out, "  function {name}({params}): {};", result_type(package, function));
        }
        out.push_str("}\n");
    }
    out
}

fn value(out: &mut String, package: &Package, name: &str, def: &TypeDef) {
    docs(out, 0, package, &text(&def.docs), true);
    match &def.kind {
        TypeDefKind::Record(record) => {
            let _ = writeln!(out, "export interface {} {{", pascal(name));
            for field in &record.fields {
                docs(out, 1, package, &text(&field.docs), false);
                let _ = writeln!(out, "  {}: {};", camel(&field.name), ts(&package.shape(&field.ty)));
            }
            out.push_str("}\n");
        }
        TypeDefKind::Enum(cases) => {
            let cases: Vec<String> = cases.cases.iter().map(|case| format!("\"{}\"", case.name)).collect();
            let _ = writeln!(out, "export type {} = {};", pascal(name), cases.join(" | "));
        }
        _ => unreachable!("only records and enums are values"),
    }
}

fn object(out: &mut String, package: &Package, name: &str, id: TypeId) {
    docs(out, 0, package, &package.docs(id), true);
    let _ = writeln!(out, "export declare class {} {{", pascal(name));
    match package.constructor(id) {
        Some(constructor) => {
            docs(out, 1, package, &text(&constructor.docs), false);
            let _ = writeln!(out, "  constructor({});", params(package, &constructor.params).join(", "));
        }
        None => out.push_str("  private constructor();\n"),
    }
    for method in package.methods(id) {
        let function = method.function;
        let mut params = params(package, &own_params(function));
        if method.twin.is_some_and(|twin| twin.params.iter().any(|p| matches!(package.shape(&p.ty), Shape::Bytes))) {
            params
                .iter_mut()
                .for_each(|param| *param = param.replace("contents: string", "contents: string | Uint8Array"));
        }
        out.push('\n');
        docs(out, 1, package, &text(&function.docs), false);
        if let Some(options) = &method.options {
            params.push(option_type(package, options));
        }
        let _ = writeln!(out, "  {}({}): {};", camel(method.name), params.join(", "), result_type(package, function));
    }
    out.push_str("}\n");
}

/// Returns the parameter that takes the options of a method.
fn option_type(package: &Package, options: &Options<'_>) -> String {
    let mut text = String::from("options?: {\n");
    for keyword in keywords(package, options) {
        docs(&mut text, 2, package, &keyword.docs, false);
        let _ = writeln!(text, "    {}?: {};", keyword.name, keyword.ty);
    }
    text + "  }"
}

/// An option that stands for a method of options.
struct Keyword {
    name: String,
    ty: String,
    method: String,
    docs: String,
    /// The option takes an object, and the method one key and its value.
    is_several: bool,
}

fn keywords(package: &Package, options: &Options<'_>) -> Vec<Keyword> {
    let keyword = |function: &&Function| {
        let name = function.item_name();
        let short = camel(name.strip_prefix("with-").unwrap_or(name));
        let values: Vec<Shape<'_>> = own_params(function).iter().map(|param| package.shape(&param.ty)).collect();
        let (name, ty, is_several) = match values.as_slice() {
            [] => (short, "boolean".to_owned(), false),
            [value] => (short, ts(value), false),
            [_, value, ..] => (format!("{short}s"), format!("Record<string, {}>", ts(value)), true),
        };
        Keyword { name, ty, is_several, method: camel(function.item_name()), docs: text(&function.docs) }
    };
    options.methods.iter().map(keyword).collect()
}

/// Returns the parameters of a function without `self` and `options`.
fn own_params(function: &Function) -> Vec<Param> {
    function.params.iter().filter(|param| param.name != "self" && param.name != "options").cloned().collect()
}

fn params(package: &Package, params: &[Param]) -> Vec<String> {
    let shapes: Vec<Shape<'_>> = params.iter().map(|param| package.shape(&param.ty)).collect();
    let n_needed = shapes.iter().rposition(|shape| !matches!(shape, Shape::Option(_))).map_or(0, |last| last + 1);
    let written = params.iter().zip(&shapes).enumerate().map(|(n, (param, shape))| match shape {
        Shape::Option(item) if n >= n_needed => format!("{}?: {}", camel(&param.name), ts(item)),
        shape => format!("{}: {}", camel(&param.name), ts(shape)),
    });
    written.collect()
}

fn result_type(package: &Package, function: &Function) -> String {
    package.result(function).0.as_ref().map_or("void".to_owned(), ts)
}

fn ts(shape: &Shape<'_>) -> String {
    match shape {
        Shape::Plain("bool") => "boolean".to_owned(),
        Shape::Plain("string") => "string".to_owned(),
        Shape::Plain(_) => "number".to_owned(),
        Shape::Bytes => "Uint8Array".to_owned(),
        Shape::List(item) if is_pair(item) => "Record<string, string>".to_owned(),
        Shape::List(item) => format!("{}[]", ts(item)),
        Shape::Option(item) => format!("{} | undefined", ts(item)),
        Shape::Tuple(items) => format!("[{}]", items.iter().map(ts).collect::<Vec<_>>().join(", ")),
        Shape::Named(name) => pascal(name),
    }
}

fn is_pair(shape: &Shape<'_>) -> bool {
    matches!(shape, Shape::Tuple(items) if matches!(items.as_slice(), [Shape::Plain("string"), Shape::Plain("string")]))
}

/// Prints a comment of documentation.
fn docs(out: &mut String, depth: usize, package: &Package, text: &str, is_apart: bool) {
    let indent = "  ".repeat(depth);
    let text = package.said(text, &|name| camel(name));
    if is_apart {
        out.push('\n');
    }
    match text.contains('\n') {
        false if text.is_empty() => {}
        false => drop(writeln!(out, "{indent}/** {text} */")),
        true => {
            let lines = text.lines().map(|line| format!("{indent} * {line}").trim_end().to_owned());
            let _ = writeln!(out, "{indent}/**\n{}\n{indent} */", lines.collect::<Vec<_>>().join("\n"));
        }
    }
}

fn camel(name: &str) -> String {
    let pascal = pascal(name);
    let mut letters = pascal.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn pascal(name: &str) -> String {
    name.split('-').map(crate::package::capitalized).collect()
}
