//! `stator check`: verifying a data directory.
//!
//! What must stay true: nothing is written.

use std::path::PathBuf;

use stator_server::Config;

use crate::failure::Failure;
use crate::output::Output;
use crate::start::DEFAULT_DIRECTORY;
use crate::{memory, store};

/// Verifies the directory of the settings.
pub(crate) fn check(config: &Config, _output: &mut Output) -> Result<(), Failure> {
    let directory = config.data.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_DIRECTORY));
    if !directory.is_dir() {
        return Err(Failure::Usage(format!("--data: {}: no such directory", directory.display())));
    }
    let memory = config.memory.map_or_else(memory::default_bytes, |size| size.0);
    store::on_disk(&directory, memory).map(drop)
}
