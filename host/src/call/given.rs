//! `--arg [STAGE.]NAME=VALUE`: values for parameters of many stages.

use module::suggestion;
use pipeline::{Source, StageGraph, StageId};

use super::flags::FlagSet;
use super::places::Places;
use super::plan::{find_stage, wave_of};
use super::values::kebab;
use crate::platform::Component;
use crate::report::{Report, Result};

/// A value of `--arg`.
struct Given<'a> {
    /// The stage that the value is for; none for every stage that has the parameter.
    stage: Option<StageId>,
    name: String,
    value: &'a str,
}

/// Gives parameters the values of `--arg`, as their flags would.
///
/// A value for one stage has precedence over a value for all stages, and a flag over both.
///
/// # Errors
/// If no stage has such a parameter, or if the text is no value of its type.
pub(crate) fn give_args(
    component: &dyn Component,
    graph: &mut StageGraph,
    module: &str,
    texts: &[&str],
    places: &mut Places<'_>,
) -> Result<()> {
    let given = texts.iter().map(|text| parse(text, graph, module)).collect::<Result<Vec<_>>>()?;
    check_names(&given, graph)?;
    let stages = if given.is_empty() { 0 } else { graph.stages().len() };
    for id in 0..stages {
        let stage = graph.stage(id).clone();
        let mut flags = FlagSet::of_stage(graph, &stage, None);
        for given in given.iter().filter(|of_all| of_all.is_for(id, &given)) {
            if let Some(flag) = flags.find(&given.name) {
                flags.give(flag, given.value.to_owned());
            }
        }
        let wave = wave_of(component, &stage);
        for (param, value) in flags.given_values(places, Some(&wave))?.into_iter().enumerate() {
            let is_given = matches!(stage.params[param].source, Source::Given(_));
            if let Some(value) = value.filter(|_| !is_given) {
                graph.give(id, param, value);
            }
        }
    }
    Ok(())
}

impl Given<'_> {
    /// Returns whether a stage gets the value: it is for the stage, or for all stages and no other value is for the stage.
    fn is_for(&self, id: StageId, all: &[Self]) -> bool {
        match self.stage {
            Some(stage) => stage == id,
            None => !all.iter().any(|other| other.stage == Some(id) && other.name == self.name),
        }
    }
}

fn parse<'a>(text: &'a str, graph: &StageGraph, module: &str) -> Result<Given<'a>> {
    let wrong = || Report::usage(format!("option `--arg` takes NAME=VALUE or STAGE.NAME=VALUE, not `{text}`"));
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let (stage, name) = match name.split_once('.') {
        Some((stage, name)) => (Some(find_stage(graph, module, stage)?), name),
        None => (None, name),
    };
    if name.is_empty() {
        return Err(wrong());
    }
    Ok(Given { stage, name: kebab(name), value })
}

/// Refuses names that are no flag of any stage.
fn check_names(given: &[Given<'_>], graph: &StageGraph) -> Result<()> {
    for given in given {
        let stages = graph.stages().iter().enumerate().filter(|(id, _)| given.stage.is_none_or(|stage| stage == *id));
        let stages: Vec<_> = stages.map(|(_, stage)| stage).collect();
        if stages.iter().any(|stage| FlagSet::of_stage(graph, stage, None).find(&given.name).is_some()) {
            continue;
        }
        let what = match (given.stage, stages.as_slice()) {
            (Some(_), [stage]) => format!("stage `{}` has no parameter `{}`", stage.name, given.name),
            _ => format!("no stage has a parameter `{}`", given.name),
        };
        let mut known: Vec<&str> = stages.iter().flat_map(|stage| &stage.params).map(|param| &*param.name).collect();
        known.sort_unstable();
        known.dedup();
        return Err(Report::usage(what).with_hint(match known.as_slice() {
            [] => "it takes nothing".to_owned(),
            known => suggestion(&given.name, known, "there are"),
        }));
    }
    Ok(())
}
