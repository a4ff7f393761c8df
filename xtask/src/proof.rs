//! `cargo xtask crash | powercut | faults | …`: builds the server, the server with plantable faults and the proof, and runs it.
//!
//! What must stay true: which commands there are is the proof's to know; the binaries under test are copies, so that a build
//! that runs beside a long proof does not change what it looks at.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::say;

/// Runs a command of the proof; the words are its own.
pub(crate) fn run(root: &Path, words: &[&str]) -> ExitCode {
    let needs_servers = words.len() > 1 || words.first().is_some_and(|word| *word != "help");
    let asks_for_help = words.iter().any(|word| matches!(*word, "--help" | "-h"));
    if needs_servers && !asks_for_help {
        // One command is about what is planted, proving or not.
        let wants_planted = words.contains(&"--prove") || words.first() == Some(&"panics");
        let built = build(root, &[], "stator")
            .and_then(|()| if wants_planted { build(root, &["--features", "planted"], "stator-planted") } else { Ok(()) });
        if let Err(reason) = built {
            say(&reason);
            return ExitCode::FAILURE;
        }
    }
    let mut proving = Command::new(env!("CARGO"));
    proving.args(["run", "--quiet", "--package", "stator-proof", "--"]).args(words).current_dir(root);
    match proving.status() {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(error) => {
            say(&format!("cargo can not be started: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Builds the server and keeps a copy of it under a name of its own.
fn build(root: &Path, features: &[&str], name: &str) -> Result<(), String> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "stator-cli", "--bin", "stator"])
        .args(features)
        .current_dir(root)
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("the server can not be built".to_owned());
    }
    let folder = root.join("target/proof");
    let (fresh, aside, kept) = (root.join("target/debug/stator"), folder.join(format!("{name}.new")), folder.join(name));
    let put = || {
        std::fs::create_dir_all(&folder)?;
        std::fs::copy(&fresh, &aside)?;
        std::fs::rename(&aside, &kept)
    };
    put().map_err(|error: std::io::Error| format!("{}: {error}", kept.display()))
}
