//! Stages and methods as a tree of commands, for completion.

use api::Type;
use clap::Command;
use module::methods_of;
use pipeline::{Library, StageGraph};

use super::feeding::Feeding;
use super::line::{args, line, next};
use super::plan::{Target, find_method};
use super::shapes::{object_type, unwrapped};
use super::values::kebab;
use crate::args::options::{call, common};

/// Returns a command for each stage. The one that the words name has its flags, and the methods of its result.
pub(crate) fn completed_stages(graph: &StageGraph, library: &Library, words: &[String]) -> Vec<Command> {
    let named = words.first().and_then(|name| graph.find(name));
    let stages = graph.stages().iter().enumerate().filter(|(_, stage)| !stage.is_constructor);
    stages
        .map(|(id, stage)| {
            let about = stage.description.as_deref().and_then(|text| text.lines().next()).map(str::to_owned);
            let command = common(Command::new(stage.name.clone()));
            let command = about.into_iter().fold(command, Command::about);
            match named == Some(id) {
                true => completed(command, &Target::Stage(graph, stage), library, words[1..].to_vec()),
                false => command,
            }
        })
        .collect()
}

/// Adds to a command the flags of a stage or a method, and the methods of its result.
fn completed(command: Command, target: &Target<'_>, library: &Library, words: Vec<String>) -> Command {
    let flags = target.flags();
    let parser = line(String::new(), &flags).ignore_errors(true).no_binary_name(true).disable_help_flag(true);
    let next = parser.try_get_matches_from(words).ok().as_ref().and_then(next);
    let options = call().into_iter().filter(|option| flags.find(option.get_id().as_str()).is_none());
    let methods = method_names(target, library).into_iter().map(|name| {
        let command = common(Command::new(name.clone()));
        match &next {
            Some((method, rest)) if kebab(method) == name => match find_method(library, target, &flags, method) {
                Ok(target) => completed(command, &target, library, rest.clone()),
                Err(_) => command,
            },
            _ => command,
        }
    });
    let command = command.args(args(&flags)).args(options);
    let command = match target {
        Target::Stage(graph, stage) => {
            graph.find(&stage.name).map(|id| Feeding::of(graph, id)).unwrap_or_default().add_to(command)
        }
        Target::Method(_) | Target::Custom(..) => command,
    };
    command.subcommands(methods)
}

fn method_names(target: &Target<'_>, library: &Library) -> Vec<String> {
    match unwrapped(target.result()) {
        Some(Type::Object(object)) => methods_of(object).iter().map(|method| method.name().to_owned()).collect(),
        Some(Type::Custom(ty)) => {
            let methods = object_type(library, ty).map(|object| object.methods.as_slice()).unwrap_or_default();
            methods.iter().map(|method| method.name.clone()).collect()
        }
        _ => Vec::new(),
    }
}
