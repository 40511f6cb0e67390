//! A program that feeds the target `manifest`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("manifest", bytes));
