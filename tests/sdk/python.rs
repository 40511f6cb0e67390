//! The SDK for Python.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use wit_parser::{Function, Param, TypeDef, TypeDefKind};

use crate::package::{Method, Options, Package, Shape, capitalized, text};

const HEAD: &str = "# Generated from the WIT package by the test `sdk`. Do not edit.\n";

/// Returns the module with all objects, records and enums.
pub(crate) fn objects(package: &Package) -> String {
    let mut out = format!(
        "{HEAD}\"\"\"The objects, records and enums of stages.\"\"\"\n\nfrom __future__ import annotations\n\n\
         from collections.abc import Mapping, Sequence\nfrom dataclasses import dataclass\nfrom enum import Enum\n\n\
         from ._objects import FIELDS, Object, Value, bindings, items, leaf, lift, lower, options\n"
    );
    let mut names = Vec::new();
    for (interface, name, def) in package.values() {
        names.push(camel(name));
        value(&mut out, package, interface, name, def);
    }
    for (interface, name, id) in package.objects() {
        names.push(camel(name));
        object(&mut out, package, interface, name, id);
    }
    names.sort();
    let listed: String = names.iter().map(|name| format!("    \"{name}\",\n")).collect();
    let _ = writeln!(out, "\n\n__all__ = [\n{listed}]");
    out
}

/// Returns the module of an interface whose functions belong to no object.
pub(crate) fn functions(package: &Package, interface: &str) -> String {
    let mut out =
        format!("{HEAD}\"\"\"{}\"\"\"\n\nfrom __future__ import annotations\n\n", package.interface_docs(interface));
    let functions = package.functions(interface);
    let mut used = BTreeSet::new();
    for function in &functions {
        function.params.iter().for_each(|param| named(&package.shape(&param.ty), &mut used));
        package.result(function).0.iter().for_each(|shape| named(shape, &mut used));
    }
    let helpers = [("items", "items("), ("leaf", "leaf("), ("lift", "lift("), ("lower", "lower(")];
    let mut body = String::new();
    for function in functions {
        let call = format!("bindings(\"{}\").{}", snake(interface), snake(function.item_name()));
        let params = params(package, &function.params);
        let _ = write!(
            body,
            "\n\ndef {}({}) -> {}:\n",
            snake(function.item_name()),
            params.join(", "),
            result_type(package, function)
        );
        docs(&mut body, 1, package, &text(&function.docs), &[]);
        let _ = writeln!(
            body,
            "    {}",
            returned(package, function, &format!("{call}({})", passed(package, function, None)))
        );
    }
    let helpers = helpers.iter().filter(|(_, call)| body.contains(call)).map(|(name, _)| *name);
    let helpers: Vec<&str> = std::iter::once("bindings").chain(helpers).collect();
    let _ = writeln!(out, "from ._objects import {}", helpers.join(", "));
    let used: Vec<String> = used.iter().map(|name| camel(name)).collect();
    let _ = writeln!(out, "from .api import {}", used.join(", "));
    out + &body
}

/// Prints a record or an enum.
fn value(out: &mut String, package: &Package, interface: &str, name: &str, def: &TypeDef) {
    let class = camel(name);
    let mut lifted = String::new();
    match &def.kind {
        TypeDefKind::Record(record) => {
            let _ = writeln!(out, "\n\n@dataclass\nclass {class}(Value):");
            docs(out, 1, package, &text(&def.docs), &[]);
            let _ = writeln!(out);
            for field in &record.fields {
                let shape = package.shape(&field.ty);
                let _ = writeln!(out, "    {}: {}", snake(&field.name), annotation(&shape));
                docs(out, 1, package, &text(&field.docs), &[]);
                if let Some(lift) = lift(&shape, "raw") {
                    let _ = writeln!(lifted, "FIELDS[\"{class}\", \"{}\"] = lambda raw: {lift}", snake(&field.name));
                }
            }
        }
        TypeDefKind::Enum(cases) => {
            let _ = writeln!(out, "\n\nclass {class}(Value, Enum):");
            docs(out, 1, package, &text(&def.docs), &[]);
            let _ = writeln!(out);
            for case in &cases.cases {
                let _ = writeln!(out, "    {} = \"{}\"", snake(&case.name).to_uppercase(), case.name);
                docs(out, 1, package, &text(&case.docs), &[]);
            }
        }
        _ => unreachable!("only records and enums are values"),
    }
    let _ = write!(out, "\n\n{class}._interface = \"{}\"\n{lifted}", snake(interface));
}

