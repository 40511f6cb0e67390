//! Where the documentation of a module comes from: the component, or the WIT that its author wrote.

use std::path::Path;

use wit_parser::{PackageId, Resolve};

use crate::docs::{self, Documentation};
use crate::fs;
use crate::interface;
use crate::reference::{Module, ModuleDirectory};
use crate::sections::{self, DOCS_SECTION, WIT_SECTION};
use crate::wit_deps::WIT_DIRECTORY;

/// The first bytes of a component. Source: WebAssembly 3.0, "Binary Format", "Modules".
const MAGIC: &[u8] = b"\0asm";

/// Returns the documentation of a module whose component is at `component`: what the component carries, or else what
/// its directory `wit` says. None if there is neither, or if it cannot be read.
#[must_use]
pub fn documentation_of(module: &Module, component: &Path) -> Option<Documentation> {
    let bytes = fs::read(component).ok()?;
    docs::documentation(&bytes).or_else(|| match module {
        Module::Directory(directory) => {
            let (resolve, package) = written(&directory.root, &bytes)?.ok()?;
            Some(docs::of_package(&resolve, package))
        }
        Module::Component(_) => None,
    })
}

/// Embeds documented WIT in a component: what the SDK left in it, or else what is in the directory `wit` of the module.
/// Returns a warning if that is not possible.
pub(crate) fn embed(module: &ModuleDirectory, wasm: &mut Vec<u8>) -> Vec<String> {
    if !wasm.starts_with(MAGIC) {
        // Who loads it says what it is.
        return Vec::new();
    }
    let name = &module.manifest.name;
    let encoded = match (sections::find(wasm, WIT_SECTION), written(&module.root, wasm)) {
        (Some(text), _) => std::str::from_utf8(text).map_err(|error| error.to_string()).and_then(docs::encode),
        (None, Some(written)) => written.and_then(|(resolve, package)| docs::encoded(&resolve, package)),
        (None, None) => {
            return vec![format!("module `{name}` has no WIT with documentation: `--help` will show only types")];
        }
    };
    match encoded {
        Ok(docs) => {
            sections::put(wasm, DOCS_SECTION, &docs);
            Vec::new()
        }
        Err(error) => vec![format!("the documentation of module `{name}` cannot be embedded: {error}")],
    }
}

/// Reads the package in the directory `wit` of a module; none if there is no such directory.
fn written(root: &Path, component: &[u8]) -> Option<Result<(Resolve, PackageId), String>> {
    let directory = root.join(WIT_DIRECTORY);
    directory.is_dir().then(|| {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(&directory).map_err(|error| format!("{error:#}"))?;
        match interface::stages_of(component) {
            Ok(stages) if !docs::has(&resolve, package, &stages) => {
                Err(format!("`{WIT_DIRECTORY}` does not describe the interface `{stages}` that it exports"))
            }
            // A program has no stages, and its documentation is that of its package.
            Ok(_) | Err(_) => Ok((resolve, package)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::find;
    use crate::testing::component;

    const WIT: &str = "
        package local:lint@0.1.0;

        /// Looks at sources.
        interface stages {
            use pipeline:api/directory@0.1.0.{directory};

            /// Looks only once.
            ///
            /// @check
            /// - `src`: The sources.
            check: func(src: directory) -> string;
        }

        world module { export stages; }
    ";

    fn module(wit: &str) -> (tempfile::TempDir, ModuleDirectory) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("host.toml"), "name = 'lint'\nversion = '0.1.0'\ncomponent = 'a.wasm'").unwrap();
        let Module::Directory(module) = find(None, dir.path()).unwrap() else { panic!("it is a directory") };
        if !wit.is_empty() {
            crate::wit_deps::write_api_wit(&module).unwrap();
            std::fs::write(dir.path().join("wit/world.wit"), wit).unwrap();
        }
        (dir, *module)
    }

    fn check(documentation: &Documentation) {
        let docs = &documentation.stages["check"];
        assert_eq!((docs.text.as_str(), docs.is_check), ("Looks only once.", true));
        assert_eq!(docs.params["src"], "The sources.");
        assert_eq!(documentation.text, "Looks at sources.");
    }

    #[test]
    fn wit_that_an_author_wrote_is_embedded_once() {
        let (dir, module) = module(WIT);
        let mut wasm = component(WIT, &[]);
        assert_eq!(embed(&module, &mut wasm), [""; 0]);
        check(&docs::documentation(&wasm).unwrap());
        let n_bytes = wasm.len();
        assert_eq!(embed(&module, &mut wasm), [""; 0]);
        assert_eq!(wasm.len(), n_bytes);
        std::fs::write(dir.path().join("wit/world.wit"), WIT.replace("only once", "twice")).unwrap();
        assert_eq!(embed(&module, &mut wasm), [""; 0]);
        assert_eq!(docs::documentation(&wasm).unwrap().stages["check"].text, "Looks twice.");
    }

    #[test]
    fn a_component_without_documentation_has_that_of_its_directory() {
        let (dir, module) = module(WIT);
        let path = dir.path().join("a.wasm");
        std::fs::write(&path, component(WIT, &[])).unwrap();
        check(&documentation_of(&Module::Directory(Box::new(module)), &path).unwrap());
        assert_eq!(documentation_of(&Module::Component(path.clone()), &path), None);
    }

    #[test]
    fn wit_that_cannot_be_embedded_is_told() {
        let check = |wit: &str, expected: &str| {
            let warnings = embed(&module(wit).1, &mut component(WIT, &[]));
            assert!(warnings.len() == 1 && warnings[0].contains(expected), "{warnings:?}");
        };
        assert_eq!(embed(&module(WIT).1, &mut b"#!/bin/sh".to_vec()), [""; 0]);
        check("", "module `lint` has no WIT with documentation: `--help` will show only types");
        check("package a:b; world w { import c:d/e; }", "cannot be embedded: ");
        check(
            &WIT.replace("local:lint", "local:other"),
            "cannot be embedded: `wit` does not describe the interface `local:lint/stages@0.1.0` that it exports",
        );
    }
}
