//! A directory for the data of one run, removed at its end.
//!
//! What must stay true: it lies beside the results and not in the system's temporary directory, which may be memory; what
//! a run that was killed left behind is removed by the next one.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, failed};

/// The directory of this run.
pub struct Scratch {
    path: PathBuf,
    count: Cell<u32>,
}

impl Scratch {
    /// Makes one below `parent`.
    pub fn new(parent: &Path) -> Result<Scratch, Failure> {
        for stale in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = stale.file_name().to_string_lossy().into_owned();
            if name.parse::<u32>().is_ok_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
                let _ = fs::remove_dir_all(stale.path());
            }
        }
        let path = parent.join(std::process::id().to_string());
        fs::create_dir_all(&path).map_err(|error| failed(format!("{}: {error}", path.display())))?;
        Ok(Scratch { path, count: Cell::new(0) })
    }

    /// A new path in it; nothing is there yet.
    pub fn path(&self, name: &str) -> PathBuf {
        self.count.set(self.count.get() + 1);
        self.path.join(format!("{:03}-{name}", self.count.get()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_cleans_up_after_itself_and_after_one_that_was_killed() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join(u32::MAX.to_string());
        fs::create_dir_all(left.join("data")).unwrap();
        let scratch = Scratch::new(parent.path()).unwrap();
        assert!(!left.exists());
        assert_ne!(scratch.path("a"), scratch.path("a"));
        let own = scratch.path.clone();
        assert!(own.exists());
        drop(scratch);
        assert!(!own.exists());
    }
}
