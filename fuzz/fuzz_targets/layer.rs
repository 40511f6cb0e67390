//! A program that feeds the target `layer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("layer", bytes));
