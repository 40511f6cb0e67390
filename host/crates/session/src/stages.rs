//! The stages of a running pipeline. Each stage runs once, when something needs it, at the same time as all stages
//! that do not wait for it.

mod blame;
mod judge;
mod memory;
pub(crate) mod plan;
mod policy;
pub(crate) mod run;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use api::{Object, Pending, Type, Value};
use engine::{Failure, FailureCode};
use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use graph::Edge;
use pipeline::{Input, Link, LinkStep, Method, Param, Source, Stage, StageBody, StageGraph, StageId, made_by, omitted};

use crate::answers::accepted;
use crate::events::{StageEvent, StageOutcome};
use crate::once::{FunctionCall, Once};
use crate::session::Session;
use memory::Memory;

/// The stages of a module in one run.
pub struct Pipeline {
    session: Arc<Session>,
    /// The number of the pipeline in its session. It is the same in every process that does the same.
    number: u64,
    graph: Arc<StageGraph>,
    begun: Mutex<HashMap<StageId, Once>>,
    memory: Memory,
}

impl Pipeline {
    /// Makes the stages of a graph ready to run in a session.
    #[must_use]
    pub fn new(session: &Arc<Session>, graph: Arc<StageGraph>) -> Arc<Self> {
        let number = session.next_pipeline();
        let (begun, memory) = (Mutex::default(), Memory::default());
        Arc::new(Self { session: Arc::clone(session), number, graph, begun, memory })
    }

    /// Returns the value that a stage makes. An object in it need not be made yet.
    ///
    /// The function of the stage is called at once, even if it makes an object that nothing needs.
    ///
    /// # Errors
    /// Fails if the stage or a stage that it needs fails.
    pub async fn value(self: &Arc<Self>, id: StageId) -> Result<Value, Failure> {
        // There is no task: the calling thread runs the guest.
        self.session.until_cancelled(self.run(id)).await
    }

    /// Returns the value that a stage makes for another stage. An object is made as late as possible.
    async fn made_for(self: &Arc<Self>, id: StageId) -> Result<Value, Failure> {
        let stage = self.graph.stage(id);
        let Some(Type::Object(object)) = made_by(stage.result.as_ref()) else { return self.once(id).await };
        let this = Arc::clone(self);
        let making: api::Making = Arc::new(move || Box::pin(this.once(id)));
        let identity = format!("stage {id} of pipeline {}", self.number);
        match Pending::of_call(object, &identity, making) {
            Some(pending) => Ok(Value::Object(Object::Pending(pending))),
            None => self.once(id).await,
        }
    }

    /// Runs a stage in a task of its own, or waits for the task that runs it.
    fn once(self: &Arc<Self>, id: StageId) -> Once {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.entry(id).or_insert_with(|| self.session.in_background(self.run(id))).clone()
    }

    /// Runs a stage without a task, or waits for the run: the waiting caller drives it. This is useful if everything
    /// that the stage needs is there.
    fn once_here(self: &Arc<Self>, id: StageId) -> Once {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.entry(id).or_insert_with(|| self.run(id).shared()).clone()
    }

