//! `stator check`: verifying a data directory.
//!
//! What must stay true: nothing is written.

use std::path::PathBuf;

use stator_server::Config;
use tokio::runtime::Runtime;

use crate::failure::Failure;
use crate::output::Output;
use crate::start::{DEFAULT_DIRECTORY, unreadable};
use crate::{memory, store};

/// Verifies the directory of the settings.
pub(crate) fn check(config: &Config, output: &mut Output) -> Result<(), Failure> {
    let directory = config.data.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_DIRECTORY));
    if !directory.is_dir() {
        return Err(Failure::Usage(format!("--data: {}: no such directory", directory.display())));
    }
    let memory = config.memory.map_or_else(memory::default_bytes, |size| size.0);
    let store = store::on_disk(&directory, memory)?;
    let runtime = Runtime::new().map_err(|error| Failure::Failed(format!("no threads to run on: {error}")))?;
    let report = runtime.block_on(stator_engine::check::check(store.as_ref()));
    let report = report.map_err(|error| Failure::Failed(format!("{}: cannot be verified: {}", directory.display(), unreadable(&error))))?;
    for fault in &report.faults {
        output.line(fault);
    }
    match report.faults.len() {
        0 => {
            output.line(&format!("{}: {} tables, {} rows, no fault", directory.display(), report.tables, report.rows));
            Ok(())
        }
        count => {
            let at_least = if count >= stator_engine::check::FAULTS_MAX { "at least " } else { "" };
            Err(Failure::Failed(format!("{}: {at_least}{count} faults in {} rows", directory.display(), report.rows)))
        }
    }
}
