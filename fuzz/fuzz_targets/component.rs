//! A program that feeds the target `component`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("component", bytes));
