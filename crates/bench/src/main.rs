//! Measures stator beside the least that any server must do, and beside its peers: `cargo xtask bench`.
//!
//! ```text
//! measure ─ starts servers and floors, runs loads ─> figures ─ bar: judged ─> report: screen, JSON, page, plots
//! ```
//!
//! This process makes the load; every server, floors included, is a process of its own. What must stay true: whatever is
//! compared was measured in the same run, round by round, and nothing that fails is left out of the tables.
#![allow(clippy::disallowed_methods, reason = "taking time and starting threads is what a bench does")]

mod arguments;
mod bar;
mod bench;
mod data;
mod figures;
mod floor;
mod load;
mod measure;
mod peer;
mod report;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arguments::{Options, USAGE};
use bench::Bench;
use stator_driver::failure::{Failure, failed};
// Named so that its build, which makes the archive that `rocksdb` needs, comes first.
use stator_kv_rocksdb as _;

/// The floors use the product's allocator.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["floor-echo", answer] => floor::echo(Path::new(answer)).map(|never| match never {}),
        ["floor-put", data] => floor::put(Path::new(data)).map(|never| match never {}),
        ["--list"] => {
            bar::BARS.iter().for_each(|bar| say(&format!("{:<18}{}", bar.name, bar.text)));
            Ok(())
        }
        _ => run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.0.is_empty() => {
            say(USAGE);
            ExitCode::from(2)
        }
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let root = workspace()?;
    let options = Options::parse(arguments, root)?;
    let mut bench = Bench::new(options)?;
    if !bench.stator().exists() {
        return Err(failed(format!("{} is not there: cargo xtask bench builds it", bench.stator().display())));
    }
    if let Some(operation) = bench.options.profile.clone() {
        return measure::profile::run(&mut bench, &operation);
    }
    measure::all(&mut bench);
    report::all(&bench)
}

/// The folder whose `target/dist` this program was built into.
fn workspace() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let root = own.ancestors().find(|folder| folder.join("Cargo.lock").exists());
    root.map(Path::to_path_buf).ok_or_else(|| failed("this program lies outside of its workspace"))
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
