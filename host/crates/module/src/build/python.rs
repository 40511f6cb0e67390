//! Builds modules in Python: a front end reads the sources, and componentize-py makes the component.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use super::Made;
use super::error::BuildError;
use super::front_end::{Tools, ask, place_wit};
use crate::distribution::Distribution;
use crate::languages::install_python;
use crate::manifest::Language;
use crate::reference::ModuleDirectory;
use crate::sections::{self, DOCS_SECTION};
use crate::{fs, sdk};

/// The program that makes components of Python.
const COMPONENTIZE: &str = "componentize-py";

/// Builds the component of a module in Python.
pub(super) fn build(
    module: &ModuleDirectory,
    target_dir: Option<&Path>,
    diagnostics: &mut (dyn Write + Send),
) -> Result<Made, BuildError> {
    let tools = Tools { language: Language::Python, install: install_python() };
    let componentize = tools.find(COMPONENTIZE, &module.root)?;
    let python = Tools { language: Language::Python, install: Distribution::of_this_machine().install("python3") }
        .find("python3", &module.root)?;
    let sdk = sdk::place_python(&module.root)?;
    let out = module.output_dir(target_dir).join(format!("{}-python", module.manifest.name));
    fs::create_dir_all(&out)?;
    let root = fs::canonicalize(&module.root)?;
    let mut describe = Command::new(python);
    describe.arg("-B").arg(sdk.join("host_build/describe.py")).arg(&root).arg(&out);
    let answer = ask(module, "python3", &mut describe, diagnostics)?;
    let (interface, sources) = answer.accepted(module, &tools, diagnostics)?;
    let (wit, component) = (out.join("wit"), out.join("component.wasm"));
    let docs = place_wit(module, &interface, &wit)?;
    let mut run = Command::new(componentize);
    run.arg("-d").arg(&wit).args(["-w", "module", "componentize", "app", "-o"]).arg(&component);
    for path in [&out, &module.root, &sdk] {
        run.arg("-p").arg(path);
    }
    let mut wasm = tools.componentize(module, COMPONENTIZE, &mut run, &component, diagnostics)?;
    sections::append(&mut wasm, DOCS_SECTION, &docs);
    Ok(Made { wasm, sources, warnings: Vec::new() })
}
