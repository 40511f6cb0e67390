//! Modules and programs in Rust, Python and JavaScript that use each other, in every pair of languages.

mod dependencies;
mod guide;
mod programs;

use std::path::PathBuf;

use support::{Answer, Language, Place, guest, require, target_dir};

/// A guest program, by its language.
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

/// Whether all three can be built here.
fn can_build() -> bool {
    require("cargo-wasm") && Python.is_there() && JavaScript.is_there()
}

/// Runs `host` in a place, with the store of all these tests: to compile a component of Python takes half a minute.
fn host(place: &Place, words: &[&str]) -> Answer {
    let store = target_dir().join("polyglot/store");
    place.command(words).env("HOST_STORE", store).output().map(Answer::from).unwrap()
}

/// Makes a module of a component, which depends on another component.
fn importer(place: &Place, component: &str, importer: Guest, alias: &str, dependency: Guest) {
    let manifest = format!(
        "name = \"{component}\"\nversion = \"0.1.0\"\ncomponent = '{}'\nallow = [\"machine\"]\n\n\
         [dependencies]\n{alias} = {{ component = '{}' }}\n",
        importer.component(component).display(),
        dependency.component(alias).display()
    );
    place.write("host.toml", manifest);
}
