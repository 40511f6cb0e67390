//! Builds by the command in the key `build` of a manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::error::BuildError;
use crate::document;
use crate::fs::{self, FsError};
use crate::reference::ModuleDirectory;
use crate::stamp::{self, Freshness};
use crate::wit_deps::{WIT_DIRECTORY, write_api_wit};
use crate::{sdk, sources};

/// The exit code of a shell that did not find a command. Source: POSIX.1-2024, "Shell Command Language", 2.8.2.
const NOT_FOUND: i32 = 127;

/// Runs the command of a module, and returns warnings for its author, a sentence each.
///
/// If another process builds the same module, this one waits for it and takes its component.
pub(crate) fn build(
    module: &ModuleDirectory,
    command: &str,
    diagnostics: &mut (dyn Write + Send),
) -> Result<Vec<String>, BuildError> {
    let (_lock, has_waited) = lock(&module.root)?;
    if has_waited && stamp::freshness(module, None) == Freshness::Fresh {
        return Ok(Vec::new());
    }
    if module.root.join(WIT_DIRECTORY).is_dir() {
        write_api_wit(module)?;
    }
    let before = stamp::marks(&files(module)?);
    let status = shell(command, &module.root, diagnostics)
        .map_err(|source| BuildError::NoShell { module: module.manifest.name.clone(), source })?;
    if !status.success() {
        return Err(failed(module, command, status));
    }
    let component = module.component(None);
    if !component.is_file() {
        let name = module.manifest.name.clone();
        return Err(BuildError::NoComponent { module: name, command: command.to_owned(), component });
    }
    let mut wasm = fs::read(&component)?;
    let mut warnings = document::embed(module, &mut wasm);
    fs::replace(&component, &wasm)?;
    stamp::write(module, None, &before)?;
    warnings.extend(changed(module, &before, &stamp::marks(&files(module)?)));
    Ok(warnings)
}

fn files(module: &ModuleDirectory) -> Result<BTreeSet<PathBuf>, BuildError> {
    sources::files(module).map_err(|error| match error.is_not_found() {
        true => BuildError::NoSource { module: module.manifest.name.clone(), source: error },
        false => error.into(),
    })
}

/// Locks the builds of the module in `root`. Returns whether another process had to end its build first.
fn lock(root: &Path) -> Result<(File, bool), FsError> {
    fs::lock(&sdk::own_directory(root)?.join("lock"))
}

/// Runs a command in a shell.
fn shell(command: &str, root: &Path, diagnostics: &mut (dyn Write + Send)) -> io::Result<ExitStatus> {
    stream(Command::new("sh").args(["-c", command]).current_dir(root), diagnostics)
}

/// Runs a command without input. Both of its streams go to `diagnostics` as they come.
pub(super) fn stream(command: &mut Command, diagnostics: &mut (dyn Write + Send)) -> io::Result<ExitStatus> {
    let (mut output, writer) = io::pipe()?;
    let mut child = command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // Its ends of the pipe are closed, so that the reader sees the end of the output.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut buffer = [0; 4096];
    loop {
        let n_bytes = output.read(&mut buffer)?;
        if n_bytes == 0 {
            return child.wait();
        }
        diagnostics.write_all(buffer.get(..n_bytes).unwrap_or_default())?;
        diagnostics.flush()?;
    }
}

fn failed(module: &ModuleDirectory, command: &str, status: ExitStatus) -> BuildError {
    let (name, command) = (module.manifest.name.clone(), command.to_owned());
    match program_of(&command).filter(|_| status.code() == Some(NOT_FOUND)) {
        Some(program) if !is_there(program, &module.root) => {
            BuildError::NoProgram { module: name, program: program.to_owned() }
        }
        _ => BuildError::Command { module: name, command, status },
    }
}

/// Returns the program that a command begins with, if the word means itself in a shell.
fn program_of(command: &str) -> Option<&str> {
    let word = command.split_whitespace().next()?;
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+".contains(c);
    word.chars().all(is_plain).then_some(word)
}

/// Returns whether a shell finds a program. Returns true if there is no way to tell.
pub(super) fn is_there(program: &str, root: &Path) -> bool {
    let mut search = Command::new("sh");
    search.args(["-c", "command -v -- \"$0\"", program]).current_dir(root).stdin(Stdio::null());
    search.output().map_or(true, |output| output.status.success())
}

