//! Gives each target what its corpus has: seeds of mutation, and inputs that once broke something.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::path::Path;

use stator_fuzz::{PLANTED, TARGETS};

#[test]
fn every_target_withstands_its_corpus() {
    for target in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target.name);
        let inputs: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(inputs.len() > 1, "{}: {} inputs", target.name, inputs.len());
        for input in inputs {
            (target.run)(&fs::read(&input).unwrap());
        }
        for input in [&b""[..], &[0], &[255; 64]] {
            (target.run)(input);
        }
    }
}

#[test]
fn targets_have_names_of_their_own() {
    let mut names: Vec<_> = TARGETS.iter().chain(PLANTED).map(|target| target.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TARGETS.len() + PLANTED.len());
}
