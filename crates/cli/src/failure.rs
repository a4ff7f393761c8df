//! How the program ends when it does not do what it was asked.
//!
//! What must stay true: the sentence says what is wrong and what to do about it, on standard error.

use std::io::Write;
use std::process::ExitCode;

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line, or what it names, can not be used: exit code 2.
    Usage(String),
    /// What was asked did not work: exit code 1.
    Failed(String),
    /// Clap's own words: a mistake in the arguments, or the help that was asked for.
    Clap(clap::Error),
}

impl Failure {
    /// Says it, and answers the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let (code, text) = match self {
            Failure::Usage(text) => (2, text),
            Failure::Failed(text) => (1, text),
            Failure::Clap(error) => {
                // Nothing is left to do where even this can not be written.
                let _ = error.print();
                return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
            }
        };
        let _ = writeln!(std::io::stderr(), "stator: {text}");
        ExitCode::from(code)
    }
}
