//! Custom objects: their homes, and their loss. The tests require the target `wasm32-wasip2`.

use std::sync::Arc;

use api::{Object, Value};
use runtime::{Call, CallError, Component, Instance, Limits};

use crate::fake::FakeBridge;
use crate::support::load_guest;

/// A module with the instance of its objects.
struct Module {
    component: Component,
    instance: Arc<Instance>,
}

impl Module {
    fn load(name: &str) -> Option<Self> {
        Some(Self { component: load_guest(name, Limits::default())?, instance: Instance::new() })
    }

    async fn call(&self, function: &str, args: Vec<Value>) -> Result<Value, CallError> {
        let call = Call {
            module: "m".to_owned(),
            function: function.to_owned(),
            args,
            bridge: Arc::new(FakeBridge::default()),
            granted: self.component.powers(),
            stderr: None,
            instance: Arc::clone(&self.instance),
        };
        self.component.call(call).await
    }

    async fn bomb(&self, seconds: u32) -> Value {
        self.call("[constructor]bomb", vec![Value::U32(seconds)]).await.unwrap()
    }

    /// Calls a function with one object, and writes the outcome.
    async fn show(&self, function: &str, object: &Value) -> String {
        match self.call(function, vec![object.clone()]).await {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.to_string(),
        }
    }
}

#[tokio::test]
async fn objects_live_as_long_as_somebody_has_them() {
    let Some(module) = Module::load("hostile") else { return };
    let (one, other) = (module.bomb(1).await, module.bomb(2).await);
    assert_eq!(module.show("[method]bomb.left", &one).await, "U32(1)");
    drop(one);
    assert_eq!(module.show("[method]bomb.left", &other).await, "U32(2)");
}

#[tokio::test]
async fn an_object_can_be_given_away_once() {
    let Some(module) = Module::load("hostile") else { return };
    let bomb = module.bomb(7).await;
    assert_eq!(module.show("defuse", &bomb).await, "U32(7)");
    let gone = "cannot call `defuse` of module `m`: `bomb` the bomb was given away by an earlier call, which takes \
                `bomb` and not `borrow<bomb>`";
    assert_eq!(module.show("defuse", &bomb).await, gone);
}

#[tokio::test]
async fn a_trap_loses_the_objects_of_its_instance_and_no_others() {
    let Some(module) = Module::load("hostile") else { return };
    let Some(other) = Module::load("hostile") else { return };
    let (bomb, elsewhere) = (module.bomb(1).await, other.bomb(3).await);
    let exploded = module.show("[method]bomb.explode", &bomb).await;
    assert!(exploded.contains("boom after 1"), "{exploded}");
    let lost = module.show("[method]bomb.left", &bomb).await;
    assert!(lost.ends_with("the bomb is gone: its module ended with an error after it was made"), "{lost}");
    // The next object begins a new instance.
    let next = module.bomb(2).await;
    assert_eq!(module.show("[method]bomb.left", &next).await, "U32(2)");
    assert_eq!(other.show("[method]bomb.left", &elsewhere).await, "U32(3)");
    // An object of another instance is refused.
    let foreign = module.show("[method]bomb.left", &elsewhere).await;
    assert!(foreign.contains("the bomb is gone"), "{foreign}");
}

#[tokio::test]
async fn objects_are_told_apart_by_their_types() {
    let (Some(hostile), Some(objects)) = (Module::load("hostile"), Module::load("objects")) else { return };
    let bomb = hostile.bomb(1).await;
    let refused = objects.show("describe", &bomb).await;
    assert!(refused.ends_with("`linter` it takes a linter, not a bomb"), "{refused}");
    assert!(matches!(&bomb, Value::Object(Object::Custom(custom)) if custom.ty().name == "bomb"));
}

#[tokio::test]
async fn a_dependency_that_nobody_provides_ends_the_call() {
    let Some(linked) = Module::load("linked") else { return };
    let imports: Vec<&str> = linked.component.dependencies().iter().map(|import| import.name.as_str()).collect();
    assert_eq!(imports, ["local:objects/stages@0.1.0"]);
    let ended = linked.call("style", vec![Value::Option(None)]).await.unwrap_err().to_string();
    let expect = "`linter constructor` of a dependency failed: nothing provides `local:objects/stages@0.1.0`";
    assert!(ended.ends_with(expect), "{ended}");
}
