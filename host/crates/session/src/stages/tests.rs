use std::collections::BTreeSet;
use std::path::PathBuf;

use api::Signature;
use pipeline::{Library, LiteralContext, Literals, ModuleTypes};

use super::*;
use crate::{ModuleSpec, Modules, SessionOptions};

#[path = "../../../runtime/tests/it/fake.rs"]
mod fake;

struct NoLiterals;

impl Literals for NoLiterals {
    fn value(&mut self, _: &Type, _: &serde_json::Value, _: &LiteralContext<'_>) -> Result<Value, String> {
        Err("there is no manifest".to_owned())
    }
}

/// A session of a module that has no code.
fn session() -> Arc<Session> {
    let options = SessionOptions {
        engine: Arc::new(fake::FakeEngine::default()),
        secrets: Arc::default(),
        export_root: PathBuf::from("/"),
        log: Arc::new(|_, _, _| ()),
        cancel: tokio_util::sync::CancellationToken::new(),
        origins: Arc::default(),
        stages: Arc::new(|_| ()),
    };
    let module = ModuleSpec { name: "test".to_owned(), component: None, dependencies: Vec::new() };
    Session::new(options, Modules::link(&[module], BTreeSet::new()).unwrap())
}

/// A pipeline of stages that make a directory each.
fn pipeline(session: &Arc<Session>, names: &[&str]) -> Arc<Pipeline> {
    let stage = |name: &&str| Signature {
        name: (*name).to_owned(),
        params: Vec::new(),
        result: Some(Type::Object("directory".to_owned())),
    };
    let own = ModuleTypes { stages: names.iter().map(stage).collect(), objects: Vec::new() };
    let library = Library { own: Some(own), ..Library::default() };
    let graph = StageGraph::new(&library, None, &mut NoLiterals).unwrap();
    Pipeline::new(session, Arc::new(graph))
}

#[tokio::test]
async fn an_interrupt_while_a_failed_run_is_stopped_is_told_and_not_the_failure() {
    let session = session();
    let pipeline = pipeline(&session, &["fails", "goes-on"]);
    // The second stage goes on although the first one failed, as if it had changed something, until the interrupt.
    let cancel = session.options.cancel.clone();
    let until_interrupt = cancel.clone();
    let begun = session.in_background(async move {
        until_interrupt.cancelled().await;
        Err(Failure::Cancelled)
    });
    pipeline.begun.lock().unwrap().insert(1, begun);
    session.effects.begin(&"test.goes-on".into()).unwrap();
    let interrupt = async {
        // Once the run is being stopped, nothing else may begin to change something.
        for n in 0.. {
            match session.effects.begin(&format!("test.other-{n}").into()) {
                Ok(()) => tokio::task::yield_now().await,
                Err(_) => break,
            }
        }
        cancel.cancel();
    };
    let (verdicts, ()) = tokio::join!(pipeline.run_all(&[0, 1], run::RunOptions::default()), interrupt);
    let is_interrupted =
        |verdict: &run::Verdict| matches!(verdict, run::Verdict::Failed { failure: Failure::Cancelled, .. });
    assert!(verdicts.iter().all(is_interrupted), "{verdicts:?}");
}

async fn id(pipeline: &Arc<Pipeline>, stage: StageId) -> String {
    match pipeline.made_for(stage).await {
        Ok(Value::Object(Object::Pending(pending))) => pending.id().to_owned(),
        other => panic!("{other:?} is not made later"),
    }
}

#[tokio::test]
async fn what_a_stage_will_make_has_the_same_id_wherever_its_pipeline_is_in_memory() {
    // Both are alive at the same time, so that they have different addresses.
    let (one, other) = (session(), session());
    let (one, other) = (pipeline(&one, &["build"]), pipeline(&other, &["build"]));
    assert_eq!(id(&one, 0).await, id(&other, 0).await);
}

#[tokio::test]
async fn what_another_stage_or_another_pipeline_makes_has_another_id() {
    let session = session();
    let (one, other) = (pipeline(&session, &["build", "test"]), pipeline(&session, &["build"]));
    assert_ne!(id(&one, 0).await, id(&one, 1).await);
    assert_ne!(id(&one, 0).await, id(&other, 0).await);
}
