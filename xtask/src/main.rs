//! The project's own tooling: `cargo xtask tidy | test | docs | bench`, and the commands of the proof.
//!
//! What must stay true: a rule of the house is a rule here, with a test that shows it failing; nothing is left to memory.

mod bench;
mod docs;
mod proof;
mod suites;
mod tidy;
mod tree;

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = tree::root();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => report(&tidy::check(&root)),
        ["docs"] => report(&docs::write(&root).err().into_iter().collect::<Vec<_>>()),
        ["bench", rest @ ..] => bench::run(&root, rest),
        ["test", rest @ ..] => suites::run(&root, rest),
        [] => {
            say("usage: cargo xtask tidy | docs | test [--only rust|clients|examples] | bench [--help] | COMMAND OF THE PROOF\n");
            proof::run(&root, &[]);
            ExitCode::from(2)
        }
        words => proof::run(&root, words),
    }
}

fn report(faults: &[String]) -> ExitCode {
    faults.iter().for_each(|fault| say(fault));
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a line. Somebody who closed the pipe does not want it.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
