//! `pull` and `publish`: an image of 400 MB and registries on the loopback interface.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::measure::{self, N_ROUNDS};
use crate::report::Row;
use crate::setup::image::skopeo;
use crate::setup::{self, Bench, is_root, program};

/// Measures a pull of the image into an empty store, beside the faster one of two references.
pub(super) fn pull(bench: &Bench) -> Result<Vec<Row>> {
    let host = Host::new(bench, "pull")?;
    let docker = bench.docker()?;
    let registry = bench.registry("registry-pull")?;
    let image = bench.large_image()?.push(&registry, "large")?;
    let directory = bench.directory("unpacked")?;
    let [value, unpack, pull] = measure::rotate(
        "pull",
        N_ROUNDS,
        [
            &mut || {
                host.empty()?;
                time(bench, &mut host.call(&image, &["sync"])?)
            },
            &mut || {
                setup::empty(&directory)?;
                copy_and_unpack(bench, &image, &directory)
            },
            &mut || {
                docker.remove(&image);
                time(bench, &mut docker.command(&["pull", "--quiet", &image]))
            },
        ],
    )?;
    docker.remove(&image);
    crate::say(&format!("pull: skopeo and umoci take {unpack:.2} s, `docker pull` takes {pull:.2} s"));
    Ok(vec![Row::times("pull", value, unpack.min(pull), 0.6)])
}

/// Measures a push of the image to an empty registry, and the same push again, beside Docker.
pub(super) fn publish(bench: &Bench) -> Result<Vec<Row>> {
    let host = Host::new(bench, "publish")?;
    let docker = bench.docker()?;
    let registry = bench.registry("registry-publish")?;
    let image = bench.large_image()?.push(&registry, "large")?;
    host.empty()?;
    measure::output(&mut host.call(&image, &["sync"])?)?;
    measure::output(&mut docker.command(&["pull", "--quiet", &image]))?;
    let (mut again, mut docker_again) = (Vec::new(), Vec::new());
    let pair = measure::interleave(
        "publish",
        N_ROUNDS,
        || twice(bench, &mut again, |target| host.call(&image, &["-o", &format!("docker://{target}")])),
        || {
            let mut tagged = String::new();
            let seconds = twice(bench, &mut docker_again, |target| {
                measure::output(&mut docker.command(&["tag", &image, target]))?;
                target.clone_into(&mut tagged);
                Ok(docker.command(&["push", "--quiet", target]))
            })?;
            docker.remove(&tagged);
            Ok(seconds)
        },
    )?;
    docker.remove(&image);
    let (again, docker_again) = (measure::median(&mut again), measure::median(&mut docker_again));
    Ok(vec![
        Row::times("publish", pair.value, pair.reference, 0.6),
        Row::times("publish-again", again, docker_again, 0.15),
    ])
}

/// Calls of the stage that returns an image as it is.
struct Host<'a> {
    bench: &'a Bench,
    module: String,
    store: PathBuf,
    /// An empty directory.
    nothing: PathBuf,
}

impl<'a> Host<'a> {
    fn new(bench: &'a Bench, name: &str) -> Result<Self> {
        let module = bench.module("benches/modules/chain")?;
        let store = bench.directory(&format!("store-{name}"))?;
        Ok(Self { bench, module, store, nothing: bench.directory("nothing")? })
    }

    /// Empties the store, and compiles the module again. The time for compiling is a part of `tree-cold`.
    fn empty(&self) -> Result<()> {
        setup::empty(&self.store)?;
        let mut call = self.bench.command(&self.store, &["call", "-m", &self.module, "digest", "--src"])?;
        measure::output(call.arg(&self.nothing)).map(|_| ())
    }

    fn call(&self, image: &str, then: &[&str]) -> Result<Command> {
        let mut args = vec!["call", "-m", &self.module, "--engine", "embedded", "image", "--image", image];
        args.extend(then);
        self.bench.command(&self.store, &args)
    }
}

/// Pushes to an empty registry twice. Returns the seconds of the first push, and adds those of the second to `again`.
fn twice(bench: &Bench, again: &mut Vec<f64>, push: impl FnOnce(&str) -> Result<Command>) -> Result<f64> {
    // The address differs each time, because Docker remembers what it pushed where.
    let registry = bench.registry("registry-target")?;
    let mut push = push(&format!("{}/large:1", registry.address))?;
    let first = time(bench, &mut push)?;
    again.push(time(bench, &mut push)?);
    Ok(first)
}

/// Runs a command after earlier writes are on the disk, and returns its seconds.
fn time(bench: &Bench, command: &mut Command) -> Result<f64> {
    setup::sync_disk(&bench.target)?;
    Ok(measure::run(command)?.seconds)
}

/// Copies an image with skopeo and unpacks it with umoci; returns the seconds of both.
fn copy_and_unpack(bench: &Bench, image: &str, directory: &Path) -> Result<f64> {
    let layout = format!("{}:1", setup::text(&directory.join("layout"))?);
    let mut copy = skopeo()?;
    copy.args(["copy", "--quiet", "--src-tls-verify=false"]);
    copy.arg(format!("docker://{image}")).arg(format!("oci:{layout}"));
    let mut unpack = Command::new(program("umoci", "umoci")?);
    unpack.args(["unpack", "--image", &layout]);
    if !is_root()? {
        unpack.arg("--rootless");
    }
    let bundle = directory.join("bundle");
    unpack.arg(&bundle);
    let seconds = time(bench, &mut copy)? + measure::run(&mut unpack)?.seconds;
    ensure!(bundle.join("rootfs/usr").is_dir(), "umoci unpacked nothing");
    Ok(seconds)
}
