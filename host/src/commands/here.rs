//! The stages of the module here, as help shows them. Nothing is built for it.

use module::Module;
use pipeline::Stage;

use super::complete::options_of;
use super::modules::{Known, known};
use crate::args::Options;
use crate::call::{Places, docs_of, link};
use crate::context::{Context, Entry};
use crate::styles::{examples, section};

/// Returns the stages of the module that a command line names, or of the one here; none if there is none.
pub(super) fn stages_of(entry: &Entry, words: &[String], context: &Context<'_>) -> Option<String> {
    Some(listed(&options_of(entry, words), context)?.0)
}

/// Returns the stages of the module here, and what to type next; none if there is no module.
pub(super) fn stages_and_next(context: &Context<'_>) -> Option<String> {
    let (listed, first) = listed(&Options::default(), context)?;
    let Some(first) = first else { return Some(listed) };
    let lines = [
        (
            format!("host call {first} --help"),
            format!("shows the flags of `{first}` and what can be done with its result"),
        ),
        ("host run".to_owned(), "runs every stage that no other stage needs, with what it needs".to_owned()),
    ];
    let lines = lines.each_ref().map(|(line, what)| (line.as_str(), what.as_str()));
    Some(format!("{listed}\n\n{}", examples(&lines).ansi()))
}

/// Returns the list of stages, and the name of the first; no name if the module has to be built first.
fn listed(options: &Options, context: &Context<'_>) -> Option<(String, Option<String>)> {
    let known = known(options, context)?;
    let title = format!("Stages of module `{}`", known.module.name());
    if known.needs_build() {
        let build =
            ("host functions".to_owned(), "builds the module, which was not built before, and lists them".to_owned());
        return Some((section(&title, &[build]), None));
    }
    let linked = link(&known.library, known.directory(), &mut Places::new(context.config)).ok()?;
    let docs = module::documentation_of(&known.module, &known.path);
    let item = |stage: &Stage| {
        let written = docs.as_ref().and_then(|docs| docs_of(stage, docs)).map(|docs| docs.text.as_str());
        let said = stage.description.as_deref().or(written).unwrap_or_default();
        (stage.name.clone(), said.lines().next().unwrap_or_default().to_owned())
    };
    let items: Vec<_> = linked.graph.stages().iter().filter(|stage| !stage.is_constructor).map(item).collect();
    let first = items.first()?.0.clone();
    Some((section(&title, &items), Some(first)))
}

impl Known {
    /// Returns whether the stages of the module are only known when it is built.
    fn needs_build(&self) -> bool {
        let has_code = match &self.module {
            Module::Directory(directory) => directory.manifest.has_code(),
            Module::Component(_) => true,
        };
        has_code && self.library.own.is_none()
    }
}
