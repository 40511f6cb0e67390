//! The image of 400 MB: 7,900 entries in four layers, one of which has most of them.
//!
//! It is made once and kept. It depends only on the numbers in this file, so that it is the same on every machine.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::image::Image;
use crate::worker::Random;

/// The contents of a layer.
struct Layer {
    /// The name of the directory below `usr`. A later layer with the same name replaces files of the earlier one.
    name: &'static str,
    /// The number of files, with links.
    n_files: usize,
    /// The number of further files of [`HUGE`] bytes.
    n_huge: usize,
}

const LAYERS: [Layer; 4] = [
    Layer { name: "base", n_files: 600, n_huge: 0 },
    Layer { name: "lib", n_files: 6_000, n_huge: 3 },
    Layer { name: "app", n_files: 800, n_huge: 0 },
    // It replaces files of the layer before.
    Layer { name: "app", n_files: 40, n_huge: 0 },
];

/// The smallest and the largest size of a usual file in bytes. The average is 58 KB.
const SIZES: (f64, f64) = (200.0, 455_000.0);

/// The size of the largest files, in bytes.
const HUGE: usize = 15_000_000;

const N_IN_DIRECTORY: usize = 20;
const N_DIRECTORIES_IN_ONE: usize = 10;

/// One of this many files is a hard link to the file before it.
const HARD_LINKS: usize = 40;

/// One of this many files is a symbolic link to the file before it.
const SYMBOLIC_LINKS: usize = 25;

/// The number of bytes of one kind in a row.
const BLOCK: usize = 4096;

/// Returns the image in a directory, and makes it if it is missing.
pub(super) fn image(directory: &Path) -> Result<Image> {
    let (finished, layout) = (directory.join("finished"), directory.join("layout"));
    if finished.is_file() {
        return Ok(Image::at(&layout));
    }
    crate::say(&format!("making an image of 400 MB, in {}", directory.display()));
    super::empty(directory)?;
    let mut random = Random::new(2);
    let mut layers = Vec::new();
    for (n, layer) in LAYERS.iter().enumerate() {
        let root = directory.join(format!("layer{n}"));
        make(layer, &root, &mut random)?;
        layers.push(root);
    }
    let image = Image::write(&layout, &layers)?;
    for layer in layers {
        fs::remove_dir_all(&layer).with_context(|| format!("cannot remove `{}`", layer.display()))?;
    }
    super::write(&finished, "")?;
    Ok(image)
}

/// Writes the files of a layer.
fn make(layer: &Layer, root: &Path, random: &mut Random) -> Result<()> {
    let (least, most) = SIZES;
    let mut contents = Vec::new();
    for n in 0..layer.n_files {
        let path = file(layer, root, n);
        if n % N_IN_DIRECTORY == 0 {
            let parent = path.parent().context("a file has a parent")?;
            fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
        }
        // The first file of a directory has no file before it in this directory.
        let before = (n % N_IN_DIRECTORY > 0).then(|| file(layer, root, n - 1));
        match before {
            Some(before) if n % HARD_LINKS == 1 => fs::hard_link(before, &path)?,
            Some(before) if n % SYMBOLIC_LINKS == 7 => {
                symlink(before.file_name().context("a file has a name")?, &path)?
            }
            _ => {
                fill(&mut contents, random.size(least, most), random);
                super::write(&path, &contents)?;
            }
        }
    }
    for n in 0..layer.n_huge {
        fill(&mut contents, HUGE, random);
        super::write(&root.join("usr").join(layer.name).join(format!("huge{n}")), &contents)?;
    }
    Ok(())
}

fn file(layer: &Layer, root: &Path, n: usize) -> PathBuf {
    let directory = n / N_IN_DIRECTORY;
    let parents = format!("usr/{}/d{}/d{directory}", layer.name, directory / N_DIRECTORIES_IN_ONE);
    root.join(parents).join(format!("file{n}"))
}

/// Makes contents that gzip reduces to half of their size, as it does with programs: text, records of numbers,
/// padding, and data that is compressed already.
fn fill(contents: &mut Vec<u8>, size: usize, random: &mut Random) {
    contents.clear();
    let mut text = String::new();
    while contents.len() < size {
        match random.below(10) {
            0..5 => {
                text.clear();
                random.write_text(&mut text, BLOCK);
                contents.extend_from_slice(text.as_bytes());
            }
            5..7 => {
                for _ in 0..BLOCK / 4 {
                    contents.extend_from_slice(&(random.below(1 << 16) as u32).to_le_bytes());
                }
            }
            7..9 => contents.resize(contents.len() + BLOCK, 0),
            _ => random.write_noise(contents, BLOCK),
        }
    }
    contents.truncate(size);
}
