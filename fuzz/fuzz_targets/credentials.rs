//! A program that feeds the target `credentials`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("credentials", bytes));
