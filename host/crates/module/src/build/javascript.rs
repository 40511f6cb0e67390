//! Builds modules in JavaScript and TypeScript: a front end reads and bundles the sources, and componentize-qjs makes the
//! component.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Made;
use super::error::BuildError;
use super::front_end::{Tools, ask, place_wit};
use crate::languages::{install_javascript, install_node};
use crate::manifest::Language;
use crate::reference::ModuleDirectory;
use crate::sections::{self, DOCS_SECTION};
use crate::{fs, sdk};

/// The program that makes components of JavaScript.
const COMPONENTIZE: &str = "componentize-qjs";

/// Builds the component of a module in JavaScript or TypeScript.
pub(super) fn build(
    module: &ModuleDirectory,
    language: Language,
    target_dir: Option<&Path>,
    diagnostics: &mut (dyn Write + Send),
) -> Result<Made, BuildError> {
    let tools = Tools { language, install: install_javascript() };
    let node = Tools { language, install: install_node() }.find("node", &module.root)?;
    let componentize = componentize(&tools, &module.root)?;
    let sdk = sdk::place_javascript(&module.root)?;
    let out = module.output_dir(target_dir).join(format!("{}-javascript", module.manifest.name));
    fs::create_dir_all(&out)?;
    let out = fs::canonicalize(&out)?;
    let mut describe = Command::new(node);
    describe.arg(sdk.join("host-build/describe.mjs")).arg(&module.root).arg(&out);
    let answer = ask(module, "node", &mut describe, diagnostics)?;
    let (interface, sources) = answer.accepted(module, &tools, diagnostics)?;
    let (wit, component) = (out.join("wit"), out.join("component.wasm"));
    let docs = place_wit(module, &interface, &wit)?;
    let mut run = Command::new(componentize);
    run.args(["--sync", "--opt-size", "-n", "module", "--wit"]).arg(&wit);
    run.arg("--js").arg(out.join("app.js")).arg("-o").arg(&component);
    let mut wasm = tools.componentize(module, COMPONENTIZE, &mut run, &component, diagnostics)?;
    sections::append(&mut wasm, DOCS_SECTION, &docs);
    Ok(Made { wasm, sources, warnings: Vec::new() })
}

/// Returns the program that makes components: the one that the module installs, or the one on the `PATH`.
fn componentize(tools: &Tools, root: &Path) -> Result<PathBuf, BuildError> {
    let own = root.join("node_modules/.bin").join(COMPONENTIZE);
    match fs::canonicalize(&own) {
        Ok(found) => Ok(found),
        Err(_) => tools.find(COMPONENTIZE, root),
    }
}