    /// Runs a stage under its policy.
    fn run(self: &Arc<Self>, id: StageId) -> BoxFuture<'static, Result<Value, Failure>> {
        let this = Arc::clone(self);
        Box::pin(async move {
            let stage = this.graph.stage(id);
            let ended = policy::apply(&stage.policy, || this.attempt(id), |failure| this.tell_retry(id, failure)).await;
            ended.map_err(|failure| {
                let failure = policy::named(failure, &stage.name);
                this.memory.failed(id, &failure);
                failure
            })
        })
    }

    /// Runs a stage once, and tells the outcome.
    async fn attempt(self: &Arc<Self>, id: StageId) -> Result<Value, Failure> {
        let stage = self.graph.stage(id);
        let inputs = try_join_all(stage.params.iter().map(|param| self.argument(stage, param))).await?;
        let (at, since) = (SystemTime::now(), Instant::now());
        self.memory.begins(id);
        let made = self.work(id, inputs).await.and_then(|value| self.judged(id, value));
        let outcome = match &made {
            Ok(_) => StageOutcome::Returned,
            Err(failure) => StageOutcome::Failed { message: message_of(failure) },
        };
        self.tell(id, at, since.elapsed(), outcome);
        let made = made?;
        match policy::is_whole(&stage.policy) {
            true => self.evaluated(id, made).await,
            false => Ok(made),
        }
    }

    async fn work(self: &Arc<Self>, id: StageId, args: Vec<Value>) -> Result<Value, Failure> {
        let stage = self.graph.stage(id);
        let (dependency, function) = match &stage.body {
            StageBody::From(link) => return self.linked(link).await,
            StageBody::Call { dependency, function } => (dependency, function),
        };
        let module =
            match dependency {
                None => 0,
                Some(alias) => self.session.modules().dependency(0, alias).ok_or_else(|| {
                    Failure::invalid(FailureCode::NotFound, format!("there is no dependency `{alias}`"))
                })?,
            };
        let env = stage.env.clone().into();
        let origin = self.origin(id);
        let call = FunctionCall { module, function: function.clone(), args, env, origin };
        // A stage that may be tried again is called again, and is stopped when its time is over.
        let answer = match policy::is_whole(&stage.policy) {
            true => self.session.call_now(call.clone()).await,
            false => self.session.call_as_asked(call.clone()).await,
        };
        let ended = answer.and_then(|answer| accepted(&stage.name, answer));
        if ended.is_err() {
            self.memory.saw_failures(id, self.session.seen_failures(&call));
        }
        ended
    }

    /// Returns the value of a parameter.
    async fn argument(self: &Arc<Self>, stage: &Stage, param: &Param) -> Result<Value, Failure> {
        let value = match &param.source {
            Source::Given(value) | Source::Set(value) | Source::Default(value) => value.clone(),
            Source::Link(link) => self.linked(link).await?,
            Source::List(items) => self.list(items).await?,
            Source::Omitted => omitted(&param.ty).ok_or_else(|| Failure::bug("a value that must be given was not"))?,
            Source::Missing(_) => {
                let message = format!("stage `{}` needs `--{}`", stage.name, param.name);
                return Err(Failure::invalid(FailureCode::InvalidArgument, message));
            }
        };
        let value = match (&param.ty, value) {
            (Type::Option(_), value @ Value::Option(_)) => value,
            (Type::Option(_), value) => Value::Option(Some(Box::new(value))),
            (_, value) => value,
        };
        self.with_env(stage, value)
    }

    /// Adds the variables of a stage to a container that the stage takes.
    fn with_env(self: &Arc<Self>, stage: &Stage, value: Value) -> Result<Value, Failure> {
        match value {
            Value::Object(object) if object.name() == "container" && !stage.env.is_empty() => {
                Ok(api::with_env(&self.session.own_bridge(), Value::Object(object), &stage.env)?)
            }
            Value::Option(Some(value)) => Ok(Value::Option(Some(Box::new(self.with_env(stage, *value)?)))),
            value => Ok(value),
        }
    }

    /// Returns the value that another stage makes, or a part of it.
    async fn linked(self: &Arc<Self>, link: &Link) -> Result<Value, Failure> {
        let mut value = self.made_for(link.stage).await?;
        let mut previous = self.graph.stage(link.stage).name.as_str();
        for step in &link.steps {
            value = self.step(previous, value, step).await?;
            previous = step.method.name();
        }
        Ok(value)
    }

    /// Returns a value in which other stages may make something.
    fn input<'i>(self: &'i Arc<Self>, input: &'i Input) -> BoxFuture<'i, Result<Value, Failure>> {
        Box::pin(async move {
            Ok(match input {
                Input::Value(value) => value.clone(),
                Input::Link(link) => self.linked(link).await?,
                Input::Some(input) => Value::Option(Some(Box::new(self.input(input).await?))),
                Input::List(items) => self.list(items).await?,
            })
        })
    }

    async fn list(self: &Arc<Self>, items: &[Input]) -> Result<Value, Failure> {
        Ok(Value::List(try_join_all(items.iter().map(|item| self.input(item))).await?))
    }

    async fn step(self: &Arc<Self>, previous: &str, value: Value, step: &LinkStep) -> Result<Value, Failure> {
        let object = match value {
            Value::Object(object) => object,
            Value::Option(Some(value)) if matches!(*value, Value::Object(_)) => {
                return Box::pin(self.step(previous, *value, step)).await;
            }
            _ => {
                let message = format!("`{previous}` made nothing to call `{}` on", step.method.name());
                return Err(Failure::invalid(FailureCode::InvalidArgument, message));
            }
        };
        let given = try_join_all(step.args.iter().map(|input| self.input(input))).await?;
        let args = [vec![Value::Object(object.clone())], given].concat();
        match (&step.method, &object) {
            (Method::Api(function), _) => self.session.invoke(&function.interface, &function.wit_name, args).await,
            (Method::Custom { function, .. }, Object::Custom(custom)) => {
                self.session.call_method(custom.as_ref(), function, args).await
            }
            (Method::Custom { function, .. }, _) => {
                Err(Failure::bug(format!("`{function}` was called on a {}", object.name())))
            }
        }
    }

    /// Evaluates the objects in the value of a stage.
    async fn evaluated(self: &Arc<Self>, id: StageId, value: Value) -> Result<Value, Failure> {
        let (value, edges) = self.edges(id, value).await?;
        if !edges.is_empty() {
            self.session.options.engine.solve(&edges).await?;
        }
        Ok(value)
    }

    /// Makes the objects in the value of a stage, and returns their edges. What no other stage asked for is its own.
    async fn edges(self: &Arc<Self>, id: StageId, value: Value) -> Result<(Value, Vec<Edge>), Failure> {
        let value = api::force(&self.session.own_bridge(), value).await?;
        let mut edges = Vec::new();
        collect_edges(&value, &mut edges);
        self.session.options.origins.own(&edges, &self.graph.stage(id).name.as_str().into());
        Ok((value, edges))
    }

    fn tell(&self, id: StageId, at: SystemTime, duration: Duration, outcome: StageOutcome) {
        let stage = self.graph.stage(id);
        let fed_by = self.graph.feeders(id).into_iter().map(|feeder| self.graph.stage(feeder).name.clone()).collect();
        (self.session.options.stages)(StageEvent { stage: stage.name.clone(), fed_by, at, duration, outcome });
    }

    fn tell_retry(&self, id: StageId, failure: &Failure) {
        self.session.forget_failures();
        let message = message_of(failure);
        self.tell(id, SystemTime::now(), Duration::ZERO, StageOutcome::Retried { message });
    }
}

fn collect_edges(value: &Value, edges: &mut Vec<Edge>) {
    match value {
        Value::Object(object) => edges.extend(object.edges()),
        Value::List(items) | Value::Tuple(items) => items.iter().for_each(|item| collect_edges(item, edges)),
        Value::Record(fields) => fields.iter().for_each(|(_, value)| collect_edges(value, edges)),
        Value::Variant(_, Some(value)) | Value::Option(Some(value)) => collect_edges(value, edges),
        Value::Result(Ok(Some(value)) | Err(Some(value))) => collect_edges(value, edges),
        _ => {}
    }
}

/// Returns the reason of a failure as a sentence.
fn message_of(failure: &Failure) -> String {
    match failure {
        Failure::Stage(stage) if !stage.message.is_empty() => stage.message.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
