//! Links by the manifest: a parameter takes the value of an expression over other stages.

use api::Type;
use module::{Argument, Expression, Position, StageEntry, StageWork};

use super::linker::{Linker, is_name_of};
use crate::error::{LinkError, LinkProblem};
use crate::expression::Chain;
use crate::graph::{How, Input, Link, Param, Stage, StageBody, StageId};
use crate::library::{fits, made_by, takes_directories};

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

    /// Links a value of a type to what an expression makes. `path` names the value in errors, as in `test.build`.
    pub(super) fn by_manifest(&self, path: &str, ty: &Type, expression: &Expression) -> Result<Link, LinkError> {
        self.linked(path, ty, expression).map(|(link, _)| link)
    }

    /// Links as `by_manifest`, and makes an option of the value if the type takes one.
    pub(super) fn input(&self, path: &str, ty: &Type, expression: &Expression) -> Result<Input, LinkError> {
        let (link, made) = self.linked(path, ty, expression)?;
        Ok(match ty {
            Type::Option(item) if made.as_ref().and_then(|made| made_by(Some(made))) == Some(&**item) => {
                Input::Some(Box::new(Input::Link(link)))
            }
            _ => Input::Link(link),
        })
    }

    fn linked(&self, path: &str, ty: &Type, expression: &Expression) -> Result<(Link, Option<Type>), LinkError> {
        let whole = self.find_stage(expression)?;
        let link = |steps| Link { stage: whole, steps, how: How::ByManifest };
        if !self.has_known_result[whole] {
            return Ok((link(Vec::new()), None));
        }
        let chain = self.chain(whole, expression)?;
        if !fits(chain.result.as_ref(), ty) {
            let path = format!("{path} <- {}", expression.text);
            let problem = LinkProblem::IllTyped { path, expected: ty.clone(), found: chain.result };
            return Err(self.error(expression.position, problem));
        }
        Ok((link(chain.steps), chain.result))
    }

    /// Finds the types of stages that are made of other stages, each after those that it is made of.
    ///
    /// Stages that are made of each other get no type. That is an error when one of them is asked for.
    pub(super) fn resolve_parts(&mut self) -> Result<(), LinkError> {
        let mut is_seen = self.has_known_result.clone();
        let mut is_resolved = self.has_known_result.clone();
        // The walk has its own stack: a chain may be longer than the stack of the thread.
        let mut open: Vec<StageId> = Vec::new();
        for id in 0..self.stages.len() {
            open.push(id);
            while let Some(&at) = open.last() {
                if !is_seen[at] {
                    is_seen[at] = true;
                    let needed = self.wholes(at)?;
                    open.extend(needed.into_iter().filter(|id| !is_seen[*id]));
                    continue;
                }
                open.pop();
                if !is_resolved[at] {
                    is_resolved[at] = true;
                    self.resolve_part(at)?;
                }
            }
        }
        Ok(())
    }

    /// Returns the stages in the expression of a stage that is made of others.
    fn wholes(&self, part: StageId) -> Result<Vec<StageId>, LinkError> {
        let Some(StageEntry { work: StageWork::From(expression), .. }) = self.entries[part] else {
            return Ok(Vec::new());
        };
        let mut expressions = Vec::new();
        add_expressions(expression, &mut expressions);
        expressions.into_iter().map(|expression| self.find_stage(expression)).collect()
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
        let link = |path: &str, ty: &Type, inner: &Expression| self.input(path, ty, inner);
        let at = |problem| self.error(expression.position, problem);
        Chain::new(&self.objects, &self.stages[whole], expression, &link, &at)
    }
}

/// Adds an expression and those in its arguments.
fn add_expressions<'e>(expression: &'e Expression, expressions: &mut Vec<&'e Expression>) {
    expressions.push(expression);
    expression.steps.iter().flat_map(|step| &step.args).for_each(|argument| add_of_argument(argument, expressions));
}

fn add_of_argument<'e>(argument: &'e Argument, expressions: &mut Vec<&'e Expression>) {
    match argument {
        Argument::Literal(_) => {}
        Argument::From(expression) => add_expressions(expression, expressions),
        Argument::List(items) => items.iter().for_each(|item| add_of_argument(item, expressions)),
    }
}
