//! Prints the result of a call, or writes it to `-o`.

use std::path::Path;

use api::{Object, Type, Value};
use serde_json::{Value as Json, json};

use crate::call::unwrapped;
use crate::commands::options::{CallOptions, Output};
use crate::config::Config;
use crate::output;
use crate::platform::{ImagePlace, Run};
use crate::report::{Report, Result};

/// The output of a call.
pub(super) struct CallOutput {
    /// The bytes for standard output.
    pub(super) data: Vec<u8>,
    /// Lines for standard error.
    pub(super) said: Vec<String>,
}

/// Refuses `-o` for a result that cannot be written, before anything runs.
pub(super) fn check_output(stage: &str, result: Option<&Type>, call: &CallOptions) -> Result<()> {
    let Some(target) = &call.output else { return Ok(()) };
    let refused = match unwrapped(result) {
        None => "nothing".to_owned(),
        Some(Type::Object(name)) if !matches!(name.as_str(), "container" | "directory" | "file") => format!("a {name}"),
        Some(Type::Custom(ty)) => format!("a {}", ty.name),
        Some(Type::List(item)) if matches!(**item, Type::Object(_) | Type::Custom(_)) => "a list of objects".to_owned(),
        Some(Type::Object(name)) if name == "container" && target.image.is_some() => return Ok(()),
        Some(ty) => return check_target(ty, target),
    };
    Err(Report::usage(format!("`-o` cannot write what `{stage}` returns: {refused}"))
        .with_hint("`-o` writes a directory, a file, a container's image or root file system, a scalar or a record"))
}

/// Refuses a directory as the target of a value, and a file as the target of a directory. A file can be written into a
/// directory, because it has a name.
fn check_target(ty: &Type, target: &Output) -> Result<()> {
    let is_file = matches!(ty, Type::Object(name) if name == "file");
    let is_tree = matches!(ty, Type::Object(_)) && !is_file;
    let target = &target.path;
    match target.metadata() {
        Ok(there) if is_tree && !there.is_dir() => {
            Err(Report::input(format!("cannot write a directory to `{}`: a file is in the way", target.display()))
                .with_hint("remove it, or choose another path"))
        }
        Ok(there) if !is_tree && !is_file && there.is_dir() => {
            Err(Report::input(format!("cannot write a value to `{}`: a directory is there", target.display()))
                .with_hint(format!("name a file in it, as in `-o {}`", target.join("result").display())))
        }
        _ => Ok(()),
    }
}

/// Evaluates a result as far as it is shown, and writes it to the target of `-o`.
pub(super) fn show(value: Value, run: &dyn Run, call: &CallOptions, config: &Config) -> Result<CallOutput> {
    if let Some(Output { path: target, is_directory, image }) = &call.output {
        if let (Some(place), Value::Object(object)) = (image, &value)
            && object.name() == "container"
        {
            return put(object, place, run, call);
        }
        let target = match &value {
            Value::Object(file) if *is_directory && file.name() == "file" => &target.join(name_of(file, run)?),
            _ => target,
        };
        write(&value, run, call, target)?;
        let written = target.strip_prefix(&config.cwd).unwrap_or(target);
        let written = if written.as_os_str().is_empty() { Path::new(".") } else { written };
        let said = (!call.is_quiet).then(|| format!("saved {}", written.display()));
        return Ok(CallOutput { data: Vec::new(), said: said.into_iter().collect() });
    }
    let data = if call.is_json { json_of(&value, run)? } else { plain_of(&value, run)? };
    Ok(CallOutput { data, said: Vec::new() })
}

/// Writes a container as an image, and returns its reference as the output.
fn put(container: &Object, place: &ImagePlace, run: &dyn Run, call: &CallOptions) -> Result<CallOutput> {
    let reference = run.put_image(container, place)?;
    let said = match place {
        ImagePlace::Layout(path) | ImagePlace::Archive(path) => format!("saved {}", path.display()),
        ImagePlace::Registry(name) => format!("pushed {name}"),
        ImagePlace::Docker(name) => format!("loaded {name} into Docker"),
    };
    let said = (!call.is_quiet).then_some(said);
    let data = reference.map(|reference| format!("{reference}\n").into_bytes()).unwrap_or_default();
    Ok(CallOutput { data, said: said.into_iter().collect() })
}

