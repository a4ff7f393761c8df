//! The `stator` binary: arguments, checks, and the one place that names a storage backend.
//!
//! What must stay true: everything that can be found wrong is found before any data is opened. A wrong use exits with
//! 2, a failure with 1, and a stop on request with 0.

#![deny(clippy::wildcard_enum_match_arm)]

mod arguments;
mod check;
mod failure;
mod memory;
mod output;
mod settings;
mod signals;
mod start;
mod store;

use std::process::ExitCode;

use arguments::Invocation;
use output::Output;

/// The storage engine is written in C++ and allocates through the same allocator; with glibc's, the same work held two to
/// three times the memory.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let mut output = Output::stdout();
    let done = match arguments::parse() {
        Ok(Invocation::Start(mode, settings)) => start::start(mode, &settings, &mut output),
        Ok(Invocation::Check(settings)) => check::check(&settings, &mut output),
        Ok(Invocation::Print(text)) => {
            output.text(&text);
            Ok(())
        }
        Err(failure) => Err(failure),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
