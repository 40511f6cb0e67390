//! A program that feeds the target `save`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("save", bytes));
