//! The words behind a stage or a method, as clap parses them: flags from types, options of the run, and the next
//! method.

use api::Type;
use clap::builder::{StyledStr, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};

use super::flags::{Flag, FlagKind, FlagSet};
use super::shapes::{short, type_placeholder};
use crate::args::options::{call, common};
use crate::args::{FLAG_PREFIX, Hinted};

/// The longest list of cases that stands for itself in help and usage.
const MAX_CASES_WIDTH: usize = 32;

/// Returns the command that parses flags. The next word that belongs to none is an external subcommand: a method.
pub(super) fn line(usage: String, flags: &FlagSet) -> Command {
    let is_free = |option: &Arg| flags.find(option.get_id().as_str()).is_none();
    let options = call().into_iter().filter(is_free).map(|option| option.hide(true));
    let command = common(Command::new(flags.what.clone()))
        .override_usage(usage)
        .allow_external_subcommands(true)
        .external_subcommand_value_parser(ValueParser::string())
        .args(args(flags))
        .args(options);
    let help = Arg::new("help").short('h').action(ArgAction::Help).hide(true);
    // A parameter of this name comes first: one letter is left for help.
    let help = if flags.find("help").is_none() { help.long("help") } else { help };
    command.disable_help_flag(true).arg(help)
}

/// Gives flags the texts that clap has matched.
pub(super) fn take(flags: &mut FlagSet, matches: &ArgMatches) {
    let names: Vec<String> = flags.flags.iter().map(|flag| flag.name.clone()).collect();
    for (index, name) in names.iter().enumerate() {
        texts(matches, name).into_iter().for_each(|text| flags.give(index, text));
    }
}

/// Returns the texts that were given for the flag of this name.
pub(super) fn texts(matches: &ArgMatches, name: &str) -> Vec<String> {
    let texts = matches.try_get_many::<String>(&id(name)).ok().flatten();
    texts.into_iter().flatten().cloned().collect()
}

/// Returns the next method, and the words behind it.
pub(super) fn next(matches: &ArgMatches) -> Option<(String, Vec<String>)> {
    let (name, matches) = matches.subcommand()?;
    let words = matches.try_get_many::<String>("").ok().flatten();
    Some((name.to_owned(), words.into_iter().flatten().cloned().collect()))
}

fn id(name: &str) -> String {
    format!("{FLAG_PREFIX}{name}")
}

/// Returns a named argument for each flag.
pub(super) fn args(flags: &FlagSet) -> Vec<Arg> {
    args_beside(flags, &mut Vec::new())
}

/// Returns a named argument for each flag whose name is free, and adds to `names` those that it takes.
pub(super) fn args_beside(flags: &FlagSet, names: &mut Vec<String>) -> Vec<Arg> {
    let mut free = Vec::new();
    for flag in &flags.flags {
        if !names.contains(&flag.name) {
            names.push(flag.name.clone());
            free.push(flag);
        }
    }
    let with_aliases = free.into_iter().map(|flag| {
        let aliases: Vec<String> = spellings(flag).into_iter().filter(|name| !names.contains(name)).collect();
        names.extend(aliases.iter().cloned());
        arg(flag).aliases(aliases)
    });
    with_aliases.collect()
}

fn arg(flag: &Flag) -> Arg {
    let heading = if flag.is_required { "Flags" } else { "Optional flags" };
    let arg = Arg::new(id(&flag.name))
        .long(flag.name.clone())
        .help_heading(heading)
        .help(help(flag))
        .hide_possible_values(true)
        .action(ArgAction::Append);
    if is_switch(&flag.ty) {
        return arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("true|false")
            .value_parser(Hinted::new(["true", "false"]));
    }
    // A value may begin with a hyphen: `--args -q` of a command.
    let arg = arg.num_args(1).allow_hyphen_values(true).value_hint(hint(&flag.ty));
    match cases(&flag.ty) {
        Some(cases) if cases.join("|").len() > MAX_CASES_WIDTH => arg
            .value_name(flag.name.to_uppercase())
            .hide_possible_values(false)
            .value_parser(Hinted::new(cases.iter().cloned())),
        Some(cases) => arg.value_name(cases.join("|")).value_parser(Hinted::new(cases.iter().cloned())),
        None => arg.value_name(type_placeholder(&flag.ty)),
    }
}

/// Returns whether a flag of this type stands alone.
fn is_switch(ty: &Type) -> bool {
    match ty {
        Type::Bool => true,
        Type::Option(inner) => **inner == Type::Bool,
        _ => false,
    }
}

/// Returns the cases of an enum.
fn cases(ty: &Type) -> Option<&[String]> {
    match ty {
        Type::Enum(cases) => Some(cases),
        Type::Option(item) => cases(item),
        _ => None,
    }
}

fn hint(ty: &Type) -> ValueHint {
    match ty {
        Type::Object(name) if name == "directory" => ValueHint::DirPath,
        Type::Object(name) if name == "file" => ValueHint::FilePath,
        Type::Option(item) | Type::List(item) => hint(item),
        _ => ValueHint::Other,
    }
}

/// Returns how else a flag may be written: in the case of other languages, and without the `with-` of options.
fn spellings(flag: &Flag) -> Vec<String> {
    let mut names = Vec::new();
    if let (FlagKind::Builder(_), Some(short)) = (flag.kind, flag.name.strip_prefix("with-")) {
        names.push(short.to_owned());
    }
    for name in [Some(flag.name.clone()), names.first().cloned()].into_iter().flatten() {
        if name.contains('-') {
            names.push(name.replace('-', "_"));
            names.push(camel(&name));
        }
    }
    names
}

fn camel(name: &str) -> String {
    let mut words = name.split('-');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().into_iter().flat_map(char::to_uppercase).chain(letters));
    }
    text
}

/// Returns the help of a flag: what its author wrote, its type where the placeholder does not show it, and where its
/// value comes from if it is not given.
fn help(flag: &Flag) -> StyledStr {
    let docs: Vec<String> = flag.docs.trim().split("\n\n").map(|part| part.replace('\n', " ")).collect();
    let mut parts = vec![docs.join("\n")];
    if let (FlagKind::Param, Some(ty)) = (flag.kind, shown_type(&flag.ty)) {
        parts.push(format!("[type: {ty}]"));
    }
    parts.extend(flag.default.iter().map(|default| format!("[default: {default}]")));
    parts.retain(|part| !part.is_empty());
    parts.join(" ").into()
}

fn shown_type(ty: &Type) -> Option<String> {
    match ty {
        Type::Option(item) => shown_type(item),
        Type::Bool | Type::String | Type::Enum(_) | Type::Char | Type::Object(_) => None,
        ty => Some(short(ty)),
    }
}
