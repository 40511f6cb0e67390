//! Images: written as OCI layouts by umoci, taken to registries by skopeo.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Registry, program, text};
use crate::measure;

/// The tag of every image.
const TAG: &str = "1";

/// An image in an OCI layout of its own.
pub(crate) struct Image {
    layout: PathBuf,
}

impl Image {
    /// The image that is in a layout already.
    pub(super) fn at(layout: &Path) -> Self {
        Self { layout: layout.to_owned() }
    }

    /// Writes a new one: a layer of each directory, compressed with gzip.
    pub(super) fn write(layout: &Path, layers: &[PathBuf]) -> Result<Self> {
        let image = Self::at(layout);
        let name = image.name();
        umoci(&["init", "--layout", text(layout)?])?;
        umoci(&["new", "--image", &name])?;
        let archive = layout.with_extension("tar");
        for layer in layers {
            pack(layer, &archive)?;
            umoci(&["raw", "add-layer", "--image", &name, text(&archive)?])?;
        }
        fs::remove_file(&archive).with_context(|| format!("cannot remove `{}`", archive.display()))?;
        umoci(&["config", "--image", &name, "--config.env", "PATH=/bin"])?;
        Ok(image)
    }

    /// Copies it into a repository of a registry, and returns by what name it is pulled from there.
    pub(crate) fn push(&self, registry: &Registry, repository: &str) -> Result<String> {
        let reference = format!("{}/{repository}:{TAG}", registry.address);
        let mut copy = skopeo()?;
        copy.args(["copy", "--quiet", "--dest-tls-verify=false"]);
        copy.arg(format!("oci:{}", self.name())).arg(format!("docker://{reference}"));
        measure::output(&mut copy)?;
        Ok(reference)
    }

    fn name(&self) -> String {
        format!("{}:{TAG}", self.layout.display())
    }
}

/// Returns the name of an image with its digest instead of its tag, which a registry is asked for.
pub(crate) fn pinned(reference: &str) -> Result<String> {
    let mut inspect = skopeo()?;
    inspect.args(["inspect", "--tls-verify=false", "--format", "{{.Digest}}"]).arg(format!("docker://{reference}"));
    let digest = measure::output(&mut inspect)?;
    let name = reference.rsplit_once(':').map_or(reference, |(name, _)| name);
    Ok(format!("{name}@{}", digest.trim()))
}

/// Returns skopeo, which needs no policy of this machine.
pub(crate) fn skopeo() -> Result<Command> {
    let mut command = Command::new(program("skopeo", "skopeo")?);
    command.arg("--insecure-policy");
    Ok(command)
}

/// Makes a root file system of one static program.
pub(crate) fn busybox_rootfs(rootfs: &Path) -> Result<()> {
    let busybox = program("busybox", "busybox-static")?;
    let bin = rootfs.join("bin");
    fs::create_dir_all(&bin).with_context(|| format!("cannot make `{}`", bin.display()))?;
    fs::copy(&busybox, bin.join("busybox")).context("cannot copy busybox")?;
    for applet in ["sh", "true", "echo", "cat", "sleep"] {
        symlink("busybox", bin.join(applet)).with_context(|| format!("cannot make the link `{applet}`"))?;
    }
    Ok(())
}

/// Makes an image of it.
pub(super) fn busybox(directory: &Path) -> Result<Image> {
    let rootfs = directory.join("rootfs");
    busybox_rootfs(&rootfs)?;
    Image::write(&directory.join("layout"), &[rootfs])
}

/// Writes a directory as an archive that depends on nothing but names, modes and contents.
fn pack(directory: &Path, archive: &Path) -> Result<()> {
    let mut tar = Command::new(program("tar", "tar")?);
    tar.args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "-cf"]).arg(archive);
    measure::output(tar.arg("-C").arg(directory).arg(".")).map(|_| ())
}

fn umoci(args: &[&str]) -> Result<()> {
    measure::output(Command::new(program("umoci", "umoci")?).args(args)).map(|_| ())
}
