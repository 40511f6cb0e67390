//! Calls of stages.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Bridge, Value};
use graph::{Blame, Diagnostic};
use wasmtime::component::{Instance as Instantiated, ResourceTable, Val};
use wasmtime::{AsContextMut, Store, UpdateDeadline};

use crate::budget::Budget;
use crate::component::{Component, Inner, Stage};
use crate::home::Home;
use crate::instance::{Instance, Live};
use crate::objects::Objects;
use crate::output::{ByteSink, Output};
use crate::power::Power;
use crate::setup::Limits;
use crate::state::{Limiter, Messages, State};
use crate::time::{Running, Stopwatch, VirtualClock};
use crate::trap::{Foreign, Stop, Trap, not_of_the_guest};
use crate::values::{ConvertError, lift, lower};
use crate::wasi;

/// A call of a function.
pub struct Call {
    /// The name of the module in messages.
    pub module: String,
    /// The name of the function.
    pub function: String,
    /// The arguments in order.
    pub args: Vec<Value>,
    /// The bridge to the engine.
    pub bridge: Arc<dyn Bridge>,
    /// The powers that the caller granted.
    pub granted: BTreeSet<Power>,
    /// Takes both output streams of the guest.
    pub stderr: Option<ByteSink>,
    /// The instance that the custom objects of the module live in.
    pub instance: Arc<Instance>,
}

/// The reason why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The module has no stage of that name.
    #[error("module `{module}` has no stage `{function}`")]
    NoSuchStage {
        /// The name of the module.
        module: String,
        /// The name of the function.
        function: String,
        /// The names of the stages that exist.
        exported: Vec<String>,
    },
    /// The module exports the function, but nobody can call it.
    #[error("cannot call `{function}` of module `{module}`: {reason}")]
    NotCallable {
        /// The name of the module.
        module: String,
        /// The name of the function.
        function: String,
        /// The type that is in the way, as a sentence.
        reason: String,
    },
    /// The module needs a power that it was not granted.
    #[error("module `{module}` needs {}", refused(powers))]
    NotGranted {
        /// The name of the module.
        module: String,
        /// All missing powers.
        powers: Vec<Power>,
        /// Whether it is a program, which has no manifest.
        is_program: bool,
    },
    /// An argument has the wrong type.
    #[error("cannot call `{function}` of module `{module}`: `{param}` {reason}")]
    Argument {
        /// The name of the module.
        module: String,
        /// The name of the stage.
        function: String,
        /// The name of the parameter.
        param: String,
        /// The expected type and the actual value, as a sentence.
        reason: String,
    },
    /// There are too few or too many arguments.
    #[error("cannot call `{function}` of module `{module}`: it takes {expected} arguments, not {given}")]
    ArgumentCount {
        /// The name of the module.
        module: String,
        /// The name of the stage.
        function: String,
        /// The number of parameters.
        expected: usize,
        /// The number of arguments.
        given: usize,
    },
    /// The stage ended without returning.
    #[error(transparent)]
    Trap(Box<Trap>),
    /// The stage needs a value that is not evaluated, because the session only plans.
    #[error("stage `{function}` of module `{module}` waits for `{operation}`, and nothing is executed")]
    Planned {
        /// The name of the module.
        module: String,
        /// The name of the stage.
        function: String,
        /// The operation that would be evaluated.
        operation: Arc<str>,
    },
    /// The machine lacks something that the call needs.
    #[error("cannot call `{function}` of module `{module}`: {reason}")]
    Environment {
        /// The name of the module.
        module: String,
        /// The name of the stage.
        function: String,
        /// The thing that is missing, as a sentence.
        reason: String,
    },
    /// This program has a bug.
    #[error("the call of `{function}` of module `{module}` came upon a mistake in the host: {reason}")]
    Bug {
        /// The name of the module.
        module: String,
        /// The name of the stage.
        function: String,
        /// The contradiction, as a sentence.
        reason: String,
    },
}

