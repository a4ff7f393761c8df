//! The target `history` of crates/fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| drop(stator_fuzz::run("history", input)));
