//! Images through the real binary: a registry on the loopback interface, and images made of busybox.

mod docker;
mod errors;
mod network;
mod outputs;
pub(crate) mod packages;
mod publish;
mod pull;

use std::process::Command;

use testkit::{Answer, Registry, Scratch, guest, require};

use crate::run::Chain;

/// A store, and a registry with images.
pub(crate) struct Bench {
    pub(crate) scratch: Scratch,
    pub(crate) registry: Registry,
}

impl Bench {
    /// Starts the registry with the images of the conformance suite, unless the machine lacks a tool.
    pub(crate) fn new() -> Option<Self> {
        if !["crun", "busybox", "docker-registry"].into_iter().all(require) {
            return None;
        }
        let bench = Self { scratch: Scratch::new(), registry: Registry::start() };
        conformance::images::push_all(&bench.images()).unwrap();
        Some(bench)
    }

    /// Pushes an image with the file `f`, under a name that another image may have had.
    pub(crate) fn push(&self, name: &str, tag: &str, contents: &str) {
        conformance::images::push_file(&self.images(), name, tag, "f", contents).unwrap();
    }

    fn images(&self) -> conformance::images::Registry {
        conformance::images::Registry::at(self.registry.address())
    }

    /// Returns a container of an image of the registry.
    pub(crate) fn from(&self, image: &str) -> Chain {
        from(&self.registry.name(image))
    }

    /// Runs a chain that must succeed, and returns its standard output.
    pub(crate) fn ok(&self, chain: &Chain) -> String {
        chain.run(&self.scratch).ok().to_owned()
    }

    /// Calls a stage of the module `powers`, with the power `effects`.
    pub(crate) fn effect(&self, stage: &str, flags: &[&str], change: impl FnOnce(&mut Command)) -> Answer {
        call(&self.scratch, "powers", &["machine", "sources", "effects", "secret-access"], stage, flags, change)
    }
}

/// Returns a container of any image.
pub(crate) fn from(address: &str) -> Chain {
    Chain::new("empty").then(&["from-image", "--address", address])
}

/// Calls a stage of a module with these powers.
pub(crate) fn call(
    scratch: &Scratch,
    module: &str,
    powers: &[&str],
    stage: &str,
    flags: &[&str],
    change: impl FnOnce(&mut Command),
) -> Answer {
    let module = guest(module).display().to_string();
    let mut words = vec!["call", "-q", "-m", &module];
    words.extend(powers.iter().flat_map(|power| ["--allow", power]));
    words.push(stage);
    words.extend(flags);
    let mut command = scratch.command(words);
    change(&mut command);
    command.output().map(Answer::from).unwrap()
}
