//! The data directory: locked by one process, stamped with a format.
//!
//! ```text
//!   FORMAT    the format's number and a newline
//!   LOCK      held exclusively while the store is open; holds the process's number
//!   rocksdb/  the engine's files
//!   CLOSED    what they held when the store was closed (`closing`); not there while it is open, nor after a crash
//! ```
//!
//! What must stay true: nothing is written before lock and format have been checked.

#![deny(clippy::wildcard_enum_match_arm)]

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::closing::Closing;
use crate::write_log;

/// The format that this version writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// Why a data directory cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it.
    Locked {
        /// The directory.
        directory: PathBuf,
        /// What the lock file says of its holder.
        holder: String,
    },
    /// Written by a newer version.
    Newer {
        /// The directory.
        directory: PathBuf,
        /// Its format.
        found: u32,
    },
    /// FORMAT cannot be understood.
    NoFormat(PathBuf),
    /// Less is there than when it was closed.
    Lost {
        /// The directory.
        directory: PathBuf,
        /// How that is known.
        what: String,
    },
    /// A log of writes is damaged, and writes that were acknowledged come behind the damage.
    DamagedLog {
        /// The log.
        path: PathBuf,
        /// The byte at which the damage begins.
        at: u64,
        /// The byte at which a later write begins.
        later: u64,
    },
    /// The system refused.
    Io(PathBuf, std::io::Error),
    /// The engine refused.
    Engine(PathBuf, String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Locked { directory, holder } => {
                let holder = if holder.is_empty() { String::new() } else { format!(" (process {holder})") };
                write!(f, "{} is in use by another stator{holder}: stop it first, or use another directory", directory.display())
            }
            OpenError::Newer { directory, found } => write!(
                f,
                "{} has data format {found}, but this version reads formats up to {FORMAT}: run a newer version of stator on it",
                directory.display()
            ),
            OpenError::NoFormat(path) => {
                write!(f, "{} does not hold a format number: is this a data directory of stator?", path.display())
            }
            OpenError::Lost { directory, what } => write!(
                f,
                "{}: part of the data is lost: {what}. Bring it back from a copy; to go on with what is left, delete {}",
                directory.display(),
                directory.join("CLOSED").display()
            ),
            OpenError::DamagedLog { path, at, later } => write!(
                f,
                "{0} is damaged at byte {at}, in front of later writes (the next begins at byte {later}): acknowledged writes would be lost. \
                 Bring the file back from a copy; to go on with what comes before the damage, cut it off there: truncate -s {at} {0}",
                path.display()
            ),
            OpenError::Io(path, error) => write!(f, "{}: {error}", path.display()),
            OpenError::Engine(path, error) => write!(f, "{}: the storage engine cannot open it: {error}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}

/// Makes a directory, if it is not there, so that it is still there after a power cut.
///
/// What lies in a directory survives only if the directory does, and a name is kept by the folder that it stands in.
pub fn make_directory(path: &Path) -> Result<(), OpenError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |error| OpenError::Io(path, error)
    };
    let absolute = std::path::absolute(path).map_err(io(path))?;
    let missing: Vec<&Path> = absolute.ancestors().take_while(|folder| !folder.exists()).collect();
    fs::create_dir_all(&absolute).map_err(io(path))?;
    for folder in missing.into_iter().filter_map(Path::parent) {
        sync_names(folder).map_err(io(folder))?;
    }
    Ok(())
}