impl Diagnostic for CallError {
    fn blame(&self) -> Blame {
        match self {
            Self::NoSuchStage { .. }
            | Self::NotGranted { .. }
            | Self::Argument { .. }
            | Self::ArgumentCount { .. }
            | Self::Planned { .. } => Blame::User,
            Self::NotCallable { .. } => Blame::Function,
            Self::Trap(trap) => trap.blame(),
            Self::Environment { .. } => Blame::Environment,
            Self::Bug { .. } => Blame::Bug,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchStage { exported, .. } => Some(match exported.as_slice() {
                [] => "it has none".to_owned(),
                names => format!("it has: {}", names.join(", ")),
            }),
            Self::NotGranted { powers, is_program, .. } => {
                let flags = list(powers, |power| format!("--allow {power}"), " ");
                let names = list(powers, |power| format!("\"{power}\""), ", ");
                let what = if powers.len() == 1 { "it" } else { "them" };
                Some(match is_program {
                    true => format!("grant {what} with `{flags}`"),
                    false => format!("grant {what} with `{flags}` or with `allow = [{names}]` in host.toml"),
                })
            }
            Self::Trap(trap) => trap.hint(),
            _ => None,
        }
    }
}

fn refused(powers: &[Power]) -> String {
    let names = list(powers, |power| format!("`{power}`"), ", ");
    match powers {
        [_] => format!("the power {names}, which was not granted"),
        _ => format!("the powers {names}, which were not granted"),
    }
}

fn list(powers: &[Power], shown: impl Fn(&Power) -> String, between: &str) -> String {
    powers.iter().map(shown).collect::<Vec<_>>().join(between)
}

/// The function that is called. Errors name it.
pub(crate) struct Callee {
    pub(crate) module: String,
    pub(crate) function: String,
}

impl Callee {
    pub(crate) fn environment(&self, reason: impl ToString) -> CallError {
        let (module, function) = (self.module.clone(), self.function.clone());
        CallError::Environment { module, function, reason: reason.to_string() }
    }

    fn bug(&self, reason: String) -> CallError {
        CallError::Bug { module: self.module.clone(), function: self.function.clone(), reason }
    }

    /// Returns the answer of a call. `ended` is the outcome of [`Running`].
    pub(crate) fn answered<T>(
        &self,
        limits: &Limits,
        ended: Result<wasmtime::Result<T>, String>,
        output: &Output,
    ) -> Result<T, CallError> {
        let printed = output.finish();
        match ended {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.ended(limits, &error, &printed)),
            Err(panic) => Err(self.bug(panic)),
        }
    }

    /// Decides whether an error of wasmtime is a fault of the guest, of this machine, or of this program.
    fn ended(&self, limits: &Limits, error: &wasmtime::Error, printed: &[u8]) -> CallError {
        match not_of_the_guest(error) {
            Some(Foreign::Planned(operation)) => {
                CallError::Planned { module: self.module.clone(), function: self.function.clone(), operation }
            }
            Some(Foreign::Environment) => self.environment(format!("{error:#}")),
            Some(Foreign::Bug(message)) => self.bug(message),
            None => CallError::Trap(Box::new(Trap::of(&self.module, &self.function, limits, error, printed))),
        }
    }
}

impl Component {
    /// Calls a function: a stage by its name, or one of a type of custom objects, as in `[method]linter.check`.
    ///
    /// A function that takes or returns objects of its module is called in the instance of the call; every other
    /// function is called in a new instance. An `err` answer of a stage is an answer: a [`Value::Result`].
    ///
    /// # Errors
    /// Fails if there is no such function, if a power is missing, if an argument has the wrong type, or if the
    /// function traps.
    ///
    /// # Cancel safety
    /// Dropping the future stops the function and frees everything that it has.
    pub async fn call(&self, call: Call) -> Result<Value, CallError> {
        call_now(&self.inner, call).await
    }
}

