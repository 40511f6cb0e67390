//! A directory with a module, and the program run in it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use expect_test::Expect;
use host::config::Variables;
use host::io::Stderr;
use host::{Config, Io};

use crate::fake::{self, FakePlatform};

/// A directory with a module whose component the fake platform knows.
pub(crate) struct World {
    dir: tempfile::TempDir,
    pub(crate) config: Config,
    pub(crate) platform: FakePlatform,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let config = Config {
            cwd: root.clone(),
            home: Some(root.join("home")),
            store: PathBuf::from("/store"),
            engine: None,
            is_color_allowed: false,
            is_ci: false,
            is_terminal_dumb: false,
            path: Vec::new(),
            cargo: Some(PathBuf::from("/no/such/cargo")),
            target_dir: None,
            program: None,
            user: None,
            docker: host::DockerConfig::default(),
            complete: None,
            variables: Variables::Fixed(BTreeMap::from([("TOKEN".to_owned(), "hunter2".to_owned())])),
        };
        let world = Self { dir, config, platform: FakePlatform::default() };
        world.write("host.toml", "name = \"demo\"\nversion = \"0.1.0\"\ncomponent = \"demo.wasm\"\n");
        world.write("demo.wasm", fake::component_bytes());
        world.write("src/main.c", "int main;");
        world.write("home/notes.txt", "notes");
        world
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(path)).unwrap()
    }

    /// Runs the program and shows what it did; the directory is shown as `$ROOT`.
    pub(crate) fn run(&self, words: &[&str]) -> String {
        let (out, err) = (Buffer::default(), Buffer::default());
        let mut io = Io::new(Box::new(out.clone()), Stderr::new(Box::new(err.clone()), false));
        let words = words.iter().map(Into::into);
        let status = host::run(words, &mut io, &self.config, &self.platform);
        let (out, err) = (out.text(), err.text());
        let mut shown = format!("exit {}\n", status.code());
        if !out.is_empty() {
            shown.push_str(&format!("-- stdout\n{out}"));
        }
        if !err.is_empty() {
            shown.push_str(&format!("-- stderr\n{err}"));
        }
        let shown = without_time(&shown);
        shown.replace(&self.root().display().to_string(), "$ROOT")
    }

    /// Runs the program and compares what it did.
    pub(crate) fn check(&self, words: &[&str], expect: &Expect) {
        expect.assert_eq(&self.run(words));
    }
}

/// Runs the program in a new directory with a module.
pub(crate) fn check(words: &[&str], expect: &Expect) {
    World::new().check(words, expect);
}

/// Replaces the time in the summary of a run, as in `1 ran, 1 cached, 3 ms`, which depends on the machine.
fn without_time(shown: &str) -> String {
    let lines = shown.split_inclusive('\n').map(|line| match line.split_once(" cached, ") {
        Some((counts, time)) if time.ends_with(" ms\n") || time.ends_with(" s\n") => {
            format!("{counts} cached, 0 ms\n")
        }
        _ => line.to_owned(),
    });
    lines.collect()
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
