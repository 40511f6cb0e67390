//! The help of stages and methods.

use api::{CustomType, Signature, Type};
use clap::Command;
use clap::builder::StyledStr;
use module::{ApiMethod, Documentation, StageDocs, TypeDocs, grouped_methods};
use pipeline::{Library, Stage, StageBody, StageGraph};

use super::feeding::Feeding;
use super::flags::{FlagSet, usage};
use super::line::line;
use super::shapes::{object_type, short, unwrapped};
use crate::styles::section;

/// Returns the help of a stage.
pub(crate) fn stage_help(
    graph: &StageGraph,
    stage: &Stage,
    library: &Library,
    docs: Option<&Documentation>,
) -> StyledStr {
    let stage_docs = docs.and_then(|docs| docs_of(stage, docs));
    let flags = FlagSet::of_stage(graph, stage, stage_docs);
    let said = stage.description.as_deref().or(stage_docs.map(|docs| docs.text.trim()));
    let about = match said.filter(|text| !text.is_empty()) {
        Some(text) => text.to_owned(),
        None => format!("Calls the stage `{}`.", stage.name),
    };
    let mut sections = docs.map(|docs| types(docs, stage_docs)).unwrap_or_default();
    sections.push(match unwrapped(stage.result.as_ref()) {
        Some(Type::Object(object)) => methods(object),
        Some(Type::Custom(ty)) => custom_methods(ty, library, docs),
        _ => result(stage.result.as_ref()),
    });
    sections.extend(list_note(&flags));
    sections.push("`host call --help` shows the options of every call.".to_owned());
    let usage = format!("{} [METHOD]...", usage(&format!("host call {}", stage.name), &flags));
    let feeding = graph.find(&stage.name).map(|id| Feeding::of(graph, id)).unwrap_or_default();
    rendered(feeding.add_to(line(usage, &flags)), &about, &sections)
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
pub(super) fn custom_help(signature: &Signature) -> StyledStr {
    let flags = FlagSet::of_signature(signature);
    let sections: Vec<_> = [result(signature.result.as_ref())].into_iter().chain(list_note(&flags)).collect();
    let about = format!("Calls the method `{}`.", signature.name);
    rendered(line(usage(&format!("... {}", signature.name), &flags), &flags), &about, &sections)
}

/// Returns the help of a method of `pipeline:api`.
pub(super) fn method_help(method: ApiMethod) -> StyledStr {
    let flags = FlagSet::of_method(method);
    let returned = result(method.plain.signature.result.as_ref());
    let sections: Vec<_> = [returned].into_iter().chain(list_note(&flags)).collect();
    let usage = usage(&format!("... {}", method.name()), &flags);
    rendered(line(usage, &flags), &sentence(method.plain.docs.trim()), &sections)
}

fn rendered(command: Command, about: &str, sections: &[String]) -> StyledStr {
    let about: Vec<String> = about.split("\n\n").map(|part| part.replace('\n', " ")).collect();
    command.about(about.join("\n\n")).after_help(sections.join("\n\n")).render_help()
}

/// Explains lists, if a flag takes one.
fn list_note(flags: &FlagSet) -> Option<String> {
    let has_list = flags.flags.iter().any(|flag| match &flag.ty {
        Type::List(item) => **item != Type::U8,
        Type::Option(item) => matches!(&**item, Type::List(item) if **item != Type::U8),
        _ => false,
    });
    has_list.then(|| {
        "A flag with `,...` takes a list: give it once with commas between the items, or repeat it for each item."
            .to_owned()
    })
}

/// Describes the types of parameters that the module defines.
fn types(docs: &Documentation, stage: Option<&StageDocs>) -> Vec<String> {
    let mut names: Vec<&String> = stage.map(|docs| docs.param_types.values().collect()).unwrap_or_default();
    names.sort();
    names.dedup();
    let known = names.into_iter().filter_map(|name| Some((name, docs.types.get(name)?)));
    known.map(|(name, ty)| described(name, ty)).collect()
}

fn described(name: &str, ty: &TypeDocs) -> String {
    let members: Vec<_> = ty
        .members
        .iter()
        .map(|member| match &member.ty {
            Some(ty) => (format!("{}: {ty}", member.name), member.text.clone()),
            None => (member.name.clone(), member.text.clone()),
        })
        .collect();
    let said = ty.text.trim().trim_end_matches('.');
    section(
        &if said.is_empty() { format!("{} {name}", ty.kind) } else { format!("{} {name} ({said})", ty.kind) },
        &members,
    )
}

/// Lists the methods of an object by what they return, each with its first sentence.
fn methods(object: &str) -> String {
    let item = |method: &ApiMethod| {
        let first = method.plain.docs.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let first = sentence(&first);
        (method.name().to_owned(), first.split_inclusive(". ").next().unwrap_or_default().trim().to_owned())
    };
    let groups = grouped_methods(object).into_iter();
    let sections = groups.map(|(title, methods)| section(&title, &methods.iter().map(item).collect::<Vec<_>>()));
    let sections: Vec<String> = sections.collect();
    format!("It returns a {object}, whose methods can be called behind it.\n\n{}", sections.join("\n\n"))
}

fn custom_methods(ty: &CustomType, library: &Library, docs: Option<&Documentation>) -> String {
    let docs = docs.and_then(|docs| docs.objects.get(&ty.name));
    let methods = object_type(library, ty).map(|object| object.methods.as_slice()).unwrap_or_default();
    let items: Vec<_> = methods
        .iter()
        .map(|method| {
            let docs = docs.and_then(|docs| docs.methods.get(&method.name));
            (method.name.clone(), docs.and_then(|docs| docs.text.lines().next()).unwrap_or_default().to_owned())
        })
        .collect();
    section(&format!("Methods of the {} that it returns", ty.name), &items)
}

/// Returns the documentation of a method as a sentence: the word that marks methods that evaluate is for authors.
fn sentence(docs: &str) -> String {
    let docs = docs.strip_prefix("LEAF: ").unwrap_or(docs);
    let mut letters = docs.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// Lists the names of an object's methods by what they return.
fn names(object: &str) -> String {
    let groups = grouped_methods(object).into_iter();
    let lines = groups.map(|(title, methods)| {
        format!("{title}: {}.", methods.iter().map(ApiMethod::name).collect::<Vec<_>>().join(", "))
    });
    std::iter::once(format!("It returns a {object}.")).chain(lines).collect::<Vec<_>>().join("\n\n")
}

fn result(result: Option<&Type>) -> String {
    match unwrapped(result) {
        None => "It returns nothing.".to_owned(),
        Some(Type::Object(object)) => names(object),
        Some(ty @ Type::Record(_)) => format!("It returns {ty}."),
        Some(ty) => format!("It returns {}.", short(ty)),
    }
}
