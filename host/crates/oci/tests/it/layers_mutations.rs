//! Unpacks layers with wrong bytes. Nothing panics, and nothing outside of the directory is
//! changed.

use std::fs;

use oci::layer::{Limits, UnpackOptions, unpack};

use crate::layers_case::Case;
use crate::layers_corpus::ALL;

/// Pseudo-random numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

/// Corrects the checksum of a header, so that the code behind the check is reached.
fn repair(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// Changes some bytes, those of headers more often than others.
fn mutate(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(bytes.len());
        bytes[at] = match numbers.below(4) {
            0 => 0xff,
            1 => b'7',
            2 => bytes[at] ^ 1 << numbers.below(8),
            _ => numbers.below(256) as u8,
        };
        let block = at / 512 * 512;
        if numbers.below(4) > 0 && block + 512 <= bytes.len() {
            repair(&mut bytes[block..block + 512]);
        }
    }
    if numbers.below(8) == 0 {
        bytes.truncate(numbers.below(bytes.len()) + 1);
    }
}

#[test]
fn wrong_bytes_end_in_a_layer_or_in_a_message() {
    let mut numbers = Numbers(1);
    let limits = Limits { max_bytes: 1 << 22, max_entries: 100, ..Limits::default() };
    let (mut n_unpacked, mut n_refused) = (0, 0);
    for text in ALL {
        for case in text.split("\n## ").skip(1) {
            let lines: Vec<&str> = case.split("\n=>").next().unwrap().lines().skip(1).collect();
            let outer = tempfile::tempdir().unwrap();
            let good = Case::parse(&lines, outer.path().to_str().unwrap()).bytes;
            // The largest files contain only one value.
            if good.is_empty() || good.len() > 20_000 {
                continue;
            }
            fs::write(outer.path().join("canary"), "untouched").unwrap();
            for _ in 0..8 {
                let mut bytes = good.clone();
                mutate(&mut bytes, &mut numbers);
                let dir = outer.path().join("layer");
                fs::create_dir(&dir).unwrap();
                match unpack(bytes.as_slice(), &dir, &UnpackOptions { limits, ..UnpackOptions::default() }) {
                    Ok(_) => n_unpacked += 1,
                    Err(error) => {
                        assert!(!error.to_string().is_empty());
                        n_refused += 1;
                    }
                }
                fs::remove_dir_all(&dir).unwrap();
                assert_eq!(fs::read_to_string(outer.path().join("canary")).unwrap(), "untouched");
                assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
            }
        }
    }
    assert!(n_unpacked > 100 && n_refused > 100, "{n_unpacked} unpacked, {n_refused} refused");
}
