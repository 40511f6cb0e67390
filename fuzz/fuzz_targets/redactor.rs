//! A program that feeds the target `redactor`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("redactor", bytes));
