//! A program that feeds the target `zone`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("zone", bytes));
