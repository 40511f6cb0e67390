//! A program that feeds the target `documents`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("documents", bytes));
