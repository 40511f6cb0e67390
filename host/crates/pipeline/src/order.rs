//! The order in which stages are called.

use crate::error::{LinkError, MissingParam};
use crate::graph::{Param, Source, Stage, StageGraph, StageId};
use crate::library::fits;

/// The limit on a path that is shown completely, in stages.
const MAX_SHOWN: usize = 12;

/// The state of a stage in the walk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    NotSeen,
    /// The stages that feed it are being walked.
    Open,
    Done,
}

/// A stage whose feeders are being walked.
struct Frame<'g> {
    stage: StageId,
    /// The stages that feed it, with the parameters that they feed.
    feeders: Vec<(Option<&'g Param>, StageId)>,
    /// The number of feeders that have been walked.
    n_walked: usize,
}

impl StageGraph {
    /// Returns the stages `wanted` and all stages that they need, feeders first.
    ///
    /// # Errors
    /// Fails if one of them lacks an argument, or if some of them need each other.
    ///
    /// # Panics
    /// Panics if an id is not of this graph.
    pub fn order(&self, wanted: &[StageId]) -> Result<Vec<StageId>, LinkError> {
        let mut walks = vec![Walk::NotSeen; self.stages().len()];
        let mut order = Vec::new();
        for &id in wanted {
            if walks[id] == Walk::NotSeen {
                self.walk(id, &mut walks, &mut order)?;
            }
        }
        Ok(order)
    }

    /// Walks from a stage to the stages that feed it, depth first. The walk has its own stack: a chain may be longer
    /// than the stack of the thread.
    fn walk(&self, wanted: StageId, walks: &mut [Walk], order: &mut Vec<StageId>) -> Result<(), LinkError> {
        let mut frames = vec![self.frame(wanted)];
        self.check_arguments(wanted, &frames)?;
        walks[wanted] = Walk::Open;
        while let Some(frame) = frames.last_mut() {
            let Some(&(_, feeder)) = frame.feeders.get(frame.n_walked) else {
                walks[frame.stage] = Walk::Done;
                order.push(frame.stage);
                frames.pop();
                continue;
            };
            frame.n_walked += 1;
            match walks[feeder] {
                Walk::Done => {}
                Walk::Open => return Err(self.cycle(feeder, &frames)),
                Walk::NotSeen => {
                    walks[feeder] = Walk::Open;
                    frames.push(self.frame(feeder));
                    self.check_arguments(feeder, &frames)?;
                }
            }
        }
        Ok(())
    }

    fn frame(&self, stage: StageId) -> Frame<'_> {
        let feeders = self.stage(stage).links().map(|(param, link)| (param, link.stage)).collect();
        Frame { stage, feeders, n_walked: 0 }
    }

    fn check_arguments(&self, id: StageId, frames: &[Frame<'_>]) -> Result<(), LinkError> {
        let missing = self.missing(id);
        if missing.is_empty() {
            return Ok(());
        }
        let params = missing.into_iter().map(|param| self.missing_param(id, param)).collect();
        let path = (frames.len() > 1).then(|| self.path(frames));
        Err(LinkError::Missing { stage: self.stage(id).name.clone(), params, path })
    }

    fn missing_param(&self, id: StageId, param: &Param) -> MissingParam {
        let why = match &param.source {
            Source::Missing(why) => why.clone(),
            _ => None,
        };
        let is_candidate = |(other, stage): &(StageId, &Stage)| *other != id && fits(stage.result.as_ref(), &param.ty);
        let candidates = self.stages().iter().enumerate().filter(is_candidate).map(|(_, stage)| stage.name.as_str());
        let near = module::near(&param.name, candidates).into_iter().map(str::to_owned).collect();
        MissingParam { name: param.name.clone(), ty: param.ty.clone(), why, near }
    }

    /// Makes the error for a stage that is one of the frames and feeds the last of them.
    fn cycle(&self, stage: StageId, frames: &[Frame<'_>]) -> LinkError {
        let first = frames.iter().position(|frame| frame.stage == stage).unwrap_or_default();
        let frames = &frames[first..];
        let name = self.stage(stage).name.clone();
        let param = frames.iter().find_map(|frame| Some((frame.stage, taking(frame)?)));
        LinkError::Cycle {
            path: shortened(frames.iter().map(|frame| self.end(frame)).chain([name.clone()]).collect()),
            param: param.map(|(stage, param)| format!("{}.{}", self.stage(stage).name, param.name)),
            stage: name,
        }
    }

    /// Returns the way from the first frame to the last, as in `test.build <- build`.
    fn path(&self, frames: &[Frame<'_>]) -> String {
        let Some((last, others)) = frames.split_last() else { return String::new() };
        let name = self.stage(last.stage).name.clone();
        shortened(others.iter().map(|frame| self.end(frame)).chain([name]).collect())
    }

    /// Returns one end of a link: the stage, and the parameter that is walked now.
    fn end(&self, frame: &Frame<'_>) -> String {
        let name = &self.stage(frame.stage).name;
        taking(frame).map_or_else(|| name.clone(), |param| format!("{name}.{}", param.name))
    }
}

/// Returns the parameter that is walked now.
fn taking<'g>(frame: &Frame<'g>) -> Option<&'g Param> {
    frame.feeders.get(frame.n_walked.checked_sub(1)?)?.0
}

/// Joins the ends of a path. The middle of a long path is left out.
fn shortened(mut ends: Vec<String>) -> String {
    if ends.len() > MAX_SHOWN {
        let n_left_out = ends.len() - MAX_SHOWN;
        let half = MAX_SHOWN / 2;
        ends.splice(half..half + n_left_out, [format!("({n_left_out} more)")]);
    }
    ends.join(" <- ")
}
