//! The target `planted-panic` of crates/fuzz, which has to fail.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| drop(stator_fuzz::run("planted-panic", input)));
