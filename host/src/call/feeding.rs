//! The flags of the stages that feed a called stage. They are taken where only one of these stages has them.

use std::collections::BTreeSet;

use clap::{ArgMatches, Command};
use graph::op::shell_words;
use pipeline::{StageGraph, StageId};

use super::flags::FlagSet;
use super::line::{args_beside, texts};
use super::places::Places;
use super::plan::wave_of;
use crate::args::Subject;
use crate::platform::Component;
use crate::report::{Report, Result};

/// The stages that feed a called stage, directly or through others, with their flags.
#[derive(Default)]
pub(super) struct Feeding {
    called: String,
    stages: Vec<Feeder>,
}

struct Feeder {
    id: StageId,
    name: String,
    flags: FlagSet,
}

impl Feeding {
    pub(super) fn of(graph: &StageGraph, called: StageId) -> Self {
        let feeder = |id| {
            let stage = graph.stage(id);
            Feeder { id, name: stage.name.clone(), flags: FlagSet::of_stage(graph, stage, None) }
        };
        let stages = graph.all_feeders(called).into_iter().map(feeder).collect();
        Self { called: graph.stage(called).name.clone(), stages }
    }

    /// Adds the flags to a command, but for those whose names it has already.
    pub(super) fn add_to(&self, command: Command) -> Command {
        let named = |arg: &clap::Arg| {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long().into_iter().chain(aliases).map(str::to_owned).collect::<Vec<_>>()
        };
        let mut names: Vec<String> = command.get_arguments().flat_map(named).collect();
        self.stages.iter().fold(command, |command, feeder| {
            let args = args_beside(&feeder.flags, &mut names).into_iter().map(|arg| {
                let stages = self.having(arg.get_long().unwrap_or_default()).map(|feeder| feeder.name.as_str());
                let of = format!("[stage: {}]", stages.collect::<Vec<_>>().join(", "));
                let help = arg.get_help().map(ToString::to_string).filter(|help| !help.is_empty());
                arg.help(help.into_iter().chain([of]).collect::<Vec<_>>().join(" "))
                    .help_heading("Flags of the stages that feed it")
            });
            command.args(args)
        })
    }

    /// Adds the names of the flags to those that a message knows.
    pub(super) fn known_to(&self, mut subject: Subject) -> Subject {
        let names = self.stages.iter().flat_map(|feeder| &feeder.flags.flags).map(|flag| format!("--{}", flag.name));
        let names: BTreeSet<String> = names.filter(|name| !subject.known.contains(name)).collect();
        subject.known.extend(names);
        subject
    }

    fn having(&self, name: &str) -> impl Iterator<Item = &Feeder> {
        self.stages.iter().filter(move |feeder| feeder.flags.flags.iter().any(|flag| flag.name == name))
    }

    /// Takes the texts of flags that the called stage does not have itself.
    ///
    /// # Errors
    /// If several of the stages have a flag that was given.
    pub(super) fn take(&mut self, matches: &ArgMatches, own: &FlagSet) -> Result<()> {
        let flags = self.stages.iter().flat_map(|feeder| &feeder.flags.flags);
        let names: BTreeSet<String> = flags.map(|flag| flag.name.clone()).collect();
        for name in names.iter().filter(|name| own.flags.iter().all(|flag| flag.name != **name)) {
            let texts = texts(matches, name);
            if texts.is_empty() {
                continue;
            }
            let having: Vec<&str> = self.having(name).map(|feeder| feeder.name.as_str()).collect();
            if having.len() > 1 {
                return Err(self.ambiguous(name, &having, &texts));
            }
            for feeder in &mut self.stages {
                if let Some(flag) = feeder.flags.flags.iter().position(|flag| flag.name == *name) {
                    texts.iter().for_each(|text| feeder.flags.give(flag, text.clone()));
                }
            }
        }
        Ok(())
    }

    fn ambiguous(&self, name: &str, having: &[&str], texts: &[String]) -> Report {
        let stages: Vec<String> = having.iter().map(|stage| format!("`{stage}`")).collect();
        let what = format!("stage `{}` has no flag `--{name}`", self.called);
        let report = Report::usage(what).caused_by(format!("{} feed it and have one", stages.join(" and ")));
        let line = |prefix: &str| {
            let args = texts.iter().flat_map(|text| ["--arg".to_owned(), format!("{prefix}{name}={text}")]);
            let words: Vec<String> =
                ["host", "call", &self.called].map(str::to_owned).into_iter().chain(args).collect();
            shell_words(&words)
        };
        let one = having.first().map(|stage| line(&format!("{stage}."))).unwrap_or_default();
        report.with_hint(format!("`{}` gives it to all of them, `{one}` to one", line("")))
    }

    /// Gives the stages the values of their flags.
    ///
    /// # Errors
    /// If a text is no value, or if a stage does not feed the called one any more, because what it feeds is given.
    pub(super) fn give(
        &self,
        component: &dyn Component,
        graph: &mut StageGraph,
        called: StageId,
        places: &mut Places<'_>,
    ) -> Result<()> {
        let feeders = graph.all_feeders(called);
        for Feeder { id, name, flags } in self.stages.iter().filter(|feeder| feeder.flags.is_any_given()) {
            if !feeders.contains(id) {
                let what = format!("a flag is for stage `{name}`, which does not feed `{}` any more", self.called);
                return Err(Report::usage(what).with_hint("leave out that flag, or the one that replaces its result"));
            }
            let stage = graph.stage(*id).clone();
            let wave = wave_of(component, &stage);
            for (param, value) in flags.given_values(places, Some(&wave))?.into_iter().enumerate() {
                value.into_iter().for_each(|value| graph.give(*id, param, value));
            }
        }
        Ok(())
    }
}