/// Calls a function in a `wasmtime::Store` of its own, or in that of the module's custom objects.
async fn call_now(component: &Inner, call: Call) -> Result<Value, CallError> {
    let Call { module, function, args, bridge, granted, stderr, instance } = call;
    let callee = Callee { module, function };
    let stage = find_stage(component, &callee, &granted)?;
    let shared = &component.shared;
    if let Err(error) = shared.ticker.start() {
        return Err(callee.environment(error));
    }
    let stopwatch = Arc::<Stopwatch>::default();
    let output = Output::new(shared.limits.output_bytes, stderr);
    let context = Context { bridge, stopwatch, output };
    if stage.has_own {
        return call_in(component, stage, &callee, args, context, &instance).await;
    }
    let mut store = new_store(component, &callee.function, &context, None, None);
    let params = lower_args(&mut store, &shared.limits, stage, &callee, args)?;
    let inner = Box::pin(async {
        let instantiated = component.pre.instantiate_async(&mut store).await?;
        enter(&mut store, instantiated, stage, params).await
    });
    let ended = Running { inner, stopwatch: Arc::clone(&context.stopwatch), ticker: &shared.ticker }.await;
    callee.answered(&shared.limits, ended, &context.output)
}

/// The context of a call.
pub(crate) struct Context {
    pub(crate) bridge: Arc<dyn Bridge>,
    pub(crate) stopwatch: Arc<Stopwatch>,
    pub(crate) output: Output,
}

/// Calls a function in the instance that the module's custom objects live in.
async fn call_in(
    component: &Inner,
    stage: &Stage,
    callee: &Callee,
    args: Vec<Value>,
    context: Context,
    instance: &Arc<Instance>,
) -> Result<Value, CallError> {
    let shared = &component.shared;
    let mut place = instance.enter().await;
    // The instance is taken out: one that is abandoned in the middle of a call must not be entered again.
    let (mut store, instantiated, output) = match place.take() {
        Some(Live { store, instantiated, output }) => (store, Some(instantiated), output),
        None => {
            let store = new_store(component, "objects", &context, None, Some(instance.begin()));
            (store, None, context.output.clone())
        }
    };
    if instantiated.is_some() {
        output.pass_to(&context.output);
    }
    let state = store.data_mut();
    state.bridge = Arc::clone(&context.bridge);
    state.stopwatch = Arc::clone(&context.stopwatch);
    state.messages = Messages::new(&shared.limits);
    let params = match lower_args(&mut store, &shared.limits, stage, callee, args) {
        Ok(params) => params,
        Err(error) => {
            // The instance was not entered.
            *place = instantiated.map(|instantiated| Live { store, instantiated, output });
            return Err(error);
        }
    };
    let inner = Box::pin(async {
        let instantiated = match instantiated {
            Some(instantiated) => instantiated,
            None => component.pre.instantiate_async(&mut store).await?,
        };
        free_unused(&mut store).await?;
        let value = enter(&mut store, instantiated, stage, params).await?;
        Ok((value, instantiated))
    });
    let ended = Running { inner, stopwatch: Arc::clone(&context.stopwatch), ticker: &shared.ticker }.await;
    let (value, instantiated) = callee.answered(&shared.limits, ended, &output)?;
    *place = Some(Live { store, instantiated, output });
    Ok(value)
}

/// Frees the objects whose handles were dropped.
async fn free_unused(store: &mut Store<State>) -> wasmtime::Result<()> {
    let Some(home) = store.data().instance.clone() else { return Ok(()) };
    for resource in home.take_unused() {
        resource.resource_drop_async(&mut *store).await?;
    }
    Ok(())
}

