//! Links by the manifest: a parameter takes the value of an expression over other stages.

use module::{Expression, Position, StageEntry, StageWork};

use super::linker::{Linker, is_name_of};
use crate::error::{LinkError, LinkProblem};
use crate::expression::Chain;
use crate::graph::{How, Link, Param, Stage, StageBody, StageId};
use crate::library::{fits, takes_directories};

impl Linker<'_> {
    /// Checks that a stage has the parameters that the manifest names.
    pub(super) fn check_names(&self, stage: &Stage, entry: &StageEntry) -> Result<(), LinkError> {
        let settings = entry.args.iter().chain(&entry.defaults);
        for (name, position) in settings.map(|setting| (&setting.param, setting.position)) {
            self.param_of(stage, name, position)?;
        }
        for ignore in &entry.ignore {
            let Some(name) = &ignore.param else { continue };
            let param = self.param_of(stage, name, ignore.position)?;
            if !takes_directories(&param.ty) {
                let (stage, param, ty) = (stage.name.clone(), param.name.clone(), param.ty.clone());
                return Err(self.error(ignore.position, LinkProblem::NotADirectory { stage, param, ty }));
            }
        }
        Ok(())
    }

    fn param_of<'s>(&self, stage: &'s Stage, name: &str, position: Position) -> Result<&'s Param, LinkError> {
        stage.params.iter().find(|param| is_name_of(name, &param.name)).ok_or_else(|| {
            let known = stage.params.iter().map(|param| param.name.clone()).collect();
            self.error(position, LinkProblem::UnknownParam { stage: stage.name.clone(), param: name.to_owned(), known })
        })
    }

    /// Links a parameter to the value of an expression.
    pub(super) fn by_manifest(&self, id: StageId, param: &Param, expression: &Expression) -> Result<Link, LinkError> {
        let whole = self.find_stage(expression)?;
        let link = |steps| Link { stage: whole, steps, how: How::ByManifest };
        if !self.has_known_result[whole] {
            return Ok(link(Vec::new()));
        }
        let chain = self.chain(whole, expression)?;
        if !fits(chain.result.as_ref(), &param.ty) {
            let problem = LinkProblem::IllTyped {
                path: format!("{}.{} <- {}", self.stages[id].name, param.name, expression.text),
                expected: param.ty.clone(),
                found: chain.result,
            };
            return Err(self.error(expression.position, problem));
        }
        Ok(link(chain.steps))
    }

    /// Finds the types of stages that are parts of other stages, each after the stage that it is a part of.
    ///
    /// Stages that are parts of each other get no type. That is an error when one of them is asked for.
    pub(super) fn resolve_parts(&mut self) -> Result<(), LinkError> {
        let mut is_seen = self.has_known_result.clone();
        for id in 0..self.stages.len() {
            let mut parts = Vec::new();
            let mut at = id;
            while !is_seen[at] {
                is_seen[at] = true;
                parts.push(at);
                match &self.stages[at].body {
                    StageBody::From(link) => at = link.stage,
                    StageBody::Call { .. } => break,
                }
            }
            for part in parts.into_iter().rev() {
                self.resolve_part(part)?;
            }
        }
        Ok(())
    }

    fn resolve_part(&mut self, part: StageId) -> Result<(), LinkError> {
        let (StageBody::From(link), Some(StageEntry { work: StageWork::From(expression), .. })) =
            (&self.stages[part].body, self.entries[part])
        else {
            return Ok(());
        };
        let whole = link.stage;
        if self.has_known_result[whole] {
            let chain = self.chain(whole, expression)?;
            let stage = &mut self.stages[part];
            stage.body = StageBody::From(Link { stage: whole, steps: chain.steps, how: How::ByManifest });
            stage.result = chain.result;
            self.has_known_result[part] = true;
        }
        Ok(())
    }

    fn chain(&self, whole: StageId, expression: &Expression) -> Result<Chain, LinkError> {
        Chain::new(&self.objects, &self.stages[whole], expression)
            .map_err(|problem| self.error(expression.position, problem))
    }
}
