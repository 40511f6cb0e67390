//! Modules and programs in Rust, Python and JavaScript that use each other, in every pair of languages.

mod authored;
mod dependencies;
mod guide;
mod programs;

use std::path::PathBuf;

use testkit::{Answer, Language, Scratch, guest, require, target_dir};

/// A language in which the guest programs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guest {
    Rust,
    Other(Language),
}

use Guest::{Other, Rust};
use Language::{JavaScript, Python};

const GUESTS: [Guest; 3] = [Rust, Other(Python), Other(JavaScript)];

impl Guest {
    fn component(self, name: &str) -> PathBuf {
        match self {
            Rust => guest(name),
            Other(language) => language.guest(name),
        }
    }
}

/// Returns whether programs of all three languages can be built.
fn can_build() -> bool {
    require("wasm32-wasip2") && Python.is_there() && JavaScript.is_there()
}

/// Runs `host` with a store that these tests share, because compiling a component of Python takes half a minute.
fn host(scratch: &Scratch, words: &[&str]) -> Answer {
    let store = target_dir().join("polyglot/store");
    scratch.command(words).env("HOST_STORE", store).output().map(Answer::from).unwrap()
}

/// Writes a module of one component that depends on another component.
fn importer(scratch: &Scratch, component: &str, importer: Guest, alias: &str, dependency: Guest) {
    let manifest = format!(
        "name = \"{component}\"\nversion = \"0.1.0\"\ncomponent = '{}'\nallow = [\"machine\"]\n\n\
         [dependencies]\n{alias} = {{ component = '{}' }}\n",
        importer.component(component).display(),
        dependency.component(alias).display()
    );
    scratch.write("host.toml", manifest);
}
