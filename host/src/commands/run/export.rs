//! `-o DIR` of `host run`: writes the result of each stage under the name of the stage.

use std::path::{Path, PathBuf};

use api::{Object, Value};
use pipeline::{StageGraph, StageId};

use crate::commands::options::CallOptions;
use crate::commands::outcomes::is_data;
use crate::output;
use crate::platform::{Ended, Run};
use crate::report::{Report, Result};

/// Returns the directory of `-o`, if it was given.
pub(super) fn target(call: &CallOptions) -> Result<Option<PathBuf>> {
    let Some(output) = &call.output else { return Ok(None) };
    if output.image.is_some() {
        return Err(Report::usage("`-o` of `host run` takes a directory, and no place of an image")
            .with_hint("`host call STAGE -o IMAGE` writes a container as an image"));
    }
    match output.path.metadata() {
        Ok(there) if !there.is_dir() => {
            Err(Report::input(format!("cannot write results to `{}`: a file is in the way", output.path.display())))
        }
        _ => Ok(Some(output.path.clone())),
    }
}

/// Writes the results of stages below a directory.
pub(super) fn write(
    target: &Path,
    graph: &StageGraph,
    wanted: &[StageId],
    ended: &[Ended],
    run: &dyn Run,
) -> Result<()> {
    for (&stage, ended) in wanted.iter().zip(ended) {
        if let Ended::Done { value, .. } | Ended::Failed { value: Some(value), .. } = ended {
            let name = &graph.stage(stage).name;
            one(&target.join(name), value, run)
                .map_err(|report| report.context(format!("cannot write what stage `{name}` made")))?;
        }
    }
    Ok(())
}

fn one(target: &Path, value: &Value, run: &dyn Run) -> Result<()> {
    match value {
        Value::Option(Some(value)) => one(target, value, run),
        Value::Object(object @ Object::File(file)) => run.export(object, &target.join(file_name(&file.name))),
        Value::Object(object @ (Object::Directory(_) | Object::Container(_))) => run.export(object, target),
        Value::Bytes(bytes) => text(target, bytes),
        value if is_data(value) => text(target, output::plain(value).as_bytes()),
        _ => Ok(()),
    }
}

/// Returns the last component of a file's name. The name comes from a function and may be a path.
fn file_name(name: &str) -> &str {
    Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or("file")
}

fn text(target: &Path, bytes: &[u8]) -> Result<()> {
    let made = target.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(target, bytes))
        .map_err(|error| Report::unwritable(format!("cannot write `{}`", target.display()), &error))
}