/// Warns of sources that changed during the build: each call would build again.
fn changed(
    module: &ModuleDirectory,
    before: &BTreeMap<PathBuf, String>,
    after: &BTreeMap<PathBuf, String>,
) -> Option<String> {
    let source = stamp::difference(before, after)?;
    let source = source.strip_prefix(&module.root).unwrap_or(source).display();
    Some(format!(
        "`{source}` changed while module `{}` was built; if the command of `build` writes it, list the sources without \
         it in `sources` of `host.toml`, or the module is built at each call",
        module.manifest.name
    ))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use graph::Diagnostic as _;

    use super::*;
    use crate::reference::{Module, find};

    struct World(tempfile::TempDir);

    impl World {
        fn new(keys: &str) -> Self {
            let world = Self(tempfile::tempdir().unwrap());
            world.write("app.py", "1");
            world.write("host.toml", &format!("name = 'a'\nversion = '0.1.0'\ncomponent = 'a.wasm'\n{keys}"));
            world
        }

        fn write(&self, path: &str, contents: &str) {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, contents).unwrap();
        }

        fn module(&self) -> ModuleDirectory {
            let Module::Directory(module) = find(None, self.0.path()).unwrap() else { panic!("it is a directory") };
            *module
        }

        /// Builds the module and shows what was printed, and what came of it.
        fn check(&self, expect: &Expect) {
            let module = self.module();
            let mut printed = Vec::new();
            let built = build(&module, module.manifest.build.as_deref().unwrap(), &mut printed);
            let mut shown = String::from_utf8(printed).unwrap();
            shown += &match built {
                Ok(warnings) => warnings.join("\n"),
                Err(error) => format!("{error}\nhint: {}\n{:?}", error.hint().unwrap_or_default(), error.blame()),
            };
            expect.assert_eq(&shown.replace(self.0.path().to_str().unwrap(), "~"));
        }

        fn freshness(&self) -> Freshness {
            stamp::freshness(&self.module(), None)
        }
    }

    #[test]
    fn a_component_is_made_again_when_a_source_changed_came_or_went() {
        let world = World::new("build = 'cp app.py a.wasm; echo made'");
        let changed = |path: &str| Freshness::Changed(path.into());
        assert_eq!(world.freshness(), Freshness::NeverBuilt);
        world.check(&expect!["made\n"]);
        assert_eq!(std::fs::read_to_string(world.0.path().join(".host/.gitignore")).unwrap(), "*\n");
        assert_eq!(world.freshness(), Freshness::Fresh);
        for ignored in [".git/index", "a/__pycache__/x.pyc", "node_modules/x/x.js", "other/host.toml", "other/app.py"] {
            world.write(ignored, "x");
        }
        assert_eq!(world.freshness(), Freshness::Fresh);
        world.write("app.py", "22");
        assert_eq!(world.freshness(), changed("app.py"));
        world.check(&expect!["made\n"]);
        world.write("lib/new.py", "3");
        assert_eq!(world.freshness(), changed("lib/new.py"));
        world.check(&expect!["made\n"]);
        std::fs::remove_file(world.0.path().join("lib/new.py")).unwrap();
        assert_eq!(world.freshness(), changed("lib/new.py"));
        world.check(&expect!["made\n"]);
        world.write("a.wasm", "by hand");
        assert_eq!(world.freshness(), Freshness::NeverBuilt);
    }

    #[test]
    fn the_manifest_can_list_the_sources() {
        let world = World::new("build = 'cp src/app.py a.wasm'\nsources = ['src', 'one.txt']");
        world.write("src/app.py", "1");
        world.check(&expect![[r#"
            a file or directory in `sources` of module `a` does not exist
            hint: paths in `sources` are relative to `host.toml`
            User"#]]);
        world.write("one.txt", "1");
        world.check(&expect![""]);
        world.write("README.md", "x");
        assert_eq!(world.freshness(), Freshness::Fresh);
        world.write("one.txt", "22");
        assert_eq!(world.freshness(), Freshness::Changed("one.txt".into()));
    }

    #[test]
    fn a_command_that_writes_a_source_is_told() {
        let world = World::new("build = 'cp app.py a.wasm; date +%N > bundle.js'");
        world.check(&expect![[
            r#"`bundle.js` changed while module `a` was built; if the command of `build` writes it, list the sources without it in `sources` of `host.toml`, or the module is built at each call"#
        ]]);
    }

    #[test]
    fn the_wit_that_a_tool_needs_is_there() {
        let world = World::new("build = 'cp wit/deps/pipeline-api/log.wit a.wasm'");
        world.write("wit/world.wit", "package local:a; world module {}");
        world.check(&expect![""]);
    }

    #[test]
    fn a_command_that_fails_is_told_with_what_it_printed() {
        World::new("build = 'echo out; echo err >&2; exit 3'").check(&expect![[r#"
            out
            err
            the command `echo out; echo err >&2; exit 3`, which builds module `a`, exited with code 3
            hint: `build` in `host.toml` is run by `sh` in the directory of the module
            Function"#]]);
        World::new("build = 'kill -9 $$'").check(&expect![[r#"
            the command `kill -9 $$`, which builds module `a`, was ended by signal: 9 (SIGKILL)
            hint: `build` in `host.toml` is run by `sh` in the directory of the module
            Function"#]]);
        World::new("build = 'true'").check(&expect![[r#"
            the command `true` does not make the component `~/a.wasm` of module `a`
            hint: `component` in `host.toml` names the file that `build` writes
            Function"#]]);
    }

    #[test]
    fn a_program_that_is_not_there_is_told() {
        let missing = "exec 2>/dev/null; no-such-tool";
        World::new(&format!("build = '{missing}'")).check(&expect![[r#"
            the command `exec 2>/dev/null; no-such-tool`, which builds module `a`, exited with code 127
            hint: `build` in `host.toml` is run by `sh` in the directory of the module
            Function"#]]);
        World::new("build = 'no-such-tool 2>/dev/null'").check(&expect![[r#"
            `no-such-tool`, which builds module `a`, was not found
            hint: install it, or add its directory to `PATH`
            Environment"#]]);
        World::new("build = './gone.sh 2>/dev/null'").check(&expect![[r#"
            `./gone.sh`, which builds module `a`, was not found
            hint: install it, or add its directory to `PATH`
            Environment"#]]);
        World::new("build = 'sh -c \"exit 127\"'").check(&expect![[r#"
            the command `sh -c "exit 127"`, which builds module `a`, exited with code 127
            hint: `build` in `host.toml` is run by `sh` in the directory of the module
            Function"#]]);
    }
}
