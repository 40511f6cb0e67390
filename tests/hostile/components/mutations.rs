//! Whole components that are cut, flipped and put together anew.

use std::path::Path;

use super::{Attack, generated, stage};
use crate::verdict::{Random, number};

/// Returns the components that changes are made to: their names, and how many flips each is worth.
fn seeds() -> Vec<(String, Vec<u8>, usize)> {
    let small =
        wat::parse_str(stage(r#"(memory 1) (func (export "run") (drop (memory.grow (i32.const 1))))"#)).unwrap();
    let handles = wat::parse_str(generated::with_handles("(call $drop (call $new))")).unwrap();
    let mut seeds =
        vec![("small".to_owned(), small, number(120, 1200)), ("handles".to_owned(), handles, number(120, 1200))];
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/component");
    let mut files: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        seeds.push((file.file_name().unwrap().display().to_string(), std::fs::read(&file).unwrap(), number(30, 300)));
    }
    if testkit::require("wasm32-wasip2") {
        // Each that is still valid is compiled, which takes as long as all the others.
        seeds.push(("a guest".to_owned(), std::fs::read(testkit::guest("by-hand")).unwrap(), number(8, 300)));
    }
    seeds
}

/// Returns the changed components.
pub(super) fn all() -> Vec<Attack> {
    let mut random = Random::new(10);
    let mut all = Vec::new();
    for (name, whole, n_flips) in seeds() {
        for n in 0..number(12, 60) {
            let length = random.below(whole.len());
            all.push(Attack::new(format!("{name}: cut {n} at {length}"), &whole[..length]));
        }
        for n in 0..n_flips {
            let (mut bytes, at) = (whole.clone(), random.below(whole.len()));
            match n % 4 {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = [0, 0x7f, 0x80, 0xff][random.below(4)],
                2 => drop(bytes.splice(at..at, [0xff, 0xff, 0x7f])),
                _ => drop(bytes.drain(at..(at + 1 + random.below(16)).min(whole.len()))),
            }
            all.push(Attack::new(format!("{name}: change {n} at {at}"), bytes));
        }
    }
    all
}
