//! The help of stages and methods.

use std::fmt::Write as _;

use api::{Signature, Type};
use module::{ApiFunction, Documentation, api_methods_of};

use super::flags::{Flag, FlagKind, FlagSet, placeholder, usage};
use super::plan::{stage_flags, unwrapped};
use crate::help::item;

/// Returns the help of a stage.
pub(crate) fn stage_help(stage: &Signature, docs: Option<&Documentation>) -> String {
    let stage_docs = docs.and_then(|docs| docs.stages.get(&stage.name));
    let flags = stage_flags(stage, docs);
    let mut text = stage_docs.map(|docs| docs.text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut text = text.get_or_insert_with(|| format!("Calls the stage `{}`.", stage.name)).clone();
    let _ = write!(text, "\n\nUsage: {} [METHOD...]\n", usage(&format!("host call {}", stage.name), &flags));
    add_flags(&mut text, &flags);
    if let Some(docs) = docs {
        add_types(&mut text, docs, stage_docs.map(|docs| docs.param_types.values().collect()).unwrap_or_default());
    }
    match unwrapped(stage.result.as_ref()) {
        Some(Type::Object(object)) => add_methods(&mut text, object),
        _ => add_result(&mut text, stage.result.as_ref()),
    }
    text.push_str("\n`host call --help` shows the options of every call.\n");
    text
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
