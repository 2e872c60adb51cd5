#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fait_store::fuzzing::query(input));
