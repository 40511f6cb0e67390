//! Programs: components with an ordinary `main` that contains a whole pipeline.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::Bridge;
use wasmtime::Engine;
use wasmtime::component::types::{self, ComponentItem};
use wasmtime::component::{Component as Compiled, ComponentExportIndex};

use crate::call::{CallError, Callee, Context, new_store};
use crate::component::{Component, Inner};
use crate::output::{ByteSink, Output};
use crate::power::Power;
use crate::time::{Running, Stopwatch};

/// The interface that a program exports, without its version.
/// Source: WASI 0.2, `wasi:cli/command`.
const RUN: &str = "wasi:cli/run";

/// A run of a program.
pub struct ProgramCall {
    /// The name of the module in messages, and the first argument of the program.
    pub module: String,
    /// The other arguments of the program.
    pub args: Vec<String>,
    /// The bridge to the engine.
    pub bridge: Arc<dyn Bridge>,
    /// The powers that the caller granted.
    pub granted: BTreeSet<Power>,
    /// Takes the standard output as it is written.
    pub stdout: ByteSink,
    /// Takes the standard error in whole lines.
    pub stderr: Option<ByteSink>,
}

/// Finds the function `run` among the exports of a component.
pub(crate) fn find(engine: &Engine, compiled: &Compiled, ty: &types::Component) -> Option<ComponentExportIndex> {
    let is_run =
        |name: &str| name.split_once('@').is_some_and(|(path, version)| path == RUN && version.starts_with("0.2."));
    let (interface, _) = ty
        .exports(engine)
        .find(|(name, item)| is_run(name) && matches!(item.ty, ComponentItem::ComponentInstance(_)))?;
    let parent = compiled.get_export_index(None, interface)?;
    compiled.get_export_index(Some(&parent), "run")
}

impl Component {
    /// Runs the component as a program, and returns its exit code.
    ///
    /// # Errors
    /// Fails if the component is not a program, if a power is missing, or if the program traps.
    ///
    /// # Cancel safety
    /// Dropping the future stops the program and frees everything that it has.
    pub async fn run(&self, call: ProgramCall) -> Result<i32, CallError> {
        run(&self.inner, call).await
    }
}

/// Runs a program in a `wasmtime::Store` of its own, and returns its exit code.
async fn run(component: &Inner, call: ProgramCall) -> Result<i32, CallError> {
    let ProgramCall { module, args, bridge, granted, stdout, stderr } = call;
    let callee = Callee { module: module.clone(), function: "main".to_owned() };
    let Some(run) = component.facts.program else {
        let reason = format!("it exports no `{RUN}@0.2`");
        return Err(CallError::NotCallable { module, function: callee.function, reason });
    };
    let powers = component.missing_powers(&granted);
    if !powers.is_empty() {
        return Err(CallError::NotGranted { module, powers, is_program: true });
    }
    let shared = &component.shared;
    shared.ticker.start().map_err(|error| callee.environment(error))?;
    let stopwatch = Arc::<Stopwatch>::default();
    let output = Output::of_program(shared.limits.output_bytes, stdout, stderr);
    let context = Context { bridge, stopwatch, output };
    let words: Vec<String> = std::iter::once(module).chain(args).collect();
    let mut store = new_store(component, "main", &context, Some(&words), None);
    let inner = Box::pin(async {
        let instantiated = component.pre.instantiate_async(&mut store).await?;
        let function = instantiated.get_typed_func::<(), (Result<(), ()>,)>(&mut store, run)?;
        let (answer,) = function.call_async(&mut store, ()).await?;
        Ok(i32::from(answer.is_err()))
    });
    let ended =
        Running::<wasmtime::Result<i32>> { inner, stopwatch: Arc::clone(&context.stopwatch), ticker: &shared.ticker }
            .await;
    match ended {
        // `exit` ends a program in the same way as returning.
        Ok(Err(error)) if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>().map(|exit| exit.0) => {
            context.output.finish();
            Ok(exit)
        }
        ended => callee.answered(&shared.limits, ended, &context.output),
    }
}
