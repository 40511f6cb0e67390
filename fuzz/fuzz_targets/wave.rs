//! A program that feeds the target `wave`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("wave", bytes));
