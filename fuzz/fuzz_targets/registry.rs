//! A program that feeds the target `registry`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("registry", bytes));
