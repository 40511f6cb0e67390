//! Components that break the rules: written by hand, generated, cut and flipped.
//!
//! They run in a process of their own, which has bounds and whose crash is found.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use api::{Type, Value};
use graph::{Blame, Diagnostic as _};
use runtime::{Call, Component, Instance, Limits, Power, Runtime, RuntimeConfig};

use crate::bounds;
use crate::verdict::{Tally, Verdict, number};
use fake::FakeBridge;

#[path = "../../host/crates/runtime/tests/it/fake.rs"]
mod fake;
mod generated;
mod mutations;
mod wat;

/// The variable that says that this process is the one that loads the components.
const INSIDE: &str = "HOSTILE_INSIDE";

/// An attack: its name, the component, and whether it must be refused.
struct Attack {
    name: String,
    bytes: Vec<u8>,
    must_be_told: bool,
}

impl Attack {
    fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into(), must_be_told: false }
    }

    /// Makes one of text that must be refused.
    fn told(name: &str, text: &str) -> Self {
        let bytes = ::wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name: name.to_owned(), bytes, must_be_told: true }
    }
}

/// Returns the text of a component with one stage `run` without parameters, from the text of its core function.
fn stage(core: &str) -> String {
    format!(
        r#"(component
            (core module $m {core})
            (core instance $i (instantiate $m))
            (func $run (canon lift (core func $i "run")))
            (instance $stages (export "run" (func $run)))
            (export "test:wat/stages@0.1.0" (instance $stages)))"#
    )
}

/// Returns all attacks with components.
fn attacks() -> Vec<Attack> {
    let cores = wat::CORES.iter().map(|(name, core)| Attack::told(name, &stage(core)));
    let components = wat::COMPONENTS.iter().map(|(name, text)| Attack::told(name, text));
    let handles = wat::HANDLES.iter().map(|(name, code)| Attack::told(name, &generated::with_handles(code)));
    let mut all: Vec<Attack> = cores.chain(components).chain(handles).collect();
    all.extend(generated::all());
    all.extend(mutations::all());
    all
}

#[test]
fn no_component_harms_its_host() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "components::every_component_in_this_process", "--nocapture"]).env(INSIDE, "1");
    let answer = bounds::run(&mut command);
    let mut tally = Tally::new("components");
    let mut last = "none";
    for line in answer.stdout.lines() {
        match line.split('\t').collect::<Vec<_>>()[..] {
            ["begin", attack] => last = attack,
            ["right", attack] => tally.add(attack, Verdict::Right),
            ["told", attack] => tally.add(attack, Verdict::Told),
            ["WRONG", attack, why] => tally.add(attack, Verdict::wrong(why)),
            _ => {}
        }
    }
    assert_eq!(answer.code, Some(0), "it ended with `{last}`\n{}", answer.stderr);
    tally.finish(number(600, 3000));
}

/// Does nothing unless the test above starts it.
#[test]
fn every_component_in_this_process() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let limits = Limits {
        memory_bytes: 64 << 20,
        time: Duration::from_millis(100),
        stack_bytes: 256 << 10,
        n_handles: 1000,
        ..Limits::default()
    };
    let runtime = Runtime::new(RuntimeConfig { cache_dir: None, limits }).unwrap();
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!();
    for attack in attacks() {
        println!("begin\t{}", attack.name);
        std::io::stdout().flush().unwrap();
        let tried = catch_unwind(AssertUnwindSafe(|| executor.block_on(attempt(&runtime, &attack))));
        match tried.unwrap_or_else(|_| Verdict::wrong("it panicked")) {
            Verdict::Wrong(why) => println!("WRONG\t{}\t{}", attack.name, why.replace(['\t', '\n'], " ")),
            Verdict::Told => println!("told\t{}", attack.name),
            _ => println!("right\t{}", attack.name),
        }
    }
}

/// Reads a component, loads it, and calls each of its stages with the simplest arguments.
async fn attempt(runtime: &Runtime, attack: &Attack) -> Verdict {
    let _ = module::documentation(&attack.bytes);
    let _ = module::documented_stages(&attack.bytes);
    let _ = module::inspect(&attack.bytes);
    let mut verdict = Verdict::Right;
    match runtime.load_bytes("m", &attack.bytes) {
        Err(error) if error.blame() != Blame::User => return Verdict::wrong(format!("{:?}: {error}", error.blame())),
        Err(_) => verdict = Verdict::Told,
        // Nothing of it can be called.
        Ok(component) if component.stages().is_empty() => verdict = Verdict::Told,
        Ok(component) => {
            for stage in component.stages() {
                let params: Option<Vec<Value>> = stage.params.iter().map(|(_, ty)| simplest(ty)).collect();
                let Some(args) = params else { continue };
                match call(&component, &stage.name, args).await {
                    Ok(_) => {}
                    Err(error) if matches!(error.blame(), Blame::User | Blame::Function) => verdict = Verdict::Told,
                    Err(error) => return Verdict::wrong(format!("{:?}: {error}", error.blame())),
                }
            }
        }
    }
    match verdict {
        Verdict::Right if attack.must_be_told => Verdict::wrong("it worked"),
        verdict => verdict,
    }
}

async fn call(component: &Component, function: &str, args: Vec<Value>) -> Result<Value, runtime::CallError> {
    let (module, function) = ("m".to_owned(), function.to_owned());
    let (bridge, granted): (_, BTreeSet<Power>) = (Arc::new(FakeBridge::default()), component.powers());
    component.call(Call { module, function, args, bridge, granted, stderr: None, instance: Instance::new() }).await
}

/// Returns a value of a type; nothing for objects.
fn simplest(ty: &Type) -> Option<Value> {
    Some(match ty {
        Type::String => Value::String("text".into()),
        Type::U32 => Value::U32(1),
        Type::Bool => Value::Bool(true),
        Type::List(of) => Value::List(vec![simplest(of)?, simplest(of)?]),
        _ => return None,
    })
}
