//! `host functions`

use std::fmt::Write as _;

use api::Signature;
use module::Documentation;
use serde_json::{Value as Json, json};

use super::{Context, is_json, modules, print_json};
use crate::args::Parsed;
use crate::call::stage_usage;
use crate::exit::ExitStatus;
use crate::help::item;
use crate::output::type_name;
use crate::report::Result;

pub(super) fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
    let module = modules::find(&parsed.options, &context)?;
    let path = modules::component(&module, parsed.options.has("quiet"), &mut context)?;
    let component = modules::load(&path, &module.name(), &context)?;
    let docs = modules::documentation(&path);
    if is_json(parsed) {
        let stages: Vec<Json> = component.stages().iter().map(|stage| as_json(stage, docs.as_ref())).collect();
        let listed = json!({ "module": module.name(), "interface": component.interface(), "stages": stages });
        return print_json(context.io, &listed);
    }
    let mut text = String::new();
    if let Some(docs) = docs.as_ref().filter(|docs| !docs.text.is_empty()) {
        let _ = write!(text, "{}\n\n", docs.text);
    }
    for stage in component.stages() {
        let about = docs.as_ref().and_then(|docs| docs.stages.get(&stage.name));
        let first = about.map(|docs| docs.text.lines().next().unwrap_or_default()).unwrap_or_default();
        item(&mut text, &stage.name, first);
        let usage = stage_usage(stage);
        let _ = writeln!(text, "      {usage} -> {}", result(stage));
    }
    context.io.print(text.trim_end());
    Ok(ExitStatus::Done)
}

/// A result that can be an error is told as what it is when it is none.
fn result(stage: &Signature) -> String {
    let result = match &stage.result {
        Some(api::Type::Result(ok, _)) => ok.as_deref(),
        other => other.as_ref(),
    };
    type_name(result)
}

fn as_json(stage: &Signature, docs: Option<&Documentation>) -> Json {
    let about = docs.and_then(|docs| docs.stages.get(&stage.name));
    let params: Vec<Json> = stage
        .params
        .iter()
        .map(|(name, ty)| {
            let text = about.and_then(|about| about.params.get(name));
            json!({ "name": name, "type": ty.to_string(), "docs": text })
        })
        .collect();
    json!({
        "name": stage.name,
        "docs": about.map(|about| &about.text),
        "params": params,
        "result": stage.result.as_ref().map(ToString::to_string),
    })
}
