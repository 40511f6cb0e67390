//! `docker-chain-*`: ten steps on an image, beside `docker build` of the same ten lines.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use super::salt;
use super::steps_on::{EMBEDDED, Steps};
use crate::measure::{self, N_ROUNDS, N_SHORT_ROUNDS};
use crate::report::Row;
use crate::setup::{self, Bench, Docker};

/// The number of steps in the chain.
const N_STEPS: u32 = 10;

/// The engine that uses Docker.
const DOCKER: &str = "docker";

/// Measures new steps with the embedded engine.
pub(super) fn cold(bench: &Bench) -> Result<Vec<Row>> {
    let chain = Chain::new(bench, "cold", EMBEDDED)?;
    let row = |name, network| chain.beside_build(name, network, 0.2);
    Ok(vec![row("docker-chain-cold", true)?, row("docker-chain-cold-no-network", false)?])
}

/// Measures new steps with the engine that uses Docker.
pub(super) fn llb(bench: &Bench) -> Result<Vec<Row>> {
    let chain = Chain::new(bench, "llb", DOCKER)?;
    let row = |name, network| chain.beside_build(name, network, 1.1);
    Ok(vec![row("docker-chain-llb", true)?, row("docker-chain-llb-no-network", false)?])
}

/// Measures cached steps with the embedded engine.
pub(super) fn cached(bench: &Bench) -> Result<Vec<Row>> {
    let chain = Chain::new(bench, "cached", EMBEDDED)?;
    Ok(vec![
        chain.beside_cached_build("docker-chain-cached", Name::Digest, 0.05)?,
        chain.beside_cached_build("docker-chain-cached-tag", Name::Tag, 0.1)?,
    ])
}

/// Measures cached steps with the engine that uses Docker.
pub(super) fn cached_llb(bench: &Bench) -> Result<Vec<Row>> {
    let chain = Chain::new(bench, "cached-llb", DOCKER)?;
    Ok(vec![chain.beside_cached_build("docker-chain-cached-llb", Name::Digest, 0.1)?])
}

/// How a call names its image.
#[derive(Clone, Copy)]
enum Name {
    /// By its digest, so that no registry is asked.
    Digest,
    /// By a tag, so that each call asks a registry.
    Tag,
}

/// The chain as steps, and as lines of a Dockerfile.
struct Chain<'a> {
    bench: &'a Bench,
    docker: &'a Docker,
    engine: &'static str,
    steps: Steps<'a>,
    /// The directory of the Dockerfile.
    context: PathBuf,
}

impl<'a> Chain<'a> {
    fn new(bench: &'a Bench, name: &str, engine: &'static str) -> Result<Self> {
        let docker = bench.docker()?;
        let steps = Steps::new(bench, name)?;
        // Otherwise each build would ask the registry for the image.
        measure::output(&mut docker.command(&["pull", "--quiet", &steps.image]))?;
        let context = bench.directory(&format!("context-{name}"))?;
        Ok(Self { bench, docker, engine, steps, context })
    }

    fn beside_build(&self, figure: &'static str, has_network: bool, goal: f64) -> Result<Row> {
        let network: &[&str] = if has_network { &[] } else { &["--no-network"] };
        let docker_network = if has_network { "--network=default" } else { "--network=none" };
        let pair = measure::interleave(
            figure,
            N_ROUNDS,
            || finished(measure::run_and_read(&mut self.call(network, &salt()?)?)?),
            || {
                self.write_dockerfile(&salt()?)?;
                self.build(&["--no-cache", docker_network])
            },
        )?;
        Ok(Row::times(figure, pair.value, pair.reference, goal))
    }

    fn beside_cached_build(&self, figure: &'static str, name: Name, goal: f64) -> Result<Row> {
        let salt = salt()?;
        let mut call = self.call_by(name, &[], &salt)?;
        self.bench.warm(&mut call)?;
        self.write_dockerfile(&salt)?;
        measure::output(&mut self.docker.command(&self.build_args(&["--tag", &self.tag()])?))?;
        let pair = measure::interleave(
            figure,
            N_SHORT_ROUNDS,
            || finished(measure::run_and_read(&mut call)?),
            || Ok(measure::run(&mut self.docker.command(&self.build_args(&[])?))?.seconds),
        )?;
        Ok(Row::times(figure, pair.value, pair.reference, goal))
    }

    /// Returns the call of the stage with the chain.
    fn call(&self, network: &[&str], salt: &str) -> Result<Command> {
        self.call_by(Name::Tag, network, salt)
    }

    fn call_by(&self, name: Name, network: &[&str], salt: &str) -> Result<Command> {
        let n_steps = N_STEPS.to_string();
        let stage = ["chain-on", "--n", &n_steps];
        let mut command = match name {
            Name::Digest => self.steps.call_pinned(self.engine, network, &stage, salt)?,
            Name::Tag => self.steps.call(self.engine, network, &stage, salt)?,
        };
        command.env("DOCKER_HOST", &self.docker.address);
        Ok(command)
    }

    /// Builds once, removes the image, and returns the seconds that the build took.
    fn build(&self, options: &[&str]) -> Result<f64> {
        let (image, usage) = measure::run_and_read(&mut self.docker.command(&self.build_args(options)?))?;
        self.docker.remove(image.trim());
        Ok(usage.seconds)
    }

    fn build_args<'b>(&'b self, options: &[&'b str]) -> Result<Vec<&'b str>> {
        let mut args = vec!["build", "--quiet"];
        args.extend(options);
        args.push(setup::text(&self.context)?);
        Ok(args)
    }

    fn tag(&self) -> String {
        format!("{}-built", self.steps.image)
    }

    fn write_dockerfile(&self, salt: &str) -> Result<()> {
        setup::write(&self.context.join("Dockerfile"), dockerfile(&self.steps.image, salt))
    }
}

impl Drop for Chain<'_> {
    fn drop(&mut self) {
        self.docker.remove(&self.tag());
        self.docker.remove(&self.steps.image);
    }
}

/// Returns the seconds of a call, which must have printed the number of its last step.
fn finished((printed, usage): (String, measure::Usage)) -> Result<f64> {
    ensure!(printed.trim() == N_STEPS.to_string(), "the last of {N_STEPS} steps printed {printed:?}");
    Ok(usage.seconds)
}

/// Returns a Dockerfile with the commands of the stage `chain-on`.
fn dockerfile(image: &str, salt: &str) -> String {
    let step = |n| format!("RUN echo \"{n} {salt}\" > /f{n} && echo {n}\n");
    format!("FROM {image}\n") + &(1..=N_STEPS).map(step).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dockerfile_has_a_line_for_each_step() {
        let text = dockerfile("localhost/busybox:1", "x");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 11);
        assert_eq!(lines[..2], ["FROM localhost/busybox:1", r#"RUN echo "1 x" > /f1 && echo 1"#]);
        assert_eq!(lines[10], r#"RUN echo "10 x" > /f10 && echo 10"#);
    }
}