fn find_stage<'a>(component: &'a Inner, callee: &Callee, granted: &BTreeSet<Power>) -> Result<&'a Stage, CallError> {
    let (module, function) = (callee.module.clone(), callee.function.clone());
    if let Some(reason) = component.obstacle(&function) {
        return Err(CallError::NotCallable { module, function, reason: reason.to_owned() });
    }
    let Some(stage) = component.stage(&function) else {
        return Err(CallError::NoSuchStage { module, function, exported: component.stage_names() });
    };
    let powers = component.missing_powers(granted);
    if powers.is_empty() { Ok(stage) } else { Err(CallError::NotGranted { module, powers, is_program: false }) }
}

/// Makes the store of a call. Only a program has arguments. Objects of the module live in `home`.
pub(crate) fn new_store(
    component: &Inner,
    function: &str,
    context: &Context,
    program_args: Option<&[String]>,
    home: Option<Home>,
) -> Store<State> {
    let limits = &component.shared.limits;
    let clock = VirtualClock::default();
    let mut resources = ResourceTable::new();
    resources.set_max_capacity(limits.n_handles as usize);
    let args = program_args.unwrap_or_default();
    let state = State {
        wasi: wasi::context(&component.facts.digest, function, args, &clock, &context.output),
        resources,
        clock,
        objects: Objects::new(limits.n_handles),
        bridge: Arc::clone(&context.bridge),
        stopwatch: Arc::clone(&context.stopwatch),
        limiter: Limiter::new(limits),
        messages: Messages::new(limits),
        budget: Budget::new(limits.kept_bytes),
        text_bytes: limits.text_bytes,
        kinds: Arc::clone(&component.facts.kinds),
        instance: home,
    };
    let mut store = Store::new(&component.shared.engine, state);
    store.limiter(|state| &mut state.limiter);
    // The limit is doubled, because lending an object takes one more handle. The table of objects counts exactly.
    store.set_max_component_handles((limits.n_handles as usize).saturating_mul(2));
    store.set_hostcall_fuel(usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX));
    store.set_epoch_deadline(1);
    let time = limits.time;
    store.epoch_deadline_callback(move |store| {
        if store.data().stopwatch.elapsed() > time {
            return Err(wasmtime::Error::new(Stop::TimeOut));
        }
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

fn lower_args(
    store: &mut Store<State>,
    limits: &Limits,
    stage: &Stage,
    callee: &Callee,
    args: Vec<Value>,
) -> Result<Vec<Val>, CallError> {
    let (module, function) = (callee.module.clone(), callee.function.clone());
    let (expected, given) = (stage.ty.params().len(), args.len());
    if expected != given {
        return Err(CallError::ArgumentCount { module, function, expected, given });
    }
    let mut vals = Vec::with_capacity(given);
    for ((param, ty), value) in stage.ty.params().zip(args) {
        match lower(&mut store.as_context_mut(), &ty, value) {
            Ok(val) => vals.push(val),
            Err(ConvertError::Mismatch(reason)) => {
                let param = param.to_owned();
                return Err(CallError::Argument { module, function, param, reason });
            }
            Err(ConvertError::Stop(error)) => {
                return Err(callee.ended(limits, &error, &[]));
            }
        }
    }
    Ok(vals)
}

/// Calls a function of an instance.
async fn enter(
    store: &mut Store<State>,
    instantiated: Instantiated,
    stage: &Stage,
    params: Vec<Val>,
) -> wasmtime::Result<Value> {
    let function = instantiated
        .get_func(&mut *store, stage.index)
        .ok_or_else(|| wasmtime::Error::new(Stop::Bug { message: "an exported function is not there".to_owned() }))?;
    let result_ty = stage.ty.results().next();
    let mut results = vec![Val::Bool(false); usize::from(result_ty.is_some())];
    function.call_async(&mut *store, &params, &mut results).await?;
    match (result_ty, results.first()) {
        (Some(ty), Some(val)) => lift(&mut store.as_context_mut(), &ty, val),
        _ => Ok(Value::unit()),
    }
}
