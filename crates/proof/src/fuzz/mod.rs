//! Gives targets inputs until one breaks something, and watches how long each takes and what memory it takes.
//!
//! ```text
//!   parent: one process for each target ── its end, its output, the input that it left
//!   worker: corpus ─> mutate ─> write down ─> run ─> kept, if it took a way that none before it took
//!           or libFuzzer, which keeps what took new branches
//! ```
//!
//! What must stay true: an input is written down before it is run, so that one that ends the process is found; the same seed
//! gives the same inputs to one target without libFuzzer, as long as it takes the same ways.

mod libfuzzer;
mod mutate;
mod worker;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use stator_fuzz::Target;

use crate::verdict::{Violation, broken, found};
pub(crate) use libfuzzer::Libfuzzer;
pub(crate) use worker::work;

/// What drives targets.
pub(crate) enum Engine {
    Own,
    Libfuzzer(Libfuzzer),
}

/// What a target was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) inputs: u64,
    /// Inputs that took a way of their own.
    pub(crate) kept: u64,
}

/// Where the inputs to begin with are.
fn corpus(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target.name)
}

/// Runs a target in a process of its own, which writes its inputs to a folder.
pub(crate) fn run(engine: &Engine, folder: &Path, seed: u64, target: &Target, seconds: u64) -> Result<Counts, Violation> {
    match engine {
        Engine::Own => run_worker(folder, seed, target, seconds),
        Engine::Libfuzzer(libfuzzer) => libfuzzer.run(folder, seed, target, seconds),
    }
}

fn run_worker(folder: &Path, seed: u64, target: &Target, seconds: u64) -> Result<Counts, Violation> {
    let input = folder.join(format!("{}.input", target.name));
    let own = std::env::current_exe().map_err(broken)?;
    let output = Command::new(own)
        .args(["fuzz", "--seed", &seed.to_string(), "--time", &format!("{seconds}s"), "--worker", target.name, "--input"])
        .arg(&input)
        .stdin(Stdio::null())
        .output()
        .map_err(broken)?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if output.status.success() {
        return counts(&said).ok_or_else(|| broken(format!("{}: a worker said nothing: {said}", target.name)));
    }
    let bytes = fs::read(&input).unwrap_or_default();
    let why: Vec<&str> = said.lines().filter(|line| !line.starts_with("fuzz: seed")).collect();
    Err(found(format!(
        "{} does not withstand {} ({} bytes; {}): {}",
        target.name,
        input.display(),
        bytes.len(),
        output.status,
        why.join(" / ")
    )))
}

/// The two numbers of a worker's last line.
fn counts(said: &str) -> Option<Counts> {
    let line = said.lines().find(|line| line.contains(worker::INPUTS))?;
    let mut numbers = line.split(|character: char| !character.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
    Some(Counts { inputs: numbers.next()?, kept: numbers.next()? })
}
