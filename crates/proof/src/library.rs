//! Libraries in front of the C library, made from a C source when they are needed.
//!
//! What must stay true: they are for Linux and need a C compiler (`cc`), which whoever lacks it is told.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::run::Run;
use crate::verdict::{Violation, broken};

/// The path of the library, for `LD_PRELOAD`.
pub(crate) fn compiled(run: &Run, name: &str, source: &str) -> Result<PathBuf, Violation> {
    let (text, library) = (run.path(&format!("{name}.c"))?, run.path(&format!("{name}.so"))?);
    if !library.exists() {
        fs::write(&text, source)?;
        let made = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&text).output();
        let made = made.map_err(|error| broken(format!("a C compiler (cc) is needed: {error}")))?;
        if !made.status.success() {
            return Err(broken(String::from_utf8_lossy(&made.stderr)));
        }
    }
    Ok(library)
}
