//! Builds modules in Python: a front end reads the sources, and componentize-py makes the component.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::BuildError;
use super::front_end::{Answer, place_wit};
use super::{Made, command};
use crate::manifest::{Language, MANIFEST_NAME};
use crate::reference::ModuleDirectory;
use crate::sections::{self, DOCS_SECTION};
use crate::{fs, sdk};

/// The program that makes components of Python.
const COMPONENTIZE: &str = "componentize-py";

/// The command that installs it.
const INSTALL: &str = "pip install componentize-py==0.25.1";

/// Builds the component of a module in Python.
pub(super) fn build(
    module: &ModuleDirectory,
    target_dir: Option<&Path>,
    diagnostics: &mut (dyn Write + Send),
) -> Result<Made, BuildError> {
    let componentize = find(COMPONENTIZE, &module.root, INSTALL)?;
    let python = find("python3", &module.root, "apt-get install python3")?;
    let sdk = sdk::place_python(&module.root)?;
    let out = module.output_dir(target_dir).join(format!("{}-python", module.manifest.name));
    fs::create_dir_all(&out)?;
    let answer = describe(module, &python, &sdk, &out, diagnostics)?;
    let (interface, mut sources) = answer.accepted(module, diagnostics)?;
    sources.insert(fs::canonicalize(&module.root.join(MANIFEST_NAME))?);
    let wit = out.join("wit");
    let docs = place_wit(module, &interface, &wit)?;
    let component = out.join("component.wasm");
    let mut run = Command::new(&componentize);
    run.current_dir(&module.root).arg("-d").arg(&wit).args(["-w", "module", "componentize", "app", "-o"]);
    run.arg(&component).arg("-p").arg(&out).arg("-p").arg(&module.root).arg("-p").arg(&sdk);
    let mut printed = Vec::new();
    let status = command::stream(&mut run, &mut printed).map_err(|_| no_tool(COMPONENTIZE, INSTALL))?;
    if !status.success() {
        let _ = diagnostics.write_all(&printed);
        return Err(BuildError::Tool { module: module.manifest.name.clone(), tool: COMPONENTIZE });
    }
    let mut wasm = fs::read(&component)?;
    sections::append(&mut wasm, DOCS_SECTION, &docs);
    Ok(Made { wasm, sources, warnings: Vec::new() })
}

/// Runs the front end, which writes the module that componentize-py takes into `out`.
fn describe(
    module: &ModuleDirectory,
    python: &Path,
    sdk: &Path,
    out: &Path,
    diagnostics: &mut (dyn Write + Send),
) -> Result<Answer, BuildError> {
    let root = fs::canonicalize(&module.root)?;
    let run = Command::new(python)
        .arg("-B")
        .arg(sdk.join("host_build/describe.py"))
        .arg(&root)
        .arg(out)
        .stdin(Stdio::null())
        .output();
    let answer = run.and_then(|output| {
        let _ = diagnostics.write_all(&output.stderr);
        serde_json::from_slice(&output.stdout).map_err(io::Error::other)
    });
    answer.map_err(|_| BuildError::Tool { module: module.manifest.name.clone(), tool: "python3" })
}

/// Finds a program on the `PATH`.
fn find(tool: &'static str, root: &Path, install: &'static str) -> Result<PathBuf, BuildError> {
    if command::is_there(tool, root) { Ok(PathBuf::from(tool)) } else { Err(no_tool(tool, install)) }
}

fn no_tool(tool: &'static str, install: &'static str) -> BuildError {
    BuildError::NoTool { tool, language: Language::Python, install }
}