/// Prints the class of an object.
fn object(out: &mut String, package: &Package, interface: &str, name: &str, id: wit_parser::TypeId) {
    let class = camel(name);
    let _ = writeln!(out, "\n\nclass {class}(Object):");
    docs(out, 1, package, &package.docs(id), &[]);
    if let Some(constructor) = package.constructor(id) {
        let params = with_self(params(package, &constructor.params));
        let _ = writeln!(out, "\n    def __init__({}) -> None:", params.join(", "));
        docs(out, 2, package, &text(&constructor.docs), &[]);
        let _ = writeln!(
            out,
            "        self._raw = bindings(\"{}\").{class}({})",
            snake(interface),
            passed(package, constructor, None)
        );
    }
    for method in package.methods(id) {
        print_method(out, package, &method);
    }
}

fn print_method(out: &mut String, package: &Package, method: &Method<'_>) {
    let function = method.function;
    let own = own_params(function);
    let is_bytes =
        method.twin.is_some_and(|twin| twin.params.iter().any(|p| matches!(package.shape(&p.ty), Shape::Bytes)));
    let mut params: Vec<String> = with_self(params(package, &own));
    if is_bytes {
        params.iter_mut().for_each(|param| *param = param.replace("contents: str", "contents: str | bytes"));
    }
    let keywords = method.options.as_ref().map(|options| keywords(package, options)).unwrap_or_default();
    if !keywords.is_empty() {
        params.push("*".to_owned());
        params.extend(keywords.iter().map(|keyword| format!("{}: {} = {}", keyword.name, keyword.ty, keyword.default)));
    }
    let name = snake(method.name);
    let returns = result_type(package, function);
    let line = format!("    def {name}({}) -> {returns}:\n", params.join(", "));
    let line = if line.len() > 120 {
        format!("    def {name}(\n        {},\n    ) -> {returns}:\n", params.join(",\n        "))
    } else {
        line
    };
    let _ = write!(out, "\n{line}");
    docs(out, 2, package, &text(&function.docs), &keywords);
    let plain = returned(package, function, &format!("self._raw.{name}({})", passed(package, function, None)));
    let (Some(options), Some(twin)) = (&method.options, method.twin) else {
        let _ = writeln!(out, "        {plain}");
        return;
    };
    let binding = format!("bindings(\"{}\").{}", snake(options.interface), camel(options.name));
    let given: String =
        keywords.iter().map(|keyword| format!("            {}={},\n", keyword.method, keyword.name)).collect();
    let _ =
        writeln!(out, "        binding = {binding}\n        chosen = options(\n            binding,\n{given}        )");
    if twin.item_name() != function.item_name() {
        let is_text = if is_bytes { " and isinstance(contents, str)" } else { "" };
        let _ = writeln!(out, "        if chosen is None{is_text}:\n            {plain}");
    }
    if is_bytes {
        out.push_str("        contents = contents.encode() if isinstance(contents, str) else contents\n");
    }
    let call =
        format!("self._raw.{}({})", snake(twin.item_name()), passed(package, function, Some("chosen or binding()")));
    let _ = writeln!(out, "        {}", returned(package, twin, &call));
}

/// A keyword argument that stands for a method of options.
struct Keyword {
    name: String,
    ty: String,
    default: &'static str,
    method: String,
    docs: String,
}

fn keywords(package: &Package, options: &Options<'_>) -> Vec<Keyword> {
    let keyword = |function: &&Function| {
        let name = function.item_name();
        let short = name.strip_prefix("with-").unwrap_or(name);
        let values: Vec<Shape<'_>> = own_params(function).iter().map(|param| package.shape(&param.ty)).collect();
        let (name, ty, default) = match values.as_slice() {
            [] => (snake(short), "bool".to_owned(), "False"),
            [value] => (snake(short), format!("{} | None", accepted(value)), "None"),
            [key, value, ..] => (
                format!("{}s", snake(short)),
                format!("Mapping[{}, {}] | None", accepted(key), accepted(value)),
                "None",
            ),
        };
        Keyword { name, ty, default, method: snake(function.item_name()), docs: text(&function.docs) }
    };
    options.methods.iter().map(keyword).collect()
}

/// Returns the parameters of a function without `self` and `options`.
fn own_params(function: &Function) -> Vec<Param> {
    function.params.iter().filter(|param| param.name != "self" && param.name != "options").cloned().collect()
}

fn with_self(params: Vec<String>) -> Vec<String> {
    std::iter::once("self".to_owned()).chain(params).collect()
}

fn params(package: &Package, params: &[Param]) -> Vec<String> {
    let shapes: Vec<Shape<'_>> = params.iter().map(|param| package.shape(&param.ty)).collect();
    let n_needed = shapes.iter().rposition(|shape| !matches!(shape, Shape::Option(_))).map_or(0, |last| last + 1);
    let written = params.iter().zip(&shapes).enumerate().map(|(n, (param, shape))| {
        let default = if n >= n_needed { " = None" } else { "" };
        format!("{}: {}{default}", snake(&param.name), accepted(shape))
    });
    written.collect()
}

