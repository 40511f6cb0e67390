//! The help of stages and methods.

use std::fmt::Write as _;

use api::{CustomType, Signature, Type};
use module::{ApiFunction, Documentation, StageDocs, api_methods_of};
use pipeline::{Library, Stage, StageBody, StageGraph};

use super::flags::{Flag, FlagKind, FlagSet, placeholder, usage};
use super::plan::{object_type, stage_flags, unwrapped};
use crate::help::item;

/// Returns the help of a stage.
pub(crate) fn stage_help(graph: &StageGraph, stage: &Stage, library: &Library, docs: Option<&Documentation>) -> String {
    let stage_docs = docs.and_then(|docs| docs_of(stage, docs));
    let flags = stage_flags(graph, stage, stage_docs);
    let said = stage.description.as_deref().or(stage_docs.map(|docs| docs.text.trim()));
    let mut text = match said.filter(|text| !text.is_empty()) {
        Some(text) => text.to_owned(),
        None => format!("Calls the stage `{}`.", stage.name),
    };
    let _ = write!(text, "\n\nUsage: {} [METHOD...]\n", usage(&format!("host call {}", stage.name), &flags));
    add_flags(&mut text, &flags);
    if let Some(docs) = docs {
        add_types(&mut text, docs, stage_docs.map(|docs| docs.param_types.values().collect()).unwrap_or_default());
    }
    match unwrapped(stage.result.as_ref()) {
        Some(Type::Object(object)) => add_methods(&mut text, object),
        Some(Type::Custom(ty)) => add_custom_methods(&mut text, ty, library, docs),
        _ => add_result(&mut text, stage.result.as_ref()),
    }
    text.push_str("\n`host call --help` shows the options of every call.\n");
    text
}

/// Returns what the author of a module wrote about the function that a stage calls.
pub(crate) fn docs_of<'d>(stage: &Stage, docs: &'d Documentation) -> Option<&'d StageDocs> {
    let StageBody::Call { function, .. } = &stage.body else { return None };
    match function.strip_prefix("[constructor]") {
        Some(object) => docs.objects.get(object)?.constructor.as_ref(),
        None => docs.stages.get(function),
    }
}

/// Returns the help of a method of a custom object.
pub(crate) fn custom_help(signature: &Signature) -> String {
    let flags = FlagSet::of_signature(signature);
    let mut text = format!("Usage: {}\n", usage(&format!("... {}", signature.name), &flags));
    add_flags(&mut text, &flags);
    add_result(&mut text, signature.result.as_ref());
    text
}

fn add_custom_methods(text: &mut String, ty: &CustomType, library: &Library, docs: Option<&Documentation>) {
    let _ = write!(text, "\nReturns a {}, with the methods:\n", ty.name);
    let docs = docs.and_then(|docs| docs.objects.get(&ty.name));
    for method in object_type(library, ty).map(|object| object.methods.as_slice()).unwrap_or_default() {
        let docs = docs.and_then(|docs| docs.methods.get(&method.name));
        item(text, &method.name, docs.and_then(|docs| docs.text.lines().next()).unwrap_or_default());
    }
}

/// Returns the help of a method.
pub(crate) fn method_help(function: &ApiFunction) -> String {
    let flags = FlagSet::of_method(function);
    let mut text = format!("{}\n\nUsage: {}\n", function.docs.trim(), usage(&format!("... {}", function.name), &flags));
    add_flags(&mut text, &flags);
    add_result(&mut text, function.signature.result.as_ref());
    text
}

fn add_flags(text: &mut String, flags: &FlagSet) {
    let sections = [
        ("Flags", flags.flags.iter().filter(|flag| flag.is_required).collect::<Vec<_>>()),
        ("Optional flags", flags.flags.iter().filter(|flag| !flag.is_required).collect()),
    ];
    for (title, flags) in sections {
        if !flags.is_empty() {
            let _ = write!(text, "\n{title}:\n");
            for flag in flags {
                item(text, &placeholder(flag), &flag_docs(flag));
            }
        }
    }
}

fn flag_docs(flag: &Flag) -> String {
    let docs = flag.docs.trim();
    match flag.kind {
        FlagKind::Param if docs.is_empty() => format!("({})", flag.ty),
        FlagKind::Param => format!("{docs} ({})", short(&flag.ty)),
        FlagKind::Include(_) | FlagKind::Exclude(_) | FlagKind::Builder(_) => docs.to_owned(),
    }
}

/// A record or a variant is told under its name further down.
fn short(ty: &Type) -> String {
    match ty {
        Type::Option(item) => format!("option<{}>", short(item)),
        Type::List(item) => format!("list<{}>", short(item)),
        Type::Record(_) => "record".to_owned(),
        Type::Variant(_) => "variant".to_owned(),
        Type::Enum(_) => "enum".to_owned(),
        Type::Flags(_) => "flags".to_owned(),
        ty => ty.to_string(),
    }
}

fn add_types(text: &mut String, docs: &Documentation, mut names: Vec<&String>) {
    names.sort();
    names.dedup();
    for (name, ty) in names.into_iter().filter_map(|name| Some((name, docs.types.get(name)?))) {
        let _ = write!(text, "\nThe {} `{name}`: {}\n", ty.kind, ty.text);
        for member in &ty.members {
            let head = match &member.ty {
                Some(ty) => format!("{}: {ty}", member.name),
                None => member.name.clone(),
            };
            item(text, &head, &member.text);
        }
    }
}

/// Shows what each method does, in its first sentence.
fn add_methods(text: &mut String, object: &str) {
    let _ = write!(text, "\nReturns a {object}, with the methods:\n");
    for method in api_methods_of(object) {
        let first = method.docs.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let first = first.strip_prefix("LEAF: ").unwrap_or(&first);
        item(text, &method.name, first.split_inclusive(". ").next().unwrap_or_default().trim());
    }
}

/// Fills lines of at most 80 characters with words.
fn filled(words: &[&str]) -> String {
    let mut lines = vec![String::from(" ")];
    for word in words {
        if let Some(line) = lines.last_mut().filter(|line| line.len() + word.len() < 79) {
            let _ = write!(line, " {word}");
        } else {
            lines.push(format!("  {word}"));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn add_result(text: &mut String, result: Option<&Type>) {
    match unwrapped(result) {
        None => text.push_str("\nReturns nothing.\n"),
        Some(Type::Object(object)) => {
            let names: Vec<&str> = api_methods_of(object).iter().map(|method| method.name.as_str()).collect();
            let _ = write!(text, "\nReturns a {object}; its methods:\n{}", filled(&names));
        }
        Some(ty) => {
            let _ =
                write!(text, "\nReturns {}.\n", if matches!(ty, Type::Record(_)) { ty.to_string() } else { short(ty) });
        }
    }
}
