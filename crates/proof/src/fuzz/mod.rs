//! Gives targets inputs until one breaks something, and watches how long each takes and what memory it takes.
//!
//! ```text
//!   parent: one process for each target ── its end, its output, the input that it left
//!   worker: corpus ─> mutate ─> write down ─> run ─> kept, if it took a way that none before it took
//! ```
//!
//! What must stay true: an input is written down before it is run, so that one that ends the process is found; the same seed
//! gives the same inputs, as long as targets take the same ways.

mod mutate;
mod worker;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use stator_fuzz::Target;

use crate::verdict::{Violation, broken, found};
pub(crate) use worker::work;

/// Where the inputs to begin with are.
fn corpus(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target.name)
}

/// Runs a target in a process of its own, which writes its inputs to a folder. Answers how many it was given and how many were
/// kept.
pub(crate) fn run(folder: &Path, seed: u64, target: &Target, seconds: u64) -> Result<(u64, u64), Violation> {
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
fn counts(said: &str) -> Option<(u64, u64)> {
    let line = said.lines().find(|line| line.contains(worker::INPUTS))?;
    let mut numbers = line.split(|character: char| !character.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}
