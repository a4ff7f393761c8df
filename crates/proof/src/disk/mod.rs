//! A disk that can be cut off and that fails on order: real files, behind a library in front of the C library (`shim.c`).
//!
//! ```text
//! server ─ shim ─┬─> real files
//!                └─> journal ─ Model: what is on the disk for certain, and what came after ─ cut ─> real files
//! ```
//!
//! What must stay true: the server runs unchanged; what it was promised by a sync that returned is never cut off.

mod control;
mod journal;
mod model;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::choices::Choices;
use crate::library;
use crate::run::Run;
use crate::verdict::{Violation, broken};
pub(crate) use control::{Kind, Order};
use model::Model;

const SHIM: &str = include_str!("shim.c");

/// A folder on such a disk.
pub(crate) struct Disk {
    root: PathBuf,
    journal: PathBuf,
    control: PathBuf,
    shim: PathBuf,
}

impl Disk {
    /// Makes the folder, under a name, and the library.
    pub(crate) fn new(run: &Run, name: &str) -> Result<Disk, Violation> {
        let shim = library::compiled(run, "disk", SHIM)?;
        let root = run.path(name)?;
        fs::create_dir_all(&root)?;
        let disk = Disk { root, journal: run.path(&format!("{name}.journal"))?, control: run.path(&format!("{name}.control"))?, shim };
        disk.order(&Order::default())?;
        Ok(disk)
    }

    /// Where the server's data is to be.
    pub(crate) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Puts the library in front of a server, and forgets what it did before.
    pub(crate) fn attach(&self, command: &mut Command) -> Result<(), Violation> {
        fs::write(&self.journal, [])?;
        command.env("LD_PRELOAD", &self.shim).env("STATOR_DISK_ROOT", &self.root);
        command.env("STATOR_DISK_JOURNAL", &self.journal).env("STATOR_DISK_CONTROL", &self.control);
        Ok(())
    }

    /// What fails from now on; counting begins anew.
    pub(crate) fn order(&self, order: &Order) -> Result<(), Violation> {
        // In place: the server has it mapped.
        order.write(&self.control).map_err(broken)
    }

    /// Calls of a kind since the last order.
    pub(crate) fn count(&self, kind: Kind) -> Result<u64, Violation> {
        control::count(&self.control, kind).map_err(broken)
    }

    /// How many calls have failed since the last order.
    pub(crate) fn hits(&self) -> Result<u64, Violation> {
        control::hits(&self.control).map_err(broken)
    }

    /// What is on the disk now, all of it for certain.
    pub(crate) fn settled(&self) -> Result<Settled, Violation> {
        Model::read(&self.root).map(Settled).map_err(broken)
    }

    /// Cuts the power: what was not synced since `settled` is lost, whole or in part. Answers how many bytes and entries were.
    pub(crate) fn cut(&self, settled: Settled, choices: &mut Choices) -> Result<Lost, Violation> {
        let mut model = settled.0;
        for record in journal::records(&fs::read(&self.journal)?, &self.root) {
            model.apply(record);
        }
        let lost = model.cut(choices);
        clear(&self.root)?;
        model.write(&self.root).map_err(broken)?;
        Ok(lost)
    }
}

/// A disk's contents before a server started.
pub(crate) struct Settled(Model);

/// What a power cut took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Files that lost something.
    pub(crate) files: u64,
    /// Changes of directories that were undone.
    pub(crate) entries: u64,
}

fn clear(root: &Path) -> Result<(), Violation> {
    for entry in fs::read_dir(root)?.flatten() {
        if entry.path().is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    Ok(())
}
