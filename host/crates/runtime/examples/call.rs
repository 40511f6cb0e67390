//! Measures the cost of a call of a stage: `cargo run --release -p runtime --example call -- COMPONENT STAGE
//! [WAVE...]`.
//!
//! The program prints the time in microseconds of the first load in a process, of a call, and of many calls at once.

#![expect(clippy::print_stdout, reason = "it is a program that prints figures")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use runtime::{Call, Component, Power, Runtime, RuntimeConfig};

#[path = "../tests/it/fake.rs"]
mod fake;

/// The number of calls in an average.
const N_CALLS: u32 = 200;

/// The number of calls in flight at the same time.
const N_AT_ONCE: usize = 1000;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let path = PathBuf::from(args.next().context("the path of a component is missing")?);
    let function = args.next().context("the name of a stage is missing")?;
    let texts: Vec<String> = args.collect();
    let cache_dir = std::env::temp_dir().join(format!("runtime-example-{}", rustix::process::getuid().as_raw()));
    let config = RuntimeConfig { cache_dir: Some(cache_dir), ..RuntimeConfig::default() };
    Runtime::new(config.clone())?.load(&path)?;

    let begin = Instant::now();
    let runtime = Runtime::new(config)?;
    report("engine new", begin.elapsed());
    let begin = Instant::now();
    let component = runtime.load(&path)?;
    report("load, compiled before", begin.elapsed());
    let tokio = tokio::runtime::Builder::new_current_thread().build()?;
    let begin = Instant::now();
    tokio.block_on(call(&component, &function, &texts))?;
    report("first call", begin.elapsed());
    let begin = Instant::now();
    for _ in 0..N_CALLS {
        tokio.block_on(call(&component, &function, &texts))?;
    }
    report("call", begin.elapsed() / N_CALLS);
    at_once(&component, &function, &texts)
}

/// Holds many calls at their first leaf, if the stage has one.
fn at_once(component: &Component, function: &str, texts: &[String]) -> anyhow::Result<()> {
    let tokio = tokio::runtime::Builder::new_multi_thread().build()?;
    let before_kib = resident_kib()?;
    let begin = Instant::now();
    tokio.block_on(async {
        let mut calls = tokio::task::JoinSet::new();
        let bridge = Arc::new(fake::FakeBridge::waiting_for(N_AT_ONCE));
        for _ in 0..N_AT_ONCE {
            let (component, bridge) = (component.clone(), Arc::clone(&bridge));
            let (function, texts) = (function.to_owned(), texts.to_vec());
            calls.spawn(async move { call_with(&component, &function, &texts, bridge).await });
        }
        while let Some(called) = calls.join_next().await {
            called??;
        }
        anyhow::Ok(())
    })?;
    report(&format!("{N_AT_ONCE} calls at once"), begin.elapsed());
    println!("{:>28} {:>9} KiB", "memory of them, at most", peak_kib()?.saturating_sub(before_kib));
    Ok(())
}

async fn call(component: &Component, function: &str, texts: &[String]) -> anyhow::Result<()> {
    call_with(component, function, texts, Arc::new(fake::FakeBridge::default())).await
}

async fn call_with(
    component: &Component,
    function: &str,
    texts: &[String],
    bridge: Arc<fake::FakeBridge>,
) -> anyhow::Result<()> {
    let signature = component.stages().iter().find(|stage| stage.name == function).context("no such stage")?;
    let mut args = Vec::new();
    for (param, (_, ty)) in signature.params.iter().enumerate() {
        args.push(match ty {
            api::Type::Object(name) if name == "directory" => api::Directory::default().into(),
            _ => component
                .parse_wave(function, param, texts.get(param).map_or("", String::as_str))
                .map_err(anyhow::Error::msg)?,
        });
    }
    let granted: BTreeSet<Power> = component.powers();
    let (module, function) = ("example".to_owned(), function.to_owned());
    component
        .call(Call { module, function, args, bridge, granted, stderr: None, instance: runtime::Instance::new() })
        .await?;
    Ok(())
}

fn report(what: &str, took: Duration) {
    println!("{what:>28} {:>9.1} µs", took.as_secs_f64() * 1e6);
}

fn resident_kib() -> anyhow::Result<u64> {
    status_kib("VmRSS:")
}

fn peak_kib() -> anyhow::Result<u64> {
    status_kib("VmHWM:")
}

fn status_kib(field: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).context("no such field")?;
    Ok(line.split_whitespace().next().context("no number")?.parse()?)
}
