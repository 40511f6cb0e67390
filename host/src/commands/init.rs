//! `host init`

use clap::{Arg, Command, ValueHint};
use std::path::Path;

use module::{Sdk, Template, scaffold};

use crate::args::{Parsed, WORDS, options};
use crate::config::Config;
use crate::context::{Context, Entry};
use crate::exit::ExitStatus;
use crate::report::{Report, Result};
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry =
    Entry { name: "init", summary: "Makes a new module in Rust, Python, TypeScript or JavaScript", define, run };

fn define(command: Command) -> Command {
    command
        .before_help(about(
            "Writes `host.toml`, `.gitignore` and the sources of a first stage, and overwrites nothing.\n\
             The guest SDK is put into `.host`, which git ignores: every build with `host` puts it there, so that a \
             clone of the module needs nothing but `host` and the tools of the language.",
        ))
        .arg(
            Arg::new(WORDS)
                .value_name("DIRECTORY")
                .value_hint(ValueHint::DirPath)
                .help("The directory of the module, which is made if it does not exist [default: this one]"),
        )
        .arg(options::value("name", "NAME").help("The name of the module [default: the name of the directory]"))
        .arg(
            options::value("lang", "LANGUAGE")
                .value_parser(Template::languages())
                .default_value("rust")
                .help("The language of the module"),
        )
        .arg(
            options::value("sdk", "PATH")
                .value_hint(ValueHint::DirPath)
                .help("The directory of the guest SDK for Rust [default: the one that this program carries]"),
        )
        .after_help(examples(&[
            ("host init pipeline", "makes the module `pipeline` in a directory of that name"),
            ("host init --lang python ci", "makes the module `ci` in Python"),
        ]))
}

fn run(parsed: &Parsed, context: Context<'_>) -> Result<ExitStatus> {
    let config = context.config;
    let written = parsed.words.first().map_or(".", String::as_str);
    let directory = config.resolve(written);
    let name = match parsed.options.value("name") {
        Some(name) => name.to_owned(),
        None => name_of(&directory),
    };
    let template = match parsed.options.value("lang") {
        Some("python") => Template::Python,
        Some("typescript") => Template::TypeScript,
        Some("javascript") => Template::JavaScript,
        _ => Template::Rust(sdk(parsed.options.value("sdk"), config)?),
    };
    for path in scaffold(&directory, &name, &template)? {
        context.io.say(&format!(
            "wrote {}",
            Path::new(written).join(path.strip_prefix(&directory).unwrap_or(&path)).display()
        ));
    }
    let go = if written == "." { String::new() } else { format!("cd {written} && ") };
    context.io.say(&format!("try it: {go}host call hello"));
    Ok(ExitStatus::Done)
}

/// Returns the name of a module in this directory.
fn name_of(directory: &Path) -> String {
    // `.` has a name only once it is resolved. A directory that does not exist yet has its own.
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let name = directory.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.replace(['_', ' ', '.'], "-")
}

/// Returns the SDK that was named, or the one that the program carries.
fn sdk(asked: Option<&str>, config: &Config) -> Result<Sdk> {
    let Some(path) = asked else { return Ok(Sdk::Carried) };
    match config.resolve(path).canonicalize() {
        Ok(found) if found.join("Cargo.toml").is_file() => Ok(Sdk::Path(found)),
        _ => Err(Report::input(format!("there is no guest SDK at `{path}`"))
            .with_hint("leave `--sdk` out for the one that this program carries")),
    }
}
