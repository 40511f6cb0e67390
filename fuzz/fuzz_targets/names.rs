//! A program that feeds the target `names`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("names", bytes));
