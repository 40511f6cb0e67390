//! Measures the cost of a call across modules: `cargo run --release -p session --example cross_call -- RELAY GREETER`.
//!
//! `RELAY` is the component of `benches/modules/relay`. It calls a function of `GREETER` ten times, each time with the
//! last answer. `GREETER` is one of `tests/functions/polyglot`. The program prints the time of such a chain in
//! microseconds, and the time of the same ten calls that it makes itself, one after the other.

#![expect(clippy::print_stdout, reason = "it is a program that prints figures")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use api::Value;
use runtime::{Runtime, RuntimeConfig};
use session::{DependencySpec, ModuleSpec, Modules, Session, SessionOptions};

#[path = "../../runtime/tests/it/fake.rs"]
mod fake;

/// The number of calls in a chain.
const N_CALLS: u32 = 10;

/// The number of chains that a median is made of.
const N_ROUNDS: usize = 40;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let relay = PathBuf::from(args.next().context("the path of the relay is missing")?);
    let greeter = PathBuf::from(args.next().context("the path of the greeter is missing")?);
    let cache_dir = std::env::temp_dir().join(format!("runtime-example-{}", rustix::process::getuid().as_raw()));
    let runtime = Runtime::new(RuntimeConfig { cache_dir: Some(cache_dir), ..RuntimeConfig::default() })?;
    let spec = |name: &str, path: &PathBuf, dependencies| -> anyhow::Result<ModuleSpec> {
        Ok(ModuleSpec { name: name.to_owned(), component: Some(runtime.load(path)?), dependencies })
    };
    let polyglot = DependencySpec { alias: "polyglot".to_owned(), module: 1, allow: None };
    let chain = session(&[spec("relay", &relay, vec![polyglot])?, spec("polyglot", &greeter, Vec::new())?])?;
    let alone = session(&[spec("polyglot", &greeter, Vec::new())?])?;
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let (mut chains, mut singles) = (Vec::new(), Vec::new());
    for round in 0..=N_ROUNDS {
        // Each round has another name: a call with the same arguments is made only once.
        let name = format!("round {round}");
        let begin = Instant::now();
        let answer = tokio.block_on(chain.call("relay", vec![name.clone().into(), N_CALLS.into()]))?;
        let took = begin.elapsed();
        let begin = Instant::now();
        let greeted = tokio.block_on(one_by_one(&alone, name))?;
        anyhow::ensure!(matches!(&answer, Value::String(text) if *text == greeted), "{answer:?} is not {greeted}");
        // The first round warms up.
        if round > 0 {
            chains.push(took);
            singles.push(begin.elapsed());
        }
    }
    report("chain of ten", median(chains));
    report("one by one", median(singles));
    Ok(())
}

/// Calls the function that the relay calls, with the same arguments.
async fn one_by_one(session: &Arc<Session>, mut name: String) -> anyhow::Result<String> {
    for _ in 0..N_CALLS {
        let argument = Value::Option(Some(Box::new(name.into())));
        match session.call("greet", vec![argument]).await? {
            Value::String(answer) => name = answer,
            other => anyhow::bail!("`greet` answered {other:?}"),
        }
    }
    Ok(name)
}

fn session(modules: &[ModuleSpec]) -> anyhow::Result<Arc<Session>> {
    let options = SessionOptions {
        engine: Arc::new(fake::FakeEngine::default()),
        secrets: Arc::default(),
        export_root: PathBuf::from("/"),
        log: Arc::new(|_, _, _| ()),
        cancel: tokio_util::sync::CancellationToken::new(),
        origins: Arc::default(),
        stages: Arc::new(|_| ()),
    };
    Ok(Session::new(options, Modules::link(modules, BTreeSet::new())?))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn report(what: &str, took: Duration) {
    println!("{what:>28} {:>9.1} µs", took.as_secs_f64() * 1e6);
}
