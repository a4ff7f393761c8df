//! `cargo xtask bench`: builds the product and the bench as they are released, and runs the bench.
//!
//! What must stay true: what is measured is what a release would be, built from this tree.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::say;

/// Builds and runs; the arguments are the bench's own.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> ExitCode {
    if arguments == ["--baselines"] {
        let mut counting = Command::new(env!("CARGO"));
        counting.args(["test", "--package", "stator-bench", "--test", "allocations"]).env("STATOR_BASELINES", "write");
        return outcome(counting.current_dir(root));
    }
    let mut building = Command::new(env!("CARGO"));
    building.args(["build", "--profile", "dist", "--package", "stator-cli", "--package", "stator-bench"]);
    if !building.current_dir(root).status().is_ok_and(|status| status.success()) {
        return ExitCode::FAILURE;
    }
    let mut measuring = Command::new(env!("CARGO"));
    measuring.args(["run", "--profile", "dist", "--quiet", "--package", "stator-bench", "--"]).args(arguments);
    outcome(measuring.current_dir(root))
}

fn outcome(command: &mut Command) -> ExitCode {
    match command.status() {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(error) => {
            say(&format!("cargo can not be started: {error}"));
            ExitCode::FAILURE
        }
    }
}