/// Returns the arguments of a call of the bindings.
fn passed(package: &Package, function: &Function, last: Option<&str>) -> String {
    let own = own_params(function).into_iter().map(|param| {
        let lower = if matches!(package.shape(&param.ty), Shape::List(_)) { "items" } else { "lower" };
        format!("{lower}({})", snake(&param.name))
    });
    own.chain(last.map(str::to_owned)).collect::<Vec<_>>().join(", ")
}

/// Returns the statement that returns what a call of the bindings returns.
fn returned(package: &Package, function: &Function, call: &str) -> String {
    let (shape, can_fail) = package.result(function);
    let raw = if can_fail { format!("leaf(lambda: {call})") } else { call.to_owned() };
    match shape {
        None => raw,
        Some(shape) => format!("return {}", lift(&shape, &raw).unwrap_or(raw)),
    }
}

/// Returns code that makes a value of the SDK of one of the bindings, or none if they are the same.
fn lift(shape: &Shape<'_>, raw: &str) -> Option<String> {
    match shape {
        Shape::Plain(_) | Shape::Bytes | Shape::Option(_) => None,
        Shape::Named(name) => Some(format!("lift({}, {raw})", camel(name))),
        Shape::List(item) if is_pair(item) => Some(format!("dict({raw})")),
        Shape::List(item) => lift(item, "item").map(|lifted| format!("[{lifted} for item in {raw}]")),
        Shape::Tuple(_) => None,
    }
}

fn is_pair(shape: &Shape<'_>) -> bool {
    matches!(shape, Shape::Tuple(items) if matches!(items.as_slice(), [Shape::Plain("string"), Shape::Plain("string")]))
}

fn result_type(package: &Package, function: &Function) -> String {
    package.result(function).0.as_ref().map_or("None".to_owned(), annotation)
}

/// Returns the annotation of a value that a method returns, or of a field.
fn annotation(shape: &Shape<'_>) -> String {
    match shape {
        Shape::Plain("string") => "str".to_owned(),
        Shape::Plain("integer") => "int".to_owned(),
        Shape::Plain(name) => (*name).to_owned(),
        Shape::Bytes => "bytes".to_owned(),
        Shape::List(item) if is_pair(item) => "dict[str, str]".to_owned(),
        Shape::List(item) => format!("list[{}]", annotation(item)),
        Shape::Option(item) => format!("{} | None", annotation(item)),
        Shape::Tuple(items) => format!("tuple[{}]", items.iter().map(annotation).collect::<Vec<_>>().join(", ")),
        Shape::Named(name) => camel(name),
    }
}

/// Returns the annotation of a parameter, which takes more than a list where it takes a list.
fn accepted(shape: &Shape<'_>) -> String {
    match shape {
        Shape::List(item) => format!("Sequence[{}]", accepted(item)),
        Shape::Option(item) => format!("{} | None", accepted(item)),
        other => annotation(other),
    }
}

fn named(shape: &Shape<'_>, used: &mut BTreeSet<String>) {
    match shape {
        Shape::Named(name) => drop(used.insert((*name).to_owned())),
        Shape::List(item) | Shape::Option(item) => named(item, used),
        Shape::Tuple(items) => items.iter().for_each(|item| named(item, used)),
        Shape::Plain(_) | Shape::Bytes => {}
    }
}

/// Prints a docstring: the documentation, and that of each keyword argument.
fn docs(out: &mut String, depth: usize, package: &Package, text: &str, keywords: &[Keyword]) {
    let indent = "    ".repeat(depth);
    let mut text = package.said(text, &|name| snake(name));
    if !keywords.is_empty() {
        text.push_str("\n\nArgs:");
        for keyword in keywords {
            let docs = package.said(&keyword.docs, &|name| snake(name)).replace('\n', "\n        ");
            let _ = write!(text, "\n    {}: {docs}", keyword.name);
        }
    }
    let text = text.lines().map(|line| if line.is_empty() { String::new() } else { format!("{indent}{line}") });
    let text = text.collect::<Vec<_>>().join("\n");
    let end = if text.contains('\n') { format!("\n{indent}") } else { String::new() };
    let _ = writeln!(out, "{indent}\"\"\"{}{end}\"\"\"", text.trim_start());
}

fn snake(name: &str) -> String {
    name.replace('-', "_")
}

fn camel(name: &str) -> String {
    name.split('-').map(capitalized).collect()
}