fn plain_of(value: &Value, run: &dyn Run) -> Result<Vec<u8>> {
    let text = match value {
        value if value.is_unit() => return Ok(Vec::new()),
        // Bytes are given as they are: they may be a program.
        Value::Bytes(bytes) => return Ok(bytes.clone()),
        Value::List(items) if items.is_empty() => return Ok(Vec::new()),
        Value::List(items) if items.iter().all(|item| matches!(item, Value::Object(_))) => {
            let lines = items.iter().map(|item| object_line(item, run)).collect::<Result<Vec<_>>>()?;
            lines.join("\n")
        }
        Value::Object(_) => object_line(value, run)?,
        value => output::plain(value),
    };
    let end = if text.ends_with('\n') { "" } else { "\n" };
    Ok(format!("{text}{end}").into_bytes())
}

fn json_of(value: &Value, run: &dyn Run) -> Result<Vec<u8>> {
    let json = match value {
        value if value.is_unit() => return Ok(Vec::new()),
        Value::Object(object) => object_json(object, value, run)?,
        Value::List(items) => Json::Array(
            items
                .iter()
                .map(|item| match item {
                    Value::Object(object) => object_json(object, item, run),
                    item => Ok(output::json(item)),
                })
                .collect::<Result<_>>()?,
        ),
        value => output::json(value),
    };
    let text =
        serde_json::to_string_pretty(&json).map_err(|error| Report::bug(format!("cannot write JSON: {error}")))?;
    Ok(format!("{text}\n").into_bytes())
}

fn object_line(value: &Value, run: &dyn Run) -> Result<String> {
    match value {
        Value::Object(object) if output::is_evaluated(object) => {
            Ok(format!("{} {}", object.name(), identity(object, run)?))
        }
        value => Ok(output::plain(value)),
    }
}

fn object_json(object: &Object, value: &Value, run: &dyn Run) -> Result<Json> {
    if output::is_evaluated(object) {
        Ok(json!({ "type": object.name(), "digest": identity(object, run)? }))
    } else {
        Ok(output::json(value))
    }
}

/// Evaluates an object and returns its digest: of the contents of a directory or a file, of the definition of a
/// container.
fn identity(object: &Object, run: &dyn Run) -> Result<String> {
    let name = object.name();
    let invoke =
        |method: &str| run.invoke(name, &format!("[method]{name}.{method}"), vec![Value::Object(object.clone())]);
    let answer = match name {
        "container" => {
            invoke("sync")?;
            invoke("id")?
        }
        _ => invoke("digest")?,
    };
    Ok(output::plain(&answer))
}

/// Returns the name of a file. It comes from a function and may be a path, of which only the last part counts.
fn name_of(file: &Object, run: &dyn Run) -> Result<String> {
    let stat = run.invoke("file", "[method]file.stat", vec![Value::Object(file.clone())])?;
    let name = match &stat {
        Value::Record(fields) => fields.iter().find(|(name, _)| name == "name").map(|(_, value)| output::plain(value)),
        _ => None,
    };
    let name = name.unwrap_or_default();
    Ok(Path::new(&name).file_name().and_then(|name| name.to_str()).unwrap_or("file").to_owned())
}

fn write(value: &Value, run: &dyn Run, call: &CallOptions, target: &Path) -> Result<()> {
    if let Value::Object(object) = value {
        return run.export(object, target);
    }
    let bytes = match value {
        Value::Bytes(bytes) => bytes.clone(),
        _ if call.is_json => json_of(value, run)?,
        // The text as it is: the contents of a file stay the contents of a file.
        value => output::plain(value).into_bytes(),
    };
    let made = target.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(target, bytes))
        .map_err(|error| Report::unwritable(format!("cannot write `{}`", target.display()), &error))
}