/// Names in a folder are on disk when this has returned.
pub(crate) fn sync_names(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// An opened directory; the lock is held as long as this lives.
pub(crate) struct Directory {
    path: PathBuf,
    /// Where the engine's files are.
    pub(crate) engine: PathBuf,
    /// What the last owner noted, until it has been checked.
    closing: Option<Closing>,
    /// The last version, once everything up to it is on disk and no more will come.
    ended_at: Option<u64>,
    _lock: File,
}

impl Directory {
    /// Locks a directory and checks its format, making both if they are not there.
    pub(crate) fn open(path: &Path) -> Result<Directory, OpenError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |error| OpenError::Io(path, error)
        };
        make_directory(path)?;
        let lock_path = path.join("LOCK");
        let mut lock = File::options().read(true).write(true).create(true).truncate(false).open(&lock_path).map_err(io(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(OpenError::Io(lock_path, error)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                lock.read_to_string(&mut holder).map_err(io(&lock_path))?;
                return Err(OpenError::Locked { directory: path.to_owned(), holder: holder.trim().to_owned() });
            }
        }
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(io(&lock_path))?;
        let engine = path.join("rocksdb");
        check_format(path, &engine)?;
        let closing = Closing::read(path)?;
        if let Some(closing) = &closing {
            closing.check_files(path, &engine)?;
        }
        check_beginning(path, &engine)?;
        // After an end in good order, hashes have been compared.
        if closing.as_ref().is_none_or(|closing| !closing.names_files()) {
            write_log::check(&engine)?;
        }
        if let Some(closing) = &closing {
            closing.forget_files(path)?;
        }
        Ok(Directory { path: path.to_owned(), engine, closing, ended_at: None, _lock: lock })
    }

    /// The engine has opened its files and found this last version: everything is there, its folder for good, and writes may
    /// come.
    pub(crate) fn opened(&mut self, version: u64) -> Result<(), OpenError> {
        sync_names(&self.path).map_err(|error| OpenError::Io(self.path.clone(), error))?;
        if let Some(closing) = self.closing.take() {
            closing.check_version(&self.path, version)?;
        }
        Closing::remove(&self.path)
    }

    /// Everything up to this version is on disk, and no more will come.
    pub(crate) fn ends_at(&mut self, version: u64) {
        self.ended_at = Some(version);
    }
}

impl Drop for Directory {
    /// Comes after the engine has let go of its files.
    fn drop(&mut self) {
        if let Some(version) = self.ended_at
            && let Err(error) = Closing::write(&self.path, &self.engine, version)
        {
            tracing::warn!(%error, "what the data directory holds was not noted; a loss from now to the next start would not be noticed");
        }
    }
}

/// The engine takes a folder without CURRENT for a new one, and removes whatever lies in it. Where it makes one, CURRENT
/// is on disk before there is anything else to lose.
fn check_beginning(directory: &Path, engine: &Path) -> Result<(), OpenError> {
    if engine.join("CURRENT").exists() || !holds_rows(engine) {
        return Ok(());
    }
    let what = "rocksdb/CURRENT is missing, which says where the rest begins".to_owned();
    Err(OpenError::Lost { directory: directory.to_owned(), what })
}

/// Whether the engine's folder has files that rows are in.
fn holds_rows(engine: &Path) -> bool {
    let entries = fs::read_dir(engine).into_iter().flatten().flatten();
    let kinds = ["sst", "blob", "log"];
    entries.into_iter().any(|entry| entry.path().extension().is_some_and(|kind| kinds.iter().any(|known| kind == *known)))
}

fn check_format(directory: &Path, engine: &Path) -> Result<(), OpenError> {
    let path = directory.join("FORMAT");
    match fs::read_to_string(&path) {
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(found) if found > FORMAT => Err(OpenError::Newer { directory: directory.to_owned(), found }),
            Ok(1..) => Ok(()),
            Ok(0) | Err(_) => Err(OpenError::NoFormat(path)),
        },
        // It was on disk before the engine began.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && holds_rows(engine) => Err(OpenError::NoFormat(path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let aside = directory.join("FORMAT.new");
            let write = || {
                let mut file = File::create(&aside)?;
                writeln!(file, "{FORMAT}")?;
                file.sync_all()?;
                fs::rename(&aside, &path)?;
                sync_names(directory)
            };
            write().map_err(|error| OpenError::Io(path.clone(), error))
        }
        Err(error) => Err(OpenError::Io(path, error)),
    }
}
