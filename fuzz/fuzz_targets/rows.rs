//! A program that feeds the target `rows`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("rows", bytes));
