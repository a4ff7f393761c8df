//! Puts the product through what a database is trusted for: `cargo xtask crash | powercut | faults | corrupt | …`.
//!
//! ```text
//! arguments ─ seed, options ─> command: servers, load, comparison ─> one line of figures, or the first violation
//! ```
//!
//! What must stay true: a command is one file in `commands` and one line in its list; its seed is printed before anything
//! happens; the first violation ends it with status 1 and leaves the data; with `--prove` it has to find planted faults.
#![allow(clippy::disallowed_methods, reason = "a proof runs in real time, in threads of its own")]

mod arguments;
mod choices;
mod clock;
mod command;
mod commands;
mod disk;
mod fuzz;
mod history;
mod hostile;
mod library;
mod load;
mod reading;
mod run;
mod verdict;

use std::io::Write;
use std::process::ExitCode;

use arguments::Asked;
use command::Command;
use run::Run;
use verdict::Violation;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments::parse(&arguments) {
        Ok(Asked::Help(text)) => {
            say(text.trim_end());
            ExitCode::SUCCESS
        }
        Ok(Asked::Run(command, run)) if run.is_proving() => prove(command, run),
        Ok(Asked::Run(command, run)) => perform(command, run),
        Err(reason) => {
            complain(&reason);
            ExitCode::from(2)
        }
    }
}

fn perform(command: &Command, mut run: Run) -> ExitCode {
    say(&run.title());
    match (command.perform)(&mut run) {
        Ok(figures) => {
            say(&format!("{}: {figures}; seed {}, {:.0} s", command.name, run.seed, run.elapsed().as_secs_f64()));
            run.clear();
            ExitCode::SUCCESS
        }
        Err(violation) => {
            complain(&format!("{}: {violation}\n{}", command.name, run.how_to_repeat()));
            ExitCode::FAILURE
        }
    }
}

/// Every fault that the command is to find, one after another. One that plants what it looks for by itself is run once.
fn prove(command: &Command, mut run: Run) -> ExitCode {
    if command.faults.is_empty() {
        return prove_by_itself(command, run);
    }
    say(&run.title());
    let mut found = 0;
    for fault in command.faults {
        run.plant(*fault);
        match (command.perform)(&mut run) {
            Err(Violation::Found(what)) => {
                found += 1;
                say(&format!("{} is found: {}", fault.name(), what.lines().next().unwrap_or_default()));
                run.clear();
            }
            Ok(figures) => complain(&format!("{} is NOT found: {figures}", fault.name())),
            Err(broken @ Violation::Broken(_)) => complain(&format!("{}: {broken}", fault.name())),
        }
    }
    let (all, seed, seconds) = (command.faults.len(), run.seed, run.elapsed().as_secs_f64());
    say(&format!("{}: {found} of {all} planted faults found; seed {seed}, {seconds:.0} s", command.name));
    if found == all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn prove_by_itself(command: &Command, mut run: Run) -> ExitCode {
    say(&run.title());
    match (command.perform)(&mut run) {
        Err(Violation::Found(what)) => {
            say(&format!("{}: what was planted is found; seed {}, {:.0} s\n{what}", command.name, run.seed, run.elapsed().as_secs_f64()));
            run.clear();
            ExitCode::SUCCESS
        }
        Ok(figures) => {
            complain(&format!("{}: what was planted is NOT found: {figures}", command.name));
            ExitCode::FAILURE
        }
        Err(broken @ Violation::Broken(_)) => {
            complain(&format!("{}: {broken}", command.name));
            ExitCode::FAILURE
        }
    }
}

/// Prints a line. Somebody who closed the pipe does not want it.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
