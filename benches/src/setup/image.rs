//! Makes images: umoci writes OCI layouts, and skopeo copies them to registries.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Registry, program, text};
use crate::measure;

/// The tag of every image.
const TAG: &str = "1";

/// An image, in an OCI layout of its own.
pub(crate) struct Image {
    layout: PathBuf,
}

impl Image {
    /// Returns the image of an existing layout.
    pub(super) fn at(layout: &Path) -> Self {
        Self { layout: layout.to_owned() }
    }

    /// Makes an image with a layer of each directory, compressed with gzip.
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

    /// Copies the image into a repository of a registry, and returns its name there.
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

/// Asks the registry for the digest of an image, and returns its name with the digest instead of the tag.
pub(crate) fn pinned(reference: &str) -> Result<String> {
    let mut inspect = skopeo()?;
    inspect.args(["inspect", "--tls-verify=false", "--format", "{{.Digest}}"]).arg(format!("docker://{reference}"));
    let digest = measure::output(&mut inspect)?;
    let name = reference.rsplit_once(':').map_or(reference, |(name, _)| name);
    Ok(format!("{name}@{}", digest.trim()))
}

/// Returns a command of skopeo that does not use the policy of this machine.
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

/// Makes an image of this root file system.
pub(super) fn busybox(directory: &Path) -> Result<Image> {
    let rootfs = directory.join("rootfs");
    busybox_rootfs(&rootfs)?;
    Image::write(&directory.join("layout"), &[rootfs])
}

/// Writes a directory as an archive that depends only on names, modes and contents.
fn pack(directory: &Path, archive: &Path) -> Result<()> {
    let mut tar = Command::new(program("tar", "tar")?);
    tar.args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "-cf"]).arg(archive);
    measure::output(tar.arg("-C").arg(directory).arg(".")).map(|_| ())
}

fn umoci(args: &[&str]) -> Result<()> {
    measure::output(Command::new(program("umoci", "umoci")?).args(args)).map(|_| ())
}
