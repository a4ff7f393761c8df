//! A wall clock that is set while a server runs: the real one, behind a library in front of the C library (`shim.c`).
//!
//! What must stay true: the server runs unchanged, and what it measures durations by is left alone.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use crate::library;
use crate::run::Run;
use crate::verdict::{Violation, broken};

const SHIM: &str = include_str!("shim.c");

/// A clock, as it is ahead of the real one.
pub(crate) struct Clock {
    library: PathBuf,
    control: PathBuf,
    offset_s: i64,
}

impl Clock {
    /// A clock that is right.
    pub(crate) fn new(run: &Run) -> Result<Clock, Violation> {
        let clock = Clock { library: library::compiled(run, "clock", SHIM)?, control: run.path("clock.offset")?, offset_s: 0 };
        clock.write()?;
        Ok(clock)
    }

    /// Lets a server live by it.
    pub(crate) fn attach(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("STATOR_CLOCK_OFFSET", &self.control);
    }

    /// Sets it.
    pub(crate) fn step(&mut self, by_s: i64) -> Result<(), Violation> {
        self.offset_s += by_s;
        self.write()
    }

    fn write(&self) -> Result<(), Violation> {
        // In place: the server has it mapped.
        let mut file = File::options().write(true).create(true).truncate(false).open(&self.control).map_err(broken)?;
        file.write_all(&(self.offset_s * 1_000_000_000).to_le_bytes()).map_err(broken)
    }
}
